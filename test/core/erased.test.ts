/** The rule for blanks: only what a later, well-formed entry names was erased. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countOf, erasedIndexes, rangesFrom, rangesOf, type Erasing } from '../../src/core/erased.ts';
import type { JsonValue } from '../../src/core/json.ts';

const entry = (index: number, indexes: JsonValue, type: Erasing['type'] = 'payloads.erased'): Erasing => ({
  index,
  type,
  data: { indexes },
});

test('an entry covers what it names, and what is younger than itself it cannot name', () => {
  const found = erasedIndexes([
    entry(9, [
      [0, 2],
      [5, 5],
    ]),
    entry(12, [[3, 4]]),
    entry(20, [[19, 20]]),
    entry(30, [[40, 50]]),
    entry(31, [[25, 26]], 'gate.started'),
  ]);
  assert.deepEqual(found.ranges, [[0, 5]]);
  assert.deepEqual(
    [0, 5, 6, 19, 20, 25, 40].map((index) => found.has(index)),
    [true, true, false, false, false, false, false],
  );
});

test('an entry that is malformed in any part covers nothing at all', () => {
  for (const indexes of [
    null,
    'all',
    7,
    {},
    [7],
    [[1]],
    [[1, 2, 3]],
    [[2, 1]],
    [[-1, 2]],
    [[0, 1.5]],
    [['0', '1']],
    [[0, 1], null],
  ])
    assert.deepEqual(erasedIndexes([entry(99, indexes)]).ranges, [], JSON.stringify(indexes));
});

test('ranges are the set that they were made of', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60)), fc.array(fc.nat(60)), (some, others) => {
      const set = new Set([...some, ...others]);
      const both = rangesFrom([...rangesOf(some), ...rangesOf(others)]);
      for (let index = 0; index <= 61; index += 1) assert.equal(both.has(index), set.has(index));
      assert.equal(countOf(both.ranges), set.size);
      for (const [at, [from, to]] of both.ranges.entries()) {
        assert.ok(from <= to);
        const next = both.ranges[at + 1];
        assert.ok(next === undefined || next[0] > to + 1, 'none touches the next');
      }
    }),
  );
});
