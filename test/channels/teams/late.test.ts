/** What takes longer than Teams waits is answered, and its outcome told to that person alone afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPresses, type PressParts } from '../../../src/channels/teams/presses.ts';
import { asClickId, asPostId, type Click } from '../../../src/core/chat.ts';
import { line } from '../../../src/core/render/shown.ts';
import { ok } from '../../../src/core/result.ts';
import type { Chat, Word } from '../../../src/ports/chat.ts';

const click: Click = {
  id: asClickId('a'.repeat(64)),
  channel: 'teams',
  account: { kind: 'teams', issuer: 'tenant', subject: 'sam' },
  display: 'Sam',
  verb: 'approve',
  post: asPostId('pst_1'),
  at: { place: '19:a', message: '1' },
  seen: null,
  reason: null,
  unsafe: false,
  atMs: 0,
  doneAtMs: null,
  outcome: null,
};

async function pressed(
  word: Word,
  slow: boolean,
): Promise<{ readonly answer: string; readonly told: readonly string[] }> {
  const told: string[] = [];
  const carrying = Promise.withResolvers<Word>();
  // What a press asks of the gate, and nothing else.
  const chat = {
    record: () => Promise.resolve(ok(click)),
    carryOut: () => carrying.promise,
  } as unknown as Chat;
  const parts: PressParts = {
    chat,
    askMember: () => Promise.resolve(null),
    tell: (subject, note) => {
      told.push(`${subject}: ${note.text} ${note.url ?? ''}`.trim());
      return Promise.resolve(ok(click.at));
    },
    failed: (error) => assert.fail(String(error)),
    // Nobody is slower than no time at all, and nothing in this test takes a minute.
    answerWithinMs: slow ? 0 : 60_000,
  };
  const presses = createPresses(parts);
  if (!slow) carrying.resolve(word);
  const answer = await presses.press({
    id: click.id,
    account: { ...click.account, kind: 'teams', display: 'Sam' },
    button: { id: 'pst_1', tag: 'x' },
    verb: 'approve',
    member: 'sam',
    at: click.at,
    reason: null,
    unsafe: false,
  });
  carrying.resolve(word);
  await presses.settled();
  return { answer: typeof answer.value === 'string' ? answer.value : answer.value.message, told };
}

const refused: Word = {
  kind: 'refused',
  code: 'no_self_approval',
  text: line('It counts as yours.'),
  link: null,
};

test('a late refusal is told to that person afterwards', async () => {
  const { answer, told } = await pressed(refused, true);
  assert.match(answer, /you will be told/);
  assert.deepEqual(told, ['sam: It counts as yours.']);
});

test('what is in time is said once', async () => {
  const { answer, told } = await pressed(refused, false);
  assert.equal(answer, 'It counts as yours.');
  assert.deepEqual(told, []);
});

test('a link that works once is told once, late or not', async () => {
  const link = { text: line('Link your account'), url: 'https://gate.test/link#cs_chatlink_x' };
  for (const slow of [true, false])
    assert.deepEqual((await pressed({ ...refused, link }, slow)).told, [
      'sam: It counts as yours. Link your account. https://gate.test/link#cs_chatlink_x',
    ]);
});
