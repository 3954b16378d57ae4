/** Presses in Slack over HTTP, at a whole gate: what is carried out, once, and who is told what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../support/gate.ts';
import { eventOf, hasButton, pressIn, pressOn, submit } from './support/presses.ts';
import { inRig, reviewsOf, type Card, type SlackRig } from './support/rig.ts';
import type { Loose } from './support/workspace.ts';

const press = async (rig: SlackRig, card: Card, name: string, action: string, over: Loose = {}) =>
  rig.send(await pressOn(rig.workspace, card, rig.workspace.user(name), action, over));

/** The newest view that was opened, pushed or published. */
async function view(rig: SlackRig, method = 'views.open', at = 0): Promise<Loose> {
  await eventually(() => rig.workspace.calls(method).length > at, `${method} is called`);
  const call = rig.workspace.calls(method)[at];
  assert.equal(call?.answer.ok, true, JSON.stringify(call?.answer));
  return call?.answer.view;
}

test('approve: recorded, acknowledged, carried out, and that person is told', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    const card = await rig.card(approval);
    assert.ok(hasButton(card.message.blocks, 'approve'));
    assert.deepEqual(await press(rig, card, 'rosa', 'approve'), { status: 200, body: '' });
    assert.match((await rig.told('rosa'))[0] ?? '', /You approved it: 1 of 1/);
    assert.deepEqual(await reviewsOf(rig, approval), ['rosa approve slack']);
    const [review] = (await rig.bench.held(approval)).reviews;
    assert.equal(review?.shown, card.post.shown, 'with what was shown');
    assert.equal(rig.workspace.calls('chat.postEphemeral').length, 1, 'nobody else is told');
    assert.equal((await rig.workspace.messages(card.channel)).length, 1, 'nothing is said to all');
  }));

test('deny: a form asks why, and what it says is the review', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    const card = await rig.card(approval);
    assert.deepEqual(await press(rig, card, 'rosa', 'deny'), { status: 200, body: '' });
    const form = await view(rig);
    assert.deepEqual(await reviewsOf(rig, approval), [], 'nothing is decided before it is sent off');
    const answer = await rig.send(
      submit(form, rig.workspace.user('rosa'), { reason: 'wrong quarter', unsafe: true }),
    );
    assert.equal(answer.status, 200);
    assert.equal(JSON.parse(answer.body).response_action, 'update');
    await eventually(() => rig.workspace.calls('views.update').length > 0, 'the form says what became of it');
    assert.match(JSON.stringify(rig.workspace.calls('views.update')[0]?.args), /You denied it/);
    const { reviews } = await rig.bench.held(approval);
    assert.deepEqual(
      reviews.map(({ person, decision, reason, unsafe }) => ({ person, decision, reason, unsafe })),
      [{ person: 'rosa', decision: 'deny', reason: 'wrong quarter', unsafe: true }],
    );
  }));

test('a form is good for the account that it was opened for, and refused in the form to another', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    await press(rig, await rig.card(approval), 'rosa', 'deny');
    const answer = await rig.send(submit(await view(rig), rig.workspace.user('mia'), { reason: 'no' }));
    assert.equal(answer.status, 200);
    const { response_action, errors } = JSON.parse(answer.body);
    assert.equal(response_action, 'errors');
    assert.match(errors.reason, /nothing was done/);
    assert.deepEqual(await reviewsOf(rig, approval), []);
  }));

test('stop: the agent is stopped, with the reason', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    await press(rig, await rig.card(approval), 'rosa', 'stop');
    await rig.send(submit(await view(rig), rig.workspace.user('rosa'), { reason: 'it runs wild' }));
    await eventually(() => rig.workspace.calls('views.update').length > 0, 'it is told');
    assert.match(JSON.stringify(rig.workspace.calls('views.update')[0]?.args), /crm-bot is stopped/);
    const stopped = await rig.bench.entries('agent.stopped');
    assert.equal(stopped.length, 1);
    assert.match(JSON.stringify(stopped), /it runs wild/);
  }));

test('the whole in a view: it opens, and its button approves', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    const card = await rig.card(approval);
    const { value } = { value: rig.bench.button(card.post, 'open') };
    // Where all of it is on the card there is no such button; one that was made is one all the same.
    const withOpen = {
      ...card,
      message: {
        ...card.message,
        blocks: [
          ...card.message.blocks,
          {
            type: 'actions',
            elements: [{ type: 'button', action_id: 'countersign.open', value: `${value.id}.${value.tag}` }],
          },
        ],
      },
    };
    await press(rig, withOpen, 'rosa', 'open');
    const opened = await view(rig);
    await eventually(
      async () =>
        (await rig.bench.gate.gate().parts.store.postsOf(approval)).some(
          (one) => one.kind === 'view' && one.at?.message === opened.id,
        ),
      'it is written down where it is',
    );
    const pressed = await pressIn(rig.workspace, opened, rig.workspace.user('rosa'), 'approve');
    assert.equal((await rig.send(pressed)).status, 200);
    await eventually(() => rig.workspace.calls('views.push').length > 0, 'it is told on top');
    assert.match(JSON.stringify(rig.workspace.calls('views.push')[0]?.args), /You approved it/);
    assert.deepEqual(await reviewsOf(rig, approval), ['rosa approve slack']);
  }));

