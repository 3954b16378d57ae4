/**
 * The strict door for JSON. What passes has one reading, in every parser and in ours: no duplicate keys, no
 * number that some readers round, no text without a UTF-8 form, no key that means something to JavaScript or
 * Cedar.
 *
 * Promises: never throws, whatever the input; `JSON.parse` reads every accepted text to the same value (a -0
 * aside, which is 0 here as in RFC 8785); time and memory are linear in the input's size, which is limited.
 */
import { Place, shown } from './json-place.ts';
import { jsonLimits, type JsonLimits, type JsonObject, type JsonProblem, type JsonValue } from './json.ts';
import type { Result } from './result.ts';

/**
 * Reads one JSON text (RFC 8259), as UTF-8 or already decoded. Numbers are accepted where their exact decimal
 * value is the one that RFC 8785 prints: `1.0` and `1e2` are 1 and 100, `9007199254740993` and
 * `0.12345678901234567890` are refused. A byte order mark is refused. The first problem found is reported.
 */
export function readJson(
  input: Uint8Array | string,
  limits: Partial<JsonLimits> = {},
): Result<JsonValue, JsonProblem> {
  const { bytesMax, depthMax } = { ...jsonLimits, ...limits };
  const reader = new Reader(depthMax);
  return reader.result(isLarger(input, bytesMax) ? reader.tooLarge(bytesMax) : reader.document(input));
}

const encoder = new TextEncoder();

function isLarger(input: Uint8Array | string, bytesMax: number): boolean {
  if (typeof input !== 'string' || input.length > bytesMax) return input.length > bytesMax;
  // A UTF-16 code unit is at most three bytes: short texts need no counting.
  return input.length * 3 > bytesMax && encoder.encode(input).length > bytesMax;
}

// With `ignoreBOM` a byte order mark stays in the text, where the grammar refuses it (RFC 8259 §8.1 lets us).
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined; // the only fault of a fatal decoder: not UTF-8
  }
}

/**
 * Where the bytes stop being UTF-8, in decoded characters: there the lenient decoder's text does not encode
 * back.
 */
function firstBadAt(bytes: Uint8Array): number {
  const lenient = new TextDecoder('utf-8', { ignoreBOM: true });
  const again = encoder.encode(lenient.decode(bytes));
  const bad = again.findIndex((byte, index) => byte !== bytes[index]);
  // `stream` holds back the start of a sequence, instead of replacing it.
  return lenient.decode(bytes.subarray(0, bad), { stream: true }).length;
}

