/** What somebody opens for themself in a chat: the whole of one approval, their list, a code; as their person may see it, and no more. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { linesMax } from '../../../src/app/chat/inbox.ts';
import { asPostId, tagOf, type Post } from '../../../src/core/chat.ts';
import { asApprovalId, asPersonId, type ApprovalId } from '../../../src/core/ids.ts';
import type { Card } from '../../../src/core/render/card.ts';
import { beginChatLink, sentAccount } from '../../../src/app/accounts.ts';
import type { ChatAccount, Opened, Pressed } from '../../../src/ports/chat.ts';
import { chatBench, slackOf, startChatGate, told, type ChatBench } from '../../support/chat.ts';
import { policies as basePolicies, type TestGate } from '../../support/gate.ts';

const policies = `${basePolicies}
@id("gift.passkey") @title("A gift needs a passkey") @approvers("data-owners") @step_up("passkey")
forbid (principal, action == Action::"shop___gift", resource);
@id("loan.web") @title("A loan is decided on the web") @approvers("data-owners") @channels("web")
forbid (principal, action == Action::"shop___loan", resource);
@id("tip.reason") @title("A tip wants a reason") @approvers("data-owners") @reason("required")
forbid (principal, action == Action::"shop___tip", resource);
`;
const more = ['gift', 'loan', 'tip']
  .map((name) => `  shop___${name}: { input: { type: object, properties: { cents: { type: integer } } } }\n`)
  .join('');

let gate: TestGate;
let at: ChatBench;
const [sam, rosa, mia, lee, ada] = [
  slackOf('US'),
  slackOf('UR', 'Rosa'),
  slackOf('UM'),
  slackOf('UL'),
  slackOf('UA'),
];
before(async () => {
  gate = await startChatGate({ operations: more, policies });
  at = chatBench(gate);
  for (const [person, account] of [
    ['sam', sam],
    ['rosa', rosa],
    ['mia', mia],
    ['lee', lee],
    ['ada', ada],
  ] as const)
    await at.link(person, account);
});
after(() => gate.stop());

const open = async (account: ChatAccount, approval: ApprovalId): Promise<Opened> => {
  const post = await at.post(approval);
  const opened = await at.chat().view(account, at.button(post, 'open'), post.at);
  assert.ok(opened.ok, JSON.stringify(opened));
  return opened.value;
};
const askOf = async (operation: string): Promise<ApprovalId> => {
  const token = await gate.token('agent', 'crm-bot');
  const cents = 1 + Math.floor(Math.random() * 1e9);
  const answer = await gate.call(token, 'POST', '/v1/actions', { operation, input: { cents } });
  return asApprovalId(String(answer.body.approval.id));
};
const has = ({ buttons }: Card) => ({
  approve: buttons?.approve != null,
  deny: buttons?.deny != null,
  stop: buttons?.stop != null,
  open: buttons?.open != null,
});
/** What a platform does once the view is there. */
const shown = async (account: ChatAccount, opened: Opened, message = 'V1', whole = true) => {
  const place = { place: `view:${account.subject}`, message };
  const newer = await at.chat().viewed(account, opened, place, { body: { view: message }, text: 'x', whole });
  const post = await gate.gate().parts.store.post(opened.post);
  assert.ok(post !== undefined);
  return { post, place, newer };
};

