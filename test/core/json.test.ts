/** The strict door: what is refused, with which code, and that what passes is what JSON.parse reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalize } from '../../src/core/canonical.ts';
import { checkJson } from '../../src/core/check-json.ts';
import { isJsonArray, isJsonObject, jsonLimits } from '../../src/core/json.ts';
import { readJson } from '../../src/core/read-json.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** The problem of an input that must be refused. */
function refused(input: Uint8Array | string) {
  const read = readJson(input);
  assert.ok(!read.ok, `accepted: ${String(input).slice(0, 60)}`);
  return read.error;
}

/** The value of an input that must be accepted, from text and from bytes. */
function accepted(text: string) {
  const read = readJson(text);
  assert.ok(read.ok, `refused: ${text.slice(0, 60)}`);
  assert.deepEqual(readJson(utf8(text)), read);
  return read.value;
}

// prettier-ignore
const refusals: Record<string, readonly (string | Uint8Array)[]> = {
  bad_json: [
    '', ' ', '\uFEFF1', '{', '[', '[1', '[1,', '[1,]', '[,1]', '[1 2]', ']', '{"a"}', '{"a":}', '{"a":1,}', '{,}',
    "{'a':1}", '{a:1}', '{1:1}', '{"a":1 "b":2}', '{"a":1}}', '1 2', 'tru', 'truex', 'True', 'nul', 'undefined',
    'NaN', 'Infinity', '-', '+1', '.5', '1.', '01', '-01', '1e', '1e+', '0x10', '1_000', '"', '"a', '"\\"', '"\\x"',
    '"\\u12"', '"\\u123g"', '"a\nb"', '"\t"', '"\0"', '"\\\n"', '// c\n1', '1\u00A0', '\u00A01', '\v1', '[1]\u2028',
    bytes(0xef, 0xbb, 0xbf, 0x31),
  ],
  duplicate_key: [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '[{"b":{"":1,"":2}}]',
    '{"constructor":1,"constructor":2}',
  ],
  number_range: [
    '9007199254740993', '-9007199254740993', '0.12345678901234567890', '1e400', '-1e400', '1e-400', '1e999999999',
    '123456789012345678901234567890', '333333333.33333329', '4.9e-324', '0.1000000000000000055511151231257827',
    '[1,{"a":1e99999999999999999999}]', `1e-${'9'.repeat(400)}`, `0.${'0'.repeat(400)}1`,
  ],
  bad_unicode: [
    '"\ud800"', '"\udc00\ud800"', '"\\ud800"', '"\\udc00"', '"\\ud83dx"', '{"\\ud800":1}', '"\\ude00\\ud83d"',
    bytes(0xff), bytes(0x22, 0xc3, 0x22), bytes(0x22, 0xc0, 0xaf, 0x22), bytes(0x22, 0xed, 0xa0, 0x80, 0x22),
    bytes(0x22, 0xf4, 0x90, 0x80, 0x80, 0x22),
  ],
  reserved_key: [
    '{"__proto__":1}', '{"a":[{"__entity":{}}]}', '{"__extn":null}', '{"__expr":""}', '{"__pro\\u0074o__":1}',
  ],
  too_deep: [
    '['.repeat(33) + ']'.repeat(33),
    '{"a":'.repeat(33) + '1' + '}'.repeat(33),
    '['.repeat(1_000_000),
  ],
  too_large: [`"${'x'.repeat(1_048_575)}"`, utf8(`"${'é'.repeat(524_288)}"`), `"${'é'.repeat(524_288)}"`],
};

for (const [code, inputs] of Object.entries(refusals)) {
  test(`readJson refuses ${code}`, () => {
    for (const input of inputs)
      assert.equal(refused(input).code, code, JSON.stringify(String(input).slice(0, 60)));
  });
}

