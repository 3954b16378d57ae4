import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { asAgentId, asPersonId } from '../../src/core/ids.ts';
import { amountOf, everMinute, minuteOf, recentOf, type RecentRow } from '../../src/core/recent.ts';
import { allowed, askCommand, asked, directory, executionId, memory, action } from '../support/world.ts';

const day = 24 * 3_600_000;
const now = 100 * day;
const bot = asAgentId('crm-bot');
const row = (agent: string, agoMs: number, count: number, sum: number): RecentRow[] => [
  { agent: asAgentId(agent), minute: minuteOf(now - agoMs), count, sum },
  { agent: asAgentId(agent), minute: everMinute, count, sum },
];
const team = {
  ...directory,
  agents: [
    { id: bot, owners: [asPersonId('sam')], groups: [] },
    { id: asAgentId('sam-bot'), owners: [asPersonId('sam'), asPersonId('rosa')], groups: [] },
    { id: asAgentId('rosa-bot'), owners: [asPersonId('rosa'), asPersonId('sam')], groups: [] },
  ],
};
const one = { agent: bot, amount: 1000, countedAtMs: null };

test('windows and scopes: this one counts, by agent, accountable owner and operation, over an hour, a day and ever', () => {
  const rows = [
    ...row('crm-bot', 60_000, 2, 2000),
    ...row('sam-bot', 2 * 3_600_000, 1, 500),
    ...row('rosa-bot', 60_000, 1, 7),
    ...row('crm-bot', 2 * day, 10, 10_000),
  ];
  const recent = recentOf(rows, one, team, now);
  assert.deepEqual(recent.agent.hour, { count: 3, sum: 3000 });
  assert.deepEqual(recent.agent.day, { count: 3, sum: 3000 });
  assert.deepEqual(recent.agent.ever, { count: 13, sum: 13_000 });
  assert.deepEqual(recent.owner.hour, { count: 3, sum: 3000 });
  assert.deepEqual(recent.owner.day, { count: 4, sum: 3500 }, 'the same accountable owner, not any owner');
  assert.deepEqual(recent.operation.hour, { count: 4, sum: 3007 });
});

test('an action that was granted already is counted once', () => {
  const counted = recentOf(row('crm-bot', 60_000, 1, 1000), { ...one, countedAtMs: now - 60_000 }, team, now);
  assert.deepEqual(counted.agent.hour, { count: 1, sum: 1000 });
  const long = recentOf(
    row('crm-bot', 2 * 3_600_000, 1, 1000),
    { ...one, countedAtMs: now - 2 * 3_600_000 },
    team,
    now,
  );
  assert.deepEqual(long.agent.hour, { count: 1, sum: 1000 }, 'granted before the hour, running in it');
});

test('a sum is null where this action names no whole number, and stays at the largest exact one', () => {
  const rows = row('crm-bot', 0, 1, Number.MAX_SAFE_INTEGER);
  assert.equal(recentOf(rows, { ...one, amount: null }, team, now).agent.day.sum, null);
  assert.equal(recentOf(rows, one, team, now).agent.day.sum, Number.MAX_SAFE_INTEGER);
  const profile = { verb: 'Export', effect: 'export', sum: 'input.rows' } as const;
  assert.equal(amountOf(profile, { rows: 5 }), 5);
  for (const rows_ of [-1, 1.5, '5', null, 2 ** 53]) assert.equal(amountOf(profile, { rows: rows_ }), null);
  assert.equal(amountOf(profile, {}), null);
  assert.equal(amountOf({ verb: 'Export', effect: 'export' }, { rows: 5 }), null);
});

test('an agent without a directory entry counts for itself', () => {
  const recent = recentOf(row('gone-bot', 0, 1, 1), { ...one, agent: asAgentId('gone-bot') }, team, now);
  assert.equal(recent.owner.hour.count, 2);
});

test('however grants are spread over agents and minutes, the operation’s day is their sum and this one', () => {
  const grant = fc.record({
    agent: fc.constantFrom('crm-bot', 'sam-bot', 'rosa-bot'),
    agoMs: fc.integer({ min: 0, max: day - 120_000 }),
    amount: fc.integer({ min: 0, max: 1000 }),
  });
  fc.assert(
    fc.property(fc.array(grant, { maxLength: 50 }), (grants) => {
      const rows = grants.flatMap(({ agent, agoMs, amount }) => row(agent, agoMs, 1, amount));
      const { operation, agent } = recentOf(rows, one, team, now);
      assert.equal(operation.day.count, grants.length + 1);
      assert.equal(
        operation.day.sum,
        grants.reduce((sum, { amount }) => sum + amount, 1000),
      );
      assert.ok(agent.day.count <= operation.day.count && agent.hour.count <= agent.day.count);
    }),
  );
});

test('what was judged with other counts than the transaction finds is stale', () => {
  const store = memory({ directory });
  const recent = recentOf([], { agent: bot, amount: null, countedAtMs: null }, directory, store.world.nowMs);
  const ask = (name: string) =>
    store.change(askCommand(asked({ ...allowed, recent }, action()), { execution: executionId(name) }));
  assert.ok(ask('a').ok);
  const second = ask('b');
  assert.ok(!second.ok && second.error.kind === 'stale', 'one was granted meanwhile');
});
