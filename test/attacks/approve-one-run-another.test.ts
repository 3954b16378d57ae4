/**
 * Approve one thing, run another. Every way that we could think of, from outside, against a whole gate. The MCP half of the
 * same attacks (changed definitions, arguments on the wire) is in test/enforce/mcp.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { policies, startTestGate, eventually, operations, people, type TestGate } from '../support/gate.ts';

let gate: TestGate;
let agent: string;
let rosa: string;
let mia: string;
let nowOffsetMs = 0;

before(async () => {
  // One agent asks for all of it here: quotas have tests of their own.
  const config = `${people}${operations}limits: { pendingPerAgent: 1000, creationsPerMinute: 10000 }\n`;
  gate = await startTestGate({ config, clock: { nowMs: () => Date.now() + nowOffsetMs } });
  agent = await gate.token('agent', 'crm-bot');
  rosa = await gate.token('person', 'rosa');
  mia = await gate.token('person', 'mia');
});
after(() => gate.stop());

let serial = 0;
/** A refund that no other test asked for, with its own note. */
const input = (cents: number) => ({ cents, note: `test ${(serial += 1)}` });
const ask = (body: object, token = agent) =>
  gate.call(token, 'POST', '/v1/actions', { operation: 'shop___refund', ...body });
const approve = (approval: string, digest: string, token = rosa) =>
  gate.call(token, 'POST', `/v1/approvals/${approval}/reviews`, { decision: 'approve', digest });
const run = (action: string, token = agent) => gate.call(token, 'POST', `/v1/actions/${action}/execution`);

/** Asks for a refund of 500 cents and has rosa approve it. */
async function approved(cents = 500) {
  const what = input(cents);
  const held = await ask({ input: what });
  assert.equal(held.status, 202, JSON.stringify(held.body));
  assert.equal((await approve(held.body.approval.id, held.body.digest)).status, 201);
  return {
    what,
    id: held.body.id as string,
    digest: held.body.digest as string,
    approval: held.body.approval.id as string,
  };
}

test('a changed input is another action: it neither joins nor runs', async () => {
  const one = await approved();
  for (const changed of [
    { ...one.what, cents: 501 },
    { ...one.what, note: `${one.what.note} ` },
    { ...one.what, note: one.what.note.replace('t', 'т') },
  ]) {
    const other = await ask({ input: changed });
    assert.equal(other.status, 202, 'it is held on its own');
    assert.notEqual(other.body.id, one.id);
    assert.equal((await run(other.body.id)).body.code, 'approval_pending');
  }
  const taken = await run(one.id);
  assert.deepEqual(taken.body.action.input, one.what, 'what runs is what was approved, from the store');
});

test('a changed session, resource or idempotency key is another action', async () => {
  const one = await approved();
  for (const more of [{ session: 'other' }, { resource: { type: 'File', id: 'other' } }]) {
    const other = await ask({ input: one.what, ...more });
    assert.notEqual(other.body.id, one.id, JSON.stringify(more));
    assert.notEqual(other.body.state, 'ready');
  }
  const keyed = await gate.call(
    agent,
    'POST',
    '/v1/actions',
    { operation: 'shop___refund', input: one.what },
    { 'idempotency-key': 'another' },
  );
  assert.notEqual(keyed.body.id, one.id);
  assert.equal(keyed.body.state, 'pending');
});

test('swapped ids: an approval of one action is no approval of another, nor another agent’s to run', async () => {
  const small = await approved(500);
  const other = await ask({ input: input(900) });
  assert.equal((await approve(other.body.approval.id, small.digest)).body.code, 'digest_mismatch');
  assert.equal((await run(small.approval)).status, 404, 'an approval’s id is not an action’s');
  assert.equal((await run(other.body.id)).body.code, 'approval_pending');
  const thief = await gate.token('agent', 'other-bot');
  const stolen = await run(small.id, thief);
  assert.equal(stolen.status, 404);
  assert.equal((await gate.call(thief, 'GET', `/v1/actions/${small.id}`)).status, 404);
  assert.equal((await gate.call(thief, 'GET', `/v1/approvals/${small.approval}`)).status, 404);
  const theirs = await ask({ input: small.what }, thief);
  assert.notEqual(theirs.body.id, small.id, 'the same call by another agent is its own action');
});