test('readJson accepts everything that RFC 8259 has', () => {
  const text =
    ' { "a" : [ 1 , -2.5e-3 , true , false , null , "\\u20ac\\"\\\\\\/\\b\\f\\n\\r\\t\\ud83d\\ude02\u007f" , {} , [ ] ] }\r\n\t';
  assert.deepEqual(accepted(text), JSON.parse(text));
  assert.equal(accepted('""'), '');
  assert.deepEqual(accepted('['.repeat(32) + ']'.repeat(32)), JSON.parse('['.repeat(32) + ']'.repeat(32)));
  assert.equal(accepted(`"${'x'.repeat(1_048_574)}"`), 'x'.repeat(1_048_574));
});

test('a number passes where its decimal value is what RFC 8785 prints', () => {
  const pairs: readonly (readonly [string, number])[] = [
    ['1.0', 1],
    ['1e2', 100],
    ['-1.50', -1.5],
    ['1E30', 1e30],
    ['0.1', 0.1],
    ['0e999999999', 0],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992],
    ['100000000000000000000000', 1e23],
    ['5e-324', 5e-324],
    ['0.00001e5', 1],
    ['1234e-2', 12.34],
  ];
  for (const [text, value] of pairs) assert.equal(accepted(text), value, text);
});

test('minus zero becomes zero, from text and from a value', () => {
  for (const text of ['-0', '-0.0', '-0e7', '[-0]', '{"a":-0}']) {
    assert.ok(!Object.is(JSON.parse(canonicalize(accepted(text))), -0));
    assert.deepEqual(accepted(text), JSON.parse(text.replace('-', '')));
  }
  assert.deepEqual(checkJson([-0]), { ok: true, value: [0] });
});

test('keys that objects inherit are keys like any other', () => {
  const value = accepted('{"constructor":1,"toString":2,"hasOwnProperty":3,"__defineGetter__":4,"proto":5}');
  assert.deepEqual(Object.entries(value as object).length, 5);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
});

test('a problem says where, as offset and pointer', () => {
  const at = (text: string | Uint8Array) => [refused(text).at, refused(text).path];
  assert.deepEqual(at('{"a":{"b":[1,{"c/~":9007199254740993}]}}'), [20, '/a/b/1/c~1~0']);
  assert.deepEqual(at('{"x":1, "x":2}'), [8, '/x']);
  assert.deepEqual(at('[1,2,]'), [5, '/2']);
  assert.deepEqual(at('[1,2'), [4, '']);
  assert.deepEqual(at('["é\ud800"]'), [3, '']);
  // A replacement character of its own and then bytes of a surrogate; then a sequence that is cut
  // short.
  assert.deepEqual(at(bytes(0x22, 0xc3, 0xa9, 0xef, 0xbf, 0xbd, 0xed, 0xa0, 0x80, 0x22)), [3, '']);
  assert.deepEqual(at(bytes(0x22, 0xef, 0xbf)), [1, '']);
});

test('a problem repeats at most 40 characters, with hidden ones escaped', () => {
  const long = 'k'.repeat(500);
  for (const text of [`{"${long}":1,"${long}":2}`, `1${'0'.repeat(500)}1`, `{"${long}":tru}`]) {
    const { detail, path } = refused(text);
    assert.ok(!/k{41}|0{41}/.test(detail + path), detail);
    assert.ok(detail.length < 110);
  }
  assert.match(refused('{"\u202e":1,"\u202e":2}').detail, /⟨U\+202E⟩/);
  assert.equal(refused('{"\u202e":x}').path, '/⟨U+202E⟩');
  assert.match(refused('\u{e0041}').detail, /⟨U\+E0041⟩/);
});

test('limits can be set', () => {
  assert.equal(readJson('[[1]]', { depthMax: 1 }).ok, false);
  assert.equal(readJson('[1]', { depthMax: 1 }).ok, true);
  assert.equal(readJson('"é"', { bytesMax: 3 }).ok, false);
  assert.equal(readJson('"é"', { bytesMax: 4 }).ok, true);
  assert.deepEqual(jsonLimits, { bytesMax: 2 ** 20, depthMax: 32 });
});

