/**
 * Buttons of chats in the wrong hands: forged, exchanged, carried to another place, taken out of somebody else's view, pressed on
 * a copy that counts no more. None of them is recorded as a press; what was refused is in the log, and a flood of it is not.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { asPostId, tagOf, type Post } from '../../src/core/chat.ts';
import { toldPerMinute } from '../../src/app/chat/refused.ts';
import { chatBench, freshClick, slackOf, startChatGate, told, type ChatBench } from '../support/chat.ts';
import type { TestGate } from '../support/gate.ts';

let gate: TestGate;
let at: ChatBench;
let other: TestGate;
/** Each test its own presser: entries are bounded by account. */
let count = 0;
const stranger = () => slackOf(`U9${(count += 1)}`, 'Mallory');
const rosa = slackOf('U1', 'Rosa');
const mia = slackOf('U2', 'Mia');
before(async () => {
  [gate, other] = await Promise.all([startChatGate(), startChatGate()]);
  at = chatBench(gate);
  await at.link('rosa', rosa);
  await at.link('mia', mia);
});
after(() => Promise.all([gate.stop(), other.stop()]));

const whyLast = async (): Promise<unknown> => (await at.entries('click.refused')).at(-1)?.data['why'];

/** Refused before it is a press: nothing is recorded, nothing reviewed. */
async function notTaken(result: ReturnType<ChatBench['record']>, why: string): Promise<void> {
  const were = (await at.entries('click.refused')).length;
  const answer = await result;
  assert.ok(!answer.ok);
  assert.equal(answer.error.code, 'not_permitted');
  assert.equal((await at.entries('click.refused')).length, were + 1);
  assert.equal(await whyLast(), why);
  assert.deepEqual(await at.chat().open('slack'), []);
}

describe('a button that was tampered with', () => {
  test('the tag of one verb is none of another', async () => {
    const post = await at.post(await at.ask());
    for (const [use, of] of [
      ['approve', 'deny'],
      ['approve', 'open'],
      ['approve', 'inbox'],
      ['deny', 'approve'],
      ['stop', 'deny'],
    ] as const) {
      const pressed = { ...at.button(post, of), use };
      await notTaken(at.record(stranger(), pressed, post.at), 'tag');
    }
    assert.deepEqual((await at.held(post.approval)).reviews, []);
  });

  test('the tag of another copy, of another gate, a shorter one, none', async () => {
    const [post, second] = [await at.post(await at.ask()), await at.post(await at.ask())];
    const elsewhere = tagOf(other.gate().parts.store.joinKey(), 'approve', [post.id, post.digest]);
    const { tag } = at.button(post, 'approve');
    for (const forged of [
      at.button(second, 'approve').tag,
      elsewhere,
      tag.slice(0, 31),
      tag.toUpperCase(),
      '',
    ]) {
      if (forged === tag) continue;
      const pressed = { use: 'approve', id: post.id, tag: forged } as const;
      await notTaken(at.record(stranger(), pressed, post.at), 'tag');
    }
  });

  test('the same copy’s tag over another action’s digest, another copy’s id, an id that is none', async () => {
    const [post, second] = [await at.post(await at.ask()), await at.post(await at.ask())];
    const key = gate.gate().parts.store.joinKey();
    const mixed = tagOf(key, 'approve', [post.id, second.digest]);
    await notTaken(at.record(stranger(), { use: 'approve', id: post.id, tag: mixed }, post.at), 'tag');
    const exchanged = { ...at.button(post, 'approve'), id: second.id };
    await notTaken(at.record(stranger(), exchanged, second.at), 'tag');
    for (const id of ['', 'pst_0', post.approval, 'x'.repeat(5000), `approve.${post.id}`])
      await notTaken(at.record(stranger(), { ...at.button(post, 'approve'), id }, post.at), 'no such copy');
  });

  test('a line of somebody’s inbox decides nothing, and a button that opens decides nothing', async () => {
    const post = await at.post(await at.ask());
    await notTaken(at.record(stranger(), at.button(post, 'inbox'), post.at), 'use');
    await notTaken(at.record(rosa, at.button(post, 'open'), post.at), 'use');
  });

  test('a note has no buttons, whatever came back from it', async () => {
    const post = await at.post(await at.ask(), { kind: 'note' });
    await notTaken(at.record(stranger(), at.button(post, 'approve'), post.at), 'a note has no buttons');
  });

  test('a copy of Slack is none of Teams', async () => {
    const post = await at.post(await at.ask());
    const teams = { kind: 'teams', issuer: 'tenant', subject: 'oid', display: 'x' } as const;
    await notTaken(at.record(teams, at.button(post, 'approve'), post.at), 'another channel');
  });
});

