/**
 * Teams in trouble while something is to be posted: what it refused was never there, so it is the same copy that is tried again; and
 * an outage, however long, uses up nothing that would keep the approval from being posted after it. And who is no person.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPosting } from '../../src/app/posting.ts';
import { leaseMs } from '../../src/app/outbox.ts';
import { createConnector } from '../../src/channels/teams/connector.ts';
import { createMessenger } from '../../src/channels/teams/messenger.ts';
import { createSdk } from '../../src/channels/teams/sdk.ts';
import { ok } from '../../src/core/result.ts';
import { asGroupId, type ApprovalId } from '../../src/core/ids.ts';
import type { Delivered } from '../../src/ports/channel.ts';
import type { Messenger } from '../../src/ports/messenger.ts';
import { withRig, type Rig } from '../app/posting-rig.ts';
import { replace } from '../support/fake-messenger.ts';
import { inRig } from '../channels/teams/support/rig.ts';
import { channel, startPlatform, tenant, type Platform } from '../channels/teams/support/platform.ts';

interface World {
  readonly rig: Rig;
  readonly platform: Platform;
  readonly messenger: Messenger;
  readonly approval: ApprovalId;
  /** Tells Teams once that the approval was opened, a while after the last time. */
  readonly deliver: () => Promise<Delivered>;
  /** States of the copies, oldest first. */
  readonly states: () => Promise<readonly string[]>;
}

const withTeams = (work: (world: World) => Promise<void>): Promise<void> =>
  withRig(
    async (rig) => {
      const platform = await startPlatform();
      try {
        const { settings } = platform;
        const connector = createConnector(settings, { nowMs: () => Date.now() });
        const hear = { pressed: () => Promise.reject(new Error('not used')), told: () => Promise.resolve() };
        const sdk = createSdk(settings, connector, hear, () => undefined);
        const messenger = createMessenger(settings, () => sdk);
        const parts = { ...rig.parts, origin: 'https://gate.test' };
        const posting = createPosting(parts, messenger, () => [tenant]);
        const approval = await rig.open();
        let tries = 0;
        await work({
          rig,
          platform,
          messenger,
          approval,
          async deliver() {
            tries += 1;
            rig.later(leaseMs);
            const to = [{ group: asGroupId('data-owners'), to: channel }];
            const more = { to, ...(tries > 1 ? { again: true as const } : {}) };
            return posting.deliver(await rig.told('approval.opened', approval, more));
          },
          states: async () => (await rig.posts(approval)).map(({ state }) => state),
        });
      } finally {
        await platform.stop();
      }
    },
    ['teams'],
  );

for (const status of [400, 401, 403, 404, 412, 413, 429])
  test(`refused with ${status}: nothing is lost of it, and the same copy arrives once it is taken`, () =>
    withTeams(async ({ platform, deliver, states }) => {
      platform.fail({ status });
      for (let tries = 0; tries < 3; tries += 1) assert.equal((await deliver()).ok, false);
      assert.deepEqual(await states(), ['sending']);
      await platform.mend();
      assert.equal((await deliver()).ok, true);
      assert.deepEqual(await states(), ['posted']);
      assert.equal(platform.messages.length, 1);
    }));

test('nobody listens there: nothing is lost of it', () =>
  withTeams(async ({ platform, deliver, states }) => {
    await platform.breakDown();
    for (let tries = 0; tries < 3; tries += 1) assert.equal((await deliver()).ok, false);
    assert.deepEqual(await states(), ['sending']);
    await platform.mend();
    assert.equal((await deliver()).ok, true);
    assert.deepEqual(await states(), ['posted']);
  }));

test('the bot cannot sign in: nothing has left, and nothing is lost', () =>
  withTeams(async ({ platform, deliver, states }) => {
    platform.revoke();
    for (let tries = 0; tries < 3; tries += 1) assert.equal((await deliver()).ok, false);
    assert.deepEqual(await states(), ['sending']);
  }));

test('an outage of hours: one copy may be lost in it, and the approval is posted after it', () =>
  withTeams(async ({ platform, deliver, states }) => {
    for (const status of [502, 503]) {
      platform.fail({ status });
      for (let tries = 0; tries < 60; tries += 1) assert.equal((await deliver()).ok, false);
    }
    await platform.mend();
    assert.deepEqual((await deliver()).ok, true);
    assert.deepEqual(await states(), ['lost', 'posted']);
    assert.equal(platform.messages.length, 1);
  }));

test('answers that are lost again and again, while Teams is there: it is lost, and not posted without an end', () =>
  withTeams(async ({ messenger, platform, deliver, states }) => {
    replace(messenger, 'post', (real) => async (...args) => {
      await real(...args);
      return { ok: false, error: { detail: 'no answer', retryable: true } };
    });
    for (let tries = 0; tries < 60; tries += 1) await deliver();
    assert.ok(platform.messages.length <= 50, `${platform.messages.length} copies`);
    assert.ok((await states()).every((state) => state === 'lost'));
  }));

test('what cannot be looked up is not known, and what cannot be asked is said so', () =>
  withTeams(async ({ messenger, platform, approval, rig, deliver }) => {
    await deliver();
    const [post] = await rig.posts(approval);
    assert.ok(post !== undefined);
    assert.deepEqual(await messenger.find(channel, post.id, 0), ok('unknown'));
    platform.fail({ status: 503 });
    const found = await messenger.find(channel, post.id, 0);
    assert.equal(!found.ok && found.error.whole, true);
    platform.fail({ status: 404 });
    assert.deepEqual(await messenger.find(channel, post.id, 0), ok('unknown'));
  }));

test('a user that is an agent, or a bot with an id in the directory, presses: it is nobody', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    const card = await rig.card(approval);
    for (const role of ['agenticUser', 'bot', 'skill', 'agenticAppInstance']) {
      const { body } = await rig.press(card, 'rosa', 'approve', { tamper: (a) => (a.from.role = role) });
      assert.equal(body.statusCode, 400, role);
    }
    assert.deepEqual(await rig.reviews(approval), []);
    await rig.press(card, 'rosa', 'approve', { tamper: (a) => (a.from.role = 'user') });
    assert.deepEqual(await rig.reviews(approval), ['rosa approve teams']);
  }));