test('hostile texts of a megabyte are read in linear time', () => {
  // prettier-ignore
  const texts = [
    '1'.repeat(1e6), `1${'0'.repeat(1e6)}1`, `1e${'9'.repeat(1e6)}`, `1e${'0'.repeat(1e6)}5`, `1.${'0'.repeat(1e6)}`,
    `"${'\\n'.repeat(5e5)}`, `"${'x'.repeat(1e6)}`, `[${'1,'.repeat(5e5)}`, '{"a":'.repeat(2e5), ' '.repeat(1e6),
  ];
  const start = performance.now();
  for (const text of texts) readJson(text);
  // A quadratic reader takes minutes; the bound is generous for slow machines.
  assert.ok(performance.now() - start < 5000);
});

test('checkJson refuses what is not JSON, and what the reader would refuse', () => {
  class Money {
    readonly cents = 1;
  }
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const bomb = Array.from({ length: 29 }).reduce<unknown>((inner) => [inner, inner], 'x');
  const hidden = Object.defineProperty({}, 'a', { value: 1, enumerable: false });
  const cases: Record<string, readonly unknown[]> = {
    // prettier-ignore
    bad_json: [
      undefined, () => 1, Symbol('a'), 1n, new Date(0), new Map(), new Set(), /a/, new Money(), new Uint8Array(2),
      [undefined], Array(2), Object.assign(Array(2), { 1: 1 }), { a: undefined },
      { [Symbol('a')]: 1 }, hidden, { a: [new Date(0)] },
      Object(1), Object('a'), Promise.resolve(1),
    ],
    number_range: [NaN, Infinity, [-Infinity], 2 ** 53, { a: -(2 ** 53) }, 1e21],
    bad_unicode: ['\ud800', ['a\udfff'], { '\ud800': 1 }],
    reserved_key: [JSON.parse('{"__proto__":1}'), { a: [{ __entity: {} }] }, { __extn: 1 }, { __expr: 1 }],
    too_deep: [cycle, JSON.parse('['.repeat(33) + ']'.repeat(33))],
    too_large: [bomb, 'é'.repeat(524_288), 'x'.repeat(2e6), { ['k'.repeat(1_048_574)]: 1 }],
  };
  for (const [code, values] of Object.entries(cases)) {
    for (const value of values) {
      const read = checkJson(value);
      assert.equal(read.ok ? 'accepted' : read.error.code, code, `${code}: ${typeof value}`);
    }
  }
  const deep = checkJson({ a: [0, { 'b/': NaN }] });
  assert.ok(!deep.ok && deep.error.path === '/a/1/b~1' && deep.error.at === 0);
});

test('checkJson copies, so that what was checked cannot change', () => {
  const value = { a: [1, { b: 'x' }], n: Object.assign(Object.create(null), { c: null }), t: true };
  const read = checkJson(value);
  assert.ok(read.ok && isJsonObject(read.value));
  assert.deepEqual(read.value, { a: [1, { b: 'x' }], n: { c: null }, t: true });
  value.a.push(2);
  assert.deepEqual(read.value['a'], [1, { b: 'x' }]);
  assert.ok(isJsonArray(read.value['a']) && !isJsonObject(read.value['a']));
  assert.ok(!isJsonObject(null) && !isJsonObject(undefined) && !isJsonObject('a'));
});

const reserved = /"__(?:proto__|entity|extn|expr)"/;
/** Any JSON value, as JSON.parse makes it: plain objects, no -0. */
const json = fc
  .jsonValue({ maxDepth: 6, stringUnit: 'binary' })
  .map((value) => JSON.stringify(value))
  .filter((text) => !reserved.test(text))
  .map((text) => JSON.parse(text));

test('property: readJson(canonicalize(v)) is v', () => {
  fc.assert(
    fc.property(json, (value) => assert.deepEqual(accepted(canonicalize(value)), value)),
    { numRuns: 1000 },
  );
});

