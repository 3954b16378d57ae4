/** RFC 8785: its published vectors, its numbers, and everything that must not be mistaken for JSON. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalize } from '../../src/core/canonical.ts';
import type { JsonValue } from '../../src/core/json.ts';
import { readJson } from '../../src/core/read-json.ts';
import { equalBytes, hmacSha256Hex, sha256, sha256Hex, utf8Length } from '../../src/core/sha256.ts';

/** Published cases are not part of the repository; they lie beside it where it was made. */
const vectors = new URL('../../../shared/vectors/rfc8785/', import.meta.url);
const absent = existsSync(vectors) ? false : `no RFC 8785 vectors at ${vectors.pathname}`;

test('the RFC 8785 vectors: output and its bytes', (t) => {
  if (absent !== false) return t.skip(absent);
  const names = readdirSync(new URL('input/', vectors));
  assert.equal(names.length, 6);
  for (const name of names) {
    const read = (path: string) => readFileSync(new URL(path, vectors), 'utf8');
    const canonical = canonicalize(JSON.parse(read(`input/${name}`)));
    assert.equal(canonical, read(`output/${name}`), name);
    const hex = read(`outhex/${name.replace('.json', '.txt')}`).replace(/\s/g, '');
    assert.equal(Buffer.from(canonical).toString('hex'), hex, name);
  }
});

test('the RFC 8785 vectors, read strictly: values.json has a number that readers round', (t) => {
  if (absent !== false) return t.skip(absent);
  for (const name of readdirSync(new URL('input/', vectors))) {
    const read = readJson(readFileSync(new URL(`input/${name}`, vectors)));
    if (name === 'values.json') {
      assert.ok(!read.ok);
      assert.deepEqual([read.error.code, read.error.path], ['number_range', '/numbers/0']);
    } else {
      assert.ok(read.ok, name);
      assert.equal(canonicalize(read.value), readFileSync(new URL(`output/${name}`, vectors), 'utf8'), name);
    }
  }
});

test('numbers as in RFC 8785 appendix B', () => {
  const cases: readonly (readonly [bigint, string])[] = [
    [0x0000000000000000n, '0'],
    [0x8000000000000000n, '0'],
    [0x0000000000000001n, '5e-324'],
    [0x8000000000000001n, '-5e-324'],
    [0x7fefffffffffffffn, '1.7976931348623157e+308'],
    [0x4340000000000000n, '9007199254740992'],
    [0xc340000000000000n, '-9007199254740992'],
    [0x4430000000000000n, '295147905179352830000'],
    [0x44b52d02c7e14af5n, '9.999999999999997e+22'],
    [0x44b52d02c7e14af6n, '1e+23'],
    [0x444b1ae4d6e2ef4en, '999999999999999700000'],
    [0x444b1ae4d6e2ef50n, '1e+21'],
    [0x3eb0c6f7a0b5ed8cn, '9.999999999999997e-7'],
    [0x3eb0c6f7a0b5ed8dn, '0.000001'],
    [0x41b3de4355555555n, '333333333.3333333'],
    [0xbecbf647612f3696n, '-0.0000033333333333333333'],
    [0x43143ff3c1cb0959n, '1424953923781206.2'],
  ];
  const view = new DataView(new ArrayBuffer(8));
  for (const [bits, text] of cases) {
    view.setBigUint64(0, bits);
    assert.equal(canonicalize(view.getFloat64(0)), text);
  }
});

test('keys are sorted by UTF-16 code units, not by code points or locale', () => {
  // U+1F600 starts with the unit D83D, below U+FB33; by code points it would be last.
  assert.equal(
    canonicalize({ '\ufb33': 1, '\u{1f600}': 2, b: 3, a: 4, é: 5, B: 6, '': 7 }),
    '{"":7,"B":6,"a":4,"b":3,"é":5,"\u{1f600}":2,"\ufb33":1}',
  );
  assert.equal(canonicalize({ 10: 1, 9: 2, 1: 3 }), '{"1":3,"10":1,"9":2}');
});

test('text has the shortest escapes, and is not normalised', () => {
  assert.equal(
    canonicalize('\0\b\t\n\v\f\r\u001f"\\/\u007f\u2028'),
    '"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\\"\\\\/\u007f\u2028"',
  );
  assert.notEqual(canonicalize('A\u030a'), canonicalize('\u00c5'));
});

