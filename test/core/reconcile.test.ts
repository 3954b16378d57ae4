/** Matching of a target's rows with executions: each row is one thing, and why it is the target's alone is said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asActionId, asAgentId, asExecutionId, executionIdOf, actionIdOf } from '../../src/core/ids.ts';
import { Matching } from '../../src/core/reconcile-match.ts';
import {
  idIn,
  targetOnlyKept,
  type Compared,
  type Known,
  type Ran,
  type ReconcileRules,
  type TargetRow,
} from '../../src/core/reconcile.ts';

const exe = (one: number): string => `exe_${String(one).padStart(26, '0')}`;
const act = (one: number): string => `act_${String(one).padStart(26, '0')}`;
const ran = (one: number, more: Partial<Ran> = {}): Ran => ({
  execution: asExecutionId(exe(one)),
  action: asActionId(act(one)),
  operation: 'crm___write',
  agent: asAgentId('bot'),
  status: 'succeeded',
  startedAtMs: 100_000,
  endedAtMs: 110_000,
  ...more,
});
const row = (
  named: string | null,
  atMs: number | null = 105_000,
  more: Partial<TargetRow> = {},
): TargetRow => ({
  file: 0,
  place: 1,
  atMs,
  what: 'UPDATE',
  who: 'app',
  named,
  ...more,
});
const rules: ReconcileRules = { fromMs: 0, toMs: 1_000_000, targets: [], skewMs: 1000, rowsPerExecution: 2 };

function compared(
  executions: readonly Ran[],
  rows: readonly TargetRow[],
  more: { readonly rules?: Partial<ReconcileRules>; readonly known?: Readonly<Record<string, Known>> } = {},
): Compared {
  const matching = new Matching({ ...rules, ...more.rules });
  for (const one of executions) assert.equal(matching.ran(one), true);
  for (const one of rows) {
    const wanted = matching.wants(one);
    if (wanted !== null) matching.knows(wanted, more.known?.[wanted] ?? 'unknown');
    matching.row(one);
  }
  return matching.compared();
}
const whys = (found: Compared): readonly string[] => found.targetOnly.rows.map((one) => one.why);

test('ids of ours are found in any text, whole, an execution’s before an action’s', () => {
  const bytes = new Uint8Array(16).fill(255);
  const [execution, action] = [executionIdOf(bytes), actionIdOf(bytes)];
  assert.equal(idIn(`countersign:${action}/${execution} x`), execution);
  assert.equal(idIn(`/* ${action} */`), action);
  for (const none of [
    '',
    'exe_',
    `${execution}0`,
    `x${execution}`,
    execution.toUpperCase(),
    execution.slice(0, -1),
  ])
    assert.equal(idIn(none), null, none);
});

test('a row of an execution, or of its action, matches while it ran, and the clocks may differ a little', () => {
  const found = compared([ran(1), ran(2)], [row(exe(1)), row(act(1), 99_000), row(`app ${exe(2)}`, 111_000)]);
  assert.deepEqual([found.matched, found.rows, found.targetOnly.count, found.gateOnly.count], [3, 3, 0, 0]);
});

test('what is the target’s alone says why', () => {
  const known = {
    [act(8)]: 'not_run',
    [exe(9)]: ran(9, { operation: 'other___write' }),
    [exe(7)]: ran(7, { startedAtMs: 1, endedAtMs: 2 }),
  } as const;
  const found = compared(
    [ran(1)],
    [
      row(null),
      row('psql'),
      row(exe(5)),
      row(act(8)),
      row(exe(9)),
      row(exe(7)),
      row(exe(1), 98_999),
      row(exe(1), 111_001),
      row(exe(1), null),
    ],
    { rules: { targets: ['crm'] }, known },
  );
  assert.deepEqual(whys(found), [
    'no_id',
    'no_id',
    'unknown_id',
    'not_run',
    'other_target',
    'after_it_ran',
    'before_it_ran',
    'after_it_ran',
    'unreadable',
  ]);
  assert.equal(found.matched, 0);
  assert.equal(found.gateOnly.count, 0, 'its rows name it, so it is not missing');
});

test('an id that is used more often than one execution does is used again, by its action too', () => {
  const found = compared([ran(1)], [row(exe(1)), row(act(1)), row(exe(1)), row(act(1))]);
  assert.deepEqual([found.matched, whys(found)], [2, ['used_again', 'used_again']]);
  const other = compared([], [row(exe(3)), row(exe(3)), row(exe(3))], { known: { [exe(3)]: ran(3) } });
  assert.deepEqual([other.matched, whys(other)], [2, ['used_again']]);
});

test('what runs still, and what nobody knows the end of, may go on at the target', () => {
  const found = compared(
    [ran(1, { status: 'started', endedAtMs: null }), ran(2, { status: 'unknown' })],
    [row(exe(1), 900_000), row(exe(2), 900_000)],
  );
  assert.equal(found.matched, 2);
});

test('executions without a row are listed, of the named targets alone; rows of another time are not judged', () => {
  const found = compared(
    [ran(1), ran(2, { operation: 'other___x' }), ran(3, { status: 'failed' })],
    [row(exe(1), 2_000_000), row(null, 2_000_000)],
    { rules: { targets: ['crm'] } },
  );
  assert.deepEqual([found.rows, found.outside, found.executions], [0, 2, 2]);
  // A row after the period says that it is not missing.
  assert.deepEqual(
    found.gateOnly.rows.map((one) => [one.execution, one.status]),
    [[exe(3), 'failed']],
  );
});

test('lists are bounded and counts are whole; secrets and halves of characters are not kept', () => {
  const what = `UPDATE t SET token = 'ghp_${'a1'.repeat(18)}' ${'x'.repeat(90)}😀`;
  const found = compared(
    [],
    Array.from({ length: targetOnlyKept + 7 }, () => row(null, 5, { what })),
  );
  assert.deepEqual(
    [found.targetOnly.count, found.targetOnly.rows.length],
    [targetOnlyKept + 7, targetOnlyKept],
  );
  const [first] = found.targetOnly.rows;
  assert.ok(
    first !== undefined &&
      !first.what.includes('ghp_') &&
      first.what.isWellFormed() &&
      first.what.length <= 160,
  );
});
