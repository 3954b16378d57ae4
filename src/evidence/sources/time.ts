/** Times as targets write them. Pure; what cannot be read for certain is null: a row without a time counts as outside the gate. */

const form =
  /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:[.,]\d{1,9})?) ?(Z|UTC|GMT|Etc\/UTC|[+-]\d\d(?::?\d\d)?)?$/;

/**
 * Milliseconds of an RFC 3339 or PostgreSQL time, or of seconds or milliseconds since 1970. Without a zone it is UTC; the
 * name of any other zone is not read, because such names are ambiguous.
 */
export function timeIn(text: string): number | null {
  const said = text.trim();
  if (/^\d{9,10}(?:\.\d{1,9})?$/.test(said)) return Math.round(Number(said) * 1000);
  if (/^\d{12,13}$/.test(said)) return Number(said);
  const match = form.exec(said);
  if (match === null) return null;
  const [, day = '', clock = '', zone = 'Z'] = match;
  // Milliseconds are as exact as the gate is.
  const [whole = '', part = ''] = clock.split(/[.,]/);
  const ms = Date.parse(`${day}T${whole}.${part.padEnd(3, '0').slice(0, 3)}${offsetOf(zone)}`);
  return Number.isNaN(ms) ? null : ms;
}

function offsetOf(zone: string): string {
  const match = /^([+-]\d\d):?(\d\d)?$/.exec(zone);
  return match === null ? 'Z' : `${match[1]}:${match[2] ?? '00'}`;
}
