/** Attack: one large export, cut into many small ones, each below the threshold; one after another, and all at once. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { people, startTestGate, type TestGate } from '../support/gate.ts';

const config = `${people}
  
operations:
  crm___export:
    input: { type: object, additionalProperties: false, properties: { rows: { type: integer }, part: { type: integer } } }
    profile: { verb: Export, effect: export, sum: input.rows }
limits: { pendingPerAgent: 100, creationsPerMinute: 1000 }
`.replace('\n  \n', '\n');
const policies = `
@id("all") @title("Agents may act") permit (principal, action, resource);
@id("export.bulk") @title("More than 10,000 rows a day need a data owner") @approvers("data-owners")
forbid (principal, action == Action::"crm___export", resource) when { context.recent.owner.day.sum > 10000 };
`;

let gate: TestGate;
let bot: string;
beforeEach(async () => {
  gate = await startTestGate({ config, policies });
  bot = await gate.token('agent', 'crm-bot');
});
afterEach(() => gate.stop());

const ask = (token: string, rows: unknown, part: number) =>
  gate.call(token, 'POST', '/v1/actions', { operation: 'crm___export', input: { rows, part } });

test('fifty exports of 1,000 rows, one after another: ten pass, the rest are held', async () => {
  const states: string[] = [];
  for (let part = 0; part < 50; part += 1) states.push((await ask(bot, 1000, part)).body.state);
  assert.deepEqual(
    states.slice(0, 10),
    Array.from({ length: 10 }, () => 'ready'),
  );
  assert.deepEqual([...new Set(states.slice(10))], ['pending']);
});

test('fifty at once: the transaction counts, so ten pass and no more', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, (_, part) => ask(bot, 1000, part)));
  const states = answers.map((one) => one.body.state);
  assert.equal(states.filter((state) => state === 'ready').length, 10, states.join());
  assert.equal(states.filter((state) => state === 'pending').length, 40, states.join());
});

test('another agent of the same owner does not begin anew; another owner’s does', async () => {
  await gate.setConfig(
    config.replace(
      '  - { id: other-bot, owners: [rosa] }',
      '  - { id: other-bot, owners: [rosa] }\n  - { id: second-bot, owners: [sam] }',
    ),
  );
  for (let part = 0; part < 10; part += 1) assert.equal((await ask(bot, 1000, part)).body.state, 'ready');
  assert.equal((await ask(await gate.token('agent', 'second-bot'), 1, 0)).body.state, 'pending');
  assert.equal((await ask(await gate.token('agent', 'other-bot'), 1, 0)).body.state, 'ready');
});

test('what was counted is counted after a restart', async () => {
  for (let part = 0; part < 10; part += 1) await ask(bot, 1000, part);
  await gate.restart();
  assert.equal((await ask(bot, 1, 99)).body.state, 'pending');
});

test('an amount that is none is refused by the policy that reads the sum, and adds nothing', async () => {
  for (const rows of [-5000, undefined]) {
    const answer = await ask(bot, rows, 1);
    assert.equal(answer.status, 403, JSON.stringify(answer.body));
    assert.equal(answer.body.code, 'policy_error');
  }
  assert.equal((await ask(bot, 10_000, 1)).body.state, 'ready');
});

test('approved parts are judged again with what was granted meanwhile', async () => {
  await gate.setPolicies(`${policies}
@id("export.never") @title("Nobody exports more than 15,000 rows a day")
forbid (principal, action == Action::"crm___export", resource) when { context.recent.owner.day.sum > 15000 };`);
  const held: { readonly id: string; readonly digest: string; readonly approval: { readonly id: string } }[] =
    [];
  assert.equal((await ask(bot, 9000, 0)).body.state, 'ready');
  for (let part = 1; part <= 2; part += 1) held.push((await ask(bot, 5000, part)).body);
  const rosa = await gate.token('person', 'rosa');
  const approve = async ({ approval, digest }: (typeof held)[number]) =>
    gate.call(rosa, 'POST', `/v1/approvals/${approval.id}/reviews`, { decision: 'approve', digest });
  for (const one of held) await approve(one);
  const states: string[] = [];
  for (const { id } of held) states.push((await gate.call(bot, 'GET', `/v1/actions/${id}`)).body.state);
  assert.deepEqual(states, ['ready', 'denied'], 'the second would have been 19,000 rows');
});
