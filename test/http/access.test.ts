/** The AuthZEN Authorization API (OpenID, 1.0 final), against the real store and the real policies: what each decision says. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { evaluationsPerMinute } from '../../src/http/access/access.ts';
import { evaluationsMax } from '../../src/http/access/read.ts';
import { asAgentId, asPersonId } from '../../src/core/ids.ts';
import type { JsonValue } from '../../src/core/json.ts';
import { inside, openGate, operations, origin, policies, text, type Answer, type Gate } from './gate.ts';

let gate: Gate;
const tokens: Record<string, string> = {};
const bot = (): string => tokens['bot'] ?? '';

before(async () => {
  gate = await openGate({ limits: { pendingPerAgent: 3 } });
  tokens['bot'] = await gate.token('agent', 'bot');
  tokens['rosa'] = await gate.token('person', 'rosa');
});
after(() => gate.close());

const subject = { type: 'Agent', id: 'bot' };
const refund = (cents: number, more: object = {}): object => ({
  subject,
  action: { name: 'billing___refund' },
  resource: { type: 'Server', id: 'billing' },
  context: { input: { cents } },
  ...more,
});
const evaluation = (body: unknown, by: string | null = bot(), headers = {}): Promise<Answer> =>
  gate.call('POST', '/access/v1/evaluation', by, body, headers);
const evaluations = (body: unknown): Promise<Answer> =>
  gate.call('POST', '/access/v1/evaluations', bot(), body);
const inList = (answer: Answer): readonly Readonly<Record<string, JsonValue>>[] => {
  const { evaluations: list } = answer.json;
  assert.ok(Array.isArray(list), answer.text);
  return list as readonly Readonly<Record<string, JsonValue>>[];
};
const at = (ms = 0): string => new Date(gate.clock.nowMs + ms).toISOString();

describe('one evaluation', () => {
  test('what policies allow is true, and says that it is no grant by having none', async () => {
    const answer = await evaluation(refund(10));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers.get('content-type'), 'application/json');
    assert.equal(answer.json['decision'], true);
    const { evaluation_id, ...context } = inside(answer, 'context');
    assert.match(text(evaluation_id), /^evl_[0-9a-f]{32}$/);
    assert.deepEqual(context, { evaluated_at: at(), verdict: 'allow', enforcement: 'cooperative' });
  });

  test('what people must approve is false, and says where to ask them', async () => {
    const answer = await evaluation(refund(5000));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json['decision'], false);
    const { evaluation_id: _id, ...context } = inside(answer, 'context');
    assert.deepEqual(context, {
      evaluated_at: at(),
      verdict: 'review',
      reason: 'approval_required',
      reason_user: { en: 'This action needs approval by finance (1 person).' },
      enforcement: 'cooperative',
      access_request: {
        endpoint: `${origin}/v1/actions`,
        template: 'billing___refund',
        expires_at: at(10 * 60_000),
      },
    });
  });

  test('what is forbidden is false with its code and the agent’s sentence', async () => {
    const answer = await evaluation(refund(1, { action: { name: 'billing___wipe' } }));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json['decision'], false);
    const { evaluation_id: _id, ...context } = inside(answer, 'context');
    assert.deepEqual(context, {
      evaluated_at: at(),
      verdict: 'deny',
      reason: 'forbidden',
      code: 'forbidden',
      reason_user: { en: 'Nobody wipes the ledger.' },
      enforcement: 'cooperative',
    });
  });

  test('an operation that nobody configured is judged by its name', async () => {
    const answer = await evaluation({ subject, action: { name: 'nowhere___nothing' } });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json['decision'], false);
    assert.equal(inside(answer, 'context')['code'], 'no_permit');
  });

  test('the type of the subject in small letters, properties, other members of the context: as AuthZEN has them', async () => {
    const answer = await evaluation({
      subject: { type: 'agent', id: 'bot', properties: { department: 'sales' } },
      action: { name: 'billing___refund', properties: { method: 'POST' } },
      resource: { type: 'Server', id: 'billing', properties: { owner: 'bot' } },
      context: { input: { cents: 10 }, time: '2026-01-01T00:00:00Z' },
    });
    assert.equal(answer.json['decision'], true, answer.text);
  });

  test('where fewer people are left than it needs, it is the denial that asking would be', async () => {
    await gate.propose(
      {},
      `${policies}
      @id("nobody") @title("Nobody is left") @approvers("sales") @quorum("2")
      forbid (principal, action == Action::"billing___refund", resource) when { context.input.cents == 77 };`,
    );
    const answer = await evaluation(refund(77));
    await gate.propose({});
    assert.equal(answer.json['decision'], false, answer.text);
    assert.equal(inside(answer, 'context')['code'], 'nobody_left');
    assert.equal(inside(answer, 'context')['access_request'], undefined);
  });

  test('a policy set that is broken denies', async () => {
    await gate.parts.policy.load(
      null,
      {
        directory: await gate.parts.store.directory(),
        servers: [],
        tools: [],
        resourceTypes: {},
        operations: [],
        versions: gate.parts.policy.versions(),
      },
      'broken for a test',
    );
    const answer = await evaluation(refund(10));
    await gate.propose({}, `${policies}\n// again`);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json['decision'], false);
    assert.equal(inside(answer, 'context')['code'], 'policy_error');
    assert.equal((await evaluation(refund(10))).json['decision'], true);
  });

  test('to its agent what is observed is allowed, and nothing tells what would be held', async () => {
    const observed = operations.map((one) => ({ ...one, mode: 'observe' as const }));
    await gate.propose({ operations: observed });
    const review = await evaluation(refund(5000));
    const deny = await evaluation(refund(1, { action: { name: 'billing___wipe' } }));
    const allow = await evaluation(refund(1));
    await gate.propose({});
    const keys = ['enforcement', 'evaluated_at', 'evaluation_id', 'verdict'];
    for (const answer of [review, deny, allow]) {
      assert.equal(answer.json['decision'], true, answer.text);
      const context = inside(answer, 'context');
      assert.deepEqual(Object.keys(context).toSorted(), keys);
      assert.equal(context['verdict'], 'allow');
    }
  });

  test('a stopped agent is told so, as a decision', async () => {
    const agent = asAgentId('bot');
    const stopped = await gate.parts.store.change({
      kind: 'stop',
      agent,
      by: asPersonId('oz'),
      approval: null,
      reason: 'looking into it',
    });
    assert.ok(stopped.ok, JSON.stringify(stopped));
    const answer = await evaluation(refund(10));
    const lifted = await gate.parts.store.change({
      kind: 'lift',
      agent,
      operation: null,
      by: asPersonId('oz'),
      reason: null,
    });
    assert.ok(lifted.ok, JSON.stringify(lifted));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json['decision'], false);
    const context = inside(answer, 'context');
    assert.equal(context['code'], 'agent_stopped');
    assert.match(JSON.stringify(context['reason_user']), /looking into it/);
    assert.equal((await evaluation(refund(10))).json['decision'], true);
  });

  test('an action that was denied as unsafe is not asked for again', async () => {
    const asked = await gate.call('POST', '/v1/actions', bot(), {
      operation: 'billing___refund',
      input: { cents: 4321 },
    });
    const approval = text(inside(asked, 'approval')['id']);
    const denied = await gate.call('POST', `/v1/approvals/${approval}/reviews`, tokens['rosa'] ?? '', {
      decision: 'deny',
      digest: asked.json['digest'],
      reason: 'That is a bribe.',
      unsafe: true,
    });
    assert.equal(denied.status, 201, denied.text);
    const answer = await evaluation(refund(4321));
    assert.equal(answer.json['decision'], false);
    assert.equal(inside(answer, 'context')['code'], 'cooldown');
    assert.equal(inside(await evaluation(refund(4322)), 'context')['reason'], 'approval_required');
  });

  test('who asks too much of people is told so before', async () => {
    for (let more = 0; more < gate.parts.limits.pendingPerAgent; more += 1) {
      const input = { cents: 7000 + more };
      await gate.call('POST', '/v1/actions', bot(), { operation: 'billing___refund', input });
    }
    const answer = await evaluation(refund(7777));
    assert.equal(answer.json['decision'], false);
    assert.equal(inside(answer, 'context')['code'], 'quota');
    const { items } = (await gate.call('GET', '/v1/approvals?status=pending', bot())).json;
    for (const one of items as readonly { readonly id: string }[])
      await gate.call('POST', `/v1/approvals/${one.id}/cancel`, bot());
    assert.equal(inside(await evaluation(refund(7777)), 'context')['reason'], 'approval_required');
  });
});

describe('requests that are no decision', () => {
  test('nobody, a person, somebody else', async () => {
    const nobody = await evaluation(refund(10), null);
    assert.equal(nobody.status, 401);
    assert.equal(nobody.headers.get('content-type'), 'application/problem+json');
    assert.match(nobody.headers.get('www-authenticate') ?? '', /^Bearer/);
    const person = await evaluation(refund(10), tokens['rosa'] ?? '');
    assert.equal(person.status, 403);
    assert.equal(person.json['code'], 'not_an_agent');
    const other = await evaluation(refund(10, { subject: { type: 'Agent', id: 'other-bot' } }));
    assert.equal(other.status, 403);
    assert.equal(other.json['code'], 'not_permitted');
  });

  test('what is missing, misspelled or of another kind is a 400 that names the place', async () => {
    const wrong: readonly (readonly [body: unknown, pointer: string])[] = [
      [{}, '/subject'],
      [refund(10, { subject: 'bot' }), '/subject'],
      [refund(10, { subject: { type: 'Agent' } }), '/subject'],
      [refund(10, { subject: { ...subject, name: 'x' } }), '/subject'],
      [refund(10, { subject: { ...subject, properties: [] } }), '/subject'],
      [{ subject }, '/action'],
      [refund(10, { action: 'billing___refund' }), '/action'],
      [refund(10, { action: { name: 'can_read' } }), '/action/name'],
      [refund(10, { resource: { type: 'Server' } }), '/resource'],
      [refund(10, { context: [] }), '/context'],
      [refund(10, { context: { input: 10 } }), '/context/input'],
      [refund(10, { context: { input: { cents: 'ten' } } }), '/input/cents'],
      [refund(10, { context: {} }), '/input'],
      [refund(10, { resource: { type: 'Server', id: 'crm' } }), '/resource'],
      [refund(10, { reason: 'x' }), ''],
      [[], ''],
      ['{"subject": {"type": "Agent", "type": "Agent"}}', '/subject/type'],
    ];
    for (const [body, pointer] of wrong) {
      const answer = await evaluation(body);
      assert.equal(answer.status, 400, `${JSON.stringify(body)}: ${answer.text}`);
      assert.equal(answer.json['pointer'], pointer, answer.text);
      assert.equal(answer.json['decision'], undefined);
    }
  });

  test('other methods, other paths', async () => {
    const get = await gate.call('GET', '/access/v1/evaluation', bot());
    assert.equal(get.status, 405);
    assert.equal(get.headers.get('allow'), 'POST, OPTIONS');
    for (const path of ['/access', '/access/', '/access/v1/search/subject', '/access/v1/evaluation/'])
      assert.equal((await gate.call('POST', path, bot(), {})).status, 404, path);
  });

  test('an agent may ask so often within a minute, and anew in the next', async () => {
    const list = Array.from({ length: evaluationsMax }, () => ({}));
    const body = { ...refund(10), evaluations: list };
    gate.clock.nowMs += 60_000;
    for (let asked = 0; asked < evaluationsPerMinute; asked += evaluationsMax) {
      // Short: what is counted is what was asked for.
      const options = { evaluations_semantic: 'permit_on_first_permit' };
      assert.equal((await evaluations({ ...body, options })).status, 200);
    }
    const over = await evaluation(refund(10));
    assert.equal(over.status, 429);
    assert.equal(over.json['code'], 'quota');
    gate.clock.nowMs += 60_000;
    assert.equal((await evaluation(refund(10))).status, 200);
  });
});

describe('many evaluations', () => {
  const list = [10, 5000, 20].map((cents) => ({ context: { input: { cents } } }));
  const decisions = (answer: Answer): readonly JsonValue[] =>
    inList(answer).map((one) => one['decision'] ?? null);

  test('each is answered in its order, with defaults from above', async () => {
    const answer = await evaluations({ ...refund(99_999), evaluations: list });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(decisions(answer), [true, false, true]);
    assert.equal(answer.json['decision'], undefined);
    const wipe = { action: { name: 'billing___wipe' } };
    const mixed = await evaluations({ ...refund(1), evaluations: [{}, wipe] });
    assert.deepEqual(decisions(mixed), [true, false]);
  });

  test('the three semantics', async () => {
    const by = async (evaluations_semantic: string, of = list): Promise<readonly JsonValue[]> =>
      decisions(await evaluations({ ...refund(1), evaluations: of, options: { evaluations_semantic } }));
    assert.deepEqual(await by('execute_all'), [true, false, true]);
    assert.deepEqual(await by('deny_on_first_deny'), [true, false]);
    assert.deepEqual(await by('permit_on_first_permit'), [true]);
    assert.deepEqual(await by('permit_on_first_permit', list.slice(1)), [false, true]);
    const unknown = await evaluations({
      ...refund(1),
      evaluations: list,
      options: { evaluations_semantic: 'x' },
    });
    assert.equal(unknown.status, 400);
    const other = await evaluations({ ...refund(1), evaluations: list, options: { another: 'x' } });
    assert.deepEqual(decisions(other), [true, false, true]);
  });

  test('what is wrong with one is a denial of that one alone, which is a deny as well', async () => {
    const wrong = [
      {},
      { context: { input: { cents: 'ten' } } },
      { subject: { type: 'Agent', id: 'other-bot' } },
      { action: {} },
      'x',
      {},
    ];
    const answer = await evaluations({ ...refund(1), evaluations: wrong });
    assert.deepEqual(decisions(answer), [true, false, false, false, false, true]);
    const errors = inList(answer).map((one) => inside({ json: one }, 'context')['error'] ?? null);
    const statuses = errors.map((error) =>
      error === null ? null : inside({ json: { error } }, 'error')['status'],
    );
    assert.deepEqual(statuses, [null, 400, 403, 400, 400, null]);
    const options = { evaluations_semantic: 'deny_on_first_deny' };
    const short = await evaluations({ ...refund(1), evaluations: wrong, options });
    assert.deepEqual(decisions(short), [true, false]);
  });

  test('none, or an empty list: one evaluation, answered as one', async () => {
    for (const body of [refund(10), { ...refund(10), evaluations: [] }, { ...refund(10), options: {} }]) {
      const answer = await evaluations(body);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.json['decision'], true);
      assert.equal(answer.json['evaluations'], undefined);
    }
  });

  test('too many are refused whole', async () => {
    const answer = await evaluations({
      ...refund(1),
      evaluations: Array.from({ length: evaluationsMax + 1 }, () => ({})),
    });
    assert.equal(answer.status, 400);
    assert.equal(answer.json['pointer'], '/evaluations');
  });
});

test('the metadata says where everything is; anybody may read it', async () => {
  const answer = await gate.send('/.well-known/authzen-configuration');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/json');
  assert.deepEqual(answer.json, {
    policy_decision_point: origin,
    access_evaluation_endpoint: `${origin}/access/v1/evaluation`,
    access_evaluations_endpoint: `${origin}/access/v1/evaluations`,
  });
  assert.equal((await gate.send('/.well-known/authzen-configuration', { method: 'POST' })).status, 405);
});

test('the request’s X-Request-ID is on every answer', async () => {
  const id = { 'x-request-id': 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716' };
  for (const answer of [
    await evaluation(refund(10), bot(), id),
    await evaluation(refund(5000), bot(), id),
    await evaluation({}, bot(), id),
    await evaluation(refund(10), null, id),
    await gate.send('/.well-known/authzen-configuration', { headers: id }),
  ])
    assert.equal(answer.headers.get('x-request-id'), id['x-request-id']);
  assert.equal((await evaluation(refund(10))).headers.get('x-request-id'), null);
});
