/** The contract, part about the transparency log: one holder publishes at a time, where the tree stands, and all of it or nothing. */
import assert from 'node:assert/strict';
import { emptyHead } from '../../src/core/entry.ts';
import { asSha256Hex } from '../../src/core/ids.ts';
import type { Published, Publishing } from '../../src/ports/log-store.ts';
import type { Store } from '../../src/ports/store.ts';
import { note, storeTest, value, type MakeBench } from './bench.ts';

const hourMs = 3_600_000;
const headAt = (n: number) => asSha256Hex(String(n).padStart(64, '0'));

/** One publishing of `count` leaves; nothing in it is a real hash. */
function publishing(
  { epoch, size }: Pick<Published, 'epoch' | 'size'>,
  count: number,
  more: Partial<Publishing> = {},
): Publishing {
  const to = size + count;
  return {
    epoch,
    from: size,
    leaves: Array.from({ length: count }, (_, n) => ({
      index: size + n,
      keyId: 'k',
      signature: `s${size + n}`,
    })),
    tiles: [{ level: 0, n: 0, hashes: new Uint8Array(32 * to).fill(to) }],
    head: headAt(to),
    checkpoint: { origin: 'o', size: to, root: `root${to}`, note: `note${to}`, atMs: to },
    ...more,
  };
}

/** The same over entries that the log has, and so with its head. */
async function publishingIn(
  store: Store,
  tree: Pick<Published, 'epoch' | 'size'>,
  count: number,
  more: Partial<Publishing> = {},
): Promise<Publishing> {
  const [last] = await store.rawEntries(tree.size + count - 1, 1);
  return publishing(tree, count, { ...(last !== undefined && { head: last.head }), ...more });
}

async function take(store: Store, holder: string, forMs = 10_000): Promise<Published> {
  const published = await store.takeTree(holder, forMs);
  assert.ok(published !== null, `${holder} gets the tree`);
  return published;
}

