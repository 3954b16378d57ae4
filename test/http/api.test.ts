/** Actions by HTTP (design §8), against the real store and the real policies: what each call answers, in each state. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { authorize } from '../../src/app/authorize.ts';
import { asAgentId } from '../../src/core/ids.ts';
import { inside, openGate, policies, text, type Answer, type Gate } from './gate.ts';

let gate: Gate;
const tokens: Record<string, string> = {};
const bot = (): string => tokens['bot'] ?? '';
const as = (name: string): string => tokens[name] ?? '';

before(async () => {
  gate = await openGate();
  for (const name of ['bot', 'other-bot']) tokens[name] = await gate.token('agent', name);
  for (const name of ['sam', 'rosa', 'mia', 'oz', 'eve']) tokens[name] = await gate.token('person', name);
});
after(() => gate.close());

let cents = 5000;
/** Each test asks for another amount, so that none joins another's. */
beforeEach(() => {
  cents += 1;
});

const ask = (
  input: object = { cents },
  operation = 'billing___refund',
  headers: Record<string, string> = {},
): Promise<Answer> => gate.call('POST', '/v1/actions', bot(), { operation, input }, headers);
const review = (approval: string, by: string, body: object): Promise<Answer> =>
  gate.call('POST', `/v1/approvals/${approval}/reviews`, as(by), body);
/** The gate's time, so many minutes on. */
const minutesOn = (minutes: number): string => new Date(gate.clock.nowMs + minutes * 60_000).toISOString();
const approvalIn = (answer: Answer): string => text(inside(answer, 'approval')['id']);

