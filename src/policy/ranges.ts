/**
 * Which other value at one place would be allowed, found by asking the engine. Between two values that policies compare a number
 * with, no comparison changes, and so neither does the verdict: one question answers for the whole range. Of strings the same
 * holds for all that no policy names. Where a place is read in other ways too, only the very value that was asked about is told.
 */
import type { JsonValue } from '../core/json.ts';
import type { Atom, Read } from './atoms.ts';
import { isLike } from './interpret.ts';
import { isSame, plain, type Value } from './value.ts';

/** Values that one place is compared with; where there are more, only values of their own are tried. */
const landmarksMax = 12;
/** Strings that are named one after the other in "were neither … nor …". */
const namedMax = 4;
/** Single values of one place that are told. */
const valuesMax = 3;

/** What another value would have to be. */
export type Found =
  /** From and to, both within; null: without end. */
  | { readonly kind: 'range'; readonly from: number | null; readonly to: number | null }
  | { readonly kind: 'values'; readonly values: readonly JsonValue[] }
  /** Anything but these. */
  | {
      readonly kind: 'other';
      readonly values: readonly JsonValue[];
      readonly patterns: readonly (readonly (string | null)[])[];
    }
  | { readonly kind: 'with' | 'without'; readonly values: readonly JsonValue[] }
  | { readonly kind: 'empty' | 'absent' | 'given' };

/** Whether the place with this value (undefined: not given) would be allowed. */
export type Try = (value: JsonValue | undefined) => boolean;

/** One place, and what is known of it. */
export interface Spot {
  readonly read: Read;
  readonly now: JsonValue | undefined;
  /** What kind of value belongs there. */
  readonly type: 'long' | 'string' | 'bool' | 'set';
  readonly isOptional: boolean;
  readonly domain: { readonly from: number; readonly to: number };
  /** Further values that the verdict may change at. */
  readonly more: readonly number[];
}

/** What this place would have to be instead; the nearest first. */
export function otherValues(spot: Spot, allows: Try): readonly Found[] {
  const absent: readonly Found[] =
    spot.now !== undefined && spot.isOptional && allows(undefined) ? [{ kind: 'absent' }] : [];
  return [...given(spot, allows), ...absent];
}

function given(spot: Spot, allows: Try): readonly Found[] {
  const { atoms, opaque } = spot.read;
  const named = atoms.filter((atom) => atom.kind !== 'present');
  if (named.length === 0 && !opaque && spot.more.length === 0)
    return spot.now === undefined && allows(sample[spot.type]) ? [{ kind: 'given' }] : [];
  switch (spot.type) {
    case 'long':
      return numbers(spot, allows);
    case 'string':
      return strings(spot, allows);
    case 'bool':
      return [true, false]
        .filter((value) => value !== spot.now && allows(value))
        .map((value) => ({ kind: 'values', values: [value] }));
    case 'set':
      return sets(spot, allows);
  }
}

const sample: Readonly<Record<Spot['type'], JsonValue>> = { long: 0, string: 'x', bool: true, set: [] };

const compared = (atom: Atom): readonly Value[] =>
  atom.kind === 'compare' ? [atom.value] : atom.kind === 'oneOf' ? atom.values : [];

