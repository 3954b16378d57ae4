/** Making a report: reads what was asked in a time page by page, and adds it up (core/report.ts). */
import type { Report } from '../core/report.ts';
import { adviceOf } from '../core/report-advice.ts';
import { createTally } from '../core/report-tally.ts';
import type { Clock } from '../ports/clock.ts';
import type { ReportPlace } from '../ports/reports.ts';
import type { Store } from '../ports/store.ts';
import { daysIn, type ReportTime } from './report-time.ts';

export interface MakingReport {
  /** IANA name. */
  readonly timezone: string;
  /** Hears how far it is, from 0 to 1, after each page. */
  readonly tell?: (part: number) => void;
  /** Stops it. */
  readonly ends?: AbortSignal;
}

/** The report, with what to do next; null where it was stopped. */
export async function makeReport(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  time: ReportTime,
  { timezone, tell, ends }: MakingReport,
): Promise<(Report & { readonly next: readonly string[] }) | null> {
  const range = { ...time, timezone, dayOf: daysIn(timezone) };
  const tally = createTally(range, await store.directory(), clock.nowMs());
  for (let place: ReportPlace | null = null; ;) {
    if (ends?.aborted === true) return null;
    const page = await store.reportPage(time, place);
    for (const row of page.rows) tally.add(row);
    if (page.next === null) {
      const report = tally.done();
      return { ...report, next: adviceOf(report, tally.latestSince()) };
    }
    place = page.next;
    tell?.((place.at - place.from) / Math.max(1, place.end - place.from));
  }
}
