/** What a crash leaves of a press, and a store that is down: carried out once or not at all, and never acknowledged in vain. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../support/gate.ts';
import { pressOn, submit } from './support/presses.ts';
import { inRig, reviewsOf } from './support/rig.ts';

/** Never comes back: the process has died meanwhile. */
const died = (): Promise<never> => new Promise(() => undefined);

test('a press is acknowledged when it has been written down, and not before', () => {
  const recorded = Promise.withResolvers<void>();
  return inRig(
    async (rig) => {
      const card = await rig.card(await rig.bench.ask());
      let answered = false;
      const answer = rig
        .send(await pressOn(rig.workspace, card, rig.workspace.user('rosa'), 'approve'))
        .then((one) => {
          answered = true;
          return one;
        });
      // Whatever would have answered by itself has had its turn, many times over.
      for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(answered, false);
      assert.deepEqual(rig.workspace.calls('users.info'), []);
      recorded.resolve();
      assert.equal((await answer).status, 200);
    },
    {
      wrap: (chat) => ({
        ...chat,
        record: async (press) => {
          await recorded.promise;
          return chat.record(press);
        },
      }),
    },
  );
});

test('a crash between the record and what follows: after the start it is carried out, once', () =>
  inRig(
    async (rig) => {
      const approval = await rig.bench.ask(20_000);
      const card = await rig.card(approval);
      const pressed = await pressOn(rig.workspace, card, rig.workspace.user('rosa'), 'approve');
      assert.equal((await rig.send(pressed)).status, 200);
      assert.deepEqual(await reviewsOf(rig, approval), []);
      assert.equal((await rig.bench.chat().open('slack')).length, 1);
      const asked = rig.workspace.calls('users.info').length;
      await rig.bench.gate.restart();
      rig.bench.restarted();
      await rig.again();
      assert.deepEqual(await reviewsOf(rig, approval), ['rosa approve slack']);
      assert.match((await rig.told('rosa'))[0] ?? '', /You approved it: 1 of 2/);
      assert.ok(rig.workspace.calls('users.info').length > asked, 'Slack is asked again who that is');
      // Slack repeats what was not acknowledged; the person presses again.
      await rig.send(pressed);
      await rig.told('rosa', 2);
      await rig.again();
      assert.deepEqual(await reviewsOf(rig, approval), ['rosa approve slack']);
      assert.deepEqual(await rig.bench.chat().open('slack'), []);
    },
    { wrap: (chat) => ({ ...chat, carryOut: died }) },
  ));

test('a crash before the acknowledgement: the press is not lost, and its repeat does nothing more', () =>
  inRig(
    async (rig) => {
      const approval = await rig.bench.ask(20_000);
      const card = await rig.card(approval);
      const pressed = await pressOn(rig.workspace, card, rig.workspace.user('rosa'), 'approve');
      void rig.send(pressed).catch(() => undefined);
      await eventually(async () => (await rig.bench.chat().open('slack')).length === 1, 'it is written down');
      await rig.again();
      assert.deepEqual(await reviewsOf(rig, approval), ['rosa approve slack']);
      assert.equal((await rig.send(pressed)).status, 200);
      await rig.told('rosa', 2);
      assert.deepEqual(await reviewsOf(rig, approval), ['rosa approve slack']);
    },
    {
      wrap: (chat) => ({
        ...chat,
        record: async (press) => {
          await chat.record(press);
          return died();
        },
      }),
    },
  ));

test('who was deactivated between press and start is turned away', () =>
  inRig(
    async (rig) => {
      const approval = await rig.bench.ask();
      const card = await rig.card(approval);
      await rig.send(await pressOn(rig.workspace, card, rig.workspace.user('rosa'), 'approve'));
      rig.workspace.describe(rig.workspace.user('rosa'), { deleted: true });
      await rig.again();
      assert.deepEqual(await reviewsOf(rig, approval), []);
      assert.deepEqual(await rig.bench.chat().open('slack'), []);
      assert.equal((await rig.bench.entries('click.refused')).length, 1);
    },
    { wrap: (chat) => ({ ...chat, carryOut: died }) },
  ));

test('while Slack cannot be asked at the start, a press stays open: nobody is taken for a member', () =>
  inRig(
    async (rig) => {
      const approval = await rig.bench.ask();
      const card = await rig.card(approval);
      await rig.send(await pressOn(rig.workspace, card, rig.workspace.user('rosa'), 'approve'));
      await eventually(() => rig.workspace.calls('users.info').length === 1, 'it was asked once');
      rig.workspace.breakDown();
      await rig.again();
      assert.deepEqual(await reviewsOf(rig, approval), []);
      assert.equal((await rig.bench.chat().open('slack')).length, 1);
      rig.workspace.mend();
      await rig.again();
      assert.deepEqual(await reviewsOf(rig, approval), ['rosa approve slack']);
    },
    { wrap: (chat) => ({ ...chat, carryOut: died }) },
  ));

const down = {
  ok: false,
  error: { code: 'audit_unavailable', detail: 'The log cannot be written.' },
} as const;

for (const [what, record] of [
  ['says so', async () => down],
  [
    'throws',
    async () => {
      throw new Error('disk full');
    },
  ],
] as const) {
  test(`where the store ${what}, a press is not acknowledged, and nothing happens`, () =>
    inRig(
      async (rig) => {
        const approval = await rig.bench.ask();
        const card = await rig.card(approval);
        const rosa = rig.workspace.user('rosa');
        assert.equal((await rig.send(await pressOn(rig.workspace, card, rosa, 'approve'))).status, 500);
        await rig.send(await pressOn(rig.workspace, card, rosa, 'deny'));
        await eventually(() => rig.workspace.calls('views.open').length === 1, 'the form opens');
        const form = rig.workspace.calls('views.open')[0]?.answer.view;
        assert.equal((await rig.send(submit(form, rosa, { reason: 'no' }))).status, 500);
        assert.deepEqual(await reviewsOf(rig, approval), []);
        assert.deepEqual(rig.workspace.calls('chat.postEphemeral'), [], 'nobody is told that it worked');
        await rig.again();
        assert.equal((await rig.send(submit(form, rosa, { reason: 'no' }))).status, 200);
        await eventually(async () => (await reviewsOf(rig, approval)).length === 1, 'it works afterwards');
      },
      { wrap: (chat) => ({ ...chat, record }) },
    ));
}

test('before the start and after the end nothing is taken', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    const card = await rig.card(approval);
    await rig.app().stop();
    const pressed = await pressOn(rig.workspace, card, rig.workspace.user('rosa'), 'approve');
    assert.equal((await rig.send(pressed)).status, 500);
    assert.deepEqual(await reviewsOf(rig, approval), []);
  }));
