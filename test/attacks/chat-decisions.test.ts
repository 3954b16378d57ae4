/**
 * Deciding from a chat what one may not decide: one's own action, twice, without a passkey, where a policy forbids it, with an
 * account that is nobody's, new, taken away, or of somebody who has left. The chat asks core/review.ts, and core answers; whoever
 * pressed is told why, alone.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { authorize } from '../../src/app/authorize.ts';
import { asAgentId, asApprovalId, asPersonId, type ApprovalId } from '../../src/core/ids.ts';
import { chatBench, slackOf, startChatGate, told, type ChatBench } from '../support/chat.ts';
import { people, policies as basePolicies, operations, type TestGate } from '../support/gate.ts';

const policies = `${basePolicies}
@id("gift.passkey") @title("A gift needs a passkey") @approvers("data-owners") @step_up("passkey")
forbid (principal, action == Action::"shop___gift", resource);
@id("loan.web") @title("A loan is decided on the web") @approvers("data-owners") @channels("web teams")
forbid (principal, action == Action::"shop___loan", resource);
@id("pair.two") @title("A pair needs two data owners") @approvers("data-owners") @quorum("2")
forbid (principal, action == Action::"shop___pair", resource);
@id("tip.reason") @title("A tip wants a reason") @approvers("data-owners") @reason("required")
forbid (principal, action == Action::"shop___tip", resource);
`;
const more = ['gift', 'loan', 'tip', 'pair']
  .map((name) => `  shop___${name}: { input: { type: object, properties: { cents: { type: integer } } } }\n`)
  .join('');

let skewMs = 0;
let gate: TestGate;
let at: ChatBench;
const [sam, rosa, rosa2, mia] = [slackOf('US'), slackOf('UR', 'Rosa'), slackOf('UR2'), slackOf('UM')];
before(async () => {
  gate = await startChatGate({
    operations: more,
    policies,
    clock: { nowMs: () => Date.now() + skewMs },
  });
  at = chatBench(gate);
  for (const [person, account] of [
    ['sam', sam],
    ['rosa', rosa],
    ['mia', mia],
  ] as const)
    await at.link(person, account);
});
after(() => gate.stop());

const statesOf = async (approval: ApprovalId) => {
  const held = await at.held(approval);
  return [held.reviews.map((one) => `${one.person} ${one.decision}`), held.ending?.code ?? null];
};
const askOf = async (operation: string): Promise<ApprovalId> => {
  const token = await gate.token('agent', 'crm-bot');
  const cents = 1 + Math.floor(Math.random() * 1e9);
  const answer = await gate.call(token, 'POST', '/v1/actions', { operation, input: { cents } });
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  return asApprovalId(String(answer.body.approval.id));
};
/** Nothing was approved; the refusal is in the log as one of a review. */
async function refusedReview(approval: ApprovalId, code: string): Promise<void> {
  assert.deepEqual((await at.held(approval)).reviews, []);
  const entry = (await at.entries('review.refused')).at(-1);
  assert.deepEqual(
    [entry?.about.approval, entry?.data['code'], entry?.data['channel']],
    [approval, code, 'slack'],
  );
}

describe('one’s own action', () => {
  test('no-self-approval: the agent’s owner is refused, told why, and may deny it', async () => {
    const post = await at.post(await at.ask());
    const [code, text] = told(await at.press(sam, post, 'approve'));
    assert.equal(code, 'no_self_approval');
    assert.match(text, /counts as yours, because this person .*crm-bot.*Someone else must; you may deny it/);
    await refusedReview(post.approval, 'no_self_approval');
    assert.equal(told(await at.press(sam, post, 'deny'))[1], 'You denied it.');
    assert.deepEqual(await statesOf(post.approval), [['sam deny'], 'denied']);
  });

  test('no-self-approval: whoever started the session is refused, whichever account they have', async () => {
    const { parts } = gate.gate();
    const operation = 'shop___refund';
    const entry = parts.world.catalog.entries.find((one) => one.operation === operation);
    assert.ok(entry !== undefined);
    // As an enforcement point asks, once it has verified a token that says for whom.
    const asked = await authorize(parts, {
      agent: asAgentId('crm-bot'),
      session: null,
      startedBy: asPersonId('rosa'),
      delegation: [],
      operation,
      resource: null,
      input: { cents: 501 },
      target: entry.target,
      enforcement: 'cooperative',
      reason: null,
      run: null,
      profile: entry.profile,
      runsNow: false,
    });
    assert.ok(asked.ok, JSON.stringify(asked));
    const approval = asked.value.held.approval?.id;
    assert.ok(approval !== undefined);
    const post = await at.post(approval);
    assert.equal(told(await at.press(rosa, post, 'approve'))[0], 'no_self_approval');
    await refusedReview(approval, 'no_self_approval');
    assert.equal(told(await at.press(mia, post, 'approve'))[0], 'done');
  });
});