describe('asking', () => {
  test('an allowed action may run now: 200, ready, with a grant that ends', async () => {
    const asked = await ask({ cents: 10 });
    assert.equal(asked.status, 200, asked.text);
    assert.equal(asked.headers.get('content-type'), 'application/json');
    assert.deepEqual(Object.keys(asked.json), [
      'id',
      'digest',
      'verdict',
      'state',
      'runBefore',
      'explanation',
      'enforcement',
    ]);
    assert.equal(asked.json['state'], 'ready');
    assert.equal(asked.json['verdict'], 'allow');
    assert.equal(asked.json['enforcement'], 'cooperative');
    assert.match(text(asked.json['id']), /^act_[0-9a-z]{26}$/);
    assert.match(text(asked.json['digest']), /^sha256:[0-9a-f]{64}$/);
    assert.equal(asked.json['runBefore'], minutesOn(15));
  });

  test('a held action waits: 202 with the approval, and the same call joins it', async () => {
    const asked = await ask();
    assert.equal(asked.status, 202, asked.text);
    assert.equal(asked.json['state'], 'pending');
    assert.equal(asked.json['verdict'], 'review');
    const approval = inside(asked, 'approval');
    assert.equal(approval['status'], 'pending');
    assert.equal(approval['url'], `http://localhost:7788/approvals/${text(approval['id'])}`);
    assert.equal(approval['expiresAt'], minutesOn(240));
    const again = await ask();
    assert.equal(again.status, 202);
    assert.equal(again.json['id'], asked.json['id']);
    assert.equal(again.json['digest'], asked.json['digest']);
    assert.equal(again.json['replayed'], undefined);
  });

  test('a denied action is a problem with the fields of the state', async () => {
    const asked = await ask({ cents }, 'billing___wipe');
    assert.equal(asked.status, 403);
    assert.equal(asked.headers.get('content-type'), 'application/problem+json');
    assert.equal(asked.json['type'], 'https://countersign.dev/problems/forbidden');
    assert.equal(asked.json['code'], 'forbidden');
    assert.equal(asked.json['status'], 403);
    assert.equal(asked.json['state'], 'denied');
    assert.equal(asked.json['verdict'], 'deny');
    assert.equal(asked.json['replayed'], undefined, 'denied now, not before');
    assert.match(text(asked.json['id']), /^act_/);
  });

  test('an operation that nobody configured is judged, and the verdict is on record', async () => {
    const asked = await ask({ x: 1 }, 'nowhere___nothing');
    assert.equal(asked.status, 403);
    assert.equal(asked.json['code'], 'no_permit');
    const entries = await gate.entries('action.asked');
    assert.equal(entries.at(-1)?.data['operation'], 'nowhere___nothing');
  });

  test('an agent is told no threshold: neither values nor clauses', async () => {
    const asked = await ask();
    assert.deepEqual(Object.keys(inside(asked, 'explanation')), ['text']);
    assert.doesNotMatch(asked.text, /\b1000\b/); // a digest may have these figures among others
    const shown = await gate.call('GET', `/v1/actions/${text(asked.json['id'])}`, as('rosa'));
    assert.equal(shown.status, 200, shown.text);
    assert.ok(JSON.stringify(shown.json['explanation']).includes('1000'), shown.text);
  });

  test('?wait= answers as soon as people have decided', async () => {
    const asked = await ask();
    const waiting = gate.call('POST', '/v1/actions?wait=60', bot(), {
      operation: 'billing___refund',
      input: { cents },
    });
    const done = await review(approvalIn(asked), 'rosa', {
      decision: 'approve',
      digest: asked.json['digest'],
    });
    assert.equal(done.status, 201, done.text);
    const answer = await waiting;
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json['state'], 'ready');
    assert.equal(answer.json['verdict'], 'review', 'the verdict stays the original');
    assert.equal(answer.json['id'], asked.json['id']);
  });

  test('whoever hangs up waits no longer, and nothing changes', async () => {
    const asked = await ask();
    const gone = new AbortController();
    const waiting = gate.send(`/v1/approvals/${approvalIn(asked)}?wait=300`, {
      headers: { authorization: `Bearer ${bot()}` },
      signal: gone.signal,
    });
    gone.abort();
    assert.equal((await waiting).json['status'], 'pending');
  });

  test('a denial comes with the reviewer’s reason, and is replayed for ten minutes', async () => {
    const asked = await ask();
    await review(approvalIn(asked), 'rosa', {
      decision: 'deny',
      digest: asked.json['digest'],
      reason: 'Not this month.',
    });
    const told = await ask();
    assert.equal(told.status, 403);
    assert.equal(told.json['code'], 'denied');
    assert.match(text(told.json['detail']), /Not this month\./);
    assert.equal(told.json['replayed'], true);
    assert.equal(told.json['endedAt'], minutesOn(0));
    assert.equal(told.json['id'], asked.json['id']);
    assert.equal((await ask()).json['replayed'], true, 'delivered, but within limits.replay');
    gate.clock.nowMs += 10 * 60_000;
    const anew = await ask();
    assert.equal(anew.status, 202, anew.text);
    assert.notEqual(anew.json['id'], asked.json['id']);
  });

  test('another Idempotency-Key is another action; the same one is the same', async () => {
    const first = await ask({ cents }, 'billing___refund', { 'idempotency-key': `run-1-${cents}` });
    const second = await ask({ cents }, 'billing___refund', { 'idempotency-key': `run-2-${cents}` });
    assert.notEqual(first.json['id'], second.json['id']);
    const again = await ask({ cents }, 'billing___refund', { 'idempotency-key': `run-1-${cents}` });
    assert.equal(again.json['id'], first.json['id']);
  });

  test('a repeat under the same key of an allowed action is not asked twice', async () => {
    const first = await ask({ cents: 10 }, 'billing___refund', { 'idempotency-key': 'once' });
    const again = await ask({ cents: 10 }, 'billing___refund', { 'idempotency-key': 'once' });
    assert.equal(again.json['id'], first.json['id']);
    const without = await ask({ cents: 10 });
    assert.notEqual(without.json['id'], first.json['id'], 'without a key each call is its own');
  });

  test('an expired approval says so, and so does its repeat', async () => {
    const asked = await ask();
    gate.clock.nowMs += 4 * 3_600_000;
    const late = await gate.call('GET', `/v1/approvals/${approvalIn(asked)}`, bot());
    assert.equal(late.json['status'], 'expired');
    const told = await ask();
    assert.equal(told.status, 403, told.text);
    assert.equal(told.json['code'], 'expired');
  });
});

