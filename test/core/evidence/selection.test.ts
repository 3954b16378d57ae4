/** Choosing samples: the same as the shell lines in the docstring give, without replacement, and nobody's choice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chosenRows, seedOf, selectRows } from '../../../src/core/evidence/selection.ts';
import { ranksOf } from '../../../src/core/evidence/reviewers.ts';
import { isExceptionName } from '../../../src/core/evidence/exception-names.ts';
import { exceptionKinds } from '../../../src/core/evidence/model-exceptions.ts';

// Made with bash, sha256sum and sort, by the lines in selection.ts: ROOT=cm9vdA==, NUMBER=42, ROWS=1000, COUNT=10.
test('the pinned vector', () => {
  const seed = seedOf('cm9vdA==', '42');
  assert.equal(seed, '851b71d989eaf1d4c5c308447147036c8ac27d7753d35120792cb58e2dafa748');
  assert.deepEqual(selectRows(seed, 1000, 10), [16, 165, 241, 352, 359, 386, 675, 768, 826, 927]);
});

test('different rows, ascending, within the population; fewer samples are among more', () => {
  fc.assert(
    fc.property(fc.nat({ max: 300 }), fc.integer({ min: 1, max: 60 }), fc.string(), (rows, count, seed) => {
      const chosen = selectRows(seed.toWellFormed(), rows, count);
      assert.equal(chosen.length, Math.min(rows, count));
      assert.deepEqual(
        [...new Set(chosen)].toSorted((a, b) => a - b),
        chosen,
      );
      assert.ok(chosen.every((row) => row >= 1 && row <= rows));
      const more = new Set(selectRows(seed.toWellFormed(), rows, count + 7));
      assert.ok(chosen.every((row) => more.has(row)));
    }),
  );
});

test('without a checkpoint there is no seed, and nobody names a row that is not there', () => {
  const seed = { kind: 'seed', number: '1', count: 1 } as const;
  assert.equal(chosenRows(seed, { rows: 5, root: null }).ok, false);
  assert.equal(chosenRows({ kind: 'rows', rows: [6] }, { rows: 5, root: null }).ok, false);
  const named = chosenRows({ kind: 'rows', rows: [5, 1, 5] }, { rows: 5, root: null });
  assert.deepEqual(named.ok && named.value, [1, 5]);
});

test('the median and the ninetieth are values at their ranks', () => {
  assert.deepEqual(ranksOf([]), { medianMs: null, ninetiethMs: null });
  assert.deepEqual(ranksOf([7]), { medianMs: 7, ninetiethMs: 7 });
  assert.deepEqual(ranksOf([10, 1, 3, 2]), { medianMs: 2, ninetiethMs: 10 });
  assert.deepEqual(ranksOf(Array.from({ length: 100 }, (_one, at) => 100 - at)), {
    medianMs: 50,
    ninetiethMs: 90,
  });
});

test('only names in the forms of the kinds are names of exceptions', () => {
  for (const good of [
    'downtime/1042',
    'cooperative/billing___refund',
    'failed-check/3:ran_once',
    'break-glass/gls_abc',
    'leaver/sam',
  ])
    assert.ok(isExceptionName(good), good);
  for (const bad of [
    '',
    'downtime',
    'downtime/',
    'downtime/1 ',
    'failed-check/3:made_up',
    'x/1',
    'leaver/<b>',
    `leaver/${'a'.repeat(400)}`,
  ])
    assert.ok(!isExceptionName(bad), bad);
  for (const kind of exceptionKinds) assert.ok(!isExceptionName(`${kind}/a\nb`), kind);
});
