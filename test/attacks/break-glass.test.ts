/**
 * Break-glass is two people's, for one agent, one operation and some minutes: nobody opens one alone or for what is theirs, none
 * lifts more than a verdict `review`, none outlives its time, and whoever had a part in one does not review it.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { authorize } from '../../src/app/authorize.ts';
import { limitDefaults } from '../../src/app/parts.ts';
import { stateOf } from '../../src/core/case.ts';
import { actionIdOf, approvalIdOf, asAgentId, asPersonId } from '../../src/core/ids.ts';
import { restoreSqlite } from '../../src/store/restore.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { eventually, type Answer } from '../support/gate.ts';
import { one, refusal, scene, two } from '../support/glass.ts';

test('two people open it, what would be held passes and says so, somebody else reviews it', async (t) => {
  const s = await scene(t);
  assert.equal((await s.ask(500)).status, 202, 'held before');
  const asked = await s.glass('rosa');
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  assert.equal(asked.body.action.agent, 'gate');
  assert.equal(asked.body.action.startedBy, 'rosa');
  assert.equal((await s.decide('mia', asked)).status, 201);
  assert.equal((await s.ask(600)).status, 202, 'one of two opens nothing');
  const last = await s.decide('lee', asked);
  assert.equal(last.status, 201, JSON.stringify(last.body));
  assert.equal(last.body.state, 'succeeded', 'open in the transaction of the last approval');
  const passed = await s.ask(700);
  assert.deepEqual([passed.status, passed.body.state], [200, 'ready'], JSON.stringify(passed.body));
  assert.doesNotMatch(
    JSON.stringify(passed.body),
    /glass|gls_|review|Large/,
    'its agent learns nothing of it',
  );
  const seen = await s.as('ada', 'GET', `/v1/actions/${passed.body.id}`);
  assert.match(seen.body.glass, /^gls_/);
  assert.equal(seen.body.wouldBe.verdict, 'review');
  const run = await s.as('crm-bot', 'POST', `/v1/actions/${passed.body.id}/execution`);
  assert.equal(run.status, 201);
  await s.as('crm-bot', 'PUT', `/v1/executions/${run.body.id}/outcome`, { status: 'succeeded' });
  const about = await s.gate.gate().parts.store.entriesAbout(passed.body.id);
  assert.deepEqual(
    about.map(({ entry }) => [entry.type, entry.data['glass']]),
    ['action.asked', 'execution.started', 'execution.succeeded'].map((type) => [type, seen.body.glass]),
  );
  const opened = await s.entries('glass.opened');
  assert.deepEqual(
    opened.map(({ data }) => [data['asker'], data['approvers']]),
    [['rosa', ['mia', 'lee']]],
  );
  const end = await s.as('oz', 'POST', `/v1/break-glass/${seen.body.glass}/end`, { reason: 'mended' });
  assert.deepEqual([end.status, end.body.status], [200, 'unreviewed']);
  const review = await s.as('ada', 'POST', `/v1/break-glass/${seen.body.glass}/review`, {
    finding: 'As said.',
  });
  assert.deepEqual(
    [review.status, review.body.review.standing],
    [200, 'independent'],
    JSON.stringify(review.body),
  );
  assert.equal((await s.glass('rosa')).status, 202, 'and the next is possible');
});

test('break-glass: nobody opens one alone, and nobody for what is theirs', async (t) => {
  const s = await scene(t);
  const asked = await s.glass('rosa');
  assert.deepEqual(refusal(await s.decide('rosa', asked)), [403, 'no_self_approval'], 'who asked');
  assert.deepEqual(refusal(await s.decide('sam', asked)), [403, 'no_self_approval'], 'who owns the agent');
  assert.deepEqual(
    refusal(await s.decide('tom', asked)),
    [403, 'not_an_approver'],
    'who is not of the group',
  );
  assert.deepEqual(refusal(await s.decide('oz', asked)), [403, 'not_an_approver'], 'an operator');
  assert.equal((await s.decide('mia', asked)).status, 201);
  assert.deepEqual(refusal(await s.decide('mia', asked)), [409, 'already_reviewed'], 'one person twice');
  assert.equal((await s.ask(500)).status, 202);
  assert.equal((await s.entries('glass.opened')).length, 0);
  const refused = await s.entries('review.refused');
  assert.equal(refused.length, 5, 'each refusal is in the log');
});

test('the owner may ask, and then approves no more than anybody who asked', async (t) => {
  const s = await scene(t);
  const asked = await s.glass('sam');
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  assert.deepEqual(refusal(await s.decide('sam', asked)), [403, 'no_self_approval']);
  for (const who of ['rosa', 'mia']) assert.equal((await s.decide(who, asked)).status, 201);
  assert.equal((await s.ask(500)).status, 200);
});

test('agents have no part in it: not asking, not as the gate, not approving, ending or reviewing', async (t) => {
  const s = await scene(t);
  assert.deepEqual(refusal(await s.glass('crm-bot')), [403, 'not_a_person']);
  assert.deepEqual(refusal(await s.as('other-bot', 'GET', '/v1/break-glass')), [403, 'not_a_person']);
  const direct = await s.as('crm-bot', 'POST', '/v1/actions', {
    operation: 'gate___break_glass',
    input: { agent: 'crm-bot', operation: 'shop___refund', minutes: 60, reason: 'x' },
  });
  assert.ok(direct.status >= 400 && direct.body.code !== undefined, JSON.stringify(direct.body));
  const asked = await s.glass('rosa');
  assert.deepEqual(refusal(await s.decide('crm-bot', asked)), [403, 'not_a_person']);
  const id = await (async () => {
    for (const who of ['mia', 'lee']) await s.decide(who, asked);
    return (await s.as('ada', 'GET', '/v1/break-glass')).body.items[0].id as string;
  })();
  const action = `/v1/actions/${asked.body.action.id}/execution`;
  assert.ok((await s.as('crm-bot', 'POST', action)).status >= 400, 'nobody runs what the gate asked');
  assert.deepEqual(refusal(await s.as('crm-bot', 'POST', `/v1/break-glass/${id}/end`)), [
    403,
    'not_a_person',
  ]);
  const review = await s.as('crm-bot', 'POST', `/v1/break-glass/${id}/review`, { finding: 'fine' });
  assert.deepEqual(refusal(review), [403, 'not_a_person']);
  const said = (await s.entries('action.refused')).map(({ data }) => data['operation']);
  assert.ok(said.includes('gate___break_glass'), 'an agent that tries is in the log');
});

test('who is neither an owner, an operator nor of the group asks for none', async (t) => {
  const s = await scene(t);
  for (const who of ['tom', 'ada'])
    assert.deepEqual(refusal(await s.glass(who)), [403, 'not_permitted'], who);
  assert.deepEqual(refusal(await s.glass('rosa', { agent: 'nobody-bot' })), [403, 'not_permitted']);
  assert.equal((await s.entries('glass.refused')).length, 3);
});

test('it is for one operation by its full name, for 1 to 60 minutes, with a reason', async (t) => {
  const s = await scene(t);
  for (const operation of [
    '*',
    'shop___*',
    'shop___',
    '___',
    'shop',
    'gate___break_glass',
    'gate___change_config',
    'shop___refund ',
  ])
    assert.deepEqual(refusal(await s.glass('rosa', { operation })), [400, 'input_invalid'], operation);
  for (const minutes of [0, -1, 61, 1.5, 1e9, '30', null])
    assert.deepEqual(refusal(await s.glass('rosa', { minutes })), [400, 'input_invalid'], String(minutes));
  assert.deepEqual(refusal(await s.glass('rosa', { reason: '  ' })), [403, 'reason_required']);
  assert.equal((await s.entries('approval.opened')).length, 0, 'nobody was asked');
});

test('the command itself is judged in the transaction: what an app would let through is refused there', async (t) => {
  const s = await scene(t);
  const { store } = s.gate.gate().parts;
  const base = {
    kind: 'askGlass',
    by: { kind: 'person', id: asPersonId('rosa') },
    agent: asAgentId('crm-bot'),
    operation: 'shop___refund',
    minutes: 30,
    reason: 'why',
    id: actionIdOf(new Uint8Array(16).fill(1)),
    approval: approvalIdOf(new Uint8Array(16).fill(1)),
    salt: 'ab'.repeat(32),
    joinKey: 'a',
    likeKey: 'b',
    limits: limitDefaults,
  } as const;
  const code = async (more: object): Promise<string> => {
    const result = await store.change({ ...base, ...more });
    return result.ok || result.error.kind !== 'refused' ? 'none' : result.error.refusal.code;
  };
  assert.equal(await code({ minutes: 61 }), 'input_invalid');
  assert.equal(await code({ minutes: Number.POSITIVE_INFINITY }), 'input_invalid');
  assert.equal(await code({ operation: 'gate___break_glass' }), 'input_invalid');
  assert.equal(await code({ by: { kind: 'agent', id: asAgentId('crm-bot') } }), 'not_a_person');
  assert.equal(await code({ by: { kind: 'person', id: asPersonId('tom') } }), 'not_permitted');
  assert.equal(await code({ by: { kind: 'person', id: asPersonId('ghost') } }), 'not_a_person');
  assert.equal((await s.entries('glass.opened')).length, 0);
});

test('another agent, another operation and another time are not lifted', async (t) => {
  const s = await scene(t);
  await s.open(10);
  const held = async (who: string, operation: string): Promise<number> =>
    (await s.as(who, 'POST', '/v1/actions', { operation, input: { cents: 500 } })).status;
  assert.equal(await held('other-bot', 'shop___refund'), 202);
  assert.equal(await held('crm-bot', 'shop___gift'), 202);
  assert.equal((await s.ask(500)).status, 200);
  s.clock.aheadMs += 10 * 60_000;
  assert.equal((await s.ask(600)).status, 202, 'its time is over, whether or not anything has noticed');
});

test('what passed and was not run yet is judged as anything else once it is over', async (t) => {
  const s = await scene(t);
  const id = await s.open(10);
  const [early, late] = [await s.ask(500), await s.ask(600)];
  const run = (asked: Answer): Promise<Answer> =>
    s.as('crm-bot', 'POST', `/v1/actions/${asked.body.id}/execution`);
  assert.equal((await run(early)).status, 201);
  assert.equal((await s.as('rosa', 'POST', `/v1/break-glass/${id}/end`)).status, 200);
  assert.deepEqual(refusal(await run(late)), [403, 'policy_changed']);
  assert.equal((await s.ask(700)).status, 202);
});

test('break-glass: a forbid, an undeclared operation and unusable policies stay what they are', async (t) => {
  const s = await scene(t);
  await s.open();
  assert.deepEqual(refusal(await s.ask(500_000)), [403, 'forbidden']);
  const unknown = await s.as('crm-bot', 'POST', '/v1/actions', { operation: 'shop___other', input: {} });
  assert.deepEqual(refusal(unknown), [403, 'no_permit']);
  const passed = await s.ask(500);
  assert.equal(passed.status, 200);
  await s.gate.setPolicies('permit (principal, action');
  assert.deepEqual(refusal(await s.ask(501)), [403, 'policy_error']);
  const run = await s.as('crm-bot', 'POST', `/v1/actions/${passed.body.id}/execution`);
  assert.deepEqual(refusal(run), [403, 'policy_error']);
});

test('break-glass: a stop, a pause, a cool-down and a quota are not lifted, and a stop ends it at once', async (t) => {
  const s = await scene(t);
  const held = await s.ask(500);
  const unsafe = await s.as('rosa', 'POST', `/v1/approvals/${held.body.approval.id}/reviews`, {
    decision: 'deny',
    digest: held.body.digest,
    unsafe: true,
    reason: 'never this',
  });
  assert.equal(unsafe.status, 201, JSON.stringify(unsafe.body));
  const gifts = [1, 2, 3, 4, 5].map((cents) =>
    s.as('crm-bot', 'POST', '/v1/actions', { operation: 'shop___gift', input: { cents } }),
  );
  for (const each of await Promise.all(gifts)) assert.equal(each.status, 202);
  const id = await s.open();
  const cooling = await s.ask(500, { session: 'another' });
  assert.deepEqual(refusal(cooling), [429, 'cooldown'], 'what a person called unsafe');
  assert.deepEqual(refusal(await s.ask(600)), [429, 'quota'], 'five wait already');
  assert.equal((await s.as('sam', 'POST', '/v1/agents/crm-bot/stop', { reason: 'odd' })).status, 200);
  assert.deepEqual(refusal(await s.ask(700)), [429, 'agent_stopped']);
  assert.deepEqual(
    (await s.entries('glass.closed')).map(({ by, data }) => [by, data['glass'], data['why']]),
    [[{ kind: 'person', id: 'sam' }, id, 'stopped']],
  );
  const lifted = await s.as('oz', 'POST', '/v1/agents/crm-bot/lift', { reason: 'mended' });
  assert.equal(lifted.status, 200, JSON.stringify(lifted.body));
  assert.notEqual((await s.ask(800)).status, 200, 'letting the agent go on does not open it again');
});

test('a denial of the very same action is answered again, and what waited for it is withdrawn when it passes', async (t) => {
  const s = await scene(t);
  const [denied, waiting] = [await s.ask(500), await s.ask(600)];
  const no = { decision: 'deny', digest: denied.body.digest, reason: 'no' };
  await s.as('rosa', 'POST', `/v1/approvals/${denied.body.approval.id}/reviews`, no);
  await s.open();
  const again = await s.ask(500);
  assert.deepEqual([again.status, again.body.state, again.body.id], [403, 'denied', denied.body.id]);
  const passed = await s.ask(600);
  assert.equal(passed.status, 200);
  assert.notEqual(passed.body.id, waiting.body.id);
  const before = await s.as('ada', 'GET', `/v1/actions/${waiting.body.id}`);
  assert.equal(before.body.state, 'cancelled', 'or it would run twice');
  const late = { decision: 'approve', digest: waiting.body.digest };
  const approve = await s.as('rosa', 'POST', `/v1/approvals/${waiting.body.approval.id}/reviews`, late);
  assert.deepEqual(refusal(approve), [409, 'approval_closed']);
});

test('one at a time: none while one is open or unreviewed, and of two that wait the second is not opened', async (t) => {
  const s = await scene(t);
  const second = await s.glass('oz', { operation: 'shop___gift' });
  assert.equal(second.status, 202);
  assert.deepEqual(refusal(await s.glass('oz')), [409, 'approval_pending'], 'one request of each person');
  assert.equal((await s.glass('oz', { operation: 'shop___gift' })).body.id, second.body.id, 'the same joins');
  assert.equal((await s.decide('rosa', second)).status, 201);
  const id = await s.open();
  assert.deepEqual(refusal(await s.glass('sam')), [409, 'glass_unreviewed']);
  const last = await s.decide('mia', second);
  assert.deepEqual(
    [last.status, last.body.state, last.body.ending.code],
    [201, 'denied', 'glass_unreviewed'],
  );
  assert.equal((await s.entries('glass.opened')).length, 1);
  await s.as('rosa', 'POST', `/v1/break-glass/${id}/end`);
  assert.deepEqual(refusal(await s.glass('sam')), [409, 'glass_unreviewed'], 'over is not reviewed');
});

test('two last approvals at the same moment open it once', async (t) => {
  const s = await scene(t);
  const asked = await s.glass('oz');
  await s.decide('rosa', asked);
  const both = await Promise.all([s.decide('mia', asked), s.decide('lee', asked)]);
  assert.deepEqual(
    both.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, 409],
  );
  assert.equal((await s.entries('glass.opened')).length, 1);
});

test('break-glass: whoever had a part in it does not review it while somebody else is left', async (t) => {
  const s = await scene(t);
  const id = await s.open();
  const review = (who: string, finding = 'It was needed.'): Promise<Answer> =>
    s.as(who, 'POST', `/v1/break-glass/${id}/review`, { finding });
  assert.deepEqual(refusal(await review('ada')), [409, 'approval_pending'], 'not while it is open');
  s.clock.aheadMs += 30 * 60_000;
  for (const who of ['rosa', 'mia', 'lee', 'sam'])
    assert.deepEqual(refusal(await review(who)), [403, 'no_self_approval'], who);
  assert.deepEqual(refusal(await review('tom')), [404, 'not_found'], 'nor who has nothing to do with it');
  assert.deepEqual(refusal(await review('ada', '  ')), [403, 'reason_required']);
  assert.equal((await review('ada')).status, 200);
  assert.deepEqual(refusal(await review('oz')), [404, 'not_found'], 'and it is closed');
  const [reviewed] = await s.entries('glass.reviewed');
  assert.deepEqual(
    [reviewed?.by, reviewed?.data['standing']],
    [{ kind: 'person', id: 'ada' }, 'independent'],
  );
  assert.equal((await s.entries('glass.refused')).length, 6);
});

test('anybody who may stop the agent ends it, and nobody else does', async (t) => {
  const s = await scene(t);
  const id = await s.open();
  assert.deepEqual(refusal(await s.as('tom', 'POST', `/v1/break-glass/${id}/end`)), [404, 'not_found']);
  assert.deepEqual(refusal(await s.as('ada', 'POST', `/v1/break-glass/${id}/end`)), [403, 'not_permitted']);
  assert.equal((await s.ask(500)).status, 200, 'still open');
  assert.equal((await s.as('sam', 'POST', `/v1/break-glass/${id}/end`, { reason: 'enough' })).status, 200);
  assert.equal((await s.as('oz', 'POST', `/v1/break-glass/${id}/end`)).status, 200, 'again changes nothing');
  assert.equal((await s.entries('glass.closed')).length, 1);
  assert.equal((await s.ask(600)).status, 202);
});

test('its end by time is said, also where the gate stood still meanwhile', async (t) => {
  const s = await scene(t);
  await s.open(5);
  await s.gate.restart();
  assert.equal((await s.ask(500)).status, 200, 'a restart neither closes nor prolongs it');
  s.clock.aheadMs += 5 * 60_000;
  await s.gate.restart();
  await eventually(async () => (await s.entries('glass.closed')).length === 1, 'that it is over');
  assert.equal((await s.entries('glass.closed'))[0]?.data['why'], 'time');
  assert.equal((await s.ask(600)).status, 202);
});

test('no restore of a backup opens it again, nor forgets that it was not reviewed', async (t) => {
  const s = await scene(t);
  const id = await s.open();
  const { store } = s.gate.gate().parts;
  const file = join(s.gate.folder, 'copy.db');
  assert.ok((await store.backup(file)).ok);
  assert.equal((await s.as('rosa', 'POST', `/v1/break-glass/${id}/end`)).status, 200);
  const restored = await restoreSqlite({
    directory: join(s.gate.folder, 'data'),
    file,
    clock: s.gate.gate().parts.clock,
  });
  assert.ok(restored.ok, JSON.stringify(restored));
  await s.gate.restart();
  assert.equal((await s.ask(500)).status, 202, 'it was ended since');
  assert.deepEqual(refusal(await s.glass('sam')), [409, 'glass_unreviewed']);
});

test('a backup of a time when it was open, put back on an empty store, leaves it closed and unreviewed', async (t) => {
  const s = await scene(t);
  await s.open();
  const file = join(s.gate.folder, 'copy.db');
  assert.ok((await s.gate.gate().parts.store.backup(file)).ok);
  const directory = join(s.gate.folder, 'other');
  const restored = await restoreSqlite({ directory, file, clock: s.gate.gate().parts.clock });
  assert.ok(restored.ok, JSON.stringify(restored));
  const store = await openSqlite({ directory, channels: [], clock: s.gate.gate().parts.clock });
  t.after(() => store.close());
  const [glass] = await store.openGlasses();
  assert.deepEqual([glass?.ended?.why, glass?.review], ['restored', null]);
  const types = (await store.entries(-1, 1000)).map(({ entry }) => entry.type);
  assert.deepEqual(types.slice(-2), ['store.restored', 'glass.closed']);
});

test('a two-person company: the owner asks, the other approves and, nobody else being left, reviews, which is said', async (t) => {
  const s = await scene(t, two);
  const alone = await s.glass('rosa');
  assert.deepEqual(refusal(alone), [403, 'nobody_left'], 'neither of them could approve');
  const asked = await s.glass('sam');
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  assert.equal((await s.decide('rosa', asked)).status, 201);
  assert.equal((await s.ask(500)).status, 200);
  const id = (await s.as('rosa', 'GET', '/v1/break-glass')).body.items[0].id as string;
  await s.as('sam', 'POST', `/v1/break-glass/${id}/end`);
  const review = (who: string): Promise<Answer> =>
    s.as(who, 'POST', `/v1/break-glass/${id}/review`, { finding: 'As said.' });
  assert.deepEqual(refusal(await review('sam')), [403, 'not_an_approver']);
  assert.equal((await review('rosa')).body.review.standing, 'approver');
  assert.equal((await s.entries('glass.reviewed'))[0]?.data['standing'], 'approver');
});

test('a one-person company has none, and is told why', async (t) => {
  const s = await scene(t, one);
  const asked = await s.glass('sam');
  assert.deepEqual(refusal(asked), [403, 'nobody_left']);
  assert.match(asked.body.detail, /1 of admins|people/);
});

test('every channel is told when it opens, ends and is reviewed', async (t) => {
  const s = await scene(t);
  const id = await s.open();
  await s.as('oz', 'POST', `/v1/break-glass/${id}/end`);
  await s.as('ada', 'POST', `/v1/break-glass/${id}/review`, { finding: 'As said.' });
  const said = (): readonly string[] => s.said.filter((line) => line.includes('BREAK-GLASS'));
  await eventually(() => said().length === 3, 'three lines on the terminal');
  assert.match(
    said()[0] ?? '',
    /open: shop___refund of crm-bot .* asked by Rosa Diaz, approved by Mia Chen and Lee Park/,
  );
  assert.match(said()[1] ?? '', /over/);
  assert.match(said()[2] ?? '', /reviewed/);
});

test('break-glass: whoever approved it gains nothing for what is theirs: what they started, or an agent of theirs asks through another', async (t) => {
  const s = await scene(t);
  await s.open(); // asked by rosa, approved by mia and lee
  const { parts } = s.gate.gate();
  const entry = parts.world.catalog.entries.find(({ operation }) => operation === 'shop___refund');
  assert.ok(entry);
  const attempt = (cents: number, more: object) =>
    authorize(parts, {
      agent: asAgentId('crm-bot'),
      session: null,
      startedBy: null,
      delegation: [],
      operation: 'shop___refund',
      resource: null,
      input: { cents },
      target: entry.target,
      enforcement: 'cooperative',
      reason: null,
      run: null,
      profile: entry.profile,
      runsNow: false,
      ...more,
    });
  const stateOfIt = async (cents: number, more: object): Promise<string> => {
    const asked = await attempt(cents, more);
    assert.ok(asked.ok, JSON.stringify(asked));
    return stateOf(asked.value.held, parts.clock.nowMs());
  };
  assert.equal(await stateOfIt(701, {}), 'ready', 'the agent for itself');
  assert.equal(
    await stateOfIt(702, { startedBy: asPersonId('tom') }),
    'ready',
    'for somebody without a part',
  );
  assert.equal(await stateOfIt(703, { startedBy: asPersonId('mia') }), 'pending', 'for one who approved it');
  const link = { kind: 'person', id: asPersonId('lee') } as const;
  assert.equal(await stateOfIt(704, { delegation: [link] }), 'pending', 'in the chain');
});
