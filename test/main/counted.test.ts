/** Presses are counted once each, with what became of them: carried out, turned away, or refused before they were recorded. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { refuse } from '../../src/core/refusal.ts';
import { counted } from '../../src/main/counted.ts';
import type { Chat } from '../../src/ports/chat.ts';
import { chatBench, freshClick, slackOf, startChatGate, type ChatBench } from '../support/chat.ts';
import type { TestGate } from '../support/gate.ts';

let gate: TestGate;
let at: ChatBench;
const rosa = slackOf('UR', 'Rosa');
before(async () => {
  gate = await startChatGate();
  at = chatBench(gate);
  await at.link('rosa', rosa);
});
after(() => gate.stop());

function counting(): { readonly chat: Chat; readonly outcomes: string[] } {
  const outcomes: string[] = [];
  const pressed = (channel: string, outcome: string): void => void outcomes.push(`${channel} ${outcome}`);
  return { chat: counted(at.chat(), { pressed, delivered: () => undefined }), outcomes };
}

const pressOf = async (over: Partial<Parameters<Chat['record']>[0]> = {}) => {
  const post = await at.post(await at.ask());
  const pressed = at.button(post, 'approve');
  const said = { reason: null, unsafe: false };
  return { id: freshClick(), account: rosa, pressed, at: post.at, ...said, ...over };
};

test('carried out: once, also where the platform sends it again, before or after', async () => {
  const { chat, outcomes } = counting();
  const press = await pressOf();
  const [one, other] = [await chat.record(press), await chat.record(press)];
  assert.ok(one.ok && other.ok);
  await Promise.all([chat.carryOut(one.value), chat.carryOut(other.value)]);
  const again = await chat.record(press);
  assert.ok(again.ok);
  await chat.carryOut(again.value);
  assert.deepEqual(outcomes, ['slack done']);
});

test('turned away, or refused where it is carried out: once, by what for', async () => {
  const { chat, outcomes } = counting();
  const [guest, nobody] = [
    await chat.record(await pressOf()),
    await chat.record(await pressOf({ account: slackOf('U404') })),
  ];
  assert.ok(guest.ok && nobody.ok);
  const refusal = refuse('not_permitted', 'Guests decide nothing here.');
  for (let times = 0; times < 2; times += 1) await chat.turnAway(guest.value, refusal, {});
  await chat.carryOut(nobody.value);
  assert.deepEqual(outcomes, ['slack not_permitted', 'slack unauthenticated']);
});

test('refused before it was recorded: once, and it is never carried out', async () => {
  const { chat, outcomes } = counting();
  const press = await pressOf();
  const forged = { ...press, pressed: { ...press.pressed, tag: 'e'.repeat(32) } };
  assert.ok(!(await chat.record(forged)).ok);
  assert.deepEqual(outcomes, ['slack not_permitted']);
  const { store } = gate.gate().parts;
  const change = store.change.bind(store);
  store.change = () => Promise.resolve({ ok: false, error: { kind: 'fault', detail: 'the disk is full' } });
  assert.ok(!(await chat.record(press)).ok);
  store.change = change;
  assert.deepEqual(outcomes.slice(1), ['slack audit_unavailable']);
});
