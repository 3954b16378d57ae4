/** Deciding by HTTP what one may not decide: for oneself, as somebody else, of something else, by a link. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { asAgentId, asGroupId, asPersonId } from '../../src/core/ids.ts';
import { directory, inside, openGate, text, type Answer, type Gate } from '../http/gate.ts';

let gate: Gate;
const tokens: Record<string, string> = {};
const as = (name: string): string => tokens[name] ?? '';
before(async () => {
  gate = await openGate();
  for (const name of ['bot', 'other-bot']) tokens[name] = await gate.token('agent', name);
  for (const name of ['sam', 'rosa', 'mia', 'oz', 'eve']) tokens[name] = await gate.token('person', name);
});
after(() => gate.close());

interface Held {
  readonly id: string;
  readonly approval: string;
  readonly digest: string;
}

let cents = 5000;
let held: Held;

async function hold(operation = 'billing___refund'): Promise<Held> {
  cents += 1;
  const asked = await gate.call('POST', '/v1/actions', as('bot'), { operation, input: { cents } });
  assert.equal(asked.status, 202, asked.text);
  return {
    id: text(asked.json['id']),
    approval: text(inside(asked, 'approval')['id']),
    digest: text(asked.json['digest']),
  };
}
beforeEach(async () => {
  held = await hold();
});

const review = (
  by: string,
  body: object = { decision: 'approve', digest: held.digest },
  one = held,
): Promise<Answer> => gate.call('POST', `/v1/approvals/${one.approval}/reviews`, by, body);
const status = async (one = held): Promise<unknown> =>
  (await gate.call('GET', `/v1/approvals/${one.approval}`, as('bot'))).json['status'];

test('no-self-approval: the agent’s owner is refused by the API, with words, and may deny', async () => {
  const answer = await review(as('sam'));
  assert.equal(answer.status, 403);
  assert.equal(answer.json['code'], 'no_self_approval');
  assert.equal(await status(), 'pending');
  const refused = (await gate.entries('review.refused')).at(-1);
  assert.equal(refused?.data['code'], 'no_self_approval');
  assert.equal((await review(as('sam'), { decision: 'deny', digest: held.digest })).status, 201);
  assert.equal(await status(), 'denied');
});

test('no-self-approval: neither another channel nor another claim helps the owner', async () => {
  const path = `/v1/approvals/${held.approval}/reviews`;
  const body = { decision: 'approve', digest: held.digest };
  for (const headers of [
    { 'x-countersign-channel': 'cli' },
    { 'x-forwarded-user': 'rosa' },
    { 'x-remote-user': 'rosa' },
    { cookie: `countersign_session=${as('rosa')}` },
    { 'idempotency-key': 'again' },
  ]) {
    const answer = await gate.call('POST', path, as('sam'), body, headers);
    assert.equal(answer.json['code'], 'no_self_approval', JSON.stringify(headers));
  }
  const web = await gate.call('POST', path, as('sam'), body, { 'x-countersign-channel': 'web' });
  assert.equal(web.json['code'], 'input_invalid', 'a caller of the API is not a page');
  assert.equal(await status(), 'pending');
});

test('people-only: an agent reviews nothing, neither its own nor another’s', async () => {
  for (const name of ['bot', 'other-bot']) {
    for (const decision of ['approve', 'deny']) {
      const answer = await review(as(name), { decision, digest: held.digest });
      assert.equal(answer.status, 403);
      assert.equal(answer.json['code'], 'not_a_person', name);
    }
  }
  assert.equal(await status(), 'pending');
});

test('people-only: an agent’s token does not become a person’s by its name', async () => {
  const posing = as('bot').replace('cs_agent_', 'cs_person_');
  assert.equal((await review(posing)).status, 401);
  // Even a store that holds an agent’s token under the hash of a person’s prefix gives nobody.
  const person = await gate.token('person', 'bot');
  assert.equal((await review(person)).status, 401, 'there is no person of that name');
  assert.equal(await status(), 'pending');
});

test('people-only: an agent that has a person’s name is still an agent', async () => {
  const { agents } = directory;
  const twins = ['rosa', 'oz'].map((id) => ({
    id: asAgentId(id),
    owners: [asPersonId('eve')],
    groups: [asGroupId('platform'), asGroupId('audit')],
  }));
  await gate.propose({ directory: { ...directory, agents: [...agents, ...twins] } });
  const [rosa, oz] = [await gate.token('agent', 'rosa'), await gate.token('agent', 'oz')];
  assert.equal((await review(rosa)).json['code'], 'not_a_person');
  assert.equal((await gate.call('POST', `/v1/approvals/${held.approval}/cancel`, rosa)).status, 404);
  assert.equal((await gate.call('GET', `/v1/approvals/${held.approval}`, rosa)).status, 404);
  assert.equal((await gate.call('GET', '/v1/log', oz)).json['code'], 'not_permitted');
  assert.equal(
    (await gate.call('POST', '/v1/servers/files/tools/write/accept', oz)).json['code'],
    'not_permitted',
  );
  assert.equal(await status(), 'pending');
  await gate.propose({});
});

test('a person who was removed, and one who never was, are nobody', async () => {
  const ghost = await gate.token('person', 'ghost');
  assert.equal((await review(ghost)).status, 401);
  await gate.propose({
    directory: { ...directory, people: directory.people.filter((one) => one.id !== 'rosa') },
  });
  assert.equal((await review(as('rosa'))).status, 401);
  await gate.propose({});
  assert.equal((await review(as('rosa'))).status, 401, 'who has the id now gets no token of the one before');
  tokens['rosa'] = await gate.token('person', 'rosa');
  assert.equal((await review(as('rosa'))).status, 201);
});

test('an agent that was removed is refused at once, with the token that it had', async () => {
  const ask = (): Promise<Answer> =>
    gate.call('POST', '/v1/actions', as('other-bot'), { operation: 'billing___refund', input: { cents: 1 } });
  assert.equal((await ask()).status, 200);
  await gate.propose({
    directory: { ...directory, agents: directory.agents.filter((one) => one.id !== 'other-bot') },
  });
  assert.equal((await ask()).status, 401);
  await gate.propose({});
  assert.equal((await ask()).status, 401, 'an agent that gets the id later has a token of its own');
  tokens['other-bot'] = await gate.token('agent', 'other-bot');
  assert.equal((await ask()).status, 200);
});

test('get-never-decides: no GET, HEAD or OPTIONS changes an approval, whatever it says', async () => {
  const head = await gate.parts.store.head();
  const query = `?decision=approve&digest=${held.digest}`;
  const path = `/v1/approvals/${held.approval}`;
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH', 'PUT']) {
    for (const target of [
      `${path}/reviews${query}`,
      `${path}/cancel`,
      `${path}${query}`,
      `/v1/actions/${held.id}/execution`,
    ]) {
      await gate.call(method, target, as('rosa'), undefined, {
        'x-http-method-override': 'POST',
        'x-method-override': 'POST',
      });
    }
  }
  const list = await gate.call('GET', `/v1/approvals/${held.approval}/reviews${query}`, as('rosa'));
  assert.equal(list.status, 405);
  assert.equal(list.headers.get('allow'), 'POST, OPTIONS');
  assert.deepEqual(await gate.parts.store.head(), head);
  assert.equal(await status(), 'pending');
});

test('exact-digest: another action’s digest, an old one, a made up one: refused', async () => {
  const other = await hold();
  for (const digest of [
    other.digest,
    `sha256:${'0'.repeat(64)}`,
    held.digest.toUpperCase(),
    held.digest.slice(7),
    held.id,
  ]) {
    const answer = await review(as('rosa'), { decision: 'approve', digest });
    assert.equal(answer.status, 409, digest);
    assert.equal(answer.json['code'], 'digest_mismatch');
    assert.ok(!answer.text.includes(held.digest), 'the right one is not given away');
  }
  assert.equal(
    (await review(as('rosa'), { decision: 'approve', digest: other.digest })).json['code'],
    'digest_mismatch',
  );
  assert.equal(await status(), 'pending');
  assert.equal(await status(other), 'pending');
});

test('exact-digest: ids of other things in the place of an approval’s find nothing', async () => {
  const other = await hold();
  const body = { decision: 'approve', digest: held.digest };
  for (const id of [
    held.id,
    other.id.replace('act_', 'apr_'),
    `${held.approval}%00`,
    `${held.approval}/../${other.approval}`,
    '%2e%2e',
    '%ff',
  ]) {
    const answer = await gate.call('POST', `/v1/approvals/${id}/reviews`, as('rosa'), body);
    assert.ok(
      answer.status === 404 ||
        answer.json['code'] === 'not_an_approver' ||
        answer.json['code'] === 'digest_mismatch',
      `${id}: ${answer.text}`,
    );
  }
  assert.equal(await status(), 'pending');
  assert.equal(await status(other), 'pending');
});

test('distinct-people: two tokens and two channels of one person are one person', async () => {
  held = await hold('billing___payout');
  const second = await gate.token('person', 'rosa');
  assert.equal((await review(as('rosa'))).status, 201);
  for (const headers of [{}, { 'x-countersign-channel': 'cli' }]) {
    const body = { decision: 'approve', digest: held.digest };
    const again = await gate.call('POST', `/v1/approvals/${held.approval}/reviews`, second, body, headers);
    assert.equal(again.json['code'], 'already_reviewed');
  }
  assert.equal(await status(), 'pending');
});

test('another agent sees, runs and reports nothing of this one: 404, as if it were not there', async () => {
  const missing = await gate.call('GET', `/v1/actions/act_${'0'.repeat(26)}`, as('other-bot'));
  for (const [method, path] of [
    ['GET', `/v1/actions/${held.id}`],
    ['GET', `/v1/actions/${held.id}?wait=1`],
    ['POST', `/v1/actions/${held.id}/execution`],
    ['GET', `/v1/approvals/${held.approval}`],
    ['POST', `/v1/approvals/${held.approval}/cancel`],
  ] as const) {
    const answer = await gate.call(method, path, as('other-bot'));
    assert.equal(answer.status, 404, path);
  }
  const theirs = await gate.call('GET', `/v1/actions/${held.id}`, as('other-bot'));
  assert.deepEqual(theirs.json, missing.json);
  assert.equal(
    (await gate.call('GET', `/v1/actions/${held.id}`, as('eve'))).status,
    404,
    'nor does a person who has no part in it',
  );
  for (const name of ['sam', 'rosa', 'oz', 'bot']) {
    assert.equal((await gate.call('GET', `/v1/actions/${held.id}`, as(name))).status, 200, name);
  }
});

test('a person has no actions: asking, running and reporting are for agents', async () => {
  for (const [method, path, body] of [
    ['POST', '/v1/actions', { operation: 'billing___refund', input: { cents: 1 } }],
    ['POST', `/v1/actions/${held.id}/execution`, undefined],
    ['PUT', `/v1/executions/exe_${'0'.repeat(26)}/outcome`, { status: 'succeeded' }],
  ] as const) {
    const answer = await gate.call(method, path, as('sam'), body);
    assert.equal(answer.json['code'], 'not_an_agent', path);
  }
});