test('duplicate keys, numbers that round, prototypes and lone surrogates: refused, and nothing asked', async () => {
  const raw = (text: string) => gate.call(agent, 'POST', '/v1/actions', text);
  const { size } = await gate.gate().parts.store.head();
  const cases: readonly (readonly [string, string])[] = [
    ['{"operation":"shop___refund","input":{"cents":5,"cents":50000}}', 'duplicate_key'],
    ['{"operation":"shop___refund","operation":"shop___other","input":{"cents":5}}', 'duplicate_key'],
    ['{"operation":"shop___refund","input":{"cents":5,"\\u0063ents":50000}}', 'duplicate_key'],
    ['{"operation":"shop___refund","input":{"cents":9007199254740993}}', 'number_range'],
    ['{"operation":"shop___refund","input":{"cents":5.00000000000000000001}}', 'number_range'],
    ['{"operation":"shop___refund","input":{"cents":5,"__proto__":{"cents":50000}}}', 'reserved_key'],
    ['{"operation":"shop___refund","input":{"cents":5,"note":"\\ud800"}}', 'bad_unicode'],
    ['{"operation":"shop___refund","input":{"__entity":{"type":"Person","id":"rosa"}}}', 'reserved_key'],
    ['{"operation":"shop___refund","input":{"cents":"5"}}', 'input_invalid'],
    ['{"operation":"shop___refund","input":{"cents":5,"extra":1}}', 'input_invalid'],
    ['{"operation":"shop___refund","input":{"cents":5},"extra":1}', 'input_invalid'],
    ['{"operation":"shop___refund","input":{"cents":5}', 'bad_json'],
    [
      `{"operation":"shop___refund","input":{"cents":5,"note":${'['.repeat(40)}${']'.repeat(40)}}}`,
      'too_deep',
    ],
    [`{"operation":"shop___refund","input":{"cents":5,"note":"${'x'.repeat(1024 * 1024)}"}}`, 'too_large'],
  ];
  for (const [text, code] of cases) assert.equal((await raw(text)).body.code, code, text.slice(0, 90));
  const entries = await gate.gate().parts.store.entries(size - 1, 1000);
  assert.deepEqual(
    [...new Set(entries.map((sealed) => sealed.entry.type))],
    ['action.refused'],
    'an entry each, and no action',
  );
});

test('what an allowed number hides: 1e2 is 100, and both are the same action', async () => {
  const note = `test ${(serial += 1)}`;
  const one = await gate.call(
    agent,
    'POST',
    '/v1/actions',
    `{"operation":"shop___refund","input":{"cents":5e2,"note":"${note}"}}`,
  );
  const same = await ask({ input: { cents: 500, note } });
  assert.equal(one.body.id, same.body.id);
});

test('a second use: the grant is consumed once, whatever is retried', async () => {
  const one = await approved();
  const first = await run(one.id);
  assert.equal(first.status, 201);
  assert.equal((await run(one.id)).body.code, 'grant_consumed');
  await gate.call(agent, 'PUT', `/v1/executions/${first.body.id}/outcome`, { status: 'failed' });
  assert.equal((await run(one.id)).body.code, 'grant_consumed', 'failed is no reason to run again');
  const again = await ask({ input: one.what });
  assert.equal(again.body.id, one.id);
  assert.equal(again.body.replayed, true);
  assert.equal(again.body.state, 'failed');
});

test('fifty racing executions: one winner', async () => {
  const one = await approved();
  const answers = await Promise.all(Array.from({ length: 50 }, () => run(one.id)));
  assert.equal(answers.filter((answer) => answer.status === 201).length, 1);
  assert.equal(answers.filter((answer) => answer.body.code === 'grant_consumed').length, 49);
});

test('two racing reviewers of one place: the action is approved once, and a racing denial wins or is too late, never both', async () => {
  for (let round = 0; round < 10; round += 1) {
    const held = await ask({ input: input(500) });
    const [yes, no, taken] = await Promise.all([
      approve(held.body.approval.id, held.body.digest),
      gate.call(mia, 'POST', `/v1/approvals/${held.body.approval.id}/reviews`, {
        decision: 'deny',
        digest: held.body.digest,
        reason: 'no',
      }),
      run(held.body.id),
    ]);
    const state = (await gate.call(agent, 'GET', `/v1/actions/${held.body.id}`)).body.state;
    if (taken.status === 201) assert.notEqual(no.status, 201, 'what ran was not denied');
    else assert.ok(state === 'denied' ? no.status === 201 : yes.status === 201);
  }
});

test('one person is not two: a quorum of two needs two, whatever one person sends', async () => {
  const held = await ask({ input: input(20_000) });
  const second = await gate.token('person', 'rosa');
  const answers = await Promise.all([
    approve(held.body.approval.id, held.body.digest),
    approve(held.body.approval.id, held.body.digest, second),
    approve(held.body.approval.id, held.body.digest),
  ]);
  assert.equal(answers.filter((answer) => answer.status === 201).length, 1);
  assert.equal(answers.filter((answer) => answer.body.code === 'already_reviewed').length, 2);
  assert.equal((await run(held.body.id)).body.code, 'approval_pending');
  assert.equal((await approve(held.body.approval.id, held.body.digest, mia)).status, 201);
  assert.equal((await run(held.body.id)).status, 201);
});

