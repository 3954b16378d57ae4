/** Agents and the report by HTTP: who sees them, who stops and lifts, what a refused agent is told, and accepting what was seen. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { limitDefaults } from '../../src/app/parts.ts';
import { inside, openGate, operations, text, type Answer, type Gate } from './gate.ts';

let gate: Gate;
let tokens: Record<string, string> = {};
const as = (name: string): string => tokens[name] ?? '';

async function open(): Promise<void> {
  gate = await openGate({ limits: { pendingPerAgent: limitDefaults.pendingPerAgent } });
  tokens = {};
  for (const name of ['bot', 'other-bot']) tokens[name] = await gate.token('agent', name);
  for (const name of ['sam', 'rosa', 'mia', 'oz', 'eve']) tokens[name] = await gate.token('person', name);
}

const ask = (cents: number, by = 'bot', operation = 'billing___refund'): Promise<Answer> =>
  gate.call('POST', '/v1/actions', as(by), { operation, input: { cents } });
const approvalIn = (answer: Answer): string => text(inside(answer, 'approval')['id']);
const post = (
  path: string,
  by: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Answer> => gate.call('POST', path, as(by), body, headers);
const itemsOf = async (by: string, query = ''): Promise<readonly Record<string, unknown>[]> => {
  const answer = await gate.call('GET', `/v1/agents${query}`, as(by));
  assert.equal(answer.status, 200, answer.text);
  return answer.json['items'] as unknown as readonly Record<string, unknown>[];
};

describe('agents', () => {
  beforeEach(open);
  afterEach(() => gate.close());

  test('operators and auditors see all, owners theirs, others and agents none', async () => {
    const names = async (by: string): Promise<readonly unknown[]> =>
      (await itemsOf(by)).map((one) => one['id']);
    assert.deepEqual(await names('oz'), ['bot', 'other-bot']);
    assert.deepEqual(await names('sam'), ['bot']);
    assert.deepEqual(await names('rosa'), []);
    const agent = await gate.call('GET', '/v1/agents', as('bot'));
    assert.deepEqual([agent.status, agent.json['code']], [403, 'not_permitted']);
    const first = await gate.call('GET', '/v1/agents?limit=1', as('oz'));
    assert.equal(first.json['next'], 'bot');
    assert.deepEqual(
      (await itemsOf('oz', '?after=bot')).map((one) => one['id']),
      ['other-bot'],
    );
  });

  test('an agent is shown with what waits and what keeps it from asking', async () => {
    await ask(5000);
    const [seen] = await itemsOf('sam');
    assert.deepEqual(seen, {
      id: 'bot',
      owners: ['sam'],
      groups: [],
      stopped: null,
      paused: [],
      pending: 1,
    });
  });

  test('its owner stops it: it asks, runs and reads nothing, what it had waiting is withdrawn, and only another lifts that', async () => {
    const held = await ask(5000);
    const small = await ask(5);
    const since = new Date(gate.clock.nowMs).toISOString();
    const stopped = await post('/v1/agents/bot/stop', 'sam', { reason: 'It repeats itself.' });
    assert.equal(stopped.status, 200, stopped.text);
    assert.deepEqual(stopped.json['stopped'], { by: 'sam', reason: 'It repeats itself.', since });
    assert.equal(stopped.json['pending'], 0);
    const action = `/v1/actions/${text(small.json['id'])}`;
    const refused = [
      await ask(6),
      await post(`${action}/execution`, 'bot'),
      await gate.call('GET', action, as('bot')),
      await gate.call('GET', '/v1/approvals', as('bot')),
    ];
    assert.match(text(refused[0]?.json['detail']), /It repeats itself\./);
    for (const answer of refused) {
      assert.deepEqual([answer.status, answer.json['code']], [429, 'agent_stopped']);
      assert.equal(answer.headers.get('retry-after'), null, 'nobody knows when it is lifted');
    }
    const seen = await gate.call('GET', `/v1/approvals/${approvalIn(held)}`, as('mia'));
    assert.equal(seen.json['status'], 'cancelled');
    const again = await post('/v1/agents/bot/stop', 'oz', { reason: 'Me too.' });
    assert.deepEqual(again.json['stopped'], stopped.json['stopped'], 'the first stop stands');
    assert.equal((await gate.entries('agent.stopped')).length, 1);
    const own = await post('/v1/agents/bot/lift', 'sam', {});
    assert.deepEqual([own.status, own.json['code']], [403, 'not_permitted']);
    const lifted = await post('/v1/agents/bot/lift', 'oz', { reason: 'Mended.' });
    assert.equal(lifted.json['stopped'], null);
    assert.equal((await ask(6)).status, 200);
    assert.equal((await post('/v1/agents/bot/lift', 'oz', {})).status, 404, 'it is not stopped');
  });

  test('a run that is asked for again under its key is refused once its agent is stopped, until that is lifted', async () => {
    const path = `/v1/actions/${text((await ask(5)).json['id'])}/execution`;
    const key = { 'idempotency-key': 'run-1' };
    const first = await post(path, 'bot', {}, key);
    assert.equal(first.status, 201, first.text);
    assert.equal((await post('/v1/agents/bot/stop', 'oz', { reason: 'It repeats itself.' })).status, 200);
    const repeat = await post(path, 'bot', {}, key);
    assert.deepEqual([repeat.status, repeat.json['code']], [429, 'agent_stopped'], repeat.text);
    assert.match(text(repeat.json['detail']), /It repeats itself\./);
    assert.equal((await post('/v1/agents/bot/lift', 'oz', {})).status, 200);
    const third = await post(path, 'bot', {}, key);
    assert.deepEqual([third.status, third.json['id']], [201, first.json['id']], 'the refusal took nothing');
  });

  test('nor is it answered while its operation is paused', async () => {
    const path = `/v1/actions/${text((await ask(5)).json['id'])}/execution`;
    const key = { 'idempotency-key': 'run-1' };
    assert.equal((await post(path, 'bot', {}, key)).status, 201);
    for (const cents of [5001, 5002, 5003]) {
      const asked = await ask(cents);
      const body = { decision: 'deny', digest: asked.json['digest'], reason: 'No.', unsafe: true };
      assert.equal((await post(`/v1/approvals/${approvalIn(asked)}/reviews`, 'rosa', body)).status, 201);
    }
    const repeat = await post(path, 'bot', {}, key);
    assert.deepEqual([repeat.status, repeat.json['code']], [429, 'operation_paused'], repeat.text);
  });

  test('an approver may stop the agent of what they look at, and nobody else', async () => {
    const approval = approvalIn(await ask(5000));
    assert.equal((await post('/v1/agents/bot/stop', 'rosa', {})).json['code'], 'not_permitted');
    assert.equal((await post('/v1/agents/bot/stop', 'eve', { approval })).json['code'], 'not_permitted');
    assert.equal(
      (await post('/v1/agents/other-bot/stop', 'rosa', { approval })).json['code'],
      'not_permitted',
    );
    assert.equal((await post('/v1/agents/bot/stop', 'rosa', { approval: 'x' })).status, 400);
    assert.equal((await post('/v1/agents/nobody/stop', 'oz', {})).status, 404);
    const stopped = await post('/v1/agents/bot/stop', 'rosa', { approval });
    assert.equal(stopped.status, 200, stopped.text);
    assert.deepEqual(Object.keys(stopped.json), ['id', 'stopped', 'paused'], 'no more than she may read');
  });

  test('no agent stops or lifts anything', async () => {
    for (const what of ['stop', 'lift'])
      for (const path of [`/v1/agents/bot/${what}`, `/v1/agents/other-bot/${what}`]) {
        const answer = await post(path, 'bot', {});
        assert.deepEqual([answer.status, answer.json['code']], [403, 'not_permitted'], path);
      }
  });

  test('the same request under the same key is done once', async () => {
    const key = { 'idempotency-key': 'stop-1' };
    assert.equal((await post('/v1/agents/bot/stop', 'oz', { reason: 'a' }, key)).status, 200);
    const other = await post('/v1/agents/bot/stop', 'oz', { reason: 'b' }, key);
    assert.deepEqual([other.status, other.json['code']], [409, 'idempotency_conflict']);
    const lift = { 'idempotency-key': 'lift-1' };
    assert.equal((await post('/v1/agents/bot/lift', 'oz', {}, lift)).status, 200);
    const repeat = await post('/v1/agents/bot/lift', 'oz', {}, lift);
    assert.equal(repeat.status, 200, 'and not "it is not stopped"');
    assert.equal((await gate.entries('stop.lifted')).length, 1);
  });

  test('three unsafe denials pause the operation, which an operator lifts by its name', async () => {
    for (const cents of [5001, 5002, 5003]) {
      const asked = await ask(cents);
      const body = { decision: 'deny', digest: asked.json['digest'], reason: 'Not those.', unsafe: true };
      assert.equal((await post(`/v1/approvals/${approvalIn(asked)}/reviews`, 'rosa', body)).status, 201);
      gate.clock.nowMs += 1000;
    }
    const paused = await ask(5);
    assert.deepEqual([paused.status, paused.json['code']], [429, 'operation_paused']);
    const [seen] = await itemsOf('sam');
    assert.ok(seen !== undefined);
    const [pause] = seen['paused'] as readonly Record<string, unknown>[];
    assert.deepEqual([pause?.['operation'], pause?.['by']], ['billing___refund', 'gate']);
    assert.match(String(pause?.['reason']), /3 of its actions were denied as unsafe.*Not those\./);
    assert.equal((await ask(5, 'bot', 'billing___payout')).status, 202, 'the rest goes on');
    assert.equal(
      (await post('/v1/agents/bot/lift', 'oz', {})).status,
      404,
      'the agent itself is not stopped',
    );
    const lifted = await post('/v1/agents/bot/lift', 'oz', { operation: 'billing___refund', reason: 'ok' });
    assert.deepEqual(lifted.json['paused'], []);
    assert.equal((await ask(5)).status, 200);
  });

  test('what is refused for a time says for how long', async () => {
    const asked = await ask(5001);
    const body = { decision: 'deny', digest: asked.json['digest'], reason: 'No.', unsafe: true };
    await post(`/v1/approvals/${approvalIn(asked)}/reviews`, 'rosa', body);
    gate.clock.nowMs += 10 * 60_000;
    const cooling = await gate.call(
      'POST',
      '/v1/actions',
      as('bot'),
      { operation: 'billing___refund', input: { cents: 5001 } },
      { 'idempotency-key': 'another' },
    );
    assert.deepEqual([cooling.status, cooling.json['code']], [429, 'cooldown'], cooling.text);
    assert.equal(cooling.headers.get('retry-after'), '300');
  });

  test('a bad field is named, and nothing is done', async () => {
    const wrong = await post('/v1/agents/bot/stop', 'oz', { reasons: 'x' });
    assert.deepEqual([wrong.status, wrong.json['code']], [400, 'input_invalid']);
    assert.deepEqual(await gate.entries('agent.stopped'), []);
  });
});

describe('the report', () => {
  before(async () => {
    await open();
    await gate.propose({
      operations: operations.map((one) =>
        one.operation === 'billing___refund' ? { ...one, mode: 'observe' } : one,
      ),
    });
  });
  after(() => gate.close());

  test('says what was and would have been asked, to operators and auditors alone', async () => {
    await ask(5);
    await ask(5000);
    const held = await ask(1, 'bot', 'billing___payout');
    assert.equal(held.status, 202);
    gate.clock.nowMs += 60_000;
    const answer = await gate.call('GET', '/v1/report?last=24h', as('oz'));
    assert.equal(answer.status, 200, answer.text);
    const total = inside(answer, 'total');
    assert.deepEqual(
      ['actions', 'observed', 'allowed', 'asked', 'wouldAsk'].map((key) => total[key]),
      [3, 2, 1, 1, 1],
    );
    assert.equal(answer.json['timezone'], 'UTC');
    assert.ok(Array.isArray(answer.json['next']) && answer.json['next'].length > 0);
    for (const by of ['sam', 'rosa', 'bot']) {
      const refused = await gate.call('GET', '/v1/report', as(by));
      assert.deepEqual([refused.status, refused.json['code']], [403, 'not_permitted'], by);
    }
  });

  test('only of the time that was asked for', async () => {
    gate.clock.nowMs += 3 * 86_400_000;
    const none = await gate.call('GET', '/v1/report?last=1d', as('oz'));
    assert.equal(inside(none, 'total')['actions'], 0);
    const [day] = new Date(gate.clock.nowMs - 3 * 86_400_000).toISOString().split('T');
    const all = await gate.call('GET', `/v1/report?from=${day}&to=${day}`, as('oz'));
    assert.equal(inside(all, 'total')['actions'], 3);
    for (const query of ['last=7w', 'from=x', 'last=1d&from=2026-01-01']) {
      const wrong = await gate.call('GET', `/v1/report?${query}`, as('oz'));
      assert.deepEqual([wrong.status, wrong.json['code']], [400, 'input_invalid'], query);
    }
  });
});

describe('accepting a tool by what was seen', () => {
  before(open);
  after(() => gate.close());
  const see = async (description: string): Promise<void> => {
    const definitions = [{ name: 'write', description, inputSchema: { type: 'object' } }];
    await gate.parts.store.change({ kind: 'pin', server: 'files', pin: 'first-sight', definitions });
    await gate.world.sync();
  };
  const path = '/v1/servers/files/tools/write/accept';

  test('another definition than the one that was looked at is not accepted with it', async () => {
    await see('one');
    await see('two');
    const looked = (await gate.parts.store.tools('files'))[0]?.seenHash;
    await see('three');
    const refused = await post(path, 'oz', { hash: looked });
    assert.deepEqual([refused.status, refused.json['code']], [409, 'digest_mismatch']);
    assert.equal((await gate.parts.store.tools('files'))[0]?.status, 'disabled');
    const now = (await gate.parts.store.tools('files'))[0]?.seenHash;
    assert.equal((await post(path, 'oz', { hash: now })).json['hash'], now);
    assert.equal((await post(path, 'oz', { hash: 'abc' })).status, 400);
    assert.equal((await post('/v1/servers/files/tools/none/accept', 'oz', {})).status, 404);
  });
});
