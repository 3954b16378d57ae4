/** The exact action as lines: faithful, marked, and never cut in silence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../../../src/core/json.ts';
import { writeJson, type Line } from '../../../src/core/render/json-lines.ts';
import { visible } from '../../../src/core/visible.ts';

const plain = (lines: readonly Line[]): string =>
  lines
    .map(
      (line) =>
        '  '.repeat(line.depth) + (line.block ? '| ' : '') + line.tokens.map((token) => token.text).join(''),
    )
    .join('\n');
const kinds = (lines: readonly Line[], kind: string): readonly string[] =>
  lines.flatMap((line) => line.tokens.filter((token) => token.kind === kind).map((token) => token.text));

test('a value without hidden characters and line breaks is JSON that reads back the same', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // fast-check's JsonValue is the same type, but mutable.
      const json = JSON.parse(JSON.stringify(value)) as JsonValue;
      fc.pre(visible(JSON.stringify(json)) === JSON.stringify(json) && !JSON.stringify(json).includes('\\n'));
      const text = writeJson(json)
        .lines.map((line) => line.tokens.map((token) => token.text).join(''))
        .join('\n');
      fc.pre(!text.includes('⟨'));
      assert.deepEqual(JSON.parse(text), json);
    }),
  );
});

test('objects, lists, short lists on one line', () => {
  const { lines, whole } = writeJson({
    table: 'customers',
    ids: [1, 2, 3],
    none: null,
    deep: { on: true, list: [{ a: 1 }, {}, []] },
  });
  assert.equal(whole, true);
  assert.equal(
    plain(lines),
    `{
  "table": "customers",
  "ids": [1, 2, 3],
  "none": null,
  "deep": {
    "on": true,
    "list": [
      {
        "a": 1
      },
      {},
      []
    ]
  }
}`,
  );
});

test('text with line breaks is a block of its own lines, and says whether it ends with one', () => {
  const text = (content: string) => plain(writeJson({ content, after: 1 }).lines);
  assert.equal(
    text('a\n\tb "q"\n'),
    '{\n  "content": text, 2 lines\n    | a\n    | \tb "q"\n  "after": 1\n}',
  );
  assert.equal(
    text('a\n\nb'),
    '{\n  "content": text, 3 lines, no line break at its end\n    | a\n    | \n    | b\n  "after": 1\n}',
  );
});

test('hidden characters are tokens of their own, in keys, texts and blocks', () => {
  const { lines } = writeJson({ 'a\u202Eb': 'x\u200By', block: 'one\r\n\u202Etwo' });
  assert.deepEqual(kinds(lines, 'hidden'), ['⟨U+202E⟩', '⟨U+200B⟩', '⟨U+000D⟩', '⟨U+202E⟩']);
  assert.deepEqual(kinds(lines, 'key'), ['"a', 'b"', '"block"']);
});

test('what is larger than the limits is cut and says so, by characters and by lines', () => {
  const cut = writeJson(
    Array.from({ length: 50 }, (_, index) => ({ index })),
    { charsMax: 100_000, linesMax: 20 },
  );
  assert.deepEqual([cut.whole, cut.lines.length], [false, 20]);
  const long = writeJson({ a: 'x'.repeat(500) }, { charsMax: 100, linesMax: 20 });
  assert.deepEqual([long.whole, plain(long.lines)], [false, '{']);
  const block = writeJson({ a: 'x\n'.repeat(500) }, { charsMax: 100_000, linesMax: 20 });
  assert.deepEqual([block.whole, block.lines.length], [false, 20]);
});

test('a megabyte is written, or cut, in a moment', () => {
  const began = performance.now();
  for (const value of [
    '\u202E'.repeat(300_000),
    'a\n'.repeat(500_000),
    Array.from({ length: 200_000 }, () => 1),
    { a: 'x'.repeat(1_000_000) },
  ] satisfies JsonValue[]) {
    assert.equal(writeJson(value).whole, false);
  }
  assert.ok(performance.now() - began < 3000);
});
