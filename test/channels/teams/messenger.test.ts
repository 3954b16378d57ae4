/** Messages in Teams against a connector: posting, changing, threads, one person alone, and every way in which it fails. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConnector, tokenSpareMs } from '../../../src/channels/teams/connector.ts';
import { createMessenger } from '../../../src/channels/teams/messenger.ts';
import { createSdk } from '../../../src/channels/teams/sdk.ts';
import { noteCard } from '../../../src/channels/teams/card.ts';
import { asPostId } from '../../../src/core/chat.ts';
import { line } from '../../../src/core/render/shown.ts';
import type { Laid, Messenger } from '../../../src/ports/messenger.ts';
import { channel, groupChat, startPlatform, type Platform } from './support/platform.ts';
import { textIn } from './support/rig.ts';

interface World {
  readonly platform: Platform;
  readonly messenger: Messenger;
  readonly later: (ms: number) => void;
}

async function inWorld(work: (world: World) => Promise<void>): Promise<void> {
  const platform = await startPlatform();
  let aheadMs = 0;
  const connector = createConnector(platform.settings, { nowMs: () => Date.now() + aheadMs });
  const hear = { pressed: () => Promise.reject(new Error('not used')), told: () => Promise.resolve() };
  const sdk = createSdk(platform.settings, connector, hear, () => undefined);
  try {
    await work({
      platform,
      messenger: createMessenger(platform.settings, () => sdk),
      later: (ms) => {
        aheadMs += ms;
      },
    });
  } finally {
    await platform.stop();
  }
}

const id = asPostId('pst_1');
const laidOf = (text: string): Laid => ({
  // As `layCard` makes them.
  body: JSON.parse(JSON.stringify(noteCard({ text: line(text), url: null }))),
  text: line(text),
  whole: true,
});
const note = { text: line('Denied by Sam.'), url: 'http://localhost:7788/approvals/apr_1' };

test('posted, changed in place, and gone', () =>
  inWorld(async ({ platform, messenger }) => {
    for (const to of [channel, groupChat]) {
      const posted = await messenger.post(to, laidOf('first'), id);
      assert.ok(posted.ok, JSON.stringify(posted));
      assert.equal(posted.value.place, to);
      const message = platform.messages.find((one) => one.id === posted.value.message);
      assert.ok(message !== undefined);
      assert.equal(message.activity.summary, 'first');
      assert.equal(message.activity.channelData.tenant.id, platform.settings.tenant);
      assert.deepEqual(await messenger.update(posted.value, laidOf('second')), {
        ok: true,
        value: 'updated',
      });
      assert.equal(textIn(message), 'second');
      const nowhere = { ...posted.value, message: '1' };
      assert.deepEqual(await messenger.update(nowhere, laidOf('x')), { ok: true, value: 'gone' });
    }
    // A thread's id, as Teams gives it, means its channel.
    const threaded = await messenger.post(`${channel};messageid=17`, laidOf('x'), id);
    assert.ok(threaded.ok);
    assert.equal(threaded.value.place, channel);
    assert.equal(platform.messages.length, 3, 'one each');
  }));

test('a reply is in the thread of a channel, and a message in a chat; a note to one person in theirs', () =>
  inWorld(async ({ platform, messenger }) => {
    for (const to of [channel, groupChat]) {
      const posted = await messenger.post(to, laidOf('first'), id);
      assert.ok(posted.ok);
      assert.deepEqual(await messenger.reply(posted.value, note), { ok: true, value: null });
      const reply = platform.messages.at(-1);
      assert.deepEqual(
        [reply?.conversation, reply?.thread],
        [to, to === channel ? posted.value.message : null],
      );
    }
    const rosa = platform.person('rosa').aadObjectId;
    const told = await messenger.tell(rosa, note);
    assert.ok(told.ok);
    assert.equal(told.value.place, 'a:rosa');
    const again = await messenger.tell(rosa, note);
    assert.ok(again.ok);
    assert.equal(again.value.place, 'a:rosa');
    assert.deepEqual(await messenger.find(channel, id, 0), { ok: true, value: 'unknown' });
  }));

test('failures: what may be tried again, when, and what to do about the others', () =>
  inWorld(async ({ platform, messenger }) => {
    const failing = async (failure: Parameters<Platform['fail']>[0]) => {
      platform.fail(failure);
      const sent = await messenger.post(channel, laidOf('x'), id);
      assert.ok(!sent.ok);
      await platform.mend();
      return sent.error;
    };
    const limited = await failing({ status: 429, retryAfter: '17' });
    assert.deepEqual([limited.retryable, limited.retryAfterMs, limited.whole], [true, 17_000, true]);
    for (const status of [412, 500, 502, 503, 504])
      assert.equal((await failing({ status })).retryable, true, `${status}`);
    assert.equal((await failing({ status: 412 })).whole, false);
    assert.equal((await failing({ status: 502 })).whole, true);
    const forbidden = await failing({ status: 403, code: 'BotNotInConversationRoster' });
    assert.equal(forbidden.retryable, false);
    assert.match(forbidden.detail, /BotNotInConversationRoster.*Install the app/);
    assert.match((await failing({ status: 400, code: 'x y\u0000' })).detail, /^Teams answered HTTP 400\.$/);
    // The service repeats nothing by itself.
    assert.equal(platform.requests.length, 10);
    assert.equal(platform.messages.length, 0);

    const nowhere = await messenger.post('19:nowhere@thread.tacv2', laidOf('x'), id);
    assert.ok(!nowhere.ok && !nowhere.error.retryable);
    assert.match(nowhere.error.detail, /ConversationNotFound.*configuration/);
    const stranger = await messenger.tell('aaaaaaaa-0000-4000-8000-000000000099', note);
    assert.ok(!stranger.ok && !stranger.error.retryable);
  }));

test('what is no id never becomes a part of an address', () =>
  inWorld(async ({ platform, messenger }) => {
    for (const odd of ['', '..', '.', 'a/b', 'a?b', 'a#b', 'a b', '%2e%2e', '\\', 'x'.repeat(600)]) {
      assert.ok(!(await messenger.post(odd, laidOf('x'), id)).ok, odd);
      assert.ok(!(await messenger.update({ place: odd, message: '1' }, laidOf('x'))).ok, odd);
      assert.ok(!(await messenger.update({ place: channel, message: odd }, laidOf('x'))).ok, odd);
      assert.ok(!(await messenger.tell(odd, note)).ok, odd);
    }
    assert.deepEqual(platform.requests, []);
  }));

test('a token is fetched once, renewed before it runs out, and after the connector has refused it', () =>
  inWorld(async ({ platform, messenger, later }) => {
    await Promise.all([1, 2, 3].map(() => messenger.post(channel, laidOf('x'), id)));
    assert.equal(platform.tokens(), 1);
    later(3599_000 - tokenSpareMs + 1000);
    await messenger.post(channel, laidOf('x'), id);
    assert.equal(platform.tokens(), 2);
    platform.fail({ status: 401 });
    const refused = await messenger.post(channel, laidOf('x'), id);
    assert.ok(!refused.ok && refused.error.retryable && refused.error.whole);
    assert.match(refused.error.detail, /clientId and tenant/);
    await platform.mend();
    assert.ok((await messenger.post(channel, laidOf('x'), id)).ok);
    assert.equal(platform.tokens(), 3);
  }));

test('Teams is down, or the credentials are refused: nothing can be delivered on this channel, and why', () =>
  inWorld(async ({ platform, messenger }) => {
    await platform.breakDown();
    const down = await messenger.post(channel, laidOf('x'), id);
    assert.ok(!down.ok && down.error.retryable && down.error.whole);
    assert.match(down.error.detail, /^Teams cannot be reached: ECONN/);
    await platform.mend();
    assert.ok((await messenger.post(channel, laidOf('x'), id)).ok);
  }));

test('credentials that are refused', () =>
  inWorld(async ({ platform, messenger }) => {
    platform.revoke();
    const refused = await messenger.post(channel, laidOf('x'), id);
    assert.ok(!refused.ok && refused.error.whole);
    assert.match(refused.error.detail, /has not expired/);
    assert.deepEqual(platform.requests, []);
  }));
