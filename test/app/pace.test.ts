/** Counting within a minute: when a minute begins and ends, what is refused, and which key is forgotten first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPace, keysMax } from '../../src/app/pace.ts';

test('the minute of a key begins with its first, and each key has its own', () => {
  const pace = createPace();
  assert.deepEqual([pace.count('a', 30_000), pace.count('a', 89_999), pace.count('b', 89_999)], [1, 2, 1]);
  assert.deepEqual([pace.count('a', 90_000), pace.count('b', 90_000)], [1, 2]);
});

test('a clock that is set back begins another minute', () => {
  const pace = createPace();
  assert.deepEqual([pace.count('a', 100_000), pace.count('a', 99_000), pace.count('a', 40_000)], [1, 2, 1]);
});

test('what does not fit is not counted', () => {
  const pace = createPace();
  const takes = (times: number, nowMs: number): boolean => pace.takes('a', { times, max: 10 }, nowMs);
  assert.deepEqual(
    [takes(11, 0), takes(7, 0), takes(4, 1), takes(3, 2), takes(1, 59_999)],
    [false, true, false, true, false],
  );
  assert.equal(takes(10, 60_000), true);
});

test('beyond the most keys the one whose minute began first is forgotten, and no other', () => {
  const pace = createPace();
  for (const key of ['renewed', 'first', 'second']) pace.count(key, 0);
  pace.count('renewed', 60_000);
  pace.count('first', 59_999);
  for (let more = 3; more <= keysMax; more += 1) pace.count(`more ${more}`, 59_999);
  assert.deepEqual([pace.count('second', 59_999), pace.count('renewed', 59_999)], [2, 2]);
  // It takes the place of the next.
  assert.equal(pace.count('first', 59_999), 1);
  assert.equal(pace.count('second', 59_999), 1);
});
