/**
 * An agent uses AuthZEN evaluations to learn what it must not, to ask in another's name, to run what was approved once twice,
 * or to leave marks: nothing that is evaluated is asked.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inside, openGate, operations, policies, text, type Answer, type Gate } from '../http/gate.ts';

let gate: Gate;
const tokens: Record<string, string> = {};

before(async () => {
  gate = await openGate();
  for (const name of ['bot', 'other-bot']) tokens[name] = await gate.token('agent', name);
  for (const name of ['rosa', 'oz']) tokens[name] = await gate.token('person', name);
});
after(() => gate.close());

const evaluate = (cents: number, more: object = {}, by = 'bot'): Promise<Answer> =>
  gate.call('POST', '/access/v1/evaluation', tokens[by] ?? '', {
    subject: { type: 'Agent', id: 'bot' },
    action: { name: 'billing___refund' },
    context: { input: { cents } },
    ...more,
  });

/** Everything that asking would change. */
async function marks(): Promise<unknown> {
  const { store } = gate.parts;
  return {
    head: await store.head(),
    versions: await store.versions(),
    held: (await store.held({ status: 'all', limit: 1000 })).length,
    recent: await store.recent('billing___refund'),
    due: await store.nextDue(1000),
    running: await store.running(),
    notices: await store.takeNotices('callback', 1, 1000),
  };
}

test('an evaluation creates nothing, whatever its decision, right or wrong, one or many', async () => {
  const earlier = await marks();
  const asked = [
    await evaluate(10),
    await evaluate(5000),
    await evaluate(1, { action: { name: 'billing___wipe' } }),
    await evaluate(1, { action: { name: 'nowhere___nothing' } }),
    await evaluate(1, { action: { name: 'files___read' } }),
    await evaluate(1, { subject: { type: 'Agent', id: 'other-bot' } }),
    await evaluate(1, { context: { input: { cents: 'x' } } }),
    await evaluate(1, {}, 'rosa'),
    await evaluate(1, {}, 'nobody'),
    await gate.call('POST', '/access/v1/evaluations', tokens['bot'] ?? '', {
      subject: { type: 'Agent', id: 'bot' },
      action: { name: 'billing___refund' },
      evaluations: [10, 5000, 50].map((cents) => ({ context: { input: { cents } } })),
    }),
  ];
  assert.deepEqual(
    asked.map((one) => one.status),
    [200, 200, 200, 200, 200, 403, 400, 403, 401, 200],
  );
  assert.deepEqual(await marks(), earlier);
});

test('nobody is evaluated but the caller: whatever the subject is called', async () => {
  for (const subject of [
    { type: 'Agent', id: 'other-bot' },
    { type: 'Agent', id: 'nobody' },
    { type: 'Agent', id: 'BOT' },
    { type: 'Agent', id: 'bot ' },
    { type: 'Person', id: 'bot' },
    { type: 'Person', id: 'sam' },
    { type: 'Agent::"bot"', id: 'bot' },
    { type: 'Group', id: 'support-agents' },
  ]) {
    const answer = await evaluate(10, { subject });
    assert.equal(answer.status, 403, answer.text);
    assert.equal(answer.json['code'], 'not_permitted');
    // The same for those that are there and those that are not.
    assert.doesNotMatch(answer.text, /other-bot|nobody/);
  }
});

test('no threshold, clause, id of a requirement, or change that would be allowed is told', async () => {
  await gate.propose(
    {},
    `${policies}
    @id("fine") @title("A refund from 700 needs care")
    forbid (principal, action == Action::"billing___payout", resource) when { context.input.cents > 31337 };`,
  );
  const answers = [
    await evaluate(5000),
    await evaluate(31338, { action: { name: 'billing___payout' } }),
    await evaluate(5, { action: { name: 'billing___payout' } }),
    await evaluate(5, { action: { name: 'nowhere___nothing' } }),
  ];
  await gate.propose({});
  for (const answer of answers) {
    assert.equal(answer.json['decision'], false, answer.text);
    assert.doesNotMatch(
      answer.text,
      /\b1000\b|\b31337\b|wouldAllow|clauses|context\.input|eligible|refund\.large/,
      answer.text,
    );
    const members = Object.keys(inside(answer, 'context'));
    const known = [
      'evaluation_id',
      'evaluated_at',
      'verdict',
      'reason',
      'code',
      'reason_user',
      'enforcement',
    ];
    assert.deepEqual(
      members.filter((one) => ![...known, 'access_request'].includes(one)),
      [],
    );
  }
});

