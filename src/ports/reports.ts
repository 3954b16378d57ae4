/**
 * What a report adds up (core/report.ts), read in pages: a store with a million actions answers each page from an index, in
 * the order in which they were asked, and reads no input.
 */
import type { ReportRow } from '../core/report.ts';

/** Where a page ended: given back to read the next. */
export interface ReportPlace {
  readonly from: number;
  readonly at: number;
  readonly end: number;
}

export interface ReportPage {
  readonly rows: readonly ReportRow[];
  /** Null: this was the last. */
  readonly next: ReportPlace | null;
}

export interface Reports {
  /** Actions asked from `fromMs` (inclusive) to `toMs` (exclusive), oldest first. @param place null: from the beginning. */
  reportPage(
    range: { readonly fromMs: number; readonly toMs: number },
    place: ReportPlace | null,
  ): Promise<ReportPage>;
}