test('property: checkJson and readJson agree, integers beyond 2^53 aside', () => {
  const unsafe = (text: string) =>
    /"(?:[^"\\]|\\.)*"|[^,:[\]{}]+/g[Symbol.match](text)?.some((token) => {
      return (
        !token.startsWith('"') && Number.isInteger(Number(token)) && !Number.isSafeInteger(Number(token))
      );
    });
  fc.assert(
    fc.property(json, (value) => {
      const checked = checkJson(value);
      if (unsafe(canonicalize(value)) === true)
        assert.ok(!checked.ok && checked.error.code === 'number_range');
      else assert.deepEqual(checked, { ok: true, value });
    }),
  );
});

/** A text that is nearly JSON: a value's, with some characters put in, taken out or doubled. */
const nearly = fc
  .tuple(
    json,
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat(3),
        fc.constantFrom(...'{}[]",:\\/u0123456789eE+-.truefalsn \n\t\0\uFEFF'.split(''), '\ud800', '\udc00'),
      ),
      {
        maxLength: 4,
      },
    ),
  )
  .map(([value, edits]) => {
    let text = JSON.stringify(value, null, edits.length > 2 ? 1 : 0);
    for (const [place, cut, put] of edits) {
      const at = place % (text.length + 1);
      text = text.slice(0, at) + put + text.slice(at + cut);
    }
    return text;
  });

test('property: whatever readJson accepts JSON.parse reads equal; what is bad_json JSON.parse refuses', () => {
  fc.assert(
    fc.property(nearly, (text) => {
      const read = readJson(text);
      // -0 is 0 in our reading; JSON.stringify writes both as 0.
      if (read.ok) assert.deepEqual(read.value, JSON.parse(JSON.stringify(JSON.parse(text))));
      else if (read.error.code === 'bad_json') assert.throws(() => JSON.parse(text), SyntaxError);
      if (!read.ok) assert.ok(read.error.at >= 0 && read.error.at <= text.length);
    }),
    { numRuns: 3000 },
  );
});

test('property: no bytes make it throw, and bytes are read as their text is', () => {
  const damaged = fc
    .tuple(nearly, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }))
    .map(([text, edits]) => {
      const damagedBytes = utf8(text);
      for (const [place, byte] of edits) damagedBytes[place % damagedBytes.length] = byte;
      return damagedBytes;
    });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array()), (input) => {
      const read = readJson(input);
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(input);
      if (read.ok || read.error.code !== 'bad_unicode') assert.deepEqual(read, readJson(text));
      else assert.ok(read.error.at <= text.length);
    }),
    { numRuns: 2000 },
  );
});

test('property: exactness of numbers, against rational arithmetic', () => {
  /** The token times 10^400, an integer for every token made here. */
  const scaled = (token: string): bigint => {
    const [, sign = '', whole = '', fraction = '', exponent = '0'] =
      /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? [];
    return BigInt(sign + whole + fraction) * 10n ** BigInt(400 + Number(exponent) - fraction.length);
  };
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'.split('')), maxLength: 20 });
  const mostlyZeros = fc.string({ unit: fc.constantFrom(...'00000000015'.split('')), maxLength: 20 });
  const token = fc
    .tuple(
      fc.constantFrom('', '-'),
      fc.oneof(digits, mostlyZeros),
      fc.oneof(digits, mostlyZeros),
      fc.integer({ min: -60, max: 60 }),
      fc.boolean(),
    )
    .map(([sign, whole, fraction, exponent, short]) => {
      return `${sign}${whole.replace(/^0+/, '') || '0'}${fraction && `.${fraction}`}${short ? '' : `e${exponent}`}`;
    });
  fc.assert(
    fc.property(
      fc.oneof(token, fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e60, max: 1e60 }).map(String)),
      (text) => {
        const small = /e-(\d+)/.exec(text);
        fc.pre(small === null || Number(small[1]) < 300);
        assert.equal(readJson(text).ok, scaled(text) === scaled(String(Number(text))), text);
      },
    ),
    { numRuns: 3000 },
  );
});
