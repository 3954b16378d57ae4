/** The contract, part about erasing: exactly what the entry names goes, from every table, and everything else verifies and reads as before. */
import assert from 'node:assert/strict';
import { asPostId, type Post } from '../../src/core/chat.ts';
import { stateOf } from '../../src/core/case.ts';
import { asSha256Hex } from '../../src/core/ids.ts';
import { aboutNothing } from '../../src/core/entry.ts';
import { handle, hold, noOf, note, storeTest, value, type MakeBench, type Opened } from './bench.ts';
import {
  assertErasedLog,
  denied,
  directory,
  ended,
  erase,
  eraseAction,
  erasedOf,
  everything,
  pattern,
  pia,
  placed,
  publishAll,
} from './erasing.ts';
import * as world from './world.ts';

const { oz, sam, rosa, mia } = world;

/** A store whose people are those of erasing.ts. */
const erasureTest = (name: string, make: MakeBench, body: (opened: Opened) => Promise<void>): void =>
  storeTest(name, make, async (opened) => {
    value(await opened.store.change(world.acceptDirectory(directory)));
    await body({ ...opened, versions: await opened.store.versions() });
  });

async function post({ store, clock }: Opened, action: Parameters<typeof eraseAction>[2]): Promise<void> {
  const held = await store.caseBy({ action });
  assert.ok(held?.approval != null);
  const [first, second] = [asSha256Hex('a'.repeat(64)), asSha256Hex('b'.repeat(64))];
  const one: Post = {
    id: asPostId('pst_erased'),
    approval: held.approval.id,
    channel: 'slack',
    kind: 'card',
    group: null,
    to: '#data',
    at: { place: 'C1', message: '1.5' },
    state: 'posted',
    digest: held.asked.digest,
    shown: first,
    whole: true,
    version: '1 pending',
    atMs: clock.nowMs(),
    updatedAtMs: clock.nowMs(),
  };
  const showing = (digest: typeof first) => ({ digest, body: { text: 'zebra-4711' } });
  value(await store.change({ kind: 'writePost', post: one, showing: showing(first) }));
  value(await store.change({ kind: 'writePost', post: { ...one, shown: second }, showing: showing(second) }));
}