/** RFC 8259 §7, with any escape; the unrolled loop keeps a failing match linear. */
const stringToken = /"[^"\\\0-\x1f]*(?:\\.[^"\\\0-\x1f]*)*"/y;
/** RFC 8259 §6. */
const numberToken = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/** One pass over the text, one method for each rule of the grammar (RFC 8259 §2 to §7). */
class Reader extends Place {
  private text = '';
  private at = 0;

  document(input: Uint8Array | string): JsonValue | undefined {
    const text = typeof input === 'string' ? input : decoded(input);
    if (text === undefined || !text.isWellFormed()) {
      const at = typeof input === 'string' ? input.search(/\p{Surrogate}/v) : firstBadAt(input);
      return this.refuse('bad_unicode', at, 'not UTF-8, or a surrogate on its own');
    }
    this.text = text;
    const value = this.value(0);
    return value === undefined || this.next() === undefined ? value : this.unexpected('nothing more');
  }

  private value(depth: number): JsonValue | undefined {
    switch (this.next()) {
      case '"':
        return this.string();
      case '{':
        return depth < this.depthMax ? this.object(depth + 1) : this.tooDeep(this.at);
      case '[':
        return depth < this.depthMax ? this.list(depth + 1) : this.tooDeep(this.at);
      case 't':
        return this.literal('true', true);
      case 'f':
        return this.literal('false', false);
      case 'n':
        return this.literal('null', null);
      case undefined:
      default:
        return this.number();
    }
  }

  private object(depth: number): JsonObject | undefined {
    const object: Record<string, JsonValue> = {};
    this.at += 1;
    if (this.skip('}')) return object;
    do {
      if (this.next() !== '"') return this.unexpected('a key');
      const start = this.at;
      const key = this.string();
      if (key === undefined) return undefined;
      this.path.push(key);
      if (this.isReserved(key, start)) return undefined;
      if (Object.hasOwn(object, key))
        return this.refuse('duplicate_key', start, `the key "${shown(key)}" appears twice`);
      if (!this.skip(':')) return this.unexpected('":"');
      const value = this.value(depth);
      if (value === undefined) return undefined;
      object[key] = value;
      this.path.pop();
    } while (this.skip(','));
    return this.skip('}') ? object : this.unexpected('"," or "}"');
  }

  private list(depth: number): readonly JsonValue[] | undefined {
    const list: JsonValue[] = [];
    this.at += 1;
    if (this.skip(']')) return list;
    do {
      this.path.push(list.length);
      const value = this.value(depth);
      if (value === undefined) return undefined;
      list.push(value);
      this.path.pop();
    } while (this.skip(','));
    return this.skip(']') ? list : this.unexpected('"," or "]"');
  }

  private string(): string | undefined {
    const start = this.at;
    stringToken.lastIndex = start;
    if (!stringToken.test(this.text))
      return this.refuse('bad_json', start, 'a string without an end, or with a control character');
    this.at = stringToken.lastIndex;
    const token = this.text.slice(start, this.at);
    if (!token.includes('\\')) return token.slice(1, -1);
    try {
      // A JSON text that starts with a quote is a string; JSON.parse knows the escapes of RFC 8259 §7 and no
      // others.
      const value = JSON.parse(token) as string;
      return value.isWellFormed()
        ? value
        : this.refuse('bad_unicode', start, 'a string with a surrogate on its own');
    } catch {
      return this.refuse('bad_json', start, 'a string with an unknown escape');
    }
  }

  private number(): number | undefined {
    numberToken.lastIndex = this.at;
    if (!numberToken.test(this.text)) return this.unexpected('a value');
    const token = this.text.slice(this.at, numberToken.lastIndex);
    const value = Number(token);
    if (!isExact(token, value))
      return this.refuse('number_range', this.at, `${shown(token)} would be changed by other readers`);
    this.at = numberToken.lastIndex;
    return value + 0; // -0 becomes 0
  }

  private literal<T extends JsonValue>(token: string, value: T): T | undefined {
    if (!this.text.startsWith(token, this.at)) return this.unexpected('a value');
    this.at += token.length;
    return value;
  }

  /** Passes white space (RFC 8259 §2) and tells the character after it; undefined at the end. */
  private next(): string | undefined {
    for (; ; this.at += 1) {
      const character = this.text[this.at];
      if (character !== ' ' && character !== '\n' && character !== '\r' && character !== '\t')
        return character;
    }
  }

  private skip(character: string): boolean {
    if (this.next() !== character) return false;
    this.at += 1;
    return true;
  }

  private unexpected(expected: string): undefined {
    const [found] = this.text.slice(this.at, this.at + 2); // one code point
    return this.refuse(
      'bad_json',
      this.at,
      `expected ${expected}, found ${found === undefined ? 'the end' : `"${shown(found)}"`}`,
    );
  }
}

/**
 * Whether the token's decimal value is the one that ECMAScript, and so RFC 8785 §3.2.2.3, prints for `value`.
 */
function isExact(token: string, value: number): boolean {
  const printed = String(value);
  return printed === token || (Number.isFinite(value) && decimalOf(printed) === decimalOf(token));
}

/**
 * A decimal number's sign, digits without outer zeros, and power of ten. Exponents are compared, never
 * expanded.
 */
function decimalOf(token: string): string {
  const [mantissa = '', exponent = '0'] = token.split(/e/i);
  const sign = mantissa.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = mantissa.slice(sign.length).split('.');
  const digits = whole + fraction;
  let [start, end] = [0, digits.length];
  while (start < end && digits[start] === '0') start += 1;
  while (end > start && digits[end - 1] === '0') end -= 1;
  if (start === end) return '0'; // -0 too
  return `${sign}${digits.slice(start, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}
