/** Whose the app is: asked until Slack answers, said where it is another one's, and nobody of an enterprise is known before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUs } from '../../../src/channels/slack/us.ts';
import { eventually } from '../../support/gate.ts';
import { inRig } from './support/rig.ts';
import { team, type Instead } from './support/workspace.ts';

const grid = 'E000000001';
const usOf =
  (more: object): Instead =>
  (method) =>
    method === 'auth.test'
      ? { body: { ok: true, team_id: team, user_id: 'U0', bot_id: null, ...more } }
      : undefined;

test('a workspace of its own has one organisation', () =>
  inRig(async (rig) => {
    await eventually(() => rig.standings.some((one) => one.ok), 'Slack was asked');
    assert.deepEqual(rig.app().organisations(), [team]);
  }));

test('a workspace of an enterprise: its people have accounts of the enterprise, from when that is known on', () =>
  inRig(async (rig) => {
    rig.workspace.breakDown();
    await rig.again();
    await eventually(() => rig.standings.some((one) => !one.ok), 'Slack cannot be asked');
    assert.deepEqual(rig.app().organisations(), [team], 'nobody is taken for one of them before');
    rig.workspace.instead(usOf({ enterprise_id: grid }));
    rig.workspace.mend();
    await eventually(() => rig.app().organisations().length === 2, 'it is asked again');
    assert.deepEqual(rig.app().organisations(), [team, grid]);
    assert.equal(rig.standings.at(-1)?.ok, true);
  }));

test('an installation for a whole enterprise has that alone', () =>
  inRig(
    async (rig) => {
      rig.workspace.instead(usOf({ enterprise_id: grid }));
      await rig.again();
      await eventually(() => rig.standings.at(-1)?.ok === true, 'it stands');
      assert.deepEqual(rig.app().organisations(), [grid]);
    },
    { settings: (settings) => ({ ...settings, team: grid }) },
  ));

test('of a token of another workspace nothing is believed', async () => {
  const failures: string[] = [];
  const us = createUs({
    // Only these are read.
    settings: { team, appId: 'A1', mode: { kind: 'http', signingSecret: 'x' }, botToken: 'x', apiUrl: 'x' },
    web: { call: () => Promise.resolve({ ok: true, value: { team_id: 'T0OTHER', enterprise_id: grid } }) },
    aloud: {
      stands: () => assert.fail('it does not stand'),
      fails: (failure) => void failures.push(failure),
    },
  });
  await us.ask();
  assert.deepEqual(us.organisations(), [team]);
  assert.match(failures.join(), /another workspace/);
});

test('after the end nobody asks any more', async () => {
  let calls = 0;
  const us = createUs({
    settings: { team, appId: 'A1', mode: { kind: 'http', signingSecret: 'x' }, botToken: 'x', apiUrl: 'x' },
    web: {
      call: () => {
        calls += 1;
        us.stop();
        return Promise.resolve({
          ok: false,
          error: { code: 'unreachable', detail: 'x', retryable: true },
        });
      },
    },
    aloud: { stands: () => undefined, fails: () => assert.fail('nobody reads it') },
  });
  await us.ask();
  assert.equal(calls, 1);
});
