/** What somebody has opened for themself in Slack says what is true, also of what happens while it opens; and cards that are pressed at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { versionAt } from '../../../src/app/cards.ts';
import type { ApprovalId } from '../../../src/core/ids.ts';
import type { Chat } from '../../../src/ports/chat.ts';
import { told } from '../../support/chat.ts';
import { eventually } from '../../support/gate.ts';
import { eventOf, hasButton, pressIn, pressOn } from './support/presses.ts';
import { inRig, reviewsOf, type SlackRig } from './support/rig.ts';
import type { Loose } from './support/workspace.ts';

/** Opens the only line of Rosa's App Home. */
async function openLine(rig: SlackRig): Promise<void> {
  const user = rig.workspace.user('rosa');
  await rig.send(eventOf({ type: 'app_home_opened', user, channel: 'D1', tab: 'home', event_ts: '1.1' }));
  await eventually(() => rig.workspace.calls('views.publish').length > 0, 'the list is shown');
  const home = rig.workspace.calls('views.publish')[0]?.answer.view;
  await rig.send(await pressIn(rig.workspace, home, user, 'inbox'));
  await eventually(() => rig.workspace.calls('views.open').length > 0, 'it opens');
}

const viewRow = async (rig: SlackRig, approval: ApprovalId) => {
  const [row] = (await rig.bench.gate.gate().parts.store.postsOf(approval)).filter(
    (post) => post.kind === 'view',
  );
  return row;
};

/** Before it is said the first time that a view is there, something happens. */
const meanwhile =
  (happens: (turn: number) => Promise<void>) =>
  (chat: Chat): Chat => {
    let turn = 0;
    return {
      ...chat,
      viewed: async (...args) => {
        turn += 1;
        await happens(turn);
        return chat.viewed(...args);
      },
    };
  };

/** Of a view that was opened: once it is there, the version that is written down of it; and what the case is. */
async function versions(rig: SlackRig, approval: ApprovalId): Promise<readonly unknown[]> {
  const row = await viewRow(rig, approval);
  const now = versionAt(await rig.bench.held(approval), Date.now());
  return [row?.state, row?.version === now];
}

/** What happens to the approval of a test while its view opens. */
const deciding = (decisions: readonly ('approve' | 'deny')[]) => {
  const of: { rig?: SlackRig; approval?: ApprovalId } = {};
  const wrap = meanwhile(async (turn) => {
    const { rig, approval } = of;
    const decision = decisions[turn - 1];
    if (rig === undefined || approval === undefined || decision === undefined) return;
    const word = await rig.bench.press(rig.account('mia'), await rig.bench.post(approval), decision);
    assert.equal(told(word)[0], 'done');
  });
  return { of, wrap };
};

test('decided while it opens: the view is brought up to date, as often as it takes', () => {
  const { of, wrap } = deciding(['approve', 'deny']);
  return inRig(
    async (rig) => {
      const approval = await rig.bench.ask(20_000);
      Object.assign(of, { rig, approval });
      await openLine(rig);
      assert.ok(hasButton(rig.workspace.calls('views.open')[0]?.answer.view.blocks, 'approve'));
      await eventually(() => rig.workspace.calls('views.update').length === 2, 'it is brought up to date');
      await eventually(async () => (await versions(rig, approval)).every(Boolean), 'as it is written down');
      assert.deepEqual(await versions(rig, approval), ['posted', true]);
      const [first, last] = rig.workspace.calls('views.update').map((one) => one.args.view);
      assert.match(JSON.stringify(first), /1 of 2/);
      assert.match(JSON.stringify(last), /Denied/);
      assert.ok(!hasButton(last.blocks, 'approve') && !hasButton(last.blocks, 'deny'));
    },
    { wrap },
  );
});

test('Slack does not take it at once: it is tried again, and what is written down is what is shown', () => {
  const { of, wrap } = deciding(['deny']);
  return inRig(
    async (rig) => {
      const approval = await rig.bench.ask();
      Object.assign(of, { rig, approval });
      let busy = true;
      rig.workspace.instead((method) =>
        method === 'views.update' && busy
          ? { status: 429, headers: { 'retry-after': '1' }, body: { ok: false, error: 'ratelimited' } }
          : undefined,
      );
      await openLine(rig);
      await eventually(() => rig.workspace.calls('views.update').length === 1, 'it is tried');
      assert.deepEqual(await versions(rig, approval), ['posted', false], 'what is shown is what was');
      busy = false;
      await eventually(async () => (await versions(rig, approval)).every(Boolean), 'it is true in the end');
      const last = rig.workspace.calls('views.update').at(-1);
      assert.equal(last?.answer.ok, true);
      assert.match(JSON.stringify(last?.args.view), /Denied/);
    },
    { wrap },
  );
});

test('closed at once: nobody goes on trying', () => {
  const { of, wrap } = deciding(['deny']);
  return inRig(
    async (rig) => {
      Object.assign(of, { rig, approval: await rig.bench.ask() });
      rig.workspace.instead((method) =>
        method === 'views.update' ? { body: { ok: false, error: 'not_found' } } : undefined,
      );
      await openLine(rig);
      await eventually(() => rig.workspace.calls('views.update').length === 1, 'it is tried');
      await rig.app().stop();
      assert.equal(rig.workspace.calls('views.update').length, 1);
    },
    { wrap },
  );
});

const pressed = async (rig: SlackRig, over: Loose = {}) => {
  const approval = await rig.bench.ask();
  const card = await rig.card(approval);
  // As it is while the answer to the message is under way.
  await rig.note({ ...card.post, state: 'sending', at: null });
  const press = await pressOn(rig.workspace, card, rig.workspace.user('rosa'), 'approve', over);
  return { approval, card, press };
};

test('a press that is quicker than the answer to the message: acknowledged at once, carried out when it is noted', () =>
  inRig(async (rig) => {
    const { approval, card, press } = await pressed(rig);
    assert.deepEqual(await rig.send(press), { status: 200, body: '' });
    assert.deepEqual(await reviewsOf(rig, approval), []);
    await rig.note(card.post);
    assert.match((await rig.told('rosa'))[0] ?? '', /You approved it/);
    assert.deepEqual(await reviewsOf(rig, approval), ['rosa approve slack']);
  }));

test('the same from a place that it is not noted at: never', () =>
  inRig(async (rig) => {
    const channel = rig.workspace.channel('security');
    const { approval, card, press } = await pressed(rig);
    const forged = { ...press, container: { ...press.container, channel_id: channel } };
    assert.deepEqual(await rig.send(forged), { status: 200, body: '' });
    await rig.note(card.post);
    assert.match((await rig.told('rosa'))[0] ?? '', /nothing was done/);
    assert.deepEqual(await reviewsOf(rig, approval), []);
  }));

test('a message whose answer was lost: whoever presses is asked to press again, and that works once it is found', () =>
  inRig(async (rig) => {
    const { approval, card, press } = await pressed(rig);
    await rig.send(press);
    assert.match((await rig.told('rosa'))[0] ?? '', /not noted this message yet.*press again in a moment/);
    assert.deepEqual(await reviewsOf(rig, approval), []);
    await rig.note(card.post);
    await rig.send(await pressOn(rig.workspace, card, rig.workspace.user('rosa'), 'approve'));
    assert.match((await rig.told('rosa', 2))[1] ?? '', /You approved it/);
    assert.deepEqual(await reviewsOf(rig, approval), ['rosa approve slack']);
  }));