export function erasureContract(name: string, make: MakeBench): void {
  erasureTest(
    `${name}: what a reviewer said goes with the action, from the pause that it led to as well`,
    make,
    async (opened) => {
      const { store } = opened;
      const asks = await Promise.all(
        Array.from({ length: 3 }, async (_, n) => {
          const { review } = await hold(opened, world.ask(world.review(opened.versions), { input: { n } }));
          const no = world.reviewOf(handle(review), mia, 'deny');
          const proposed = { ...no.proposed, unsafe: true, reason: 'walrus-4712' };
          value(await store.change({ ...no, proposed }));
          return review;
        }),
      );
      assert.deepEqual(
        (await store.stops()).map(({ kind, reason }) => [kind, reason?.includes('walrus')]),
        [['paused', true]],
      );
      await publishAll(store);
      for (const ask of asks) erasedOf(await eraseAction(store, oz, ask.asked.id));
      assert.equal((await store.stops()).length, 1, 'it stays paused');
      assert.doesNotMatch(await everything(opened), pattern);
      // Nor does a writer say it that knew it: what the agent is told now holds no word of it.
      const told = await store.change(world.ask(world.allow(await store.versions())));
      assert.equal(noOf(told), 'operation_paused');
      assert.doesNotMatch(JSON.stringify(told), pattern);
    },
  );

  erasureTest(
    `${name}: an erased action is in no table, its entries verify, and it still reads`,
    make,
    async (opened) => {
      const { store, raw } = opened;
      const action = await ended(opened);
      const kept = await ended(opened, 'crm___import');
      await post(opened, action);
      await publishAll(store);
      assert.match(await everything(opened), pattern);
      const before = await store.entriesAbout(action);
      const leaves = await store.leaves(0, 4096);

      const { count, indexes, next } = erasedOf(await eraseAction(store, oz, action));
      assert.deepEqual([count, next], [before.length, null]);
      const told = await store.entry((await store.head()).size - 1);
      assert.ok(told !== undefined);
      assert.equal(told.entry.type, 'payloads.erased');
      assert.deepEqual(told.entry.by, { kind: 'person', id: oz });
      assert.deepEqual(told.entry.data, {
        scope: { kind: 'action', action },
        count,
        indexes,
        reason: 'asked for',
        basis: 'GDPR Art. 17',
      });
      assert.deepEqual(
        await assertErasedLog(store),
        before.map((one) => one.entry.index),
      );
      assert.deepEqual(await store.leaves(0, 4096), leaves, 'the tree is as it was');

      // Only the other action's are left.
      value(await store.change({ kind: 'delivered', action: kept }));
      await publishAll(store);
      const whole = await everything(opened);
      assert.ok(whole.includes('zebra-4711') && whole.includes('badger-4714'), 'the other is whole');
      erasedOf(await eraseAction(store, pia, kept));
      assert.doesNotMatch(await everything(opened), pattern);
      assert.deepEqual(await raw('SELECT digest FROM showings'), []);

      const held = await store.caseBy({ action });
      assert.ok(held !== undefined);
      assert.equal(stateOf(held, opened.clock.nowMs()), 'succeeded');
      assert.deepEqual(
        [held.asked.erased, held.asked.veiled, held.asked.action.agent, held.asked.action.operation],
        [told.entry.index, true, world.agent, 'crm___export'],
      );
      assert.deepEqual(
        held.reviews.map((one) => [one.person, one.decision, one.reason]),
        [[rosa, 'approve', '⟨erased⟩']],
      );
      assert.deepEqual(
        (await store.held({ status: 'all', limit: 9 })).map((one) => one.asked.id),
        [kept, action],
      );
      assert.equal((await store.past(world.agent, 'crm___export', Number.MAX_SAFE_INTEGER)).total, 1);
      const about = await store.entriesAbout(action);
      assert.deepEqual(
        about.map(({ entry }) => [entry.index, entry.type, entry.erased, entry.data]),
        before.map(({ entry }) => [entry.index, entry.type, true, {}]),
      );
      const [row] = await raw('SELECT join_key, like_key FROM actions WHERE id = $1', [action]);
      assert.deepEqual(
        { ...row },
        { join_key: '', like_key: '' },
        'no hash is left that a guess could be tested with',
      );
    },
  );

  erasureTest(`${name}: a second erasure finds nothing, and writes no entry`, make, async (opened) => {
    const { store } = opened;
    const action = await ended(opened);
    await publishAll(store);
    assert.ok(erasedOf(await eraseAction(store, oz, action)).count > 0);
    const { size } = await store.head();
    assert.equal(erasedOf(await eraseAction(store, oz, action)).count, 0);
    assert.equal((await store.head()).size, size);
  });

  erasureTest(
    `${name}: nobody-erases-their-own: who had a part in it, or is no operator, erases nothing`,
    make,
    async (opened) => {
      const { store } = opened;
      const action = await ended(opened);
      await publishAll(store);
      const before = await everything(opened);
      // Rosa approved it, sam owns the agent; mia is no operator.
      for (const by of [rosa, sam, mia])
        assert.equal(noOf(await eraseAction(store, by, action)), 'not_permitted', by);
      const own = await eraseAction(store, rosa, action);
      assert.ok(!own.ok && own.error.kind === 'refused');
      assert.deepEqual(own.error.refusal.evidence, { part: 'reviewed it' });
      assert.equal(noOf(await erase(store, 'gate', { kind: 'action', action })), 'not_permitted');
      assert.equal(noOf(await erase(store, oz, { kind: 'before', index: 99, from: 0 })), 'not_permitted');
      assert.equal(noOf(await erase(store, oz, { kind: 'action', action }, '  ')), 'reason_required');
      assert.equal(await everything(opened), before, 'nothing was changed');
    },
  );

  erasureTest(`${name}: what is not over, or not in the tree yet, is not erased`, make, async (opened) => {
    const { store } = opened;
    const { held } = await hold(opened);
    await publishAll(store);
    assert.equal(noOf(await eraseAction(store, oz, held.asked.id)), 'not_over', 'pending');
    const late = await denied(opened);
    assert.equal(noOf(await eraseAction(store, oz, late)), 'not_over', 'not published');
    await publishAll(store);
    assert.equal(erasedOf(await eraseAction(store, oz, late)).count, 1);
    const unknown = world.ask(world.allow(await store.versions()), { execute: true });
    value(await store.change(unknown));
    await publishAll(store);
    assert.equal(noOf(await eraseAction(store, oz, unknown.asked.id)), 'not_over', 'running');
    value(await store.change({ kind: 'lost', execution: unknown.execution ?? assert.fail() }));
    await publishAll(store);
    assert.equal(
      noOf(await eraseAction(store, oz, unknown.asked.id)),
      'not_over',
      'nobody knows how it ended',
    );
  });

  erasureTest(
    `${name}: a hold keeps everything, an action, or what names a person; until two have let it go`,
    make,
    async (opened) => {
      const { store } = opened;
      const [one, other] = [await ended(opened), await denied(opened)];
      await publishAll(store);
      const onOne = await placed(store, oz, { action: one });
      assert.equal(noOf(await eraseAction(store, oz, one)), 'on_hold');
      assert.equal(erasedOf(await eraseAction(store, oz, other)).count, 1, 'the other is not held');
      const release = (id: typeof onOne, by: typeof oz) =>
        store.change({ kind: 'release', by, hold: id, reason: 'over' });
      assert.equal(noOf(await release(onOne, mia)), 'not_permitted');
      assert.equal(noOf(await release(onOne, oz)), 'not_permitted', 'who placed it does not release it');
      value(await release(onOne, pia));
      assert.equal(
        noOf(await eraseAction(store, pia, one)),
        'not_permitted',
        'who released it erases nothing of it',
      );

      const onRosa = await placed(store, pia, { person: rosa });
      assert.equal(noOf(await eraseAction(store, oz, one)), 'on_hold', 'rosa reviewed it');
      value(await release(onRosa, sam));
      const onAll = await placed(store, pia);
      assert.equal(noOf(await eraseAction(store, oz, one)), 'on_hold');
      value(await release(onAll, sam));
      assert.deepEqual(
        (await store.holds()).map((each) => [each.id, each.released?.by]),
        [
          [onAll, sam],
          [onRosa, sam],
          [onOne, pia],
        ],
      );
      assert.ok(erasedOf(await eraseAction(store, oz, one)).count > 0);
      await assertErasedLog(store);
    },
  );

  erasureTest(
    `${name}: a sole operator releases a hold alone, and the entry says so`,
    make,
    async (opened) => {
      const { store } = opened;
      const people = directory.people.map((one) =>
        one.id === oz ? one : { ...one, groups: [world.owners] },
      );
      value(await store.change(world.acceptDirectory({ ...directory, people })));
      const id = await placed(store, oz);
      value(await store.change({ kind: 'release', by: oz, hold: id, reason: 'over' }));
      const { data } = (await store.entry((await store.head()).size - 1))?.entry ?? {};
      assert.deepEqual(data, { id, action: null, person: null, reason: 'over', placedBy: oz, alone: true });
      const again = await store.change({ kind: 'release', by: oz, hold: id, reason: 'over' });
      assert.ok(again.ok, 'again: nothing more changes');
      assert.deepEqual((await store.entry((await store.head()).size - 1))?.entry.data, data);
    },
  );

  erasureTest(
    `${name}: entries about no action are erased by range, but for the log’s own and what names the eraser`,
    make,
    async (opened) => {
      const { store } = opened;
      const { size: from } = await store.head();
      const record = (by: 'crm-bot' | 'person', detail: object) =>
        store.change({
          kind: 'record',
          entries: [
            {
              type: 'action.refused',
              by: by === 'person' ? { kind: 'person', id: mia } : { kind: 'agent', id: world.agent },
              about: aboutNothing,
              subject: null,
              data: { ...detail },
            },
          ],
        });
      value(await record('crm-bot', { detail: 'zebra-4711' }));
      value(await store.change(note(1)));
      await ended(opened);
      value(await record('person', { person: pia }));
      await publishAll(store);
      const to = (await store.head()).size - 1;
      assert.equal(
        noOf(await erase(store, sam, { kind: 'entries', from, to: from })),
        'not_permitted',
        'sam owns it',
      );
      assert.equal(
        noOf(await erase(store, pia, { kind: 'entries', from, to })),
        'not_permitted',
        'one names pia',
      );
      assert.equal(noOf(await erase(store, oz, { kind: 'entries', from, to: from + 1000 })), 'input_invalid');
      const { indexes } = erasedOf(await erase(store, oz, { kind: 'entries', from, to }));
      assert.deepEqual(indexes, [
        [from, from],
        [to, to],
      ]);
      assert.deepEqual(await assertErasedLog(store), [from, to]);
    },
  );

  erasureTest(
    `${name}: retention erases in pieces what is old, and nothing that is held, open or younger`,
    make,
    async (opened) => {
      const { store } = opened;
      const old = [];
      for (let n = 0; n < 90; n += 1) old.push(await ended(opened));
      const [first, last] = [old[0] ?? assert.fail(), old.at(-1) ?? assert.fail()];
      const { held } = await hold(opened);
      await placed(store, oz, { action: first });
      const { size: below } = await store.head();
      // Something young about an old one keeps all of it.
      value(await store.change({ kind: 'delivered', action: last }));
      const young = await denied(opened);
      await publishAll(store);
      let [from, pieces, count]: [number | null, number, number] = [0, 0, 0];
      while (from !== null) {
        const scope = { kind: 'before', index: below, from } as const;
        const piece = erasedOf(await erase(store, 'gate', scope, 'log.retention.payloads'));
        assert.ok(piece.next === null || piece.next > from, 'it goes on');
        [from, pieces, count] = [piece.next, pieces + 1, count + piece.count];
      }
      assert.ok(pieces > 1, 'more than one piece');
      const blanks = await assertErasedLog(store);
      assert.equal(blanks.length, count);
      for (const action of [first, last, held.asked.id, young])
        assert.equal((await store.caseBy({ action }))?.asked.erased, undefined, action);
      for (const action of old.slice(1, -1))
        assert.ok(((await store.caseBy({ action }))?.asked.erased ?? 0) > 0, action);
      assert.equal(
        (await store.entry(0))?.statement.includes('directory.accepted'),
        true,
        'what is in force stays',
      );
    },
  );
}
