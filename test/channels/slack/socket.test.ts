/** Socket Mode: presses over a connection that the gate opens, and that connection through refreshes, cuts and outages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../support/gate.ts';
import { eventOf, pressOn, signed, submit } from './support/presses.ts';
import { inRig, reviewsOf } from './support/rig.ts';
import { acknowledgement } from './support/socket-server.ts';

test('a press over Socket Mode is acknowledged after it was written down, and carried out', () => {
  const recorded = Promise.withResolvers<void>();
  return inRig(
    async (rig) => {
      const { sockets } = rig.workspace;
      assert.equal(sockets.count(), 1);
      assert.equal(rig.standings.at(-1)?.ok, true, 'the board says that it stands');
      const approval = await rig.bench.ask();
      const card = await rig.card(approval);
      const rosa = rig.workspace.user('rosa');
      const envelope = sockets.send('interactive', await pressOn(rig.workspace, card, rosa, 'approve'));
      // An event that came later is answered at once: the connection works.
      const later = sockets.send(
        'events_api',
        eventOf({ type: 'message', user: rosa, text: 'x', ts: '1.1' }),
      );
      await acknowledgement(sockets, later);
      assert.equal(sockets.acknowledged(envelope), undefined, 'nothing is written down yet');
      assert.deepEqual(await rig.bench.chat().open('slack'), []);
      recorded.resolve();
      assert.deepEqual(await acknowledgement(sockets, envelope), {});
      await rig.told('rosa');
      assert.deepEqual(await reviewsOf(rig, approval), ['rosa approve slack']);
    },
    {
      mode: 'socket',
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

test('a form over Socket Mode is answered in the form', () =>
  inRig(
    async (rig) => {
      const { sockets } = rig.workspace;
      const approval = await rig.bench.ask();
      const card = await rig.card(approval);
      const rosa = rig.workspace.user('rosa');
      sockets.send('interactive', await pressOn(rig.workspace, card, rosa, 'deny'));
      await eventually(() => rig.workspace.calls('views.open').length === 1, 'the form opens');
      const form = rig.workspace.calls('views.open')[0]?.answer.view;
      const envelope = sockets.send('interactive', submit(form, rosa, { reason: 'no' }));
      assert.equal((await acknowledgement(sockets, envelope)).response_action, 'update');
      await eventually(async () => (await reviewsOf(rig, approval)).length === 1, 'it is denied');
    },
    { mode: 'socket' },
  ));

test('what is foreign, or could not be written down, is not acknowledged', () =>
  inRig(
    async (rig) => {
      const { sockets } = rig.workspace;
      const approval = await rig.bench.ask();
      const card = await rig.card(approval);
      const rosa = rig.workspace.user('rosa');
      const pressed = await pressOn(rig.workspace, card, rosa, 'approve');
      const foreign = sockets.send('interactive', { ...pressed, api_app_id: 'A0OTHER' });
      const unwritten = sockets.send('interactive', pressed);
      const later = sockets.send(
        'events_api',
        eventOf({ type: 'message', user: rosa, text: 'x', ts: '1.1' }),
      );
      await acknowledgement(sockets, later);
      await eventually(() => rig.lines.some((line) => line.includes('disk full')), 'it has failed');
      assert.equal(sockets.acknowledged(foreign), undefined);
      assert.equal(sockets.acknowledged(unwritten), undefined);
      assert.deepEqual(await reviewsOf(rig, approval), []);
    },
    {
      mode: 'socket',
      wrap: (chat) => ({
        ...chat,
        record: async () => {
          throw new Error('disk full');
        },
      }),
    },
  ));

test('Slack asks to connect anew: at the end there is one connection, and it works', () =>
  inRig(
    async (rig) => {
      const { sockets } = rig.workspace;
      const opened = (): number => rig.workspace.calls('apps.connections.open').length;
      assert.equal(opened(), 1);
      sockets.refresh();
      await eventually(() => opened() === 2 && sockets.count() === 1, 'it is opened again');
      const approval = await rig.bench.ask();
      const rosa = rig.workspace.user('rosa');
      await eventually(() => rig.standings.filter((one) => one.ok).length >= 2, 'it was greeted');
      sockets.send('interactive', await pressOn(rig.workspace, await rig.card(approval), rosa, 'approve'));
      await rig.told('rosa');
      assert.deepEqual(await reviewsOf(rig, approval), ['rosa approve slack']);
    },
    { mode: 'socket' },
  ));

test('an outage is said, crashes nothing, and is over when Slack is back', () =>
  inRig(
    async (rig) => {
      rig.workspace.breakDown();
      await eventually(() => rig.standings.at(-1)?.ok === false, 'the board says that it fails');
      assert.match(rig.standings.at(-1)?.detail ?? '', /Slack/);
      rig.workspace.mend();
      await eventually(() => rig.standings.at(-1)?.ok === true, 'it stands again');
      assert.equal(rig.workspace.sockets.count(), 1);
    },
    { mode: 'socket' },
  ));

test('an app-level token that is not accepted: the start is not held up, and operators read why', () =>
  inRig(
    async (rig) => {
      assert.equal(rig.standings.at(-1)?.ok, false);
      assert.match(rig.standings.at(-1)?.detail ?? '', /app-level token/);
      assert.ok(rig.lines.some((line) => /app-level token/.test(line)));
      assert.doesNotMatch(JSON.stringify([rig.lines, rig.standings]), /xapp-[a-z0-9]/);
    },
    {
      mode: 'socket',
      settings: (settings) => ({ ...settings, mode: { kind: 'socket', appToken: 'xapp-wrong' } }),
    },
  ));

test('after the end there is no connection; over HTTP nothing is taken in Socket Mode', () =>
  inRig(
    async (rig) => {
      const card = await rig.card(await rig.bench.ask());
      const pressed = await pressOn(rig.workspace, card, rig.workspace.user('rosa'), 'approve');
      assert.equal(await rig.app().handle(signed('http://gate', pressed)), undefined);
      await rig.app().stop();
      await eventually(() => rig.workspace.sockets.count() === 0, 'it is closed');
      assert.equal(rig.workspace.calls('apps.connections.open').length, 1);
    },
    { mode: 'socket' },
  ));

for (const [what, over, says] of [
  ['workspace', { team: 'T0OTHER' }, /another workspace/],
  ['app', { appId: 'A0OTHER' }, /another app/],
] as const) {
  test(`a bot token of another ${what} than configured is said`, () =>
    inRig(
      async (rig) => {
        await eventually(() => rig.lines.some((line) => says.test(line)), 'operators read of it');
        assert.ok(rig.standings.some((one) => !one.ok && says.test(one.detail ?? '')));
      },
      { settings: (settings) => ({ ...settings, ...over }) },
    ));
}