describe('running', () => {
  const take = (id: string, by = bot(), headers: Record<string, string> = {}): Promise<Answer> =>
    gate.call('POST', `/v1/actions/${id}/execution`, by, undefined, headers);

  test('ask, approve, run, report: each step says where it is', async () => {
    const asked = await ask({ cents, password: 'hunter2hunter2' });
    const id = text(asked.json['id']);
    assert.equal((await take(id)).json['code'], 'approval_pending');
    assert.equal((await take(id)).status, 409);
    const seen = await gate.call('GET', `/v1/approvals/${approvalIn(asked)}`, as('rosa'));
    assert.deepEqual(inside({ json: inside(seen, 'action') }, 'input'), {
      cents,
      password: '⟨masked: 14 characters⟩',
    });
    await review(approvalIn(asked), 'rosa', { decision: 'approve', digest: asked.json['digest'] });
    const taken = await take(id);
    assert.equal(taken.status, 201, taken.text);
    assert.match(text(taken.json['id']), /^exe_/);
    const action = inside(taken, 'action');
    assert.deepEqual(
      action['input'],
      { cents, password: 'hunter2hunter2' },
      'the execution gets the exact input',
    );
    assert.equal(action['digest'], asked.json['digest']);
    const twice = await take(id);
    assert.equal(twice.status, 409);
    assert.equal(twice.json['code'], 'grant_consumed');
    assert.equal((await ask({ cents, password: 'hunter2hunter2' })).json['state'], 'started');
    const outcome = await gate.call('PUT', `/v1/executions/${text(taken.json['id'])}/outcome`, bot(), {
      status: 'succeeded',
      detail: 'ref 17',
    });
    assert.equal(outcome.status, 200, outcome.text);
    assert.equal(outcome.json['outcomeBy'], 'agent');
    const again = await ask({ cents, password: 'hunter2hunter2' });
    assert.equal(again.status, 200);
    assert.equal(again.json['state'], 'succeeded');
    assert.equal(again.json['replayed'], true);
    assert.equal(inside(again, 'execution')['outcomeBy'], 'agent');
  });

  test('a lost answer is asked for again under its key, and is the same run', async () => {
    const asked = await ask({ cents: 10 });
    const first = await take(text(asked.json['id']), bot(), { 'idempotency-key': 'take-it' });
    const again = await take(text(asked.json['id']), bot(), { 'idempotency-key': 'take-it' });
    assert.equal(again.status, 201, again.text);
    assert.equal(again.json['id'], first.json['id']);
  });

  test('fifty that take one grant: one gets it', async () => {
    const asked = await ask({ cents: 10 });
    const all = await Promise.all(Array.from({ length: 50 }, () => take(text(asked.json['id']))));
    assert.equal(all.filter((one) => one.status === 201).length, 1);
    assert.ok(all.every((one) => one.status === 201 || one.json['code'] === 'grant_consumed'));
  });

  test('an outcome is reported once; the same report again is fine, another is not', async () => {
    const asked = await ask({ cents: 10 });
    const taken = await take(text(asked.json['id']));
    const path = `/v1/executions/${text(taken.json['id'])}/outcome`;
    assert.equal((await gate.call('PUT', path, bot(), { status: 'failed' })).status, 200);
    assert.equal((await gate.call('PUT', path, bot(), { status: 'failed' })).status, 200);
    assert.equal(
      (await gate.call('PUT', path, bot(), { status: 'succeeded' })).json['code'],
      'grant_consumed',
    );
    assert.equal((await gate.call('PUT', path, as('other-bot'), { status: 'failed' })).status, 404);
    assert.equal(
      (await gate.call('PUT', path, as('sam'), { status: 'failed' })).json['code'],
      'not_an_agent',
    );
    assert.equal((await gate.call('PUT', path, bot(), { status: 'unknown' })).json['code'], 'input_invalid');
  });

  test('a tightened policy between approval and run: the grant is worth nothing', async () => {
    const asked = await ask();
    await review(approvalIn(asked), 'rosa', { decision: 'approve', digest: asked.json['digest'] });
    await gate.propose({}, '@id("none") @title("Nothing runs today") forbid (principal, action, resource);');
    const taken = await take(text(asked.json['id']));
    assert.equal(taken.status, 403, taken.text);
    assert.equal(taken.json['code'], 'policy_changed');
    await gate.propose({});
    assert.equal((await take(text(asked.json['id']))).json['code'], 'policy_changed', 'it stays ended');
  });

  test('an MCP tool asked here is mediated: the gate runs it, not the caller', async () => {
    const definition = {
      name: 'write',
      inputSchema: { type: 'object', properties: { path: { type: 'string' } } },
    };
    await gate.parts.store.change({
      kind: 'pin',
      server: 'files',
      pin: 'first-sight',
      definitions: [definition],
    });
    await gate.parts.world.sync();
    const asked = await ask({ path: 'a.txt' }, 'files___write');
    assert.equal(asked.status, 200, asked.text);
    assert.equal(asked.json['enforcement'], 'mediated');
    const taken = await take(text(asked.json['id']));
    assert.equal(taken.status, 409);
    assert.equal(taken.json['code'], 'run_through_mcp');
    assert.equal(
      (
        await gate.call('POST', '/v1/actions', bot(), {
          operation: 'files___write',
          input: {},
          resource: { type: 'File', id: 'safe' },
        })
      ).json['pointer'],
      '/resource',
    );
    const changed = { ...definition, description: 'another one' };
    await gate.parts.store.change({
      kind: 'pin',
      server: 'files',
      pin: 'first-sight',
      definitions: [changed],
    });
    await gate.parts.world.sync();
    const disabled = await ask({ path: 'a.txt' }, 'files___write');
    assert.equal(disabled.json['code'], 'tool_disabled');
    assert.equal(disabled.json['id'], undefined, 'it never was an action');
    assert.equal((await gate.entries('action.refused')).at(-1)?.data['code'], 'tool_disabled');
    const path = '/v1/servers/files/tools/write/accept';
    assert.equal((await gate.call('POST', path, as('rosa'))).json['code'], 'not_permitted');
    assert.equal((await gate.call('POST', path, bot())).json['code'], 'not_permitted');
    const accepted = await gate.call('POST', path, as('oz'));
    assert.equal(accepted.status, 200, accepted.text);
    assert.equal(accepted.json['status'], 'enabled');
    assert.equal((await ask({ path: 'a.txt' }, 'files___write')).status, 200);
  });
});

test('a tool held by the API is joined by its call through MCP', async () => {
  const definition = { name: 'delete', inputSchema: { type: 'object' } };
  await gate.parts.store.change({
    kind: 'pin',
    server: 'files',
    pin: 'first-sight',
    definitions: [definition],
  });
  await gate.propose(
    {},
    `${policies} @id("delete") @approvers("finance") forbid (principal, action == Action::"files___delete", resource);`,
  );
  const asked = await ask({ path: 'a.txt' }, 'files___delete');
  assert.equal(asked.status, 202, asked.text);
  const entry = gate.world.catalog.entry('files___delete');
  assert.ok(entry !== undefined);
  const { operation, target, enforcement, profile } = entry;
  const joined = await authorize(gate.parts, {
    agent: asAgentId('bot'),
    session: null,
    startedBy: null,
    delegation: [],
    operation,
    resource: null,
    input: { path: 'a.txt' },
    target,
    enforcement,
    reason: 'another reason',
    run: null,
    profile,
    runsNow: true,
  });
  assert.equal(joined.ok && joined.value.held.asked.id, asked.json['id']);
  await gate.propose({});
});
