/** App Home is kept up to date for those who opened it lately, within bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHomes } from '../../../src/channels/slack/homes.ts';
import { homeView, homeWord } from '../../../src/channels/slack/home.ts';
import type { ChatAccount } from '../../../src/ports/chat.ts';

const account = (subject: string): ChatAccount => ({
  kind: 'slack',
  issuer: 'T1',
  subject,
  display: subject,
});

function rig(limited = false) {
  const published: string[] = [];
  let nowMs = 0;
  const homes = createHomes({
    chat: { inbox: async () => ({ ok: true, value: { lines: [], more: 0, url: 'http://gate/inbox' } }) },
    web: {
      call: async (_method, args) => {
        published.push(String(args['user_id']));
        return limited
          ? { ok: false, error: { code: 'ratelimited', detail: 'x', retryable: true, retryAfterMs: 1000 } }
          : { ok: true, value: {} };
      },
    },
    askMember: async () => ({ kind: 'member' }),
    layout: { home: homeView, homeWord },
    nowMs: () => nowMs,
    gatherMs: 0,
  });
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return { homes, published, settled, later: (ms: number) => (nowMs += ms) };
}

test('changes at once are shown once, to everybody who opened it', async () => {
  const { homes, published, settled } = rig();
  await homes.opened(account('U1'));
  await homes.opened(account('U2'));
  published.length = 0;
  for (let change = 0; change < 10; change += 1) homes.changed();
  await settled();
  assert.deepEqual(published, ['U1', 'U2']);
  homes.changed();
  await settled();
  assert.deepEqual(published, ['U1', 'U2', 'U1', 'U2']);
});

test('nobody is shown anything an hour later, and of many only who opened it last', async () => {
  const { homes, published, settled, later } = rig();
  for (let person = 0; person < 60; person += 1) await homes.opened(account(`U${person}`));
  published.length = 0;
  homes.changed();
  await settled();
  assert.equal(published.length, 50);
  assert.ok(!published.includes('U0') && published.includes('U59'));
  later(3_600_001);
  published.length = 0;
  homes.changed();
  await settled();
  assert.deepEqual(published, []);
});

test('where Slack wants to be left alone, the others are left for the next time', async () => {
  const { homes, published, settled } = rig(true);
  await homes.opened(account('U1'));
  await homes.opened(account('U2'));
  published.length = 0;
  homes.changed();
  await settled();
  assert.deepEqual(published, ['U1']);
});

test('after the end nothing is shown', async () => {
  const { homes, published, settled } = rig();
  await homes.opened(account('U1'));
  published.length = 0;
  homes.stop();
  homes.changed();
  await settled();
  assert.deepEqual(published, []);
});