test('an expired approval cannot be approved, and an expired grant cannot run', async () => {
  const pending = await ask({ input: input(500) });
  const ready = await approved();
  nowOffsetMs += 16 * 60_000;
  assert.equal((await run(ready.id)).body.code, 'expired');
  nowOffsetMs += 4 * 3_600_000;
  assert.equal((await approve(pending.body.approval.id, pending.body.digest)).body.code, 'approval_closed');
  await eventually(
    async () => (await gate.call(agent, 'GET', `/v1/actions/${pending.body.id}`)).body.state === 'expired',
    'the deadline is kept',
  );
});

test('a restart in between keeps what was approved, and runs it once', async () => {
  const one = await approved();
  const held = await ask({ input: input(20_000) });
  assert.equal((await approve(held.body.approval.id, held.body.digest)).status, 201);
  await gate.restart();
  assert.equal((await run(one.id)).status, 201);
  assert.equal((await run(one.id)).body.code, 'grant_consumed');
  assert.equal(
    (await approve(held.body.approval.id, held.body.digest)).body.code,
    'already_reviewed',
    'rosa’s place is still hers',
  );
  assert.equal((await approve(held.body.approval.id, held.body.digest, mia)).status, 201);
  await gate.restart();
  assert.equal((await run(held.body.id)).status, 201);
});

test('a tightened, a deleted and a broken policy set', async () => {
  const [tightened, deleted, broken] = [await approved(), await approved(), await approved()];
  const pending = await ask({ input: input(500) });
  await gate.setPolicies(
    `${policies}\n@id("freeze") @title("Change freeze") forbid (principal, action, resource);`,
  );
  assert.equal((await run(tightened.id)).body.code, 'policy_changed');
  await gate.setPolicies('@id("nothing") permit (principal, action == Action::"shop___other", resource);');
  assert.equal((await run(deleted.id)).body.code, 'policy_changed');
  await gate.setPolicies('permit (principal');
  const answer = await run(broken.id);
  assert.equal(answer.body.code, 'policy_error');
  assert.equal((await ask({ input: input(5) })).body.code, 'policy_error', 'and nothing new is allowed');
  const blind = await approve(pending.body.approval.id, pending.body.digest);
  assert.equal(blind.status, 403, 'nobody is found eligible while policies cannot be evaluated');
  await gate.setPolicies('');
  assert.equal((await ask({ input: input(5) })).body.code, 'policy_error', 'an empty folder denies');
  await gate.setPolicies(policies);
  assert.equal((await run(broken.id)).status, 201, 'a broken folder ended no approval');
  assert.equal((await approve(pending.body.approval.id, pending.body.digest)).status, 201);
  assert.equal(
    (await run(tightened.id)).body.code,
    'policy_changed',
    'an approval that ended does not come back',
  );
});

test('a person removed: their approval no longer counts', async () => {
  const one = await approved();
  await gate.setConfig(
    (people + operations).replace(/^.*id: rosa.*$/m, '').replace('owners: [rosa]', 'owners: [mia]'),
  );
  assert.equal((await run(one.id)).body.code, 'policy_changed');
  assert.equal((await gate.call(rosa, 'GET', '/v1/approvals')).status, 401, 'and their token opens nothing');
  await gate.setConfig(people + operations);
  rosa = await gate.token('person', 'rosa');
  assert.equal((await run(one.id)).body.code, 'policy_changed');
});

test('a changed profile or declaration is another action', async () => {
  const one = await approved();
  await gate.setConfig(people + operations.replace('reversible: false', 'reversible: true'));
  assert.equal((await run(one.id)).body.code, 'policy_changed');
  await gate.setConfig(people + operations);
  const two = await approved();
  await gate.setConfig(
    people + operations.replace('required: [cents]', 'required: [cents], maxProperties: 9'),
  );
  assert.equal((await run(two.id)).body.code, 'policy_changed');
  await gate.setConfig(people + operations);
});

test('an operation that only a policy names runs too, once; one that becomes a server’s tool does not', async () => {
  await gate.setPolicies(
    `${policies}\n@id("lights") @title("Lights need a data owner") @approvers("data-owners") forbid (principal, action == Action::"house___lights", resource);`,
  );
  const askLights = (note: string) =>
    gate.call(agent, 'POST', '/v1/actions', { operation: 'house___lights', input: { note } });
  const [one, two] = [await askLights('a'), await askLights('b')];
  for (const held of [one, two])
    assert.equal((await approve(held.body.approval.id, held.body.digest)).status, 201);
  assert.equal((await run(one.body.id)).status, 201);
  assert.equal((await run(one.body.id)).body.code, 'grant_consumed');
  await gate.setConfig(`${people}${operations}servers:\n  house: { command: ["false"] }\n`);
  assert.equal((await run(two.body.id)).body.code, 'policy_changed');
});
