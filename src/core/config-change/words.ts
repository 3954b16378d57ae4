/** What the halves of a comparison share: one literal form of a value, equality of JSON, and how things are named in sentences. */
import { canonicalize } from '../canonical.ts';
import type { Difference } from '../config-change.ts';
import type { Person } from '../directory.ts';
import type { JsonValue } from '../json.ts';

// People, agents, profiles and settings are JSON by construction; what is not, throws in `canonicalize`.
const json = (value: unknown): JsonValue => value as JsonValue;

/** Whether two values are the same JSON, whatever the order of their keys. */
export const sameJson = (a: unknown, b: unknown): boolean => canonicalize(json(a)) === canonicalize(json(b));

/** A value literally, with line breaks, its keys sorted: two of them can be compared line by line. */
export const literal = (value: unknown): string =>
  JSON.stringify(JSON.parse(canonicalize(json(value))), null, 2);

/** What a value has besides these fields: whatever is added to one later is compared, and not overlooked. */
export const besides = (value: object, fields: readonly string[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !fields.includes(name)));

/** Values by key; of two with the same key the first. */
export function keyed<Of>(list: readonly Of[], key: (one: Of) => string): ReadonlyMap<string, Of> {
  const map = new Map<string, Of>();
  for (const one of list) if (!map.has(key(one))) map.set(key(one), one);
  return map;
}

/** "Sam Lee (sam)": a name alone could be anybody's. */
export const personWords = ({ name, id }: Pick<Person, 'name' | 'id'>): string => `${name} (${id})`;

/** "a, b and c"; "nothing" where there is none. */
export const listWords = (words: readonly string[], none = 'nothing'): string =>
  words.length === 0
    ? none
    : words.length === 1
      ? words.join('')
      : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;

/** The keys of several records, sorted. */
export const keysOf = (...records: readonly Readonly<Record<string, unknown>>[]): readonly string[] =>
  [...new Set(records.flatMap((one) => Object.keys(one)))].toSorted();

/** What stands there before and after; null: nothing. */
export type Pair = readonly [before: unknown, after: unknown];

/** Both literally. */
export const sides = ([before, after]: Pair): Pick<Difference, 'before' | 'after'> => ({
  before: before === null ? null : literal(before),
  after: after === null ? null : literal(after),
});
