/** `context.recent` and `context.system.local`: what policies read of them, and what happens where they cannot be read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Recent, Window } from '../../src/core/recent.ts';
import { LocalTime } from '../../src/policy/context.ts';
import { createPolicyEngine } from '../../src/policy/engine.ts';
import { asks, engineWith, noon, permitAll, short, string, tool, world } from './support/world.ts';

const window = (count: number, sum: number | null): Window => ({ count, sum });
const scope = (count: number, sum: number | null) => ({
  hour: window(count, sum),
  day: window(count + 1, sum === null ? null : sum + 1),
  ever: window(count + 2, sum === null ? null : sum + 2),
});
const recent = (sum: number | null): Recent => ({
  agent: scope(1, sum),
  owner: scope(10, sum === null ? null : sum + 10),
  operation: scope(100, sum === null ? null : sum + 100),
});

const review = (condition: string): string =>
  `${permitAll}@id("r") @approvers("security") @quorum("2") forbid (principal, action == Action::"ops___export_rows", resource) when { ${condition} };`;
const action = asks('ops___export_rows', { table: 't', rows: 7 });
const counted = world({ profiles: { ops___export_rows: { sum: 'input.rows' } } });

for (const [place, value] of [
  ['agent.hour.count', 1],
  ['agent.day.count', 2],
  ['agent.ever.count', 3],
  ['owner.hour.count', 10],
  ['operation.ever.count', 102],
  ['agent.hour.sum', 7],
  ['owner.day.sum', 18],
  ['operation.ever.sum', 109],
] as const) {
  test(`context.recent.${place} is ${value}`, async () => {
    const equal = await engineWith(review(`context.recent.${place} == ${value}`), counted);
    assert.equal(short(equal.judge(action, noon, recent(7))), 'review:r');
    const above = await engineWith(review(`context.recent.${place} > ${value}`), counted);
    assert.equal(short(above.judge(action, noon, recent(7))), 'allow');
  });
}

test('the clause shows the count and what it was held against', async () => {
  const engine = await engineWith(review('context.recent.owner.day.sum > 10'), counted);
  const { explanation, recent: judgedWith } = engine.judge(action, noon, recent(7));
  assert.deepEqual(explanation.clauses, [
    { policy: 'r', text: 'context.recent.owner.day.sum > 10', left: '18', right: '10' },
  ]);
  assert.deepEqual(judgedWith, recent(7));
});

test('a sum that is not there is a denial that says which field is missing', async () => {
  const rule = review('context.recent.agent.day.sum > 1000');
  const engine = await engineWith(rule, counted);
  const verdict = engine.judge(asks('ops___export_rows', { table: 't', rows: -1 }), noon, recent(null));
  assert.equal(short(verdict), 'policy_error');
  assert.match(verdict.explanation.text, /context\.recent\.agent\.day\.sum.*input\.rows/);
  assert.equal(verdict.toldAgent, 'The input does not fit: input.rows must be a whole number.');
  const unnamed = (await engineWith(rule)).judge(action, noon, recent(null));
  assert.equal(short(unnamed), 'policy_error');
  assert.match(unnamed.explanation.text, /profile of ops___export_rows names no field to add up/);
  // A count alone needs no sum.
  const count = await engineWith(review('context.recent.agent.day.count > 1000'));
  assert.equal(short(count.judge(action, noon, recent(null))), 'allow');
});

test('no guard with `has` lets an action pass that gives no sum', async () => {
  const guarded = 'context.recent.agent.day has sum && context.recent.agent.day.sum > 1000';
  const verdict = (await engineWith(review(guarded), counted)).judge(action, noon, recent(null));
  assert.equal(short(verdict), 'policy_error');
});

test('a permit that reads counts denies where nobody counted', async () => {
  const engine = await engineWith(
    '@id("p") permit (principal, action, resource) when { context.recent.agent.hour.count < 5 };',
  );
  assert.equal(short(engine.judge(action, noon, null)), 'policy_error');
  assert.match(engine.judge(action, noon, null).explanation.text, /context\.recent/);
  assert.equal(short(engine.judge(action, noon, recent(7))), 'allow');
});

test('who reads counts is told, by operation', async () => {
  const engine = await engineWith(review('context.recent.agent.day.count > 3'));
  assert.equal(engine.readsRecent('ops___export_rows'), true);
  assert.equal(engine.readsRecent('ops___grant_role'), false);
  assert.equal(engine.readsRecent('ops___nothing'), false);
  assert.equal(createPolicyEngine().readsRecent('ops___export_rows'), false);
  // What no policy reads is no part of the verdict, and makes nothing stale.
  assert.equal(
    engine.judge(asks('ops___grant_role', { principal: 'p', role: 'r' }), noon, recent(7)).recent,
    null,
  );
});

test('misspelt parts are errors of the policy', async () => {
  for (const place of [
    'recent.agnet.day.count',
    'recent.agent.week.count',
    'recent.agent.day.total',
    'lately',
  ])
    await assert.rejects(engineWith(review(`context.${place} > 1`)), place);
});

test('a question is judged with the counts of its operation', async () => {
  const engine = await engineWith(
    '@id("q") permit (principal, action == Action::"ops___export_rows:input", resource) when { context.recent.agent.day.count < 3 };',
  );
  assert.equal(engine.permitsQuestion(action, noon, recent(7)), true);
  assert.equal(engine.permitsQuestion(action, noon, { ...recent(7), agent: scope(5, 7) }), false);
  assert.equal(engine.permitsQuestion(action, noon), false);
});

test('the local time of the configured zone, summer and winter', async () => {
  const at = async (timezone: string, time: string): Promise<string[]> => {
    const nowMs = Date.parse(time);
    const holds = async (condition: string): Promise<boolean> => {
      const set = `@id("p") permit (principal, action, resource) when { ${condition} };`;
      const engine = await engineWith(set, world(), { timezone });
      return short(engine.judge(action, nowMs, null)) === 'allow';
    };
    const found: string[] = [];
    for (const [name, values] of [
      ['weekday', [1, 2, 6, 7]],
      ['hour', [0, 1, 2, 9, 23]],
      ['minute', [0, 30, 45]],
    ] as const)
      for (const value of values)
        if (await holds(`context.system.local.${name} == ${value}`)) found.push(`${name} ${value}`);
    return found;
  };
  assert.deepEqual(await at('Europe/Berlin', '2026-07-05T22:30:00Z'), ['weekday 1', 'hour 0', 'minute 30']);
  assert.deepEqual(await at('Europe/Berlin', '2026-01-04T22:30:00Z'), ['weekday 7', 'hour 23', 'minute 30']);
  assert.deepEqual(await at('Asia/Kathmandu', '2026-11-22T20:00:00Z'), ['weekday 1', 'hour 1', 'minute 45']);
  assert.deepEqual(await at('UTC', '2026-11-21T09:00:00Z'), ['weekday 6', 'hour 9', 'minute 0']);
});

test('the clock forgets a minute when it is over', () => {
  const zone = new LocalTime('Europe/Berlin');
  const start = Date.parse('2026-03-29T00:59:59.999Z');
  assert.deepEqual(zone.at(start), { weekday: 7, hour: 1, minute: 59 });
  assert.deepEqual(zone.at(start + 1), { weekday: 7, hour: 3, minute: 0 });
  assert.deepEqual(zone.at(start), { weekday: 7, hour: 1, minute: 59 });
  assert.throws(() => new LocalTime('Europe/Nowhere'), RangeError);
});

test('a forbid on approve reads the local time', async () => {
  const set = `${permitAll}@id("r") @approvers("sre") forbid (principal, action == Action::"ops___note", resource);
@id("night") forbid (principal, action == Action::"approve", resource) when { context.system.local.hour < 8 };`;
  const engine = await engineWith(set, world({ tools: [tool('note', { text: string })] }), {
    timezone: 'America/New_York',
  });
  const note = asks('ops___note', { text: 'x' });
  const verdict = engine.judge(note, noon, null);
  assert.equal(verdict.effect, 'review');
  const requirements = verdict.effect === 'review' ? verdict.requirements : [];
  const [people] = [
    world()
      .directory.people.slice(0, 1)
      .map((person) => person.id),
  ];
  const may = (nowMs: number) => engine.mayApprove(note, requirements, people, nowMs)[0]?.requirements;
  assert.deepEqual(may(noon), []); // 7 in the morning there
  assert.deepEqual(may(noon + 3_600_000), ['r']);
});