test('what was approved once is no decision: the second run finds no permission here', async () => {
  const input = { cents: 6000 };
  const asked = await gate.call('POST', '/v1/actions', tokens['bot'] ?? '', {
    operation: 'billing___refund',
    input,
  });
  const approval = text(inside(asked, 'approval')['id']);
  const body = { decision: 'approve', digest: asked.json['digest'] };
  const approved = await gate.call('POST', `/v1/approvals/${approval}/reviews`, tokens['rosa'] ?? '', body);
  assert.equal(approved.status, 201, approved.text);
  assert.equal((await evaluate(6000)).json['decision'], false, 'approved');
  const run = await gate.call('POST', `/v1/actions/${text(asked.json['id'])}/execution`, tokens['bot'] ?? '');
  assert.equal(run.status, 201, run.text);
  assert.equal((await evaluate(6000)).json['decision'], false, 'run');
});

test('a resource that is another than the one that would be judged is refused, not left out', async () => {
  const resource = { type: 'Invoice', id: 'input.cents' };
  const profile = { verb: 'Refund', effect: 'write' as const, resource };
  await gate.propose({ operations: operations.map((one) => ({ ...one, profile })) });
  const right = await evaluate(10, { resource: { type: 'Invoice', id: '10' } });
  const wrong = await evaluate(10, { resource: { type: 'Invoice', id: '11' } });
  const foreign = await evaluate(10, { resource: { type: 'Server', id: 'files' } });
  await gate.propose({});
  assert.equal(right.status, 200, right.text);
  for (const answer of [wrong, foreign]) {
    assert.equal(answer.status, 400, answer.text);
    assert.equal(answer.json['pointer'], '/resource');
  }
});

test('what an agent claims in properties is no attribute', async () => {
  await gate.propose(
    {},
    `
    @id("owners") @title("Only the agents of sales")
    permit (principal, action, resource) when { principal in Group::"sales" };`,
  );
  const answer = await evaluate(10, {
    subject: {
      type: 'Agent',
      id: 'bot',
      properties: { groups: ['sales'], parents: [{ type: 'Group', id: 'sales' }] },
    },
  });
  await gate.propose({});
  assert.equal(answer.json['decision'], false, answer.text);
});

test('a page of another origin gets nowhere: no cookie is taken, and the metadata names nobody', async () => {
  const signedIn = await gate.send('/access/v1/evaluation', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      cookie: '__Host-session=x',
      origin: 'https://evil.example',
    },
    body: '{}',
  });
  assert.equal(signedIn.status, 401);
  assert.equal(signedIn.headers.get('access-control-allow-origin'), null);
  const metadata = await gate.send('/.well-known/authzen-configuration', {
    headers: { host: 'evil.example' },
  });
  assert.equal(metadata.status, 403);
});

test('a flood of evaluations in one request is bounded, and deep or huge bodies are refused', async () => {
  const deep = `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`;
  const answer = await gate.call(
    'POST',
    '/access/v1/evaluation',
    tokens['bot'] ?? '',
    `{"subject":{"type":"Agent","id":"bot"},"action":{"name":"billing___refund"},"context":${deep}}`,
  );
  assert.equal(answer.status, 400);
  assert.equal(answer.json['code'], 'too_deep');
  const huge = await gate.call(
    'POST',
    '/access/v1/evaluation',
    tokens['bot'] ?? '',
    `"${'x'.repeat(1_100_000)}"`,
  );
  assert.equal(huge.status, 413);
});