describe('a quorum', () => {
  test('distinct-people: one person with two accounts fills one place', async () => {
    await at.link('rosa', rosa2);
    skewMs += 25 * 3_600_000;
    const post = await at.post(await askOf('shop___pair'));
    assert.deepEqual(told(await at.press(rosa, post, 'approve')), ['done', 'You approved it: 1 of 2.']);
    assert.equal(told(await at.press(rosa2, post, 'approve'))[0], 'already_reviewed');
    assert.equal(told(await at.press(rosa, post, 'approve'))[0], 'already_reviewed', 'another press of hers');
    assert.deepEqual(await statesOf(post.approval), [['rosa approve'], null]);
    const [code, text] = told(await at.press(mia, post, 'approve'));
    assert.equal(code, 'done');
    assert.match(text, /^You approved it: 2 of 2\. Approved, not run yet\.$/);
  });

  test('two people at once: both count, whoever is first', async () => {
    const post = await at.post(await askOf('shop___pair'));
    const words = await Promise.all([at.press(rosa, post, 'approve'), at.press(mia, post, 'approve')]);
    assert.deepEqual(
      words.map((word) => told(word)[0]),
      ['done', 'done'],
    );
    assert.equal((await at.held(post.approval)).reviews.length, 2);
    assert.ok((await at.held(post.approval)).grant !== null);
  });

  test('an approve and a deny at once end in one truth: it is denied, and never runs', async () => {
    const post = await at.post(await at.ask());
    const [yes, no] = await Promise.all([at.press(rosa, post, 'approve'), at.press(mia, post, 'deny')]);
    assert.equal(told(no)[0], 'done');
    assert.ok(['done', 'approval_closed'].includes(told(yes)[0]));
    assert.equal((await at.held(post.approval)).ending?.code, 'denied');
  });
});

describe('what a chat never decides', () => {
  test('step-up: a policy that asks for a passkey is not met by a press; the web is', async () => {
    const post = await at.post(await askOf('shop___gift'));
    const word = await at.press(rosa, post, 'approve');
    assert.equal(told(word)[0], 'step_up_required');
    assert.ok(word.kind === 'refused');
    assert.equal(word.link?.url, `${gate.gate().origin}/approvals/${post.approval}`);
    await refusedReview(post.approval, 'step_up_required');
    assert.equal(told(await at.press(rosa, post, 'deny'))[0], 'done', 'stopping it needs no passkey');
  });

  test('a policy that names other channels is not met in this one', async () => {
    const post = await at.post(await askOf('shop___loan'));
    const [code, text] = told(await at.press(rosa, post, 'approve'));
    assert.equal(code, 'wrong_channel');
    assert.match(text, /only in: web, teams/);
    await refusedReview(post.approval, 'wrong_channel');
  });

  test('shown-whole: a copy that could not show all of it approves nothing', async () => {
    const post = await at.post(await at.ask(), { whole: false });
    const word = await at.press(rosa, post, 'approve');
    assert.equal(told(word)[0], 'shown_incomplete');
    assert.ok(word.kind === 'refused' && word.link !== null);
    await refusedReview(post.approval, 'shown_incomplete');
  });

  test('a policy that wants a reason gets one, or is not met', async () => {
    const post = await at.post(await askOf('shop___tip'));
    assert.equal(told(await at.press(rosa, post, 'approve'))[0], 'reason_required');
    assert.equal(told(await at.press(rosa, post, 'approve', { reason: ' \n ' }))[0], 'reason_required');
    assert.equal(told(await at.press(rosa, post, 'approve', { reason: 'ticket 7' }))[0], 'done');
    assert.equal((await at.held(post.approval)).reviews[0]?.reason, 'ticket 7');
  });

  test('exact-digest: the review names what the copy is of, and what it showed', async () => {
    const post = await at.post(await at.ask());
    await at.press(rosa, post, 'approve');
    const [one] = (await at.held(post.approval)).reviews;
    assert.deepEqual(
      [one?.digest, one?.shown, one?.channel, one?.via],
      [
        post.digest,
        post.shown,
        'slack',
        { kind: 'account', account: { kind: 'slack', issuer: 'T1', subject: 'UR' } },
      ],
    );
  });
});

