/** Line by line, what goes and what comes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffLines, type DiffRow } from '../../../src/core/render/diff.ts';

const marks = { same: ' ', gone: '-', new: '+', skipped: '~' } as const;
const drawn = (rows: readonly DiffRow[] | null): readonly string[] | undefined =>
  rows?.map((row) => marks[row.kind] + row.text);

test('what changed, with its surroundings', () => {
  assert.deepEqual(drawn(diffLines(['a', 'b', 'c'], ['a', 'x', 'c'])), [' a', '-b', '+x', ' c']);
  assert.deepEqual(diffLines(['a'], ['a']), []);
  const long = Array.from({ length: 20 }, (_, index) => String(index));
  assert.deepEqual(drawn(diffLines(long, long.with(10, 'new'))), [
    '~7',
    ' 7',
    ' 8',
    ' 9',
    '-10',
    '+new',
    ' 11',
    ' 12',
    ' 13',
    '~6',
  ]);
});

test('texts too long to compare in a moment are not compared', () => {
  const one = Array.from({ length: 2000 }, (_, index) => `a${index}`);
  assert.equal(
    diffLines(
      one,
      one.map((line) => `${line}!`),
    ),
    null,
  );
});

test('gone and same make the old text, same and new the new one', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 });
  fc.assert(
    fc.property(text, text, (before, after) => {
      const rows = diffLines(before, after) ?? [];
      if (before.join() === after.join()) return assert.deepEqual(rows, []);
      const side = (kind: 'gone' | 'new') =>
        rows.flatMap((row) =>
          row.kind === 'same' || row.kind === kind
            ? [row.text]
            : row.kind === 'skipped'
              ? Array.from({ length: Number(row.text) }, () => '*')
              : [],
        );
      assert.equal(side('gone').length, before.length);
      assert.equal(side('new').length, after.length);
      for (const [index, line] of side('gone').entries()) if (line !== '*') assert.equal(line, before[index]);
      for (const [index, line] of side('new').entries()) if (line !== '*') assert.equal(line, after[index]);
    }),
  );
});