/** A number as a policy compares with; undefined for what a double cannot hold. */
function numberOf(value: Value): number | undefined {
  const amount = value.kind === 'long' ? value.value : value.kind === 'datetime' ? value.amount : undefined;
  return amount !== undefined && Number.isSafeInteger(Number(amount)) ? Number(amount) : undefined;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function numbers({ read, now, domain, more }: Spot, allows: Try): readonly Found[] {
  const constants = read.atoms.flatMap(compared).map(numberOf);
  const marks = [...new Set([...constants.filter((one) => one !== undefined), ...more])]
    .filter((one) => one >= domain.from && one <= domain.to)
    .toSorted((a, b) => a - b);
  const here = typeof now === 'number' ? now : Math.max(domain.from, 0);
  const exact = !read.opaque && !constants.includes(undefined) && marks.length <= landmarksMax;
  if (!exact) {
    const near = marks
      .flatMap((mark) => [mark - 1, mark, mark + 1])
      .filter((one) => one >= domain.from && one <= domain.to && one !== now)
      .toSorted((a, b) => Math.abs(a - here) - Math.abs(b - here));
    const first = [...new Set(near)].slice(0, 2 * landmarksMax).find((one) => allows(one));
    return first === undefined ? [] : [{ kind: 'values', values: [first] }];
  }
  const allowed = merged(rangesOf(marks, domain).filter((range) => allows(nearest(range, here))));
  const distance = (range: Range): number => Math.abs(nearest(range, here) - here);
  const below = allowed.filter((range) => range.to < here).at(-1);
  const above = allowed.find((range) => range.from > here);
  const around =
    now === undefined ? allowed.find((range) => range.from <= here && range.to >= here) : undefined;
  return [below, above, around]
    .filter((range) => range !== undefined)
    .toSorted((a, b) => distance(a) - distance(b))
    .map(({ from, to }) => ({
      kind: 'range',
      from: from === domain.from ? null : from,
      to: to === domain.to ? null : to,
    }));
}

/** Each mark by itself, and what is between them. */
function rangesOf(marks: readonly number[], domain: Range): readonly Range[] {
  const ranges: Range[] = [];
  let from = domain.from;
  for (const mark of marks) {
    if (from < mark) ranges.push({ from, to: mark - 1 });
    ranges.push({ from: mark, to: mark });
    from = mark + 1;
  }
  return from <= domain.to ? [...ranges, { from, to: domain.to }] : ranges;
}

const nearest = ({ from, to }: Range, here: number): number => Math.min(Math.max(here, from), to);

function merged(ranges: readonly Range[]): readonly Range[] {
  const all: Range[] = [];
  for (const range of ranges) {
    const last = all.at(-1);
    if (last !== undefined && last.to + 1 === range.from)
      all.splice(-1, 1, { from: last.from, to: range.to });
    else all.push(range);
  }
  return all;
}

type Pattern = readonly (string | null)[];

function strings({ read, now }: Spot, allows: Try): readonly Found[] {
  const patterns = read.atoms.flatMap((atom) => (atom.kind === 'like' ? [atom.pattern] : []));
  const values = read.atoms.flatMap(compared);
  const constants = [...new Set(values.flatMap((value) => (value.kind === 'string' ? [value.value] : [])))];
  const few = constants.slice(0, landmarksMax);
  const allowed = few.filter((one) => one !== now && allows(one));
  const single: readonly Found[] =
    allowed.length === 0 ? [] : [{ kind: 'values', values: allowed.slice(0, valuesMax) }];
  const exact =
    !read.opaque && few.length === constants.length && values.every((one) => one.kind === 'string');
  const fresh = exact ? freshString(constants, patterns) : undefined;
  if (fresh === undefined || !allows(fresh)) return single;
  // Of one pattern alone it can be told whether what it matches is allowed: nothing else tells those strings apart.
  const [only] = patterns;
  const isHarmless = (pattern: Pattern): boolean => {
    if (patterns.length > 1 || pattern !== only) return false;
    const match = matching(pattern, fresh);
    return !constants.includes(match) && allows(match);
  };
  const excluded = few.filter((one) => !allowed.includes(one));
  const unlike = patterns.filter((pattern) => !isHarmless(pattern));
  const count = excluded.length + unlike.length;
  if (count === 0 || count > namedMax) return single;
  return [{ kind: 'other', values: excluded, patterns: unlike }];
}

/** A string that is none of these constants and like none of these patterns; undefined where none was found. */
function freshString(constants: readonly string[], patterns: readonly Pattern[]): string | undefined {
  const used = new Set([...constants, ...patterns.flat()].join(''));
  const unused = Array.from('zqxjkvwyZQXJKVWY0123456789').find((one) => !used.has(one)) ?? '~';
  return [unused.repeat(8), unused, ''].find(
    (one) => !constants.includes(one) && !patterns.some((pattern) => isLike(one, pattern)),
  );
}

const matching = (pattern: Pattern, filler: string): string => pattern.map((part) => part ?? filler).join('');

function sets({ read, now }: Spot, allows: Try): readonly Found[] {
  const here: readonly JsonValue[] = Array.isArray(now) ? (now as readonly JsonValue[]) : [];
  const found: Found[] = [];
  for (const atom of read.atoms) {
    if (atom.kind === 'empty' && here.length > 0 && allows([])) found.push({ kind: 'empty' });
    if (atom.kind !== 'contains') continue;
    const wanted = atom.values.map(jsonOf);
    if (wanted.includes(undefined)) continue;
    const named = wanted.filter((one) => one !== undefined);
    const there = named.filter((one) => here.some((item) => same(item, one)));
    const missing = named.filter((one) => !there.includes(one));
    if (there.length > 0 && allows(here.filter((item) => !there.some((one) => same(item, one)))))
      found.push({ kind: 'without', values: there });
    const [first] = missing;
    const tries = first === undefined ? [] : missing.length === 1 ? [[first]] : [[first], missing];
    const add = tries.find((some) => allows([...here, ...some]));
    if (add !== undefined) found.push({ kind: 'with', values: add });
  }
  return found.slice(0, valuesMax);
}

/** Plain values as JSON; undefined for entities and the like, which no input holds. */
function jsonOf(value: Value): JsonValue | undefined {
  if (value.kind === 'string' || value.kind === 'bool') return value.value;
  return value.kind === 'long' ? numberOf(value) : undefined;
}

const same = (a: JsonValue, b: JsonValue): boolean => {
  const isPlain = (one: JsonValue): one is string | number | boolean =>
    typeof one === 'string' || typeof one === 'boolean' || Number.isSafeInteger(one);
  return isPlain(a) && isPlain(b) && isSame(plain(a), plain(b));
};
