/** Which time a report is about, as people say it: `24h`, `7d`, or from a day to a day in the report's time zone. */
import { err, ok, type Result } from '../core/result.ts';

export interface ReportTime {
  /** Inclusive. */
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
}

export interface SaidTime {
  /** `24h`, `7d`. */
  readonly last?: string | undefined;
  /** `2026-11-22`, or RFC 3339. */
  readonly from?: string | undefined;
  /** `2026-11-22` (that day is part of it), or RFC 3339 (exclusive). */
  readonly to?: string | undefined;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** The longest time that one report is about. */
const reportMsMax = 366 * dayMs;
const reportMsDefault = 7 * dayMs;

const lastForm = /^([1-9]\d{0,3})([hd])$/;
const dayForm = /^\d{4}-\d{2}-\d{2}$/;
const timeForm = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** The time that is meant; else one sentence of what is wrong. @param dayOf of {@link daysIn}. */
export function reportTimeOf(
  said: SaidTime,
  nowMs: number,
  dayOf: (atMs: number) => string,
): Result<ReportTime, string> {
  // Up to the end of this second: what was asked just now is part of it.
  const endMs = (Math.floor(nowMs / 1000) + 1) * 1000;
  if (said.last !== undefined && (said.from !== undefined || said.to !== undefined))
    return err('Say either how long (last) or from when to when, not both.');
  if (said.from === undefined && said.to === undefined) {
    const ms = said.last === undefined ? reportMsDefault : lastMs(said.last);
    return ms === undefined
      ? err(`“${said.last ?? ''}” is no such time; say 24h, 7d or 30d, up to 366d.`)
      : ok({ fromMs: endMs - ms, toMs: endMs });
  }
  if (said.from === undefined) return err('Say from when (from) as well.');
  const from = timeOf(said.from, dayOf);
  const to = said.to === undefined ? endMs : timeOf(said.to, dayOf, 'end');
  if (from === undefined) return err(`“${said.from}” is no day such as 2026-11-22, and no RFC 3339 time.`);
  if (to === undefined) return err(`“${said.to ?? ''}” is no day such as 2026-11-22, and no RFC 3339 time.`);
  if (from >= to) return err('The report would end before it begins.');
  return to - from > reportMsMax
    ? err('A report is about 366 days at most.')
    : ok({ fromMs: from, toMs: to });
}

function lastMs(text: string): number | undefined {
  const [, count, unit] = lastForm.exec(text) ?? [];
  if (count === undefined) return undefined;
  const ms = Number(count) * (unit === 'h' ? hourMs : dayMs);
  return ms <= reportMsMax ? ms : undefined;
}

function timeOf(
  text: string,
  dayOf: (atMs: number) => string,
  edge: 'start' | 'end' = 'start',
): number | undefined {
  if (timeForm.test(text)) {
    const ms = Date.parse(text);
    return Number.isNaN(ms) ? undefined : ms;
  }
  const utcMs = dayForm.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // February has no 31st: the calendar would quietly go on to March.
  if (Number.isNaN(utcMs) || new Date(utcMs).toISOString().slice(0, 10) !== text) return undefined;
  return edge === 'start' ? startOf(text, utcMs, dayOf) : startOf(nextOf(text), utcMs + dayMs, dayOf);
}

const nextOf = (day: string): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + dayMs).toISOString().slice(0, 10);

/** A quarter of an hour: zones differ from UTC by whole ones, so that each day begins with one. */
const quarterMs = 900_000;

/** The first quarter of an hour of a day. Zones are up to 14 hours ahead of UTC and 12 behind. */
function startOf(day: string, utcMs: number, dayOf: (atMs: number) => string): number {
  let at = utcMs - 14 * hourMs;
  while (dayOf(at) < day) at += quarterMs;
  return at;
}

/** Days that are remembered: a year of quarters of an hour. */
const knownMax = 50_000;

/** The day of a time: `2026-11-22`. @param timezone an IANA name; throws where there is no such zone. */
export function daysIn(timezone: string): (atMs: number) => string {
  // The Swedish way to write a date is ISO 8601's.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short' });
  const known = new Map<number, string>();
  return (atMs) => {
    const quarter = Math.floor(atMs / quarterMs);
    const found = known.get(quarter);
    if (found !== undefined) return found;
    if (known.size >= knownMax) known.clear();
    const day = format.format(atMs);
    known.set(quarter, day);
    return day;
  };
}