test('nobody approves their own: refused, and told why, to that person alone', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    await press(rig, await rig.card(approval), 'sam', 'approve');
    assert.match((await rig.told('sam'))[0] ?? '', /own/i);
    assert.deepEqual(await reviewsOf(rig, approval), []);
    assert.deepEqual(
      rig.workspace.calls('chat.postEphemeral').map((one) => one.args.user),
      [rig.workspace.user('sam')],
    );
  }));

test('an account of nobody: refused with a way to link it', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    await press(rig, await rig.card(approval), 'lee', 'approve');
    await rig.told('lee');
    const [said] = rig.workspace.calls('chat.postEphemeral');
    assert.match(JSON.stringify(said?.args.blocks), /"url":"http/);
    assert.deepEqual(await reviewsOf(rig, approval), []);
  }));

test('two people at once: both count', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask(20_000);
    const card = await rig.card(approval);
    const [one, other] = await Promise.all([
      pressOn(rig.workspace, card, rig.workspace.user('rosa'), 'approve'),
      pressOn(rig.workspace, card, rig.workspace.user('mia'), 'approve'),
    ]);
    const answers = await Promise.all([rig.send(one), rig.send(other)]);
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [200, 200],
    );
    await Promise.all([rig.told('rosa'), rig.told('mia')]);
    assert.deepEqual((await reviewsOf(rig, approval)).toSorted(), [
      'mia approve slack',
      'rosa approve slack',
    ]);
  }));

test('the same click twice, byte for byte and at the same time, does one thing', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask(20_000);
    const pressed = await pressOn(
      rig.workspace,
      await rig.card(approval),
      rig.workspace.user('rosa'),
      'approve',
    );
    const time = Math.floor(Date.now() / 1000);
    await Promise.all([rig.send(pressed, { time }), rig.send(pressed, { time })]);
    await rig.told('rosa', 2);
    await rig.send(pressed, { time });
    const words = await rig.told('rosa', 3);
    assert.deepEqual(await reviewsOf(rig, approval), ['rosa approve slack']);
    assert.ok(
      words.every((word) => /You approved it: 1 of 2/.test(word)),
      JSON.stringify(words),
    );
    const refusals = await rig.bench.entries('click.refused');
    assert.deepEqual(refusals, [], 'a repeat is no attack');
  }));

test('a form that is sent off twice is one review', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask(20_000);
    await press(rig, await rig.card(approval), 'rosa', 'deny');
    const sent = submit(await view(rig), rig.workspace.user('rosa'), { reason: 'no' });
    await Promise.all([rig.send(sent), rig.send(sent)]);
    await eventually(() => rig.workspace.calls('views.update').length >= 2, 'both are answered');
    assert.deepEqual(await reviewsOf(rig, approval), ['rosa deny slack']);
  }));

test('a press that opens something, sent again, opens nothing more', () =>
  inRig(async (rig) => {
    const pressed = await pressOn(
      rig.workspace,
      await rig.card(await rig.bench.ask()),
      rig.workspace.user('rosa'),
      'deny',
    );
    await rig.send(pressed);
    await view(rig);
    await rig.send(pressed);
    await rig.send(pressed);
    assert.equal(rig.workspace.calls('views.open').length, 1);
  }));

test('App Home is the inbox, and a line of it opens the whole', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    const user = rig.workspace.user('rosa');
    const opened = { type: 'app_home_opened', user, channel: 'D1', tab: 'home', event_ts: '1.1' };
    assert.equal((await rig.send(eventOf(opened))).status, 200);
    const home = await view(rig, 'views.publish');
    assert.equal(rig.workspace.calls('views.publish')[0]?.args.user_id, user);
    assert.match(JSON.stringify(home), /Refund/);
    await rig.send(await pressIn(rig.workspace, home, user, 'inbox'));
    const whole = await view(rig);
    assert.ok(hasButton(whole.blocks, 'approve'));
    await eventually(
      async () => (await rig.bench.gate.gate().parts.store.postsOf(approval)).some((one) => one.at !== null),
      'it is written down',
    );
    await rig.send(await pressIn(rig.workspace, whole, user, 'approve'));
    await eventually(async () => (await reviewsOf(rig, approval)).length === 1, 'it is approved');
  }));

test('eight digits to the app alone are a code; anything else that is said to it is told what it takes', () =>
  inRig(async (rig) => {
    const user = rig.workspace.user('lee');
    const message = (text: string, more: Loose = {}): Loose =>
      eventOf({ type: 'message', channel_type: 'im', channel: 'D1', user, text, ts: `1.${text}`, ...more });
    await rig.send(message('12345678', { channel_type: 'channel' }));
    await rig.send(message('12345678', { bot_id: 'B1' }));
    await rig.send(message('hello'));
    await rig.told('lee', 1);
    await rig.send(message('1234 5678'));
    const words = await rig.told('lee', 2);
    assert.equal(words.length, 2, JSON.stringify(words));
    assert.match(words[0] ?? '', /eight digits/);
    assert.match(words[1] ?? '', /No such code|code/i);
  }));