test('whatever is not JSON throws a TypeError', () => {
  class Money {
    readonly cents = 1;
  }
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const extra = Object.assign([1], { note: 'x' });
  const hidden = Object.defineProperty({ a: 1 }, 'b', { value: 1, enumerable: false });
  const list = new (class extends Array {})();
  // prettier-ignore
  const adversarial: readonly unknown[] = [
    undefined, NaN, Infinity, -Infinity, 1n, Symbol('a'), () => 1, Object(1), Object('a'), Object(true),
    new Map([['a', 1]]), new Set([1]), new Date(0), /a/, new Money(), new Uint8Array(2), Promise.resolve(1), new Error('a'),
    [undefined], Array(3), Object.assign(Array(2), { 1: 1 }), extra, list, { a: undefined }, { a: () => 1 }, { a: NaN },
    { [Symbol('a')]: 1 }, hidden, cycle, Object.create({ a: 1 }), { toJSON: () => ({ a: 1 }) }, { a: new Date(0) },
    '\ud800', 'a\udc00b', { '\ud800': 1 }, ['\udfff\ud800'], { a: { b: [1n] } },
  ];
  for (const [index, value] of adversarial.entries()) {
    // The type forbids these; the test is that they do not pass by way of a wrong cast either.
    assert.throws(() => canonicalize(value as JsonValue), TypeError, `case ${index}`);
  }
});

test('toJSON is never called, also when it is inherited', () => {
  const prototype = { toJSON: () => assert.fail('called') };
  assert.throws(() => canonicalize(Object.create(prototype) as JsonValue), TypeError);
  // oxlint-disable-next-line no-extend-native -- a careless dependency could do this; it is undone below
  Object.defineProperty(String.prototype, 'toJSON', { value: prototype.toJSON, configurable: true });
  try {
    assert.equal(canonicalize({ a: 'b' }), '{"a":"b"}');
  } finally {
    Reflect.deleteProperty(String.prototype, 'toJSON');
  }
});

test('a property is read once', () => {
  let reads = 0;
  const value = {
    get a(): number {
      reads += 1;
      return reads;
    },
  };
  assert.equal(canonicalize(value), '{"a":1}');
  assert.equal(reads, 1);
});

test('an own key named __proto__ is written, and objects without a prototype are objects', () => {
  assert.equal(canonicalize(JSON.parse('{"__proto__":1,"a":2}')), '{"__proto__":1,"a":2}');
  assert.equal(canonicalize(Object.assign(Object.create(null), { a: 1 })), '{"a":1}');
});

const json = fc
  .jsonValue({ maxDepth: 6, stringUnit: 'binary' })
  .map((value): JsonValue => JSON.parse(JSON.stringify(value)));

/** The same value with the keys of every object in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

test('property: idempotent, independent of key order, and equal only for equal values', () => {
  fc.assert(
    fc.property(json, json, (value, other) => {
      const canonical = canonicalize(value);
      assert.equal(canonicalize(JSON.parse(canonical)), canonical);
      assert.equal(canonicalize(reversed(value) as JsonValue), canonical);
      assert.deepEqual(JSON.parse(canonical), value);
      const same = canonicalize(other) === canonical;
      if (same) assert.deepEqual(other, value);
    }),
    { numRuns: 1000 },
  );
});

test('the HMAC is the one of the platform, for keys shorter and longer than a block', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      (key, data) => {
        assert.equal(hmacSha256Hex(key, data), createHmac('sha256', key).update(data).digest('hex'));
      },
    ),
  );
});

test('text is as long as its bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(utf8Length(text), new TextEncoder().encode(text).length);
    }),
  );
});

test('SHA-256 and its HMAC: published cases (FIPS 180-4 "abc"; RFC 4231 case 2), and text as UTF-8', () => {
  assert.equal(sha256Hex('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.equal(Buffer.from(sha256(new TextEncoder().encode('é'))).toString('hex'), sha256Hex('é'));
  assert.equal(Object.getPrototypeOf(sha256('a')), Uint8Array.prototype);
  assert.equal(
    hmacSha256Hex(new TextEncoder().encode('Jefe'), 'what do ya want for nothing?'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
  assert.throws(() => sha256Hex('\ud800'), TypeError);
  assert.throws(() => sha256('\ud800'), TypeError);
  assert.throws(() => hmacSha256Hex(new Uint8Array(1), '\ud800'), TypeError);
  assert.ok(equalBytes(sha256('a'), sha256('a')));
  assert.ok(!equalBytes(sha256('a'), sha256('b')));
  assert.ok(!equalBytes(new Uint8Array(1), new Uint8Array(2)));
});
