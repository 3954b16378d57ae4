/**
 * Which entries were erased, as the log itself says. An entry `payloads.erased` names the indexes whose payloads are gone. A blank
 * statement counts as erased only where a later entry names its index; any other blank is tampering. Whoever verifies a log, a
 * backup or an export asks here, and nowhere else.
 */
import type { Entry } from './entry.ts';
import type { JsonObject, JsonValue } from './json.ts';

/** From and to, both inclusive. */
export type Range = readonly [from: number, to: number];

export interface Ranges {
  /** Ascending; none touches the next. */
  readonly ranges: readonly Range[];
  has(index: number): boolean;
}

/** What the rule reads of an entry; the statement of a `payloads.erased` is never erased itself. */
export type Erasing = Pick<Entry, 'index' | 'type' | 'data'>;

/**
 * The indexes that these entries name, whatever else is among them. An entry names only what is older than itself; one that is
 * malformed names nothing, so that what it should have named shows as tampering.
 */
export function erasedIndexes(entries: Iterable<Erasing>): Ranges {
  const found: Range[] = [];
  for (const { index, type, data } of entries)
    if (type === 'payloads.erased')
      for (const range of rangesIn(data)) if (range[1] < index) found.push(range);
  return rangesFrom(found);
}

/** What an entry `payloads.erased` says in its data; nothing where that is malformed in any part. */
export function rangesIn(data: JsonObject): readonly Range[] {
  const { indexes } = data;
  if (!Array.isArray(indexes)) return [];
  // Array.isArray loses the element's type.
  const ranges = (indexes as readonly JsonValue[]).map(rangeOf);
  return ranges.every((one) => one !== null) ? ranges : [];
}

function rangeOf(value: JsonValue): Range | null {
  if (!Array.isArray(value) || value.length !== 2) return null;
  const [from, to] = value as readonly JsonValue[];
  const isIndex = (one: JsonValue | undefined): one is number =>
    Number.isSafeInteger(one) && Number(one) >= 0;
  return isIndex(from) && isIndex(to) && from <= to ? [from, to] : null;
}

/** Indexes in any order, as the ranges that an entry holds. */
export const rangesOf = (indexes: Iterable<number>): readonly Range[] =>
  rangesFrom([...indexes].map((index): Range => [index, index])).ranges;

/** How many indexes they are. */
export const countOf = (ranges: readonly Range[]): number =>
  ranges.reduce((total, [from, to]) => total + to - from + 1, 0);

/** Ranges in any order, that may overlap or touch. */
export function rangesFrom(some: readonly Range[]): Ranges {
  const ranges: Range[] = [];
  for (const [from, to] of some.toSorted((left, right) => left[0] - right[0])) {
    const last = ranges.at(-1);
    if (last !== undefined && from <= last[1] + 1)
      ranges[ranges.length - 1] = [last[0], Math.max(last[1], to)];
    else ranges.push([from, to]);
  }
  return { ranges, has: (index) => hasIndex(ranges, index) };
}

/** @param ranges ascending, none of which touches the next. */
export function hasIndex(ranges: readonly Range[], index: number): boolean {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const range = ranges[middle];
    if (range === undefined || index < range[0]) high = middle;
    else if (index > range[1]) low = middle + 1;
    else return true;
  }
  return false;
}
