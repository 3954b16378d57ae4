/** Slack's messages behind the port: what arrives, how failures are told apart, and that a lost answer is found again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSlack } from '../../../src/channels/slack/slack.ts';
import { asPostId } from '../../../src/core/chat.ts';
import { line } from '../../../src/core/render/shown.ts';
import type { ChannelFailure } from '../../../src/ports/channel.ts';
import type { Laid, Messenger } from '../../../src/ports/messenger.ts';
import { startWorkspace, type Loose, type Workspace } from './support/workspace.ts';

const laid = (text: string): Laid => ({
  text,
  whole: true,
  body: { blocks: [{ type: 'header', text: { type: 'plain_text', text, emoji: false } }] },
});
const id = asPostId('pst_00000000000000000000000000000001');
const other = asPostId('pst_00000000000000000000000000000002');

async function inWorkspace(
  work: (at: {
    readonly workspace: Workspace;
    readonly messenger: Messenger;
    readonly lines: string[];
  }) => Promise<void>,
): Promise<void> {
  const workspace = await startWorkspace();
  const lines: string[] = [];
  const { messenger } = createSlack({
    settings: workspace.settings('http'),
    clock: { nowMs: () => Date.now() },
    board: { say: (standing) => void lines.push(JSON.stringify(standing)) },
    say: (said) => void lines.push(said),
  });
  try {
    await work({ workspace, messenger, lines });
  } finally {
    await workspace.stop();
  }
}

test('a card is posted, changed in place and answered in its thread; nothing is unfurled', () =>
  inWorkspace(async ({ workspace, messenger }) => {
    const channel = workspace.channel('data-approvals');
    const sent = await messenger.post('#data-approvals', laid('waits'), id);
    assert.ok(sent.ok);
    assert.equal(sent.value.place, channel);
    assert.deepEqual(await messenger.update(sent.value, laid('denied')), { ok: true, value: 'updated' });
    const [message, ...more] = await workspace.messages(channel);
    assert.deepEqual(more, []);
    assert.equal(message.text, 'denied');
    assert.match(JSON.stringify(message.blocks), /denied/);
    assert.deepEqual(message.metadata, { event_type: 'countersign_post', event_payload: { id } });
    const note = { text: line('Denied by <!channel> & Sam.'), url: 'http://gate/approvals/apr_1' };
    assert.deepEqual(await messenger.reply(sent.value, note), { ok: true, value: null });
    const [reply] = await workspace.replies(channel, sent.value.message);
    assert.doesNotMatch(reply.text, /<!channel>/);
    for (const { args } of workspace.calls('chat.postMessage')) {
      assert.equal(args.unfurl_links, 'false');
      assert.equal(args.unfurl_media, 'false');
    }
  }));

test('one person is told alone, in a direct message', () =>
  inWorkspace(async ({ workspace, messenger }) => {
    const told = await messenger.tell(workspace.user('sam'), { text: line('It was approved.'), url: null });
    assert.ok(told.ok);
    assert.equal((await workspace.messages(told.value.place)).length, 1);
    assert.deepEqual(await workspace.messages(workspace.channel('data-approvals')), []);
  }));

test('a message that is there is found by its id; another, nobody’s or somebody else’s is not', () =>
  inWorkspace(async ({ workspace, messenger }) => {
    const sinceMs = Date.now();
    const sent = await messenger.post('#data-approvals', laid('waits'), id);
    for (let more = 0; more < 5; more += 1) await messenger.post('#data-approvals', laid('other'), other);
    assert.deepEqual(await messenger.find('#data-approvals', id, sinceMs), sent);
    assert.deepEqual(await messenger.find('#security', id, sinceMs), { ok: true, value: null });
    // Another app's message with our metadata.
    workspace.instead((method) =>
      method === 'conversations.history'
        ? {
            body: {
              ok: true,
              messages: [forged({ app_id: 'A0OTHER' }), forged({ user: 'U1', bot_id: 'B1' })],
            },
          }
        : undefined,
    );
    assert.deepEqual(await messenger.find('#data-approvals', id, sinceMs), { ok: true, value: null });
    const history = workspace.calls('conversations.history').at(-1);
    assert.equal(history?.args.include_all_metadata, 'true');
    assert.ok(Number(history?.args.oldest) < sinceMs / 1000);
  }));

const forged = (by: object): object => ({
  ts: '1.1',
  metadata: { event_type: 'countersign_post', event_payload: { id } },
  ...by,
});

test('where a channel cannot be read, nobody can tell', () =>
  inWorkspace(async ({ workspace, messenger }) => {
    await messenger.post('#data-approvals', laid('waits'), id);
    const answers = (error: string): void =>
      workspace.instead((method) =>
        method === 'conversations.history' ? { body: { ok: false, error } } : undefined,
      );
    answers('not_in_channel');
    assert.deepEqual(await messenger.find('#data-approvals', id, 0), { ok: true, value: 'unknown' });
    answers('missing_scope');
    assert.deepEqual(await messenger.find('#data-approvals', id, 0), { ok: true, value: 'unknown' });
    answers('ratelimited');
    assert.equal((await messenger.find('#data-approvals', id, 0)).ok, false, 'it will be known later');
    workspace.breakDown();
    const cut = await messenger.find('#data-approvals', id, 0);
    assert.ok(!cut.ok && cut.error.whole === true, 'an outage is a failure, not an answer');
  }));

test('a message or a modal that is gone is told as gone', () =>
  inWorkspace(async ({ workspace, messenger }) => {
    const channel = workspace.channel('security');
    assert.deepEqual(await messenger.update({ place: channel, message: '1.1' }, laid('x')), {
      ok: true,
      value: 'gone',
    });
    assert.deepEqual(await messenger.update({ place: 'view:U1', message: 'V0NONE' }, laid('x')), {
      ok: true,
      value: 'gone',
    });
    assert.deepEqual(
      await messenger.reply({ place: 'view:U1', message: 'V0NONE' }, { text: line('x'), url: null }),
      {
        ok: true,
        value: null,
      },
    );
  }));

test('an open modal is changed as a view', () =>
  inWorkspace(async ({ workspace, messenger }) => {
    const { trigger_id } = await workspace.call('views.generateTriggerId', {
      user_id: workspace.user('sam'),
    });
    const modal = { type: 'modal', title: { type: 'plain_text', text: 'x' }, blocks: [] };
    const { view } = await workspace.call('views.open', { trigger_id, view: JSON.stringify(modal) });
    const at = { place: `view:${workspace.user('sam')}`, message: view.id };
    assert.deepEqual(await messenger.update(at, laid('over')), { ok: true, value: 'updated' });
    assert.match(JSON.stringify(workspace.calls('views.update')[0]?.answer.view.blocks), /over/);
  }));

type Means = Partial<ChannelFailure> & { readonly says: RegExp };
const failures: readonly (readonly [what: string, answer: Loose, means: Means])[] = [
  [
    'a limit',
    { status: 429, headers: { 'retry-after': '7' }, body: { ok: false, error: 'ratelimited' } },
    { retryable: true, retryAfterMs: 7000, unsent: true, says: /7 s/ },
  ],
  ['a limit without a time', { status: 429, body: {} }, { retryable: true, says: /Slack/ }],
  ['a failure of Slack’s', { status: 503, body: {} }, { retryable: true, whole: true, says: /503/ }],
  ['an answer that is none', { status: 200, body: 'hello' }, { retryable: true, says: /Slack/ }],
  [
    'an internal error',
    { body: { ok: false, error: 'internal_error' } },
    { retryable: true, unsent: undefined as never, says: /internal_error/ },
  ],
  [
    'a channel without the app',
    { body: { ok: false, error: 'not_in_channel' } },
    { retryable: false, unsent: true, says: /\/invite @Countersign/ },
  ],
  [
    'no such channel',
    { body: { ok: false, error: 'channel_not_found' } },
    { retryable: false, says: /\/invite @Countersign/ },
  ],
  [
    'an archived channel',
    { body: { ok: false, error: 'is_archived' } },
    { retryable: false, says: /archived/ },
  ],
  [
    'blocks that Slack refuses',
    { body: { ok: false, error: 'invalid_blocks' } },
    { retryable: false, says: /report/ },
  ],
  [
    'a token that is not accepted',
    { body: { ok: false, error: 'invalid_auth' } },
    { retryable: true, whole: true, says: /bot token/ },
  ],
  [
    'a token that was revoked',
    { body: { ok: false, error: 'token_revoked' } },
    { retryable: true, whole: true, says: /revoked/ },
  ],
  [
    'an error that is no code',
    { body: { ok: false, error: 'xoxb-1 <script>' } },
    { retryable: true, says: /unknown_error/ },
  ],
];

for (const [what, answer, { says, ...means }] of failures) {
  test(`a failure is an answer: ${what}`, () =>
    inWorkspace(async ({ workspace, messenger, lines }) => {
      workspace.instead((method) => (method === 'chat.postMessage' ? answer : undefined));
      const sent = await messenger.post(workspace.channel('security'), laid('waits'), id);
      assert.ok(!sent.ok);
      for (const [key, value] of Object.entries(means))
        assert.equal(Reflect.get(sent.error, key), value, `${key} of ${JSON.stringify(sent.error)}`);
      assert.match(sent.error.detail, says);
      assert.doesNotMatch(JSON.stringify([sent.error, lines]), /xoxb-[a-z0-9]/);
      assert.equal(workspace.calls('chat.postMessage').length, 1, 'the outbox repeats, nobody else');
    }));
}

test('an outage is the whole channel’s, and over when it is over', () =>
  inWorkspace(async ({ workspace, messenger }) => {
    workspace.breakDown();
    const sent = await messenger.post(workspace.channel('security'), laid('waits'), id);
    assert.ok(!sent.ok);
    assert.equal(sent.error.whole, true);
    assert.equal(sent.error.retryable, true);
    assert.equal(sent.error.unsent, undefined, 'it may have arrived');
    workspace.mend();
    assert.ok((await messenger.post(workspace.channel('security'), laid('waits'), id)).ok);
  }));

test('nothing of a call is written to the terminal, whatever happens to it', async (t) => {
  const written: string[] = [];
  for (const level of ['debug', 'info', 'log', 'warn', 'error'] as const)
    t.mock.method(console, level, (...said: unknown[]) => void written.push(said.join(' ')));
  await inWorkspace(async ({ workspace, messenger }) => {
    await messenger.post('#data-approvals', laid('waits'), id);
    workspace.instead(() => ({
      body: { ok: false, error: 'invalid_auth', response_metadata: { messages: ['[ERROR] x'] } },
    }));
    await messenger.post('#security', laid('waits'), id);
    workspace.breakDown();
    await messenger.post('#security', laid('waits'), id);
  });
  t.mock.restoreAll();
  assert.deepEqual(written, []);
});
