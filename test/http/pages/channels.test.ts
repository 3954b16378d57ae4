/** Channels that fail are said to: in the inbox, on the approval, on the status page; and to nobody whose business it is not. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Case } from '../../../src/core/case.ts';
import { openPages, type PagesGate } from './support.ts';
import { fail, post } from './told.ts';

let gate: PagesGate;
before(async () => {
  gate = await openPages({ told: ['slack', 'teams'] });
});
after(() => gate.close());

const contentOf = (text: string): string => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');
const seen = async (who: string, path: string) => {
  const { status, text } = await gate.get(await gate.signIn(who), path);
  return { status, text, content: contentOf(text) };
};
let runs = 0;
const exported = (more = {}): Promise<Case> =>
  gate.ask('export_rows', { table: 'customers' }, { run: `channels-${(runs += 1)}`, ...more });
const pathOf = (held: Case): string => `/approvals/${held.approval?.id ?? ''}`;

test('an approval says where people were told, what could not be shown whole, and what was deleted', async () => {
  const held = await exported();
  assert.match((await seen('mia', pathOf(held))).content, /Where people were told In no chat yet/);
  await post(gate, held);
  await post(gate, held, { channel: 'teams', to: '19:long@thread.tacv2', whole: false });
  await post(gate, held, { to: '#old', state: 'gone' });
  await post(gate, held, { to: '#new', state: 'sending', at: null });
  await post(gate, held, { channel: 'teams', to: '19:lost@thread.tacv2', state: 'lost', at: null });
  await post(gate, held, { kind: 'view', group: null, to: 'U0PRIVATE' });
  await post(gate, held, { kind: 'note', group: null, to: 'U0OWNER', whole: false });
  // A reply below the first card, which says where.
  await post(gate, held, { kind: 'note', whole: false });
  const { content } = await seen('mia', pathOf(held));
  for (const part of [
    /Slack #data-approvals for data-owners shown there/,
    /Teams 19:long@thread\.tacv2 for data-owners shown there just now Not all of the action fits there, so it cannot be approved there\./,
    /Slack #old for data-owners deleted there/,
    /Slack #new for data-owners being sent/,
    /Teams 19:lost@thread\.tacv2 for data-owners may not have arrived/,
    /Slack to one person shown there/,
  ])
    assert.match(content, part);
  // A person's own place is their account's name.
  assert.doesNotMatch(content, /U0PRIVATE|U0OWNER/);
  assert.equal(content.match(/shown there/g)?.length, 3);
  // Of notes nobody expects the whole.
  assert.equal(content.match(/Not all of the action fits/g)?.length, 1);
});

test('a channel that fails is on the approval with why, how often, when again, and who was told instead', async () => {
  const held = await exported();
  await fail(gate, held, { channel: 'slack', detail: 'Slack answered 503.', next: 'teams' });
  const { content } = await seen('mia', pathOf(held));
  assert.doesNotMatch(content, /\.\.|older than this page/);
  assert.match(
    content,
    /Slack failing .* Slack answered 503\. Tried 1 time\. Next try at 09:31 UTC\. Told instead: Teams\./,
  );
});

test('where a channel fails that has shown it before, what is shown there may be old', async () => {
  const held = await exported();
  await post(gate, held);
  await fail(gate, held, { channel: 'slack', detail: 'Slack answered 503' });
  assert.match(
    (await seen('mia', pathOf(held))).content,
    /What is shown there may be older than this page\./,
  );
});

test('what was given up is said until the end', async () => {
  const held = await exported();
  assert.ok(held.approval);
  const result = await gate.parts.store.change({
    kind: 'record',
    entries: [
      {
        type: 'notice.failed',
        by: { kind: 'gate' },
        about: { action: held.asked.id, approval: held.approval.id, execution: null },
        subject: held.asked.subject,
        data: { channel: 'webhook', kind: 'approval.opened', attempts: 10, detail: 'answered 410' },
      },
    ],
  });
  assert.ok(result.ok);
  assert.match(
    (await seen('mia', pathOf(held))).content,
    /The webhook given up just now answered 410\. Tried 10 times\./,
  );
});

test('the inbox says which channel fails, for the approvals that its reader sees', async () => {
  const fresh = await openPages({ told: ['slack'] });
  try {
    const inbox = async (who: string): Promise<string> =>
      contentOf((await fresh.get(await fresh.signIn(who), '/inbox')).text);
    const first = await fresh.ask('export_rows', { table: 'customers' }, { run: '1' });
    const second = await fresh.ask('export_rows', { table: 'customers' }, { run: '2' });
    assert.doesNotMatch(await inbox('mia'), /could not be told/);
    fresh.clock.nowMs += 40_000;
    await fail(fresh, first, { channel: 'slack', detail: 'Slack answered 503' });
    assert.match(
      await inbox('mia'),
      /Slack could not be told of 1 approval since 09:30 UTC \(Slack answered 503\)\. This page has it/,
    );
    fresh.clock.nowMs += 1000;
    await fail(fresh, second, {
      channel: 'slack',
      detail: 'no channel #data-approvals, token xoxb-1234567890-abcdefghijkl',
    });
    const two = await inbox('mia');
    assert.match(two, /Slack could not be told of 2 approvals since 09:30 UTC .* This page has them all/);
    // Of both, why the one that was tried last failed; what looks like a secret in it is masked.
    assert.match(two, /no channel #data-approvals, token (?!xoxb-1234567890)/);
    assert.doesNotMatch(two, /xoxb-1234567890/);
    // Lee may read neither of them, Tom nothing at all: why and where says something of both.
    for (const who of ['lee', 'tom'])
      assert.doesNotMatch(await inbox(who), /could not|data-approvals|answered 503/);
    // An auditor reads them all.
    assert.match(await inbox('ada'), /Slack could not be told of 2 approvals/);
    // What is over waits for nobody.
    for (const held of [first, second]) {
      assert.ok(held.approval);
      const ended = await fresh.parts.store.change({
        kind: 'cancel',
        approval: held.approval.id,
        by: { kind: 'agent', id: held.asked.action.agent },
        reason: null,
      });
      assert.ok(ended.ok, JSON.stringify(ended));
    }
    assert.doesNotMatch(await inbox('mia'), /could not be told/);
  } finally {
    await fresh.close();
  }
});

test('who reads how the gate stands hears of a channel that fails while nothing waits; nobody else does', async () => {
  const fresh = await openPages({ told: ['slack'] });
  try {
    const atMs = fresh.clock.nowMs;
    const say = (ok: boolean): void =>
      fresh.board.say({ kind: 'channel', name: 'slack', ok, detail: ok ? null : 'the socket closed', atMs });
    const inbox = async (who: string): Promise<string> =>
      contentOf((await fresh.get(await fresh.signIn(who), '/inbox')).text);
    say(false);
    for (const who of ['olga', 'ada', 'sam'])
      assert.match(
        await inbox(who),
        /Slack could not be told anything since 09:30 UTC \(the socket closed\)\./,
      );
    for (const who of ['rosa', 'tom']) assert.doesNotMatch(await inbox(who), /could not be told|socket/);
    say(true);
    assert.doesNotMatch(await inbox('olga'), /could not be told/);
  } finally {
    await fresh.close();
  }
});

test('an open page hears that a channel fails, and that it works again', async () => {
  const ada = await gate.signIn('ada');
  const answer = await gate.handler(
    new Request(`${gate.origin}/events`, { headers: { cookie: ada.cookie } }),
  );
  const stream = answer.body?.getReader();
  assert.ok(stream !== undefined);
  const decoder = new TextDecoder();
  let all = '';
  const hears = async (times: number): Promise<void> => {
    while (all.split('event: changed').length - 1 < times) {
      const { value, done } = await stream.read();
      assert.ok(!done);
      all += decoder.decode(value);
    }
  };
  const say = (ok: boolean): void =>
    gate.board.say({ kind: 'channel', name: 'teams', ok, detail: null, atMs: gate.clock.nowMs });
  say(false);
  await hears(1);
  say(true);
  await hears(2);
  await stream.cancel();
  assert.doesNotMatch(all, /teams/, 'it says only that something changed');
});

test('the status page says since when, how much waits, and for how long; after a restart as well', async () => {
  const fresh = await openPages({ told: ['slack'] });
  try {
    const status = async (): Promise<string> =>
      contentOf((await fresh.get(await fresh.signIn('ada'), '/status')).text);
    const held = await fresh.ask('export_rows', { table: 'customers' });
    assert.match(await status(), /slack nothing to tell since this gate started/);
    fresh.clock.nowMs += 5 * 60_000;
    await fail(fresh, held, { channel: 'slack', detail: 'Slack answered 503' });
    // The board is empty: nothing was tried since the start.
    assert.match(
      await status(),
      /slack failing 1 notice waits, the oldest for 5 min last failure: Slack answered 503/,
    );
    const atMs = fresh.clock.nowMs;
    fresh.board.say({ kind: 'channel', name: 'slack', ok: false, detail: 'Slack answered 503', atMs });
    assert.match(await status(), /slack failing since 09:35 UTC, tried just now/);
  } finally {
    await fresh.close();
  }
});
