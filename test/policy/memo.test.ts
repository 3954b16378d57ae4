/** Remembered verdicts: Cedar is asked once where nothing else can come out, and always where something can. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asAgentId } from '../../src/core/ids.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Recent } from '../../src/core/recent.ts';
import type { PolicyEngine } from '../../src/ports/policy.ts';
import { startCedar, type Cedar } from '../../src/policy/cedar.ts';
import { memoLimits } from '../../src/policy/memo.ts';
import { asks, directory, engineWith, noon, permitAll, short, texts, world } from './support/world.ts';

const operation = 'ops___export_rows';
const bulk = `@id("bulk") @title("No bulk") forbid (principal, action == Action::"${operation}", resource) `;
const rows = `${permitAll}${bulk}when { context.input.rows > 1000 };`;

/** An engine, and how often its Cedar was asked. */
async function counting(
  set: string,
  in_ = world(),
): Promise<{ readonly engine: PolicyEngine; readonly asked: () => number; readonly failNext: () => void }> {
  const cedar = startCedar();
  let asked = 0;
  let fails = false;
  const counted: Cedar = {
    ...cedar,
    statefulIsAuthorized: (call) => {
      asked += 1;
      if (!fails) return cedar.statefulIsAuthorized(call);
      fails = false;
      throw new Error('out of order');
    },
  };
  const engine = await engineWith(set, in_, { start: () => counted });
  return { engine, asked: () => asked, failNext: () => void (fails = true) };
}

const input = (more: JsonObject = {}): JsonObject => ({ table: 'a', rows: 5, ...more });

test('the same question is asked of Cedar once, whatever no policy reads', async () => {
  const { engine, asked } = await counting(rows);
  const first = engine.judge(asks(operation, input()), noon, null);
  const again = engine.judge(asks(operation, input({ table: 'b' })), noon + 1, null);
  assert.equal(short(first), 'allow');
  assert.deepEqual(again, first);
  assert.equal(asked(), 1);
});

test('another value, agent, resource or operation is another question', async () => {
  const agents = [
    ...directory.agents,
    { id: asAgentId('other'), owners: directory.agents[0]?.owners ?? [], groups: [] },
  ];
  const set = `@id("mine") permit (principal == Agent::"crm-bot", action, resource == Server::"ops");
    ${bulk}when { context.input.rows > 1000 };`;
  const { engine, asked } = await counting(set, world({ directory: { ...directory, agents } }));
  const one = asks(operation, input());
  const judged = [
    one,
    { ...one, input: input({ rows: 5000 }) },
    { ...one, agent: asAgentId('other') },
    { ...one, operation: 'ops___delete_region', input: {} },
    one,
  ].map((each) => short(engine.judge(each, noon, null)));
  assert.deepEqual(judged, ['allow', 'forbidden', 'no_permit', 'allow', 'allow']);
  assert.equal(asked(), 4, 'the last one was remembered');
  assert.equal(
    short(engine.judge({ ...one, resource: { type: 'Server', id: 'files' } }, noon, null)),
    'no_permit',
  );
});

test('a set that is replaced takes its verdicts along', async () => {
  const { engine } = await counting(rows);
  const one = asks(operation, input());
  assert.equal(short(engine.judge(one, noon, null)), 'allow');
  const next = texts(`${permitAll}${bulk}when { context.input.rows > 1 };`);
  const versions = { policySet: 4, directory: 2, tools: 1 };
  assert.ok((await engine.load(next, world({ versions }), null)).ok);
  const verdict = engine.judge(one, noon, null);
  assert.equal(short(verdict), 'forbidden');
  assert.deepEqual(verdict.versions, versions);
  await engine.load(null, world({ versions }), 'broken');
  assert.equal(short(engine.judge(one, noon, null)), 'policy_error');
});

test('where the time is read, it is asked each time', async () => {
  const { engine, asked } = await counting(
    `${permitAll}${bulk}when { context.system.now > datetime("2026-11-22T12:00:00Z") };`,
  );
  const one = asks(operation, input());
  assert.equal(short(engine.judge(one, noon, null)), 'allow');
  assert.equal(short(engine.judge(one, noon + 1, null)), 'forbidden');
  assert.equal(asked(), 2);
});

test('where counts are read, it is asked each time', async () => {
  const { engine } = await counting(`${permitAll}${bulk}when { context.recent.agent.day.count > 1 };`);
  const window = (count: number) => ({ count, sum: null });
  const scope = (count: number) => ({ hour: window(count), day: window(count), ever: window(count) });
  const recent = (count: number): Recent => ({
    agent: scope(count),
    owner: scope(count),
    operation: scope(count),
  });
  const one = asks(operation, input());
  assert.equal(short(engine.judge(one, noon, recent(1))), 'allow');
  assert.equal(short(engine.judge(one, noon, recent(2))), 'forbidden');
});

test('a failure is not remembered', async () => {
  const { engine, failNext } = await counting(rows);
  const one = asks(operation, input());
  failNext();
  assert.equal(short(engine.judge(one, noon, null)), 'policy_error');
  assert.equal(short(engine.judge(one, noon, null)), 'allow');
});

test('the number and the size of what is remembered are bounded', async () => {
  const { engine, asked } = await counting(
    `${permitAll}${bulk}when { context.input.rows > 1000000 && context.input.table == "x" };`,
  );
  for (let row = 0; row <= memoLimits.verdictsMax; row += 1)
    engine.judge(asks(operation, input({ rows: row })), noon, null);
  const before = asked();
  engine.judge(asks(operation, input({ rows: 1 })), noon, null);
  assert.equal(asked(), before, 'still remembered');
  engine.judge(asks(operation, input({ rows: 0 })), noon, null);
  assert.equal(asked(), before + 1, 'the oldest made room');
  const large = asks(operation, input({ table: 'x'.repeat(memoLimits.keyCharsMax) }));
  engine.judge(large, noon, null);
  engine.judge(large, noon, null);
  assert.equal(asked(), before + 3, 'too large to be kept');
});