describe('a button that was carried elsewhere', () => {
  test('another conversation, another message, no place at all', async () => {
    const post = await at.post(await at.ask());
    const { at: there } = post;
    assert.ok(there !== null);
    const pressed = at.button(post, 'approve');
    for (const place of [
      { ...there, place: 'C2' },
      { ...there, message: '2.2' },
      { place: '', message: '' },
    ])
      await notTaken(at.record(stranger(), pressed, place), 'another place');
    await notTaken(at.record(stranger(), pressed, null), 'no place');
    assert.deepEqual((await at.held(post.approval)).reviews, []);
  });

  test('somebody else’s view: its buttons are for whoever opened it, even where it is', async () => {
    const approval = await at.ask();
    const post = await at.post(approval, {
      kind: 'view',
      to: `view:${rosa.issuer}:${rosa.subject}`,
      at: { place: `view:${rosa.subject}`, message: 'V1' },
    });
    await notTaken(at.record(mia, at.button(post, 'approve'), post.at), 'somebody else’s view');
    const elsewhere = { place: `view:${mia.subject}`, message: 'V2' };
    await notTaken(at.record(rosa, at.button(post, 'approve'), elsewhere), 'another place');
    assert.equal(told(await at.press(rosa, post, 'approve'))[0], 'done');
  });

  test('a form is for the account that it was opened for, for its verb, and for its copy', async () => {
    const [post, second] = [await at.post(await at.ask()), await at.post(await at.ask())];
    assert.ok(post.at !== null);
    const form = await at.chat().form(rosa, at.button(post, 'deny'), post.at);
    assert.ok(form.ok);
    const { id, tag } = form.value;
    const pressed = { use: 'form', id, tag } as const;
    await notTaken(at.record(mia, pressed, null), 'tag');
    await notTaken(at.record({ ...rosa, issuer: 'T2' }, pressed, null), 'tag');
    await notTaken(at.record(rosa, { ...pressed, id: id.replace('deny', 'approve') }, null), 'tag');
    await notTaken(at.record(rosa, { ...pressed, id: `deny.${second.id}` }, null), 'tag');
    await notTaken(at.record(rosa, { ...pressed, id: `drop.${post.id}` }, null), 'use');
    const taken = await at.record(rosa, pressed, null, { reason: 'too much', unsafe: true });
    assert.ok(taken.ok);
    assert.equal(told(await at.chat().carryOut(taken.value))[1], 'You denied it.');
    const [review] = (await at.held(post.approval)).reviews;
    assert.deepEqual([review?.decision, review?.reason, review?.unsafe], ['deny', 'too much', true]);
  });

  test('nobody is given a form for a button that is none of ours, or not here', async () => {
    const post = await at.post(await at.ask());
    assert.ok(post.at !== null);
    const pressed = at.button(post, 'deny');
    for (const [one, there] of [
      [{ ...pressed, tag: 'a'.repeat(32) }, post.at],
      [pressed, { place: 'C9', message: post.at.message }],
      [at.button(post, 'open'), post.at],
    ] as const) {
      const form = await at.chat().form(rosa, one, there);
      assert.ok(!form.ok);
      assert.equal(told(form.error)[0], 'not_permitted');
    }
  });
});

describe('a copy that counts no more', () => {
  test('lost, deleted: refused, with where to go instead', async () => {
    const cases: readonly (readonly [Partial<Post>, string])[] = [
      [{ state: 'lost', at: null, shown: null }, 'lost'],
      [{ state: 'gone' }, 'gone'],
    ];
    for (const [more, why] of cases) {
      const post = await at.post(await at.ask(), more);
      const pressed = at.record(stranger(), at.button(post, 'approve'), { place: 'C1', message: '1.1' });
      await notTaken(pressed, why);
      const answer = await pressed;
      assert.ok(!answer.ok);
      assert.match(answer.error.detail, /Use the newer one, or the web/);
    }
  });

  test('a copy that was posted anew between the press and its turn', async () => {
    const post = await at.post(await at.ask());
    const taken = await at.record(rosa, at.button(post, 'approve'), post.at);
    assert.ok(taken.ok);
    const moved = { ...post, at: { place: 'C1', message: '9.9' } };
    const { store } = gate.gate().parts;
    assert.ok((await store.change({ kind: 'writePost', post: moved, showing: null })).ok);
    const word = await at.chat().carryOut(taken.value);
    assert.equal(told(word)[0], 'not_permitted');
    assert.deepEqual((await at.held(post.approval)).reviews, []);
    assert.equal(await whyLast(), 'copy');
  });
});

