/**
 * RFC 8785 (JCS): the one text that a JSON value has, and so the bytes that digests are taken over.
 *
 * Promises: two values have the same text exactly when they are the same JSON. Whatever is not JSON throws a
 * TypeError instead of being dropped or converted, because each silent conversion is a way to make two
 * actions share a digest; input from outside was checked at the door (json.ts), so such a value is a bug of
 * ours, never a refusal.
 */
import type { JsonValue } from './json.ts';

/**
 * Levels of nesting that we follow, so that a cycle is a TypeError too. Input has 32 at most, our own records
 * a few more.
 */
const depthMax = 128;

/**
 * The canonical text (RFC 8785 §3.2): no white space, keys sorted by UTF-16 code units, numbers as ECMAScript
 * prints them (-0 as 0), strings with the shortest escapes. Hash it as UTF-8. `toJSON` is never called; a
 * property is read once.
 */
export const canonicalize = (value: JsonValue): string => write(value, 1);

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return text(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} is not JSON`);
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth > depthMax) throw new TypeError('nested too deep, or a cycle: not JSON');
      return Array.isArray(value) ? list(value, depth) : record(value, depth);
    case 'undefined':
    case 'function':
    case 'symbol':
    case 'bigint':
      throw new TypeError(`a value of type ${typeof value} is not JSON`);
  }
}

/** Printable ASCII without quotes and backslashes: such text is its own JSON, between quotes. */
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** In longer text JSON.stringify finds that out more quickly. */
const plainCharsMax = 200;

function text(value: string): string {
  if (value.length <= plainCharsMax && plain.test(value)) return `"${value}"`;
  // JSON.stringify would write a lone surrogate as an escape, which RFC 8785 §3.2.2.2 forbids.
  if (!value.isWellFormed()) throw new TypeError('text with a lone surrogate is not JSON');
  return JSON.stringify(value);
}

function list(value: readonly unknown[], depth: number): string {
  // A hole is read as undefined, which write() refuses; `length` is the one own key that is not an item.
  if (Object.getPrototypeOf(value) !== Array.prototype || ownKeyCount(value) !== value.length + 1) {
    throw new TypeError('an array with holes or with more than its items is not JSON');
  }
  let out = '[';
  for (let index = 0; index < value.length; index += 1) {
    out += (index === 0 ? '' : ',') + write(value[index], depth + 1);
  }
  return `${out}]`;
}

function record(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new TypeError('a class instance is not JSON');
  const keys = Object.keys(value);
  if (ownKeyCount(value) !== keys.length) throw new TypeError('symbol or hidden keys are not JSON');
  sort(keys);
  let out = '{';
  for (const key of keys) {
    out += `${out.length === 1 ? '' : ','}${text(key)}:${write(Reflect.get(value, key), depth + 1)}`;
  }
  return `${out}}`;
}

/** Hidden ones and symbols too. Takes half as long as `Reflect.ownKeys`. */
const ownKeyCount = (value: object): number =>
  Object.getOwnPropertyNames(value).length + Object.getOwnPropertySymbols(value).length;

/** So many keys are sorted more quickly by insertion; beyond, that would take the square of their number. */
const insertionMax = 24;

/** By UTF-16 code units, as RFC 8785 §3.2.3 asks: so compares `<`, and `sort()` without a comparator. */
function sort(keys: string[]): void {
  if (keys.length > insertionMax) {
    keys.sort();
    return;
  }
  for (let at = 1; at < keys.length; at += 1) {
    const key = keys[at] ?? '';
    let to = at;
    for (let before = keys[to - 1]; before !== undefined && before > key; before = keys[to - 1]) {
      keys[to] = before;
      to -= 1;
    }
    keys[to] = key;
  }
}