/** The contract of ports/log-store.ts. */
export function logContract(name: string, make: MakeBench): void {
  storeTest(`${name}: a tree is nobody’s at first, and nothing is published`, make, async ({ store }) => {
    assert.deepEqual(await store.published(), { size: 0, head: emptyHead, epoch: 0 });
    assert.equal(await store.tile(0, 0), undefined);
    assert.equal(await store.newestCheckpoint(), undefined);
    assert.deepEqual(await store.leaves(0, 10), []);
    assert.deepEqual(await store.burntOrigins(), []);
    assert.deepEqual(await store.publish(publishing({ epoch: 0, size: 0 }, 0, { epoch: 9 })), {
      ok: false,
      error: { kind: 'lost' },
    });
  });

  storeTest(`${name}: leaves, tiles and checkpoint are there together`, make, async ({ store, versions }) => {
    assert.ok(versions.directory > 0);
    for (let n = 0; n < 3; n += 1) value(await store.change(note(n)));
    const tree = await take(store, 'a');
    assert.ok((await store.publish(await publishingIn(store, tree, 3))).ok);
    const entries = await store.rawEntries(0, 10);
    assert.deepEqual(await store.published(), { size: 3, head: entries[2]?.head, epoch: tree.epoch });
    assert.deepEqual(
      await store.leaves(1, 10),
      [1, 2].map((index) => ({
        index,
        pae: entries[index]?.pae,
        keyId: 'k',
        signature: `s${index}`,
      })),
    );
    assert.deepEqual(await store.tile(0, 0), new Uint8Array(96).fill(3));
    const checkpoint = await store.checkpoint('o', 3);
    assert.deepEqual(checkpoint, {
      origin: 'o',
      size: 3,
      root: 'root3',
      note: 'note3',
      atMs: 3,
      cosignatures: [],
      stamp: null,
      stampedAtMs: null,
    });
    assert.deepEqual(await store.newestCheckpoint('o'), checkpoint);
    assert.deepEqual(await store.checkpointCovering(2), checkpoint);
    assert.equal(await store.checkpointCovering(4), undefined);
    assert.equal(await store.newestCheckpoint('other'), undefined);
  });

  storeTest(
    `${name}: who published elsewhere than where the tree stands has lost`,
    make,
    async ({ store }) => {
      value(await store.change(note(1)));
      const tree = await take(store, 'a');
      assert.ok((await store.publish(await publishingIn(store, tree, 1))).ok);
      const lost = { ok: false, error: { kind: 'lost' } };
      assert.deepEqual(await store.publish(await publishingIn(store, tree, 1)), lost, 'twice');
      assert.deepEqual(await store.publish(publishing({ ...tree, size: 5 }, 1)), lost, 'a gap');
      assert.deepEqual(await store.tile(0, 0), new Uint8Array(32).fill(1), 'nothing of it is written');
      assert.equal((await store.published()).size, 1);
      const unordered = publishing({ ...tree, size: 1 }, 1, {
        leaves: [{ index: 7, keyId: 'k', signature: 's' }],
      });
      const refused = await store.publish(unordered);
      assert.ok(!refused.ok && refused.error.kind === 'fault');
      assert.equal(await store.checkpoint('o', 2), undefined);
    },
  );

  storeTest(
    `${name}: a checkpoint is confirmed where it is stored with that note`,
    make,
    async ({ store }) => {
      value(await store.change(note(1)));
      const tree = await take(store, 'a');
      const one = { origin: 'o', size: 1, note: 'note1' };
      assert.equal(await store.confirm(one), false, 'before it is there');
      assert.ok((await store.publish(await publishingIn(store, tree, 1))).ok);
      assert.equal(await store.confirm(one), true);
      for (const other of [{ origin: 'other' }, { size: 2 }, { note: 'note2' }])
        assert.equal(await store.confirm({ ...one, ...other }), false);
      const { size, epoch } = await store.published();
      assert.deepEqual({ size, epoch }, { size: 1, epoch: tree.epoch }, 'nothing is changed by it');
    },
  );

  storeTest(
    `${name}: attack: leaves of entries that the log has no more are not published`,
    make,
    async ({ store }) => {
      value(await store.change(note(1)));
      const tree = await take(store, 'a');
      // As read from a primary that is gone, and whose last commits went with it.
      assert.deepEqual(await store.publish(publishing(tree, 1)), { ok: false, error: { kind: 'lost' } });
      assert.deepEqual(await store.publish(publishing(tree, 2)), { ok: false, error: { kind: 'lost' } });
      assert.equal((await store.published()).size, 0);
      assert.equal(await store.newestCheckpoint(), undefined);
      assert.ok((await store.publish(await publishingIn(store, tree, 1))).ok);
    },
  );

  storeTest(`${name}: a tree has one holder until its time is over`, make, async ({ store, later }) => {
    const mine = await take(store, 'a');
    assert.equal(await store.takeTree('b', 10_000), null, 'it is held');
    assert.equal((await take(store, 'a')).epoch, mine.epoch, 'kept, not taken');
    later(10_001);
    const theirs = await take(store, 'b');
    assert.equal(theirs.epoch, mine.epoch + 1);
    assert.equal(await store.takeTree('a', 10_000), null);
    assert.deepEqual(await store.publish(publishing(mine, 0)), { ok: false, error: { kind: 'lost' } });
    assert.ok((await store.publish(publishing(theirs, 0, { checkpoint: null }))).ok);
    await store.takeTree('b', 0);
    assert.equal((await take(store, 'a')).epoch, theirs.epoch + 1, 'given back');
  });

  storeTest(`${name}: of two who publish at once one has lost`, make, async (opened) => {
    const { store } = opened;
    for (let n = 0; n < 8; n += 1) value(await store.change(note(n)));
    const beside = await opened.open({ clock: opened.clock, exclusive: false });
    try {
      const mine = await take(store, 'a', 0);
      const theirs = await take(beside, 'b');
      const answers = await Promise.all([
        store.publish(await publishingIn(store, mine, 3)),
        beside.publish(await publishingIn(store, theirs, 2)),
      ]);
      assert.deepEqual(
        answers.map((one) => one.ok),
        [false, true],
      );
      const head = (await store.rawEntries(1, 1))[0]?.head;
      assert.deepEqual(await store.published(), { size: 2, head, epoch: theirs.epoch });
      // Also the same holder, twice: whoever comes second finds the tree elsewhere.
      const at = await beside.published();
      const next = await publishingIn(store, at, 1);
      const twice = await Promise.all([beside.publish(next), beside.publish(next)]);
      assert.equal(twice.filter((one) => one.ok).length, 1);
      assert.equal((await store.published()).size, 3);
    } finally {
      await beside.close();
    }
  });

  storeTest(
    `${name}: a checkpoint keeps its note, and gets signatures of others`,
    make,
    async ({ store, clock }) => {
      const tree = await take(store, 'a');
      assert.ok((await store.publish(await publishingIn(store, tree, 0))).ok);
      const other = { origin: 'o', size: 0, root: 'other', note: 'other', atMs: 5 };
      assert.ok((await store.publish(await publishingIn(store, tree, 0, { checkpoint: other }))).ok);
      await store.addCosignature('o', 0, { key: 'w1', line: 'one', atMs: 1 });
      await store.addCosignature('o', 0, { key: 'w2', line: 'two', atMs: 2 });
      await store.addCosignature('o', 0, { key: 'w1', line: 'one again', atMs: 3 });
      await store.addCosignature('o', 77, { key: 'w1', line: 'of nothing', atMs: 3 });
      const before = clock.nowMs();
      await store.addStamp('o', 0, 'token');
      const found = await store.checkpoint('o', 0);
      assert.equal(found?.note, 'note0', 'what was signed first stays');
      assert.deepEqual(
        found.cosignatures.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
        [
          { key: 'w1', line: 'one again', atMs: 3 },
          { key: 'w2', line: 'two', atMs: 2 },
        ],
      );
      assert.equal(found.stamp, 'token');
      assert.ok((found.stampedAtMs ?? 0) >= before);
    },
  );

  storeTest(`${name}: keys begin and end once each, with an entry each`, make, async ({ store }) => {
    const key = {
      id: 'a1',
      use: 'log',
      spki: 'x',
      origin: 'o',
      begunAtMs: 0,
      begunAt: 4,
      endedAtMs: null,
    } as const;
    for (let times = 0; times < 2; times += 1) value(await store.change({ kind: 'beginKey', key }));
    const [begun] = await store.logKeys();
    assert.deepEqual({ ...begun, begunAtMs: 0 }, key);
    assert.ok((begun?.begunAtMs ?? 0) > 0, 'by the clock of the store');
    for (let times = 0; times < 2; times += 1) value(await store.change({ kind: 'endKey', key: 'a1' }));
    assert.ok(((await store.logKeys())[0]?.endedAtMs ?? 0) > 0);
    const types = (await store.entries(-1, 100)).map(({ entry }) => entry.type);
    assert.deepEqual(
      types.filter((one) => one.startsWith('key.')),
      ['key.begun', 'key.ended'],
    );
  });

  storeTest(
    `${name}: cursors stand where they were set, with what keeps them there`,
    make,
    async ({ store }) => {
      await store.setCursor({ name: 'siem', next: 4, detail: null });
      await store.setCursor({ name: 'file', next: 0, detail: 'no such folder' });
      await store.setCursor({ name: 'siem', next: 9, detail: 'x'.repeat(5000) });
      const cursors = await store.cursors();
      assert.deepEqual(
        cursors.map(({ name: one, next, detail }) => [one, next, detail?.length ?? null]),
        [
          ['file', 0, 14],
          ['siem', 9, 500],
        ],
      );
    },
  );

  storeTest(`${name}: of old checkpoints those stay that bound each hour`, make, async (opened) => {
    const { store, later, clock } = opened;
    const tree = await take(store, 'a');
    const base = Math.ceil(clock.nowMs() / hourMs) * hourMs;
    const times = [1, 2, 3, 4, 5, 6, 7, 8].map((minute) => base + minute * 60_000);
    const at = [...times, base + hourMs, base + 30 * hourMs];
    for (const [n, atMs] of at.entries()) {
      const checkpoint = { origin: 'o', size: n, root: 'r', note: 'n', atMs };
      assert.ok((await store.publish(await publishingIn(store, tree, 0, { checkpoint }))).ok);
    }
    for (const size of [2, 3, 4]) await store.addCosignature('o', size, { key: 'w', line: 'l', atMs: 1 });
    await store.addStamp('o', 6, 'token');
    const sizes = async (): Promise<readonly number[]> =>
      (await store.checkpoints(100)).map((one) => one.size).toSorted((a, b) => a - b);
    assert.equal((await sizes()).length, at.length);
    // The writer sweeps by itself, once an hour of its clock.
    later(base + 31 * hourMs - clock.nowMs());
    value(await store.change(note(1)));
    assert.deepEqual(await sizes(), [0, 2, 4, 6, 7, 8, 9]);
  });
}
