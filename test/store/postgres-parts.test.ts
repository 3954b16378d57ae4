/** The parts of the PostgreSQL store that need no server: hints, the database's clock, what faults mean. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionIdOf, asActionId } from '../../src/core/ids.ts';
import { SqlFault } from '../../src/store/driver.ts';
import { DatabaseClock } from '../../src/store/postgres-clock.ts';
import { faultOf, isAway } from '../../src/store/postgres-fault.ts';
import { channelOf, hintOf, hintText } from '../../src/store/postgres-hint.ts';

const from = '0123456789abcdef';
const id = (n: number) => actionIdOf(new Uint8Array(16).fill(n));

test('a hint reads as it was written', () => {
  for (const hint of [
    { from, size: 0, changed: [], notices: true },
    { from, size: 12, changed: [id(1), id(2)], notices: false },
    { from, size: 999_999_999, changed: 'everything', notices: true },
  ] as const)
    assert.deepEqual(hintOf(hintText(hint)), hint);
});

test('too many actions, and ids that are none, wake everybody', () => {
  const many = Array.from({ length: 256 }, (_, n) => id(n));
  const text = hintText({ from, size: 1, changed: many, notices: false });
  assert.ok(Buffer.byteLength(text) < 8_000);
  assert.equal(hintOf(text).changed, 'everything');
  assert.equal(
    hintOf(hintText({ from, size: 1, changed: [id(1), asActionId('act_x y')], notices: false })).changed,
    'everything',
  );
  const most = hintText({ from, size: 1, changed: many.slice(0, 240), notices: false });
  assert.equal(hintOf(most).changed.length, 240);
});

test('what is no hint of ours wakes everybody, and names nothing', () => {
  for (const text of [
    '',
    'x',
    `${from} 1 n act_short`,
    `${from} -1 n *`,
    `${from} 1 n *\n`,
    'a'.repeat(7_999),
    `${from} 1e9 n *`,
  ])
    assert.deepEqual(hintOf(text), { from: '', size: 0, changed: 'everything', notices: true }, text);
});

test('a channel is a name that needs no quoting, of its schema alone', () => {
  assert.match(channelOf('x"; DROP'), /^countersign_[0-9a-f]{16}$/);
  assert.notEqual(channelOf('a'), channelOf('b'));
});

/** A clock whose steady time is moved by hand; `ask` measures with a round trip of so long. */
function clockBench() {
  let steadyMs = 1_000;
  const clock = new DatabaseClock(50_000, () => steadyMs);
  return {
    now: () => clock.nowMs(),
    pass: (ms: number) => void (steadyMs += ms),
    ask: (databaseMs: number, roundTripMs: number) => {
      const sentMs = steadyMs;
      steadyMs += roundTripMs;
      clock.measured({ sentMs, gotMs: steadyMs, databaseMs });
    },
  };
}

test('the clock is the database’s, half a round trip after its answer', () => {
  const { now, pass, ask } = clockBench();
  assert.equal(now(), 50_000, 'the machine’s, until it is asked');
  ask(80_000, 20);
  assert.equal(now(), 80_010);
  pass(500);
  assert.equal(now(), 80_510);
});

test('a slow answer that agrees changes nothing; one that disagrees does', () => {
  const { now, ask } = clockBench();
  ask(80_000, 2);
  // 1,000 ms later by the steady clock, and the database's time within the error of that answer.
  ask(80_400, 1_000);
  assert.equal(now(), 81_001);
  ask(95_000, 1_000);
  assert.equal(now(), 95_500);
});

test('it stands still where it was ahead a little, and jumps back where it was ahead by far', () => {
  const { now, pass, ask } = clockBench();
  ask(80_000, 0);
  assert.equal(now(), 80_000);
  ask(78_000, 0);
  assert.equal(now(), 80_000, 'it stands');
  pass(1_500);
  assert.equal(now(), 80_000);
  pass(1_000);
  assert.equal(now(), 80_500, 'and goes on');
  ask(20_000, 0);
  assert.equal(now(), 20_000, 'a minute is not waited for');
});

const answered = (code: string) => Object.assign(new Error('no'), { code, severity: 'ERROR' });
const fault = (error: unknown): SqlFault => {
  const made = faultOf(error);
  assert.ok(made instanceof SqlFault);
  return made;
};

test('which faults may be tried again', () => {
  const again = [
    '40001',
    '40P01',
    '55P03',
    '08006',
    '08P01',
    '57P01',
    '57P02',
    '57P03',
    '53300',
    '25006',
    '25P03',
  ];
  for (const code of again) assert.equal(fault(answered(code)).again, true, code);
  for (const code of ['23505', '22P02', '42P01', '57014', '28P01', '3D000', '25P02', '53100', 'XX000'])
    assert.equal(fault(answered(code)).again, false, code);
  for (const code of ['23505', '22P02']) assert.equal(fault(answered(code)).scope, 'command');
  assert.equal(fault(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })).again, true);
  assert.equal(fault(new Error('Connection terminated unexpectedly')).again, true);
  assert.equal(faultOf('a bug'), 'a bug');
});

test('two writers that met are no database that is away', () => {
  for (const code of ['40001', '40P01', '55P03', '23505'])
    assert.equal(isAway(fault(answered(code))), false, code);
  for (const code of ['57P01', '08006', '25006']) assert.equal(isAway(fault(answered(code))), true, code);
  assert.equal(isAway(fault(new Error('read ECONNRESET'))), true);
});
