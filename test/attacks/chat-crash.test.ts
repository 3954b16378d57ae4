/**
 * Presses and crashes: whatever happens between the press, its record, the review and the mark that it was done, it is carried out
 * once or not at all; the same press sent again does nothing again; an old one is not carried out by surprise.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { clickMs } from '../../src/core/chat.ts';
import { chatBench, freshClick, slackOf, startChatGate, told, type ChatBench } from '../support/chat.ts';
import { policies as basePolicies, type TestGate } from '../support/gate.ts';

const policies = `${basePolicies}
@id("pair.two") @title("A pair needs two data owners") @approvers("data-owners") @quorum("2")
forbid (principal, action == Action::"shop___pair", resource);
`;
const pair = `  shop___pair: { input: { type: object, properties: { cents: { type: integer } } } }\n`;

let skewMs = 0;
let gate: TestGate;
let at: ChatBench;
const [rosa, mia] = [slackOf('UR', 'Rosa'), slackOf('UM', 'Mia')];
before(async () => {
  gate = await startChatGate({ operations: pair, policies, clock: { nowMs: () => Date.now() + skewMs } });
  at = chatBench(gate);
  await at.link('rosa', rosa);
  await at.link('mia', mia);
});
after(() => gate.stop());

const crash = async (): Promise<void> => {
  await gate.restart();
  at.restarted();
};
const recorded = async (verb: 'approve' | 'deny' | 'stop' = 'approve', operation?: string) => {
  const post = await at.post(await at.ask(500, operation === undefined ? {} : { operation }));
  const taken = await at.record(rosa, at.button(post, verb), post.at);
  assert.ok(taken.ok);
  return { post, click: taken.value };
};
const reviews = async (post: { readonly approval: Parameters<ChatBench['held']>[0] }) =>
  (await at.held(post.approval)).reviews.map((one) => `${one.person} ${one.decision}`);

describe('a crash', () => {
  test('between the record and the review: carried out once, after the restart', async () => {
    const { post, click } = await recorded();
    await crash();
    assert.deepEqual(await reviews(post), []);
    const left = await at.chat().open('slack');
    assert.deepEqual(left, [click]);
    for (const one of left) assert.equal(told(await at.chat().carryOut(one))[0], 'done');
    assert.deepEqual(await reviews(post), ['rosa approve']);
    assert.deepEqual(await at.chat().open('slack'), []);
    await crash();
    assert.deepEqual(await at.chat().open('slack'), []);
  });

  test('before the message was noted: the press has had its time, and nobody waits at the start', async () => {
    const post = await at.post(await at.ask(), { state: 'sending', at: null });
    const there = { place: 'C1', message: '1700000000.000001' };
    const taken = await at.record(rosa, at.button(post, 'approve'), there);
    assert.ok(taken.ok);
    skewMs += 5000;
    await crash();
    const { store } = gate.gate().parts;
    const read = store.post.bind(store);
    let reads = 0;
    store.post = (id) => ((reads += 1), read(id));
    const [left] = await at.chat().open('slack');
    assert.ok(left !== undefined);
    const [code, text] = told(await at.chat().carryOut(left));
    store.post = read;
    assert.deepEqual([code, reads], ['not_permitted', 1]);
    assert.match(text, /press again in a moment/);
    assert.deepEqual(await reviews(post), []);
  });

  for (const [verb, operation] of [
    ['approve', undefined],
    ['approve', 'shop___pair'],
    ['deny', undefined],
  ] as const)
    test(`between ${verb} and its mark (${operation ?? 'one person decides'}): done before, and said so, not again`, () =>
      crashedAfter(verb, operation));

  test('for longer than a press is good for: refused, said, marked; nothing happens by surprise', async () => {
    const { post, click } = await recorded();
    skewMs += clickMs + 1000;
    await crash();
    const [left] = await at.chat().open('slack');
    assert.ok(left !== undefined);
    const [code, text] = told(await at.chat().carryOut(left));
    assert.equal(code, 'not_permitted');
    assert.match(text, /too long ago/);
    assert.equal((await at.entries('click.refused')).at(-1)?.data['why'], 'too late');
    assert.deepEqual(await reviews(post), []);
    assert.deepEqual(await at.chat().open('slack'), []);
    assert.equal(told(await at.chat().carryOut(click))[0], 'not_permitted', 'and it stays so');
    assert.equal(told(await at.press(rosa, post, 'approve'))[0], 'done', 'a new press is a new press');
  });
});

/** The press is carried out, the process ends before that is marked, and the next one carries it out again. */
async function crashedAfter(verb: 'approve' | 'deny' | 'stop', operation?: string): Promise<void> {
  const { post, click } = await recorded(verb, operation);
  const { store } = gate.gate().parts;
  const change = store.change.bind(store);
  let lost = 0;
  // The mark is never written: the process ends there.
  store.change = (command, ...rest) => {
    if (command.kind !== 'finishClick') return change(command, ...rest);
    lost += 1;
    return Promise.resolve({ ok: false, error: { kind: 'fault', detail: 'the disk is gone' } });
  };
  assert.equal(told(await at.chat().carryOut(click))[0], 'done');
  assert.equal(lost, 1);
  await crash();
  const were = await reviews(post);
  const types = ['review.recorded', 'review.refused', 'agent.stopped', 'click.refused'] as const;
  const counts = async () => Promise.all(types.map(async (type) => (await at.entries(type)).length));
  const wereCounts = await counts();
  const left = await at.chat().open('slack');
  assert.deepEqual(
    left.map((one) => one.id),
    [click.id],
  );
  assert.equal(told(await at.chat().carryOut(click))[0], 'done');
  assert.deepEqual(await reviews(post), were);
  assert.deepEqual(await counts(), wereCounts, 'nothing was refused or done a second time');
  assert.equal((await gate.gate().parts.store.click(click.id))?.outcome, 'done');
}