describe('a view', () => {
  test('has its reader’s buttons, tagged for the view itself; they work there, once it is there, whole', async () => {
    const approval = await at.ask();
    const opened = await open(rosa, approval);
    assert.deepEqual(has(opened.card), { approve: true, deny: true, stop: true, open: false });
    const approve = opened.card.buttons?.approve;
    assert.ok(approve != null);
    assert.equal(approve.id, opened.post);
    const pressed: Pressed = { use: 'approve', ...approve };
    const { post, place, newer } = await shown(rosa, opened);
    assert.equal(newer, null, 'it tells the truth');
    assert.deepEqual([post.state, post.whole, post.at, post.to], ['posted', true, place, 'view:T1:UR']);
    assert.equal(post.version, opened.version);
    assert.ok(post.shown !== null);
    assert.deepEqual((await gate.gate().parts.store.showing(post.shown))?.body, { view: 'V1' });
    const taken = await at.record(rosa, pressed, place);
    assert.ok(taken.ok);
    assert.equal(told(await at.chat().carryOut(taken.value))[0], 'done');
    assert.equal((await at.held(approval)).reviews[0]?.shown, post.shown);
    const reviewed = await open(rosa, approval);
    assert.deepEqual(has(reviewed.card), { approve: false, deny: true, stop: true, open: false });
  });

  test('that its platform could not show whole approves nothing', async () => {
    const opened = await open(rosa, await at.ask());
    const { place } = await shown(rosa, opened, 'V2', false);
    const approve = opened.card.buttons?.approve;
    assert.ok(approve != null);
    const taken = await at.record(rosa, { use: 'approve', ...approve }, place);
    assert.ok(taken.ok);
    assert.equal(told(await at.chat().carryOut(taken.value))[0], 'shown_incomplete');
  });

  test('says to its reader why they cannot approve, and offers only what they can do', async () => {
    const own = (await open(sam, await at.ask())).card;
    assert.deepEqual(has(own), { approve: false, deny: true, stop: true, open: false });
    assert.match(own.buttons?.approveNot ?? '', /counts as your own action: Sam Lee owns the agent crm-bot/);
    for (const [operation, words] of [
      ['shop___gift', /passkey/],
      ['shop___loan', /only in: web/],
    ] as const) {
      const { card } = await open(rosa, await askOf(operation));
      assert.deepEqual(has(card), { approve: false, deny: true, stop: true, open: false }, operation);
      assert.match(card.buttons?.approveNot ?? '', words);
    }
    const auditor = (await open(ada, await at.ask())).card;
    assert.deepEqual(has(auditor), { approve: false, deny: false, stop: false, open: false });
    assert.equal(auditor.whole, true);
  });

  test('of what is over has no buttons', async () => {
    const approval = await at.ask();
    await at.press(rosa, await at.post(approval), 'deny');
    const { card } = await open(rosa, approval);
    assert.equal(card.buttons, null);
    assert.equal(card.state.title, 'Denied');
  });

  test('not-yours-to-see: whoever may not read it learns nothing, and an account of nobody is offered a link', async () => {
    const post = await at.post(await at.ask());
    const hidden = await at.chat().view(lee, at.button(post, 'open'), post.at);
    assert.ok(!hidden.ok);
    assert.deepEqual(told(hidden.error), ['not_found', 'There is no such approval.']);
    const nobody = await at.chat().view(slackOf('U404'), at.button(post, 'open'), post.at);
    assert.ok(!nobody.ok && nobody.error.kind === 'refused');
    assert.match(nobody.error.link?.url ?? '', /\/link#cs_chatlink_/);
    const views = (await gate.gate().parts.store.postsOf(post.approval)).filter((one) => one.kind === 'view');
    assert.deepEqual(views, []);
  });

  test('is opened by a button of ours, where it is, and by nothing else', async () => {
    const post = await at.post(await at.ask());
    const pressed = at.button(post, 'open');
    for (const [one, there] of [
      [{ ...pressed, tag: '0'.repeat(32) }, post.at],
      [pressed, { place: 'C7', message: '1' }],
      [pressed, null],
      [at.button(post, 'approve'), post.at],
      [{ ...pressed, use: 'inbox' }, null],
    ] as const) {
      const opened = await at.chat().view(rosa, one, there);
      assert.ok(!opened.ok);
      assert.equal(told(opened.error)[0], 'not_permitted');
    }
  });

  test('opened again and again, they do not pile up; an older one’s buttons are dead', async () => {
    const approval = await at.ask();
    const first = await open(rosa, approval);
    const { place } = await shown(rosa, first, 'V-first');
    for (let times = 0; times < 12; times += 1) await open(rosa, approval);
    const views = (await gate.gate().parts.store.postsOf(approval)).filter((one) => one.kind === 'view');
    assert.ok(views.length <= 5, String(views.length));
    const approve = first.card.buttons?.approve;
    assert.ok(approve != null);
    // Its row is another view's by now, which is not there yet: whatever comes from elsewhere is not carried out.
    const taken = await at.record(rosa, { use: 'approve', ...approve }, place);
    assert.ok(taken.ok);
    assert.equal(told(await at.chat().carryOut(taken.value))[0], 'not_permitted');
    assert.deepEqual((await at.held(approval)).reviews, []);
  });

  test('is no copy that anybody else can say is somewhere: a card is left as it is', async () => {
    const post = await at.post(await at.ask());
    const opened = await open(rosa, post.approval);
    const say = (account: ChatAccount, id: Post['id']) =>
      at
        .chat()
        .viewed(
          account,
          { ...opened, post: id },
          { place: 'C9', message: '9' },
          { body: {}, text: '', whole: true },
        );
    const card = await gate.gate().parts.store.post(post.id);
    assert.equal(await say(rosa, post.id), null);
    assert.deepEqual(await gate.gate().parts.store.post(post.id), card);
    assert.equal(await say(rosa, asPostId('pst_none')), null);
    const theirs = await gate.gate().parts.store.post(opened.post);
    assert.equal(await say(mia, opened.post), null);
    assert.equal(await say({ ...rosa, issuer: 'T2' }, opened.post), null);
    assert.deepEqual(await gate.gate().parts.store.post(opened.post), theirs);
  });

  test('a case that was decided while it was being opened: it is answered what the view must say, until it does', async () => {
    const approval = await at.ask(20_000);
    const opened = await open(rosa, approval);
    assert.deepEqual(has(opened.card), { approve: true, deny: true, stop: true, open: false });
    assert.equal(told(await at.press(mia, await at.post(approval), 'approve'))[0], 'done');
    const first = await shown(rosa, opened, 'V9');
    assert.ok(first.newer !== null);
    assert.equal(first.post.version, opened.version, 'written down is what is shown, and not what should be');
    assert.equal(first.newer.post, opened.post);
    assert.equal(first.newer.card.state.title, 'Waiting for approval');
    assert.notEqual(first.newer.card.buttons, null);
    assert.equal(told(await at.press(mia, await at.post(approval), 'deny'))[0], 'done');
    const second = await shown(rosa, first.newer, 'V9');
    assert.ok(second.newer !== null);
    assert.deepEqual([second.newer.card.state.title, second.newer.card.buttons], ['Denied', null]);
    const last = await shown(rosa, second.newer, 'V9');
    assert.equal(last.newer, null);
    assert.equal(last.post.version, second.newer.version);
    assert.deepEqual(last.post.at, { place: 'view:UR', message: 'V9' });
  });

  test('where a policy asks for a reason, it is approved through a form, as its reader', async () => {
    const approval = await askOf('shop___tip');
    const opened = await open(rosa, approval);
    assert.deepEqual(has(opened.card), { approve: true, deny: true, stop: true, open: false });
    assert.match(opened.card.buttons?.approveAsks ?? '', /asks for a reason/);
    const plain = await open(rosa, await at.ask());
    assert.equal(plain.card.buttons?.approveAsks, undefined);
    const { place } = await shown(rosa, opened, 'V10');
    const approve = opened.card.buttons?.approve;
    assert.ok(approve != null);
    const pressed: Pressed = { use: 'approve', ...approve };
    const bare = await at.record(rosa, pressed, place);
    assert.ok(bare.ok);
    assert.equal(
      told(await at.chat().carryOut(bare.value))[0],
      'reason_required',
      'the form is no way around it',
    );
    const form = await at.chat().form(rosa, pressed, place);
    assert.ok(form.ok, JSON.stringify(form));
    const { id, tag } = form.value;
    for (const reason of ['', '  \n ']) {
      const empty = await at.record(rosa, { use: 'form', id, tag }, null, { reason });
      assert.ok(!empty.ok);
      assert.equal(empty.error.code, 'reason_required');
    }
    assert.deepEqual(await at.chat().open('slack'), []);
    const taken = await at.record(rosa, { use: 'form', id, tag }, null, { reason: ' as agreed ' });
    assert.ok(taken.ok);
    assert.equal(told(await at.chat().carryOut(taken.value))[0], 'done');
    const [review] = (await at.held(approval)).reviews;
    assert.deepEqual([review?.decision, review?.reason, review?.person], ['approve', 'as agreed', 'rosa']);
    assert.equal(review?.shown, (await gate.gate().parts.store.post(opened.post))?.shown);
  });

  test('a platform that can ask for no reason says where to approve instead', async () => {
    const other = chatBench(gate, 'slack', false);
    const post = await at.post(await askOf('shop___tip'));
    const opened = await other.chat().view(rosa, at.button(post, 'open'), post.at);
    assert.ok(opened.ok);
    assert.deepEqual(has(opened.value.card), { approve: false, deny: true, stop: true, open: false });
    assert.match(opened.value.card.buttons?.approveNot ?? '', /web inbox: the policy asks for a reason/);
  });
});

describe('an inbox', () => {
  test('lists what waits: what its reader may approve first, each line opening for them alone', async () => {
    const all = await at.chat().inbox(rosa);
    assert.ok(all.ok);
    const own = await askOf('shop___gift');
    const list = await at.chat().inbox(rosa);
    assert.ok(list.ok);
    assert.equal(list.value.lines.length + list.value.more, all.value.lines.length + all.value.more + 1);
    assert.ok(list.value.lines.length <= linesMax);
    assert.equal(list.value.url, `${gate.gate().origin}/inbox`);
    const [first] = list.value.lines;
    assert.ok(first !== undefined);
    assert.equal(first.open.id, own, 'the newest first');
    assert.deepEqual(
      [first.agent, first.state, first.url],
      ['crm-bot', 'Waiting for approval', `${gate.gate().origin}/approvals/${own}`],
    );
    const opened = await at.chat().view(rosa, first.open, null);
    assert.ok(opened.ok);
    const theirs = await at.chat().view(mia, first.open, null);
    assert.ok(!theirs.ok);
    assert.equal(told(theirs.error)[0], 'not_permitted');
    const forged = {
      ...first.open,
      tag: tagOf(gate.gate().parts.store.joinKey(), 'open', [own, 'T1', 'UR']),
    };
    assert.ok(!(await at.chat().view(rosa, forged, null)).ok);
  });

  test('of the agent’s owner: what others must approve comes last; of who may see nothing: nothing', async () => {
    const list = await at.chat().inbox(sam);
    assert.ok(list.ok && list.value.lines.length > 0);
    const empty = await at.chat().inbox(lee);
    assert.deepEqual(empty.ok && [empty.value.lines, empty.value.more], [[], 0]);
    const nobody = await at.chat().inbox(slackOf('U405'));
    assert.ok(!nobody.ok && nobody.error.kind === 'refused' && nobody.error.link !== null);
  });
});

describe('a code of the web inbox', () => {
  test('sent by an account: it arrives; a wrong one is counted, and nothing is said of whose it is', async () => {
    const { parts } = gate.gate();
    const person = asPersonId('ada');
    const code = await beginChatLink(parts, person);
    assert.ok(code.ok);
    const account = slackOf('UA2', 'Ada');
    for (let times = 0; times < 4; times += 1)
      assert.equal(told(await at.chat().sendCode(account, '00000000'))[0], 'not_found');
    const [outcome, text] = told(await at.chat().sendCode(account, code.value));
    assert.equal(outcome, 'done');
    assert.doesNotMatch(text, /ada/i);
    assert.deepEqual((await sentAccount(parts, person))?.account, {
      kind: 'slack',
      issuer: 'T1',
      subject: 'UA2',
      display: 'Ada',
    });
    for (let times = 0; times < 2; times += 1) await at.chat().sendCode(account, '00000000');
    assert.equal(told(await at.chat().sendCode(account, '00000000'))[0], 'quota');
  });
});