describe('an account that may not', () => {
  const lastRefused = async () => (await at.entries('click.refused')).at(-1)?.data;

  test('of nobody: nothing is done, and it is given a link of its own', async () => {
    const post = await at.post(await at.ask());
    const word = await at.press(slackOf('U404', 'Nobody'), post, 'deny');
    assert.ok(word.kind === 'refused');
    assert.equal(word.code, 'unauthenticated');
    assert.equal(word.link?.text, 'Link your account');
    const url = new URL(word.link.url);
    assert.deepEqual([url.pathname, url.search], ['/link', ''], 'the secret is in no server’s log');
    assert.match(url.hash, /^#cs_chatlink_[\w-]{43}$/);
    assert.deepEqual(
      [(await lastRefused())?.['why'], await statesOf(post.approval)],
      ['unlinked', [[], null]],
    );
    const log = JSON.stringify(await at.entries());
    assert.ok(!log.includes('cs_chatlink_'));
  });

  test('the same user id in another organisation is another account', async () => {
    const post = await at.post(await at.ask());
    const word = await at.press({ ...rosa, issuer: 'T2' }, post, 'approve');
    assert.equal(told(word)[0], 'unauthenticated');
    assert.deepEqual(await statesOf(post.approval), [[], null]);
  });

  test('a guest, turned away by what the platform says: an entry, and no second try of the same press', async () => {
    const post = await at.post(await at.ask());
    const taken = await at.record(rosa, at.button(post, 'approve'), post.at);
    assert.ok(taken.ok);
    const refusal = { code: 'not_permitted', detail: 'Guests decide nothing here.' } as const;
    const word = await at.chat().turnAway(taken.value, refusal, { why: 'guest', isRestricted: true });
    assert.deepEqual(told(word), ['not_permitted', 'Guests decide nothing here.']);
    const data = await lastRefused();
    assert.deepEqual(
      [data?.['why'], data?.['isRestricted'], data?.['code'], data?.['account']],
      ['guest', true, 'not_permitted', { kind: 'slack', issuer: 'T1', subject: 'UR' }],
    );
    const again = await at.chat().carryOut(taken.value);
    assert.equal(told(again)[0], 'not_permitted');
    assert.deepEqual(await statesOf(post.approval), [[], null]);
    assert.deepEqual(await at.chat().open('slack'), []);
  });

  test('new: it cools off, so it approves nothing yet; denying is never too early', async () => {
    const mia2 = slackOf('UM2');
    await at.link('mia', mia2);
    const [first, second] = [await at.post(await at.ask()), await at.post(await at.ask())];
    const [code, text] = told(await at.press(mia2, first, 'approve'));
    assert.equal(code, 'not_an_approver');
    assert.match(text, /is new, and counts for approving from/);
    await refusedReview(first.approval, 'not_an_approver');
    assert.equal(told(await at.press(mia2, second, 'deny'))[0], 'done');
    skewMs += 25 * 3_600_000;
    const third = await at.post(await at.ask());
    assert.equal(told(await at.press(mia2, third, 'approve'))[0], 'done');
  });

  test('taken away between the press and its turn', async () => {
    const gone = slackOf('UM3');
    await at.link('mia', gone);
    skewMs += 25 * 3_600_000;
    const post = await at.post(await at.ask());
    const taken = await at.record(gone, at.button(post, 'approve'), post.at);
    assert.ok(taken.ok);
    const { kind, issuer, subject } = gone;
    const account = { kind, issuer, subject };
    const { store } = gate.gate().parts;
    assert.ok((await store.change({ kind: 'unlinkAccount', person: asPersonId('mia'), account })).ok);
    assert.equal(told(await at.chat().carryOut(taken.value))[0], 'unauthenticated');
    assert.equal((await lastRefused())?.['why'], 'ended');
    for (const verb of ['approve', 'deny', 'stop'] as const)
      assert.equal(told(await at.press(gone, post, verb))[0], 'unauthenticated', verb);
    assert.deepEqual(await statesOf(post.approval), [[], null]);
  });

  test('of somebody who may not see it: no approver, and no more is said', async () => {
    const ada = slackOf('UA');
    await at.link('ada', ada);
    const post = await at.post(await at.ask());
    assert.equal(told(await at.press(ada, post, 'approve'))[0], 'not_an_approver', 'auditors only read');
    assert.equal(told(await at.press(ada, post, 'deny'))[0], 'not_an_approver');
    assert.equal(told(await at.press(ada, post, 'stop'))[0], 'not_permitted');
    assert.equal((await lastRefused())?.['verb'], 'stop');
    assert.deepEqual(await statesOf(post.approval), [[], null]);
    assert.deepEqual(await gate.gate().parts.store.stops(), []);
  });

  test('of somebody who was deactivated since', async () => {
    const post = await at.post(await at.ask());
    const taken = await at.record(rosa, at.button(post, 'approve'), post.at);
    assert.ok(taken.ok);
    await gate.setConfig(
      people.replace('id: rosa, name: Rosa Diaz,', 'id: rosa, name: Rosa Diaz, active: false,') +
        operations +
        more,
    );
    assert.equal(told(await at.chat().carryOut(taken.value))[0], 'not_a_person');
    assert.equal((await lastRefused())?.['why'], 'no active person');
    assert.deepEqual(await statesOf(post.approval), [[], null]);
  });
});
