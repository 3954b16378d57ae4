/** App Home in a whole gate: it says what waits now, whatever changes that, and wherever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSlack } from '../../../src/channels/slack/slack.ts';
import { systemClock } from '../../../src/main.ts';
import { chatBench } from '../../support/chat.ts';
import { eventually, operations, people, startTestGate } from '../../support/gate.ts';
import { eventOf, signed } from './support/presses.ts';
import { startWorkspace, team } from './support/workspace.ts';

test('decided on the web, of an approval that was never posted to Slack: the homes opened lately say so', async () => {
  const workspace = await startWorkspace();
  const settings = workspace.settings('http');
  const slack = () =>
    createSlack({
      settings,
      clock: systemClock,
      board: { say: () => undefined },
      say: () => undefined,
      gatherMs: 1,
    });
  const gate = await startTestGate({
    config: `${people}${operations}`,
    // Nobody is reached there: no group has a route to it.
    adapt: (read) => ({ ...read, channels: { ...read.channels, slack: settings } }),
    platforms: () => ({ slack: slack() }),
  });
  try {
    const bench = chatBench(gate);
    const user = workspace.user('rosa');
    await bench.link('rosa', { kind: 'slack', issuer: team, subject: user, display: 'Rosa' });
    const homes = () => workspace.calls('views.publish').map((one) => JSON.stringify(one.args.view));
    const event = { type: 'app_home_opened', user, channel: 'D1', tab: 'home', event_ts: '1.1' };
    assert.equal((await fetch(signed(gate.gate().url, eventOf(event)))).status, 200);
    await eventually(() => /Nothing waits/.test(homes().at(-1) ?? ''), 'nothing waits');
    const approval = await bench.ask();
    await eventually(() => /Refund/.test(homes().at(-1) ?? ''), 'it waits');
    const { asked } = await bench.held(approval);
    const denied = await gate.call(
      await gate.token('person', 'rosa'),
      'POST',
      `/v1/approvals/${approval}/reviews`,
      { decision: 'deny', digest: asked.digest },
    );
    assert.equal(denied.status, 201);
    await eventually(() => /Nothing waits/.test(homes().at(-1) ?? ''), 'nothing waits any more');
    assert.deepEqual(await gate.gate().parts.store.postsOf(approval), [], 'it was never posted');
    assert.deepEqual(workspace.calls('chat.postMessage'), []);
  } finally {
    await gate.stop();
    await workspace.stop();
  }
});