describe('a message that is there before the gate knows where', () => {
  const sending = async () => at.post(await at.ask(), { state: 'sending', at: null });
  const there = { place: 'C1', message: '1700000000.000077' };
  const write = async (post: Post): Promise<void> => {
    const { store } = gate.gate().parts;
    assert.ok((await store.change({ kind: 'writePost', post, showing: null })).ok);
  };

  test('a press is recorded at once, and carried out once the message is noted, exactly there', async () => {
    const post = await sending();
    const taken = await at.record(rosa, at.button(post, 'approve'), there);
    assert.ok(taken.ok);
    assert.deepEqual(taken.value.at, there);
    const carried = at.chat().carryOut(taken.value);
    await write({ ...post, state: 'posted', at: there });
    assert.equal(told(await carried)[0], 'done');
    const { reviews } = await at.held(post.approval);
    assert.deepEqual(
      reviews.map(({ person, shown }) => ({ person, shown })),
      [{ person: 'rosa', shown: post.shown }],
    );
  });

  test('a forged place never counts, whatever is noted, and however often it is pressed there', async () => {
    for (const forged of [
      { ...there, message: '1700000000.000078' },
      { ...there, place: 'C2' },
      { place: '', message: '' },
    ]) {
      const post = await sending();
      const taken = await at.record(mia, at.button(post, 'approve'), forged);
      assert.ok(taken.ok);
      const carried = at.chat().carryOut(taken.value);
      await write({ ...post, state: 'posted', at: there });
      const [code, text] = told(await carried);
      assert.equal(code, 'not_permitted');
      assert.match(text, /no longer the one that counts/);
      assert.equal(await whyLast(), 'copy');
      assert.equal(told(await at.chat().carryOut(taken.value))[0], 'not_permitted');
      await notTaken(at.record(stranger(), at.button(post, 'approve'), forged), 'another place');
      assert.deepEqual((await at.held(post.approval)).reviews, []);
    }
  });

  test('lost meanwhile: nowhere is not there', async () => {
    const post = await sending();
    const taken = await at.record(rosa, at.button(post, 'approve'), there);
    assert.ok(taken.ok);
    const carried = at.chat().carryOut(taken.value);
    await write({ ...post, state: 'lost' });
    assert.equal(told(await carried)[0], 'not_permitted');
    assert.deepEqual((await at.held(post.approval)).reviews, []);
  });

  test('not noted in time: said, nothing done; the next press works; a row’s old place is no proof', async () => {
    const post = await sending();
    await write({ ...post, at: there });
    const taken = await at.record(mia, at.button(post, 'approve'), there);
    assert.ok(taken.ok);
    const [code, text] = told(await at.chat().carryOut(taken.value));
    assert.equal(code, 'not_permitted');
    assert.match(text, /has not noted this message yet.*press again in a moment/);
    assert.equal(await whyLast(), 'not noted');
    assert.deepEqual((await at.held(post.approval)).reviews, []);
    await write({ ...post, state: 'posted', at: there });
    assert.equal(told(await at.chat().carryOut(taken.value))[0], 'not_permitted', 'that press is over');
    assert.equal(told(await at.press(mia, { ...post, at: there }, 'approve'))[0], 'done');
  });

  test('only with the right tag, and in somebody’s view only by them', async () => {
    const post = await sending();
    const forged = { ...at.button(post, 'approve'), tag: 'd'.repeat(32) };
    await notTaken(at.record(stranger(), forged, there), 'tag');
    await notTaken(at.record(stranger(), at.button(post, 'approve'), null), 'no place');
    const view = await at.post(post.approval, {
      kind: 'view',
      to: `view:${rosa.issuer}:${rosa.subject}`,
      state: 'sending',
      at: null,
    });
    const place = { place: `view:${rosa.subject}`, message: 'V8' };
    await notTaken(at.record(mia, at.button(view, 'approve'), place), 'somebody else’s view');
    const elsewhere = { ...rosa, issuer: 'T2' };
    await notTaken(at.record(elsewhere, at.button(view, 'approve'), place), 'somebody else’s view');
  });

  test('what it opens waits, too: a form and a view open once it is noted there, and nowhere else', async () => {
    for (const [place, opens] of [
      [there, true],
      [{ ...there, message: '9' }, false],
    ] as const) {
      const post = await sending();
      const form = at.chat().form(rosa, at.button(post, 'deny'), place);
      const view = at.chat().view(rosa, at.button(post, 'open'), place);
      await write({ ...post, state: 'posted', at: there });
      assert.deepEqual([(await form).ok, (await view).ok], [opens, opens]);
    }
    const never = await sending();
    const form = await at.chat().form(rosa, at.button(never, 'deny'), there);
    assert.ok(!form.ok);
    assert.match(told(form.error)[1], /press again in a moment/);
  });
});

describe('what the log is told', () => {
  test('a flood of forged presses by one account is a few entries; another account’s are told still', async () => {
    const post = await at.post(await at.ask());
    const [loud, quiet] = [stranger(), stranger()];
    const forged = { use: 'approve', id: post.id, tag: 'f'.repeat(32) } as const;
    const were = (await at.entries('click.refused')).length;
    for (let times = 0; times < 40; times += 1)
      assert.ok(!(await at.record(loud, { ...forged, tag: freshClick().slice(0, 32) }, post.at)).ok);
    const entries = (await at.entries('click.refused')).slice(were);
    assert.equal(entries.length, toldPerMinute);
    assert.match(JSON.stringify(entries.at(-1)?.data['note']), /leave no entry/);
    await notTaken(at.record(quiet, forged, post.at), 'tag');
  });

  test('texts of a platform are cut, and a tag is never written', async () => {
    const post = await at.post(await at.ask());
    const tag = 'c0ffee'.repeat(5);
    await at.record(
      stranger(),
      { use: 'approve', id: asPostId('i'.repeat(9000)), tag },
      {
        place: 'p'.repeat(9000),
        message: post.at?.message ?? '',
      },
    );
    const text = JSON.stringify((await at.entries('click.refused')).at(-1));
    assert.ok(text.length < 2000, String(text.length));
    assert.ok(!text.includes(tag));
  });
});
