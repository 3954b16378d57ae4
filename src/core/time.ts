/** Times for people and wires. Core has no clock: every time is an argument, in milliseconds since 1970. */

/** RFC 3339 in UTC with milliseconds. */
export const rfc3339 = (ms: number): string => new Date(ms).toISOString();

const units: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
];

/** "4 h", "1 h 5 min", "40 s": the two largest units; "0 s" for less than a second and for times that are over. */
export function duration(ms: number): string {
  const parts: string[] = [];
  let left = Math.max(0, ms);
  for (const [name, size] of units) {
    const count = Math.floor(left / size);
    if (count > 0) parts.push(`${count} ${name}`);
    left -= count * size;
    if (parts.length === 2) break;
  }
  return parts.length > 0 ? parts.join(' ') : '0 s';
}

/** Milliseconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds ("PT4H"); undefined for anything else, and for zero. */
export function isoDurationMs(text: string): number | undefined {
  const match = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text);
  if (match === null) return undefined;
  const [weeks, days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  const ms =
    ((weeks ?? 0) * 7 + (days ?? 0)) * 86_400_000 +
    (hours ?? 0) * 3_600_000 +
    (minutes ?? 0) * 60_000 +
    (seconds ?? 0) * 1000;
  return ms > 0 && Number.isSafeInteger(ms) ? ms : undefined;
}
