/** What people press and write in Teams, from the request to the review and the answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../support/gate.ts';
import { line } from '../../../src/core/render/shown.ts';
import type { Chat, Word } from '../../../src/ports/chat.ts';
import { activityOf, cardIn, inRig, isOpen, textIn, type TeamsRig } from './support/rig.ts';
import { channel, groupChat } from './support/platform.ts';

const message = 'application/vnd.microsoft.activity.message';

for (const [where, to] of [
  ['a channel', channel],
  ['a chat', groupChat],
] as const) {
  test(`approve on a card in ${where}: one review with what was shown, and an answer to that person`, () =>
    inRig(async (rig) => {
      const approval = await rig.bench.ask();
      const card = await rig.card(approval, to);
      assert.ok(isOpen(card.message));
      const { status, body } = await rig.press(card, 'rosa', 'approve');
      assert.equal(status, 200);
      assert.equal(body.statusCode, 200);
      assert.equal(body.type, message);
      assert.match(body.value, /approved/i);
      assert.deepEqual(await rig.reviews(approval), ['rosa approve teams']);
      const [review] = (await rig.bench.held(approval)).reviews;
      assert.equal(review?.shown, card.post.shown, 'the review says what was seen');
    }));
}

test('deny with a reason and as unsafe; stop; each of them once', () =>
  inRig(async (rig) => {
    const [denied, stopped] = [await rig.bench.ask(), await rig.bench.ask()];
    const inputs = { reason: ' wrong quarter ', unsafe: 'true' };
    await rig.press(await rig.card(denied), 'rosa', 'deny', { inputs });
    const [review] = (await rig.bench.held(denied)).reviews;
    assert.deepEqual([review?.reason, review?.unsafe], ['wrong quarter', true]);
    const { body } = await rig.press(await rig.card(stopped), 'sam', 'stop');
    assert.match(body.value, /stopped/i);
    const agent = await rig.bench.gate.token('agent', 'crm-bot');
    const again = await rig.bench.gate.call(agent, 'POST', '/v1/actions', {
      operation: 'shop___refund',
      input: { cents: 1 },
    });
    assert.equal(again.body.code, 'agent_stopped');
  }));

test('where a policy asks for a reason the card says so, and Approve without one is refused to that person', () =>
  inRig(
    async (rig) => {
      const approval = await rig.bench.ask();
      const card = await rig.card(approval);
      assert.match(textIn(card.message), /asks for a reason with an approval/);
      assert.ok(isOpen(card.message));
      const without = await rig.press(card, 'rosa', 'approve', { inputs: { reason: '  ' } });
      assert.equal(without.body.type, message);
      assert.match(without.body.value, /reason/);
      assert.deepEqual(await rig.reviews(approval), []);
      await rig.press(card, 'rosa', 'approve', { inputs: { reason: 'agreed with support' } });
      const [review] = (await rig.bench.held(approval)).reviews;
      assert.deepEqual([review?.decision, review?.reason], ['approve', 'agreed with support']);
    },
    {
      policies: `
@id("all") @title("Agents may act") permit (principal, action, resource);
@id("why") @title("A refund wants a reason") @approvers("data-owners") @reason("required")
forbid (principal, action == Action::"shop___refund", resource);
`,
    },
  ));

test('a toggle that is off, or on another button, means nothing', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    await rig.press(await rig.card(approval), 'rosa', 'deny', { inputs: { unsafe: 'false', reason: '' } });
    const [review] = (await rig.bench.held(approval)).reviews;
    assert.deepEqual([review?.reason, review?.unsafe], [null, false]);
  }));

test('somebody may not approve what their own agent asks, and is told why alone', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    const card = await rig.card(approval);
    const before = rig.platform.messages.length;
    const { body } = await rig.press(card, 'sam', 'approve');
    assert.equal(body.type, message);
    assert.match(body.value, /own/i);
    assert.deepEqual(await rig.reviews(approval), []);
    assert.equal(rig.platform.messages.length, before, 'nobody else was told');
  }));

test('an account that is nobody’s gets a link that works once, in the answer and as a button', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    const { body } = await rig.press(await rig.card(approval), 'lee', 'approve');
    assert.match(body.value, /not linked/);
    const [link] = /http:\/\/\S+\/link#cs_chatlink_\S+/.exec(body.value) ?? [];
    assert.ok(link !== undefined, body.value);
    const theirs = () => rig.platform.messages.filter((one) => one.conversation === 'a:lee');
    await eventually(() => theirs().length === 1, 'they are told in a chat of their own');
    const [told] = theirs();
    assert.ok(told !== undefined);
    assert.equal(cardIn(told).actions[0].url, link);
    assert.deepEqual(await rig.reviews(approval), []);
  }));

test('the same press twice, at once and later, is one review and one answer', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask(20_000);
    const card = await rig.card(approval);
    const activity = rig.pressed(card, 'rosa', 'approve');
    const [one, other] = await Promise.all([rig.send(activity), rig.send(activity)]);
    const later = await rig.send(activity);
    assert.deepEqual(await rig.reviews(approval), ['rosa approve teams']);
    assert.match(one.body.value, /approved/i);
    for (const { body } of [other, later]) assert.equal(body.type, message);
  }));

test('two people at once fill two places', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask(20_000);
    const card = await rig.card(approval);
    await Promise.all([rig.press(card, 'rosa', 'approve'), rig.press(card, 'mia', 'approve')]);
    assert.deepEqual((await rig.reviews(approval)).toSorted(), ['mia approve teams', 'rosa approve teams']);
    assert.ok((await rig.bench.held(approval)).grant !== null);
  }));

test('what could not be carried out at its moment is, a moment later, and that person is told', () => {
  let failures = 1;
  const wrap = (chat: Chat): Chat => ({
    ...chat,
    async carryOut(click) {
      if ((failures -= 1) >= 0) throw new Error('the store hiccups');
      return chat.carryOut(click);
    },
  });
  return inRig(
    async (rig) => {
      const approval = await rig.bench.ask();
      const { body } = await rig.press(await rig.card(approval), 'rosa', 'approve');
      assert.equal(body.statusCode, 500);
      await eventually(
        async () => (await rig.reviews(approval)).length === 1,
        'it is carried out without a restart',
      );
      assert.deepEqual(await rig.bench.chat().open('teams'), []);
    },
    { wrap, leftEveryMs: 20 },
  );
});

test('a press is written down before anybody is asked who that is', () =>
  inRig(
    async (rig) => {
      const approval = await rig.bench.ask();
      await rig.press(await rig.card(approval), 'rosa', 'approve');
      assert.deepEqual(await rig.reviews(approval), ['rosa approve teams']);
    },
    {
      wrap: (chat) => ({
        ...chat,
        carryOut: async (click) => {
          assert.ok((await chat.open('teams')).some((one) => one.id === click.id));
          return chat.carryOut(click);
        },
      }),
    },
  ));

test('a crash between writing down and carrying out: the next start asks who it was and carries it out', async () => {
  const never = Promise.withResolvers<Word>();
  const hangs = (chat: Chat): Chat => ({
    ...chat,
    carryOut: () => never.promise,
    turnAway: () => never.promise,
  });
  const work = async (rig: TeamsRig): Promise<void> => {
    const [kept, gone] = [await rig.bench.ask(), await rig.bench.ask()];
    const cards = [await rig.card(kept), await rig.card(gone)] as const;
    // As a crash leaves it. Teams is answered that it takes longer.
    const [answer] = await Promise.all([
      rig.press(cards[0], 'rosa', 'approve'),
      rig.press(cards[1], 'mia', 'approve'),
    ]);
    assert.match(answer.body.value, /Written down/);
    assert.equal((await rig.bench.chat().open('teams')).length, 2);
    // Mia has left the directory meanwhile.
    rig.platform.person('mia').member = null;
    await rig.again();
    assert.deepEqual(await rig.reviews(kept), ['rosa approve teams']);
    assert.deepEqual(await rig.reviews(gone), []);
    assert.deepEqual(await rig.bench.chat().open('teams'), []);
    await rig.again();
    assert.deepEqual(await rig.reviews(kept), ['rosa approve teams'], 'once');
    never.resolve({ kind: 'done', text: line('too late') });
  };
  await inRig(work, { wrap: hangs });
});

test('eight digits in a chat with the bot alone link the account; elsewhere they are not taken', () =>
  inRig(async (rig) => {
    const codes: string[] = [];
    await rig.again((chat) => ({
      ...chat,
      sendCode: (account, code) => {
        codes.push(`${account.subject} ${code}`);
        return chat.sendCode(account, code);
      },
    }));
    const said = (text: string, conversation: string, conversationType: string) => ({
      ...activityOf(rig.platform, 'lee', conversation),
      type: 'message',
      text,
      conversation: { id: conversation, conversationType, tenantId: rig.platform.settings.tenant },
    });
    // Opens the chat at the connector, too.
    await rig.app().messenger.tell(rig.account('lee').subject, { text: line('Hello.'), url: null });
    assert.equal((await rig.send(said('1234-5678', 'a:lee', 'personal'))).status, 200);
    assert.deepEqual(codes, [`${rig.account('lee').subject} 12345678`]);
    await rig.send(said('<at>Countersign</at> 1234 5678', channel, 'channel'));
    assert.equal(codes.length, 1);
    const texts = rig.platform.messages.map(textIn);
    assert.ok(texts.some((text) => /in a chat with me alone/.test(text)));
  }));

test('whoever installs the app or writes to it is told what belongs in the configuration', () =>
  inRig(async (rig) => {
    const base = activityOf(rig.platform, 'rosa', `${channel};messageid=17`);
    assert.equal((await rig.send({ ...base, type: 'installationUpdate', action: 'add' })).status, 200);
    await rig.send({ ...base, id: 'f:2', type: 'message', text: '<at>Countersign</at> help' });
    const texts = rig.platform.messages.map(textIn);
    assert.equal(texts.length, 2);
    for (const text of texts) assert.ok(text.endsWith(`groups.NAME.teams): ${channel}`), text);
  }));

test('events that mean nothing here are accepted and go nowhere', () =>
  inRig(async (rig) => {
    const base = activityOf(rig.platform, 'rosa', channel);
    for (const type of [
      'conversationUpdate',
      'messageReaction',
      'typing',
      'installationUpdate',
      'event',
      'x',
    ])
      assert.equal((await rig.send({ ...base, type, action: 'remove', membersAdded: [] })).status, 200, type);
    // Sign-in and other questions, which the SDK would answer by itself.
    for (const name of ['signin/tokenExchange', 'signin/verifyState', 'task/fetch', 'config/fetch']) {
      const { body } = await rig.send({ ...base, type: 'invoke', name, value: {} });
      assert.equal(body.statusCode, 400, name);
    }
    assert.deepEqual(rig.platform.requests, []);
    assert.equal(await rig.app().handle(new Request('http://gate/channels/teams/other')), undefined);
  }));
