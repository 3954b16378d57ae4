/** What `log verify` says of a run that ends twice: only the gate that had not been heard of for a while may say more than `unknown`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyHead, seal } from '../../src/core/entry.ts';
import { asActionId, asSha256Hex } from '../../src/core/ids.ts';
import { isGone, gateLimits, type Runner } from '../../src/core/runner.ts';
import { Lives } from '../../src/log/verify/life.ts';
import { readStatement, type EntryFacts } from '../../src/log/verify/statement.ts';

const action = 'act_1';

/** What is found wrong with these entries about one allowed action, after it was asked and started. */
function found(...more: readonly (readonly [EntryFacts['type'], EntryFacts['data']])[]): readonly string[] {
  const lives = new Lives();
  const entries: readonly (readonly [EntryFacts['type'], EntryFacts['data']])[] = [
    ['action.asked', { effect: 'allow', digest: 'd' }],
    ['execution.started', { grant: 0, digest: 'd' }],
    ...more,
  ];
  return entries.flatMap(([type, data], index) => {
    const { effect, ...rest } = data;
    const draft = {
      type,
      by: { kind: 'gate' },
      about: { action: asActionId(action), approval: null, execution: null },
      subject: asSha256Hex('0'.repeat(64)),
      data: effect === undefined ? data : { ...rest, verdict: { effect } },
    } as const;
    const { statement } = seal(draft, { index, atMs: index, salt: '0'.repeat(64), head: emptyHead });
    const facts = readStatement(statement, index);
    if (typeof facts === 'string') assert.fail(facts);
    return lives.see(facts).map((one) => one.text);
  });
}

test('an end after `unknown` is good where it says that it is late, once, and no end follows another', () => {
  const unknown = ['execution.unknown', { outcomeBy: 'gate' }] as const;
  const late = ['execution.succeeded', { outcomeBy: 'gate', late: true }] as const;
  const end = ['execution.failed', { outcomeBy: 'gate' }] as const;
  const settled = ['execution.settled', { status: 'failed' }] as const;
  assert.deepEqual(found(unknown, late), []);
  assert.deepEqual(found(unknown, settled), []);
  const twice = 'Entry 3: the run of act_1 ends a second time.';
  assert.deepEqual(found(unknown, end), [twice]);
  assert.deepEqual(found(end, late), [twice]);
  assert.deepEqual(found(end, unknown), [twice]);
  assert.deepEqual(found(unknown, late, late), ['Entry 4: the run of act_1 ends a second time.']);
  assert.deepEqual(found(unknown, late, settled), [
    'Entry 4: the run of act_1 is settled, and its end was known.',
  ]);
});

test('who is gone: only a gate that was silent for long, in the eyes of one that was not', () => {
  const nowMs = 1_000_000;
  const { goneMs } = gateLimits;
  const runner: Runner = {
    gate: 'a',
    seenAtMs: nowMs - goneMs,
    self: 'b',
    steadyAtMs: nowMs - goneMs,
    nowMs,
    alone: false,
  };
  const startedAtMs = nowMs - 10 * goneMs;
  assert.equal(isGone(runner, startedAtMs), true);
  assert.equal(isGone({ ...runner, seenAtMs: nowMs - goneMs + 1 }, startedAtMs), false);
  assert.equal(isGone({ ...runner, steadyAtMs: nowMs - goneMs + 1 }, startedAtMs), false);
  assert.equal(isGone({ ...runner, steadyAtMs: null }, startedAtMs), false);
  assert.equal(isGone({ ...runner, self: null, steadyAtMs: null }, startedAtMs), false);
  assert.equal(isGone(runner, nowMs - 1), false, 'what it wrote is a sign of life');
  assert.equal(isGone(runner, nowMs + 99_999), false, 'the log may be ahead of the clock');
  assert.equal(isGone({ ...runner, seenAtMs: null }, startedAtMs), true, 'it said that it stopped');
  assert.equal(isGone({ ...runner, self: 'a' }, startedAtMs), false, 'nobody gives itself up');
  assert.equal(isGone({ ...runner, gate: null, self: null }, startedAtMs), true, 'no gate runs it');
  assert.equal(isGone({ ...runner, seenAtMs: nowMs, steadyAtMs: null, alone: true }, startedAtMs), true);
});
