/**
 * Slack takes so many questions a minute of an app, and each decision needs one (`users.info`). Whoever of the workspace, a guest too,
 * opens the app's Home or writes to it all day must not use them up: then nobody could decide in Slack any more.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventsPerMinute } from '../../src/channels/slack/hear.ts';
import { eventOf, pressOn } from '../channels/slack/support/presses.ts';
import { inRig, reviewsOf, type SlackRig } from '../channels/slack/support/rig.ts';

/** Questions that Slack takes of this app in all: those of a few accounts must be far from it. */
const taken = 60;

/** From now on Slack takes no more than that many; answers how many there were. */
function counted({ workspace }: SlackRig): () => number {
  let asked = 0;
  workspace.instead((method) => {
    if (method !== 'users.info') return undefined;
    asked += 1;
    return asked <= taken
      ? undefined
      : { status: 429, headers: { 'retry-after': '30' }, body: { ok: false, error: 'ratelimited' } };
  });
  return () => asked;
}

async function othersDecide(rig: SlackRig): Promise<void> {
  const card = await rig.card(await rig.bench.ask());
  await rig.send(await pressOn(rig.workspace, card, rig.workspace.user('rosa'), 'approve'));
  assert.match((await rig.told('rosa'))[0] ?? '', /You approved it/);
  assert.deepEqual(await reviewsOf(rig, card.post.approval), ['rosa approve slack']);
}

test('somebody who opens the Home and sends codes without end is asked about a few times', () =>
  inRig(async (rig) => {
    const sam = rig.workspace.user('sam');
    const asked = counted(rig);
    for (let turn = 0; turn < taken; turn += 1) {
      const home = { type: 'app_home_opened', user: sam, channel: 'D1', tab: 'home' };
      const code = {
        type: 'message',
        channel_type: 'im',
        user: sam,
        channel: 'D1',
        text: '1234 5678',
        ts: `1700000000.${String(turn).padStart(6, '0')}`,
      };
      assert.equal((await rig.send(eventOf(home))).status, 200);
      assert.equal((await rig.send(eventOf(code))).status, 200);
    }
    await othersDecide(rig);
    assert.ok(asked() <= eventsPerMinute + 1, `${asked()} questions`);
  }));

test('a guest who presses whatever there is, again and again, is asked about once', () =>
  inRig(async (rig) => {
    const sam = rig.workspace.user('sam');
    rig.workspace.describe(sam, { is_restricted: true });
    const asked = counted(rig);
    const card = await rig.card(await rig.bench.ask());
    for (let turn = 0; turn < taken; turn += 1)
      for (const verb of ['approve', 'deny'] as const) {
        const { status } = await rig.send(await pressOn(rig.workspace, card, sam, verb));
        assert.equal(status, 200);
      }
    assert.match((await rig.told('sam', 2 * taken))[0] ?? '', /Guests of a workspace decide nothing/);
    // Those that came before the first answer did ask.
    assert.ok(asked() <= 5, `${asked()} questions`);
    await othersDecide(rig);
    assert.deepEqual(await reviewsOf(rig, card.post.approval), []);
  }));

test('somebody who opens the Home now and then sees it each time', () =>
  inRig(async (rig) => {
    const rosa = rig.workspace.user('rosa');
    for (let turn = 0; turn < 5; turn += 1)
      await rig.send(eventOf({ type: 'app_home_opened', user: rosa, channel: 'D1', tab: 'home' }));
    await rig.app().stop();
    assert.equal(rig.workspace.calls('views.publish').length, 5);
  }));