describe('the same press', () => {
  test('sent again: recorded once, answered alike, carried out once', async () => {
    const post = await at.post(await at.ask(500, { operation: 'shop___pair' }));
    const id = freshClick();
    const pressed = at.button(post, 'approve');
    const first = await at.record(rosa, pressed, post.at, { id });
    const second = await at.record(rosa, { ...pressed, use: 'deny' }, post.at, { id, reason: 'no' });
    assert.ok(first.ok && second.ok);
    assert.deepEqual(second.value, first.value, 'what was recorded first is what it is');
    const chat = at.chat();
    const words = [await chat.carryOut(first.value), await chat.carryOut(second.value)];
    assert.deepEqual(
      words.map((word) => told(word)),
      [
        ['done', 'You approved it: 1 of 2.'],
        ['done', 'You approved it: 1 of 2.'],
      ],
    );
    assert.deepEqual(await reviews(post), ['rosa approve']);
  });

  test('many at once: recorded once, carried out once, everybody is told the same', async () => {
    const post = await at.post(await at.ask(500, { operation: 'shop___pair' }));
    const id = freshClick();
    const words = await Promise.all(Array.from({ length: 8 }, () => at.press(rosa, post, 'approve', { id })));
    for (const word of words) assert.deepEqual(told(word), ['done', 'You approved it: 1 of 2.']);
    assert.deepEqual(await reviews(post), ['rosa approve']);
    const about = (await at.entries('review.recorded')).filter((one) => one.about.approval === post.approval);
    assert.equal(about.length, 1);
    const refused = (await at.entries('review.refused')).filter(
      (one) => one.about.approval === post.approval,
    );
    assert.deepEqual(refused, []);
  });

  test('under its id, by another account: refused, and neither recorded nor answered', async () => {
    const post = await at.post(await at.ask());
    const id = freshClick();
    const own = await at.record(rosa, at.button(post, 'approve'), post.at, { id });
    assert.ok(own.ok);
    const stolen = await at.record(mia, at.button(post, 'deny'), post.at, { id });
    assert.ok(!stolen.ok);
    assert.equal(stolen.error.code, 'not_permitted');
    await at.chat().carryOut(own.value);
    assert.deepEqual(await reviews(post), ['rosa approve']);
  });

  test('made up, never recorded: nothing is carried out', async () => {
    const post = await at.post(await at.ask());
    const taken = await at.record(rosa, at.button(post, 'deny'), post.at);
    assert.ok(taken.ok);
    const made = { ...taken.value, id: freshClick() };
    assert.equal(told(await at.chat().carryOut(made))[0], 'not_found');
    // What is carried out is what was recorded, and not what somebody says that it was.
    await at.chat().carryOut({ ...taken.value, verb: 'approve', account: mia });
    assert.deepEqual(await reviews(post), ['rosa deny']);
  });
});

describe('a store that cannot be written', () => {
  test('nothing is recorded, and nobody is told that it was', async () => {
    const post = await at.post(await at.ask());
    const { store } = gate.gate().parts;
    const change = store.change.bind(store);
    store.change = () => Promise.resolve({ ok: false, error: { kind: 'fault', detail: 'the disk is full' } });
    const taken = await at.record(rosa, at.button(post, 'approve'), post.at);
    assert.ok(!taken.ok);
    assert.equal(taken.error.code, 'audit_unavailable');
    store.change = change;
    const click = await at.record(rosa, at.button(post, 'approve'), post.at);
    assert.ok(click.ok);
    store.change = (command, ...rest) =>
      command.kind === 'review'
        ? Promise.resolve({ ok: false, error: { kind: 'fault', detail: 'the disk is full' } })
        : change(command, ...rest);
    const [code, text] = told(await at.chat().carryOut(click.value));
    store.change = change;
    assert.equal(code, 'audit_unavailable');
    assert.match(text, /Whether this was recorded is not known/);
    assert.deepEqual(await reviews(post), []);
    assert.deepEqual(await at.chat().open('slack'), [], 'it does not come back by itself');
  });
});

// Last, because nobody of this gate may let the agent go on.
describe('stopping the agent', () => {
  test('between stop and its mark: stopped before, and said so, not again', async () => {
    const waiting = await at.ask();
    await crashedAfter('stop');
    assert.equal((await gate.gate().parts.store.stops()).length, 1);
    assert.equal(
      (await at.held(waiting)).ending?.code,
      'cancelled',
      'what it had people look at is withdrawn',
    );
  });
});
