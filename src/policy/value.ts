/**
 * Cedar's values, for explanations only: how to read them from JSON, take them apart and compare them. Whatever is
 * not of the expected kind throws `Unclear`, as evaluation does in Cedar.
 */
import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';
import { isJsonObject, type JsonValue } from '../core/json.ts';
import { keyOf } from './entities.ts';
import type { EntityName } from './expression.ts';

/** Thrown for what this evaluator does not know, or what would take long. */
export class Unclear extends Error {}

/** Agents choose inputs: what would take long to compare is unclear. */
const itemsMax = 1000;
/** Of sets and records in a set, where comparing multiplies. */
const nestedItemsMax = 20;

export type Value =
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'long'; readonly value: bigint }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'entity'; readonly name: EntityName }
  | { readonly kind: 'set'; readonly items: readonly Value[] }
  | { readonly kind: 'record'; readonly entries: ReadonlyMap<string, Value> }
  /** `amount`: milliseconds, or ten-thousandths of a decimal. */
  | { readonly kind: 'datetime' | 'duration' | 'decimal'; readonly amount: bigint };

/** A Bool. */
export const bool = (value: boolean): Value => ({ kind: 'bool', value });

/** A 64-bit integer; what overflows in Cedar is unclear. */
export function long(value: bigint): Value {
  if (BigInt.asIntN(64, value) !== value) throw new Unclear(); // Cedar overflows
  return { kind: 'long', value };
}

/** A plain JSON value. */
export function plain(value: boolean | number | string): Value {
  if (typeof value === 'boolean') return bool(value);
  if (typeof value === 'string') return { kind: 'string', value };
  // A literal beyond 2^53 was rounded on its way here.
  if (!Number.isSafeInteger(value)) throw new Unclear();
  return { kind: 'long', value: BigInt(value) };
}

/** A value of Cedar's JSON, as in contexts and attributes. */
export function valueOfJson(json: CedarValueJson): Value {
  if (typeof json === 'boolean' || typeof json === 'number' || typeof json === 'string') return plain(json);
  if (json === null) throw new Unclear();
  if (Array.isArray(json)) return { kind: 'set', items: json.map(valueOfJson) };
  const value = json as JsonValue; // Cedar's values are JSON
  const entity = isJsonObject(value) ? value['__entity'] : undefined;
  if (isJsonObject(entity))
    return { kind: 'entity', name: { type: textIn(entity['type']), id: textIn(entity['id']) } };
  const extension = isJsonObject(value) ? value['__extn'] : undefined;
  if (isJsonObject(extension)) return call(textIn(extension['fn']), [plain(textIn(extension['arg']))]);
  return {
    kind: 'record',
    entries: new Map(
      Object.entries(json).map(([name, each]: [string, CedarValueJson]) => [name, valueOfJson(each)]),
    ),
  };
}

function textIn(json: JsonValue | undefined): string {
  if (typeof json !== 'string') throw new Unclear();
  return json;
}

/** An extension function or method. */
export function call(name: string, args: readonly Value[]): Value {
  const [a, b] = args;
  if (a === undefined) throw new Unclear();
  switch (name) {
    case 'datetime': {
      const ms = Date.parse(stringOf(a));
      if (Number.isNaN(ms)) throw new Unclear();
      return { kind: 'datetime', amount: BigInt(ms) };
    }
    case 'duration':
      return { kind: 'duration', amount: durationMs(stringOf(a)) };
    case 'decimal':
      return { kind: 'decimal', amount: tenThousandths(stringOf(a)) };
    default:
      break;
  }
  if (b === undefined) throw new Unclear();
  switch (name) {
    case 'offset':
      return { kind: 'datetime', amount: amountOf(a) + amountOf(b) };
    case 'durationSince':
      return { kind: 'duration', amount: amountOf(a) - amountOf(b) };
    case 'lessThan':
      return bool(amountOf(a) < amountOf(b));
    case 'lessThanOrEqual':
      return bool(amountOf(a) <= amountOf(b));
    case 'greaterThan':
      return bool(amountOf(a) > amountOf(b));
    case 'greaterThanOrEqual':
      return bool(amountOf(a) >= amountOf(b));
    default:
      throw new Unclear();
  }
}

function durationMs(text: string): bigint {
  const match = /^(-?)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text);
  if (match === null) throw new Unclear();
  const [days, hours, minutes, seconds, ms] = match.slice(2).map((part) => BigInt(part ?? 0));
  const total =
    (days ?? 0n) * 86_400_000n +
    (hours ?? 0n) * 3_600_000n +
    (minutes ?? 0n) * 60_000n +
    (seconds ?? 0n) * 1000n +
    (ms ?? 0n);
  return match[1] === '-' ? -total : total;
}

function tenThousandths(text: string): bigint {
  const match = /^(-?\d+)\.(\d{1,4})$/.exec(text);
  if (match === null) throw new Unclear();
  return BigInt(`${match[1]}${(match[2] ?? '').padEnd(4, '0')}`);
}

// Each takes a value of one kind apart.
export function truth(value: Value): boolean {
  if (value.kind !== 'bool') throw new Unclear();
  return value.value;
}

export function longOf(value: Value): bigint {
  if (value.kind !== 'long') throw new Unclear();
  return value.value;
}

export function amountOf(value: Value): bigint {
  if (value.kind === 'long') return value.value;
  if (value.kind === 'datetime' || value.kind === 'duration' || value.kind === 'decimal') return value.amount;
  throw new Unclear();
}

export function stringOf(value: Value): string {
  if (value.kind !== 'string') throw new Unclear();
  return value.value;
}

export function entityOf(value: Value): EntityName {
  if (value.kind !== 'entity') throw new Unclear();
  return value.name;
}

export function itemsOf(value: Value): readonly Value[] {
  if (value.kind !== 'set' || value.items.length > itemsMax) throw new Unclear();
  const { items } = value;
  if (items.length > nestedItemsMax && items.some((item) => item.kind === 'set' || item.kind === 'record'))
    throw new Unclear();
  return items;
}

/** Cedar's `==`. */
export function isSame(a: Value, b: Value): boolean {
  if (a.kind === 'set' && b.kind === 'set') {
    const includes = (some: Value, all: Value): boolean =>
      itemsOf(all).every((each) => itemsOf(some).some((item) => isSame(item, each)));
    return includes(a, b) && includes(b, a);
  }
  if (a.kind === 'record' && b.kind === 'record') {
    return (
      a.entries.size === b.entries.size &&
      [...a.entries].every(([name, value]) => {
        const other = b.entries.get(name);
        return other !== undefined && isSame(value, other);
      })
    );
  }
  if (a.kind === 'entity' && b.kind === 'entity') return keyOf(a.name) === keyOf(b.name);
  if ('amount' in a && 'amount' in b) return a.kind === b.kind && a.amount === b.amount;
  return 'value' in a && 'value' in b && a.kind === b.kind && a.value === b.value;
}
