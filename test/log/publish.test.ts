/** The tree over a store's entries: published, continued, fenced, renamed where it must be, and stopped by damage. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { note, until, value } from '../store/bench.ts';
import { restoreSqlite } from '../../src/store/restore.ts';
import type { Store } from '../../src/ports/store.ts';
import { allPublished, assertTree, publishing, type Publishing } from './support/publishing.ts';

const origin = 'audit.example.com';

async function types(store: Store): Promise<readonly string[]> {
  return (await store.entries(-1, 1000)).map(({ entry }) => entry.type);
}

async function write(store: Store, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) value(await store.change(note(n)));
}

/** Runs with a store and a publisher, and closes both. */
async function during(
  made: Publishing,
  body: (store: Store, publisher: Awaited<ReturnType<Publishing['publish']>>) => Promise<void>,
  how: Parameters<Publishing['publish']>[1] = {},
): Promise<void> {
  const store = await made.open({ clock: made.clock });
  try {
    const publisher = await made.publish(store, how);
    try {
      await body(store, publisher);
    } finally {
      await publisher.stop();
    }
  } finally {
    await store.close();
  }
}

test('entries come into a signed tree, in their order, and across restarts', async () => {
  const made = await publishing();
  await during(made, async (store, publisher) => {
    await write(store, 3);
    await allPublished(store, publisher);
    await assertTree(store, origin);
    assert.deepEqual((await types(store)).slice(0, 3), ['log.opened', 'key.begun', 'key.begun']);
  });
  await during(made, async (store, publisher) => {
    await Promise.all(Array.from({ length: 300 }, (_, n) => store.change(note(n))));
    await allPublished(store, publisher);
    await assertTree(store, origin);
    assert.equal((await types(store)).filter((one) => one === 'log.opened').length, 1, 'said once');
    assert.equal((await types(store)).filter((one) => one === 'key.begun').length, 2);
    assert.equal(publisher.damage, null);
    assert.equal(
      readFileSync(join(made.folder, 'checkpoint'), 'utf8'),
      (await store.newestCheckpoint())?.note,
    );
  });
  await made.remove();
});

test('a store that was there before its log is published in batches, and what comes meanwhile as well', async () => {
  const made = await publishing();
  const before = await made.open({ clock: made.clock });
  await Promise.all(Array.from({ length: 9_000 }, (_, n) => before.change(note(n), undefined, 'soon')));
  await before.close();
  await during(made, async (store, publisher) => {
    await write(store, 5);
    await allPublished(store, publisher);
    await assertTree(store, origin);
    const sizes = (await store.checkpoints(1000)).map((one) => one.size);
    assert.ok(sizes.some((size) => size <= 4096) && sizes.length >= 3, sizes.join());
  });
  await made.remove();
});

test('keys and what was given out are for their owner only, and keys that are not are refused', async () => {
  const made = await publishing();
  await during(made, async (store, publisher) => allPublished(store, publisher));
  assert.equal(statSync(made.folder).mode & 0o777, 0o700);
  for (const name of ['log.pem', 'receipt.pem', 'checkpoint'])
    assert.equal(statSync(join(made.folder, name)).mode & 0o777, 0o600, name);
  const { chmodSync } = await import('node:fs');
  chmodSync(join(made.folder, 'log.pem'), 0o640);
  const store = await made.open({ clock: made.clock });
  await assert.rejects(made.publish(store), /log\.pem can be read by others .*chmod 600/);
  await store.close();
  await made.remove();
});

test('a folder that was copied back by hand goes on under another name, and says why', async () => {
  const made = await publishing();
  const old = join(made.directory, 'old.db');
  await during(made, async (store, publisher) => {
    await write(store, 4);
    await allPublished(store, publisher);
  });
  const database = join(made.directory, 'countersign.db');
  cpSync(database, old);
  await during(made, async (store, publisher) => {
    await write(store, 4);
    await allPublished(store, publisher);
  });
  rmSync(database);
  renameSync(old, database);
  await during(made, async (store, publisher) => {
    assert.equal(publisher.origin, `r2.${origin}`);
    await write(store, 9);
    await allPublished(store, publisher);
    await assertTree(store, `r2.${origin}`);
    const opened = (await store.entries(-1, 100)).filter(({ entry }) => entry.type === 'log.opened');
    assert.match(JSON.stringify(opened[1]?.entry.data), /it is an older copy/);
    assert.ok(made.lines.some((line) => line.includes('goes on as r2.')));
    assert.equal((await store.checkpoints(1000)).filter((one) => one.origin === origin).length > 0, true);
  });
  // And stays so, as long as it is the log that was left.
  await during(made, async (_store, publisher) => assert.equal(publisher.origin, `r2.${origin}`));
  await made.remove();
});

test('another log of the same size in its place is found too, and so is one whose record is gone', async () => {
  const made = await publishing();
  await during(made, async (store, publisher) => {
    await write(store, 2);
    await allPublished(store, publisher);
  });
  // As long as what is there, with other entries and keys that signed it.
  const other = await publishing();
  await during(other, async (store, publisher) => {
    await write(store, 8);
    await allPublished(store, publisher);
  });
  cpSync(join(other.directory, 'countersign.db'), join(made.directory, 'countersign.db'));
  await during(made, async (_store, publisher) => assert.equal(publisher.origin, `r2.${origin}`));
  assert.ok(
    made.lines.some((line) => line.includes('is of another log')),
    made.lines.join('\n'),
  );
  rmSync(join(other.folder, 'checkpoint'));
  await during(other, async (_store, publisher) => assert.equal(publisher.origin, `r2.${origin}`));
  assert.ok(other.lines.some((line) => line.includes('nobody knows what was given out')));
  await made.remove();
  await other.remove();
});

test('keys that are lost are made anew, said, and under another name', async () => {
  const made = await publishing();
  await during(made, async (store, publisher) => allPublished(store, publisher));
  rmSync(made.folder, { recursive: true });
  await during(made, async (store, publisher) => {
    await allPublished(store, publisher);
    assert.equal(publisher.origin, `r2.${origin}`);
    assert.ok(made.lines.some((line) => line.includes('is not there any more (log and receipt key)')));
    const told = await types(store);
    assert.equal(told.filter((one) => one === 'key.begun').length, 4);
    assert.equal(told.filter((one) => one === 'key.ended').length, 2);
    await assertTree(store, `r2.${origin}`);
  });
  await made.remove();
});

test('a restore while it is published burns the name, unless nothing was given out since', async () => {
  const made = await publishing();
  await during(made, async (store, publisher) => {
    await write(store, 4);
    await allPublished(store, publisher);
    const backup = join(made.directory, 'backup.db');
    assert.ok((await store.backup(backup)).ok);
    const same = await restoreSqlite({ directory: made.directory, file: backup, clock: made.clock });
    assert.ok(same.ok, JSON.stringify(same));
    await allPublished(store, publisher);
    assert.equal(publisher.origin, origin, 'nothing was published after it');
    await write(store, 5);
    await allPublished(store, publisher);
    const older = await restoreSqlite({ directory: made.directory, file: backup, clock: made.clock });
    assert.ok(older.ok, JSON.stringify(older));
    await until('renamed', () => publisher.origin === `r2.${origin}`);
    await write(store, 1);
    await allPublished(store, publisher);
    await assertTree(store, `r2.${origin}`);
    // Again, to before it was renamed: the second name is burnt too.
    assert.ok((await restoreSqlite({ directory: made.directory, file: backup, clock: made.clock })).ok);
    await until('renamed again', () => publisher.origin === `r3.${origin}`);
    await write(store, 1);
    await allPublished(store, publisher);
    await assertTree(store, `r3.${origin}`);
    assert.equal(publisher.damage, null);
  });
  await made.remove();
});

test('a backup in a new place goes on under another name, though the keys are the same', async () => {
  const made = await publishing();
  const backup = join(made.directory, 'backup.db');
  await during(made, async (store, publisher) => {
    await write(store, 4);
    await allPublished(store, publisher);
    assert.ok((await store.backup(backup)).ok);
  });
  const other = await publishing();
  mkdirSync(other.folder, { mode: 0o700 });
  for (const name of ['log.pem', 'receipt.pem']) cpSync(join(made.folder, name), join(other.folder, name));
  assert.ok((await restoreSqlite({ directory: other.directory, file: backup })).ok);
  await during(other, async (store, publisher) => {
    await allPublished(store, publisher);
    await assertTree(store, `r2.${origin}`);
  });
  await made.remove();
  await other.remove();
});

test('a restore burns the name by itself, where nothing beside the store remembers', async () => {
  const made = await publishing();
  const backup = join(made.directory, 'backup.db');
  const nowhere = { folder: null };
  await during(
    made,
    async (store, publisher) => {
      await write(store, 4);
      await allPublished(store, publisher);
      assert.ok((await store.backup(backup)).ok);
      await write(store, 4);
      await allPublished(store, publisher);
      assert.ok((await restoreSqlite({ directory: made.directory, file: backup, clock: made.clock })).ok);
      await until('renamed', () => publisher.origin === `r2.${origin}`);
      assert.deepEqual(await store.burntOrigins(), [origin]);
    },
    nowhere,
  );
  const other = await publishing();
  assert.ok((await restoreSqlite({ directory: other.directory, file: backup })).ok);
  await during(other, async (_store, publisher) => assert.equal(publisher.origin, `r2.${origin}`), nowhere);
  await made.remove();
  await other.remove();
});

test('who publishes when a backup is restored has lost, though the tree stands where it stood', async () => {
  const made = await publishing();
  const store = await made.open({ clock: made.clock });
  value(await store.change(note(1)));
  const taken = await store.takeTree('somebody', 60_000);
  assert.ok(taken !== null);
  const publishes = async () =>
    (
      await store.publish({
        epoch: taken.epoch,
        from: 0,
        leaves: [],
        tiles: [],
        head: taken.head,
        checkpoint: null,
      })
    ).ok;
  assert.equal(await publishes(), true);
  const backup = join(made.directory, 'backup.db');
  assert.ok((await store.backup(backup)).ok);
  assert.ok((await restoreSqlite({ directory: made.directory, file: backup, clock: made.clock })).ok);
  assert.equal(await publishes(), false);
  assert.ok(((await store.takeTree('another', 1000))?.epoch ?? 0) > taken.epoch, 'and it is free');
  await store.close();
  await made.remove();
});

test('another configured name is another log over the same tree, and no name is taken up again', async () => {
  const made = await publishing();
  const as = (base: string, expected: string): Promise<void> =>
    during(
      made,
      async (store, publisher) => {
        await allPublished(store, publisher);
        await assertTree(store, expected);
      },
      { base },
    );
  await as(origin, origin);
  await as('log.example.org', 'log.example.org');
  await as(origin, `r2.${origin}`);
  await made.remove();
});

test('two who publish one store never both do, and the second goes on when the first has gone', async () => {
  const made = await publishing();
  const store = await made.open({ clock: made.clock });
  const beside = await made.open({ clock: made.clock, exclusive: false });
  const first = await made.publish(store);
  const second = await made.publish(beside);
  assert.deepEqual([first.holds, second.holds], [true, false]);
  await Promise.all([write(store, 20), write(beside, 20)]);
  await allPublished(store, first);
  await first.stop();
  await until('the second holds it', () => second.holds);
  await write(store, 5);
  await allPublished(beside, second);
  await assertTree(store, origin);
  const checkpoints = await store.checkpoints(1000);
  assert.equal(new Set(checkpoints.map((one) => one.size)).size, checkpoints.length);
  await second.stop();
  await beside.close();
  await store.close();
  await made.remove();
});

test('attack: what is read of another’s publishing, and is not there to stay, is not given out', async () => {
  const made = await publishing();
  const after = await publishing();
  const store = await made.open({ clock: made.clock });
  // Where the next commit goes: a standby that never had it.
  const promoted = await after.open({ clock: made.clock });
  const holds = await made.publish(store);
  await write(store, 3);
  await allPublished(store, holds);
  const follows = async (writes: Store): Promise<unknown> => {
    const shared: Store = {
      ...store,
      shared: true,
      treeFree: () => Promise.resolve(false),
      confirm: (checkpoint) => writes.confirm(checkpoint),
    };
    const follower = await made.publish(shared, { folder: null });
    const { given } = follower;
    await follower.stop();
    return given?.size ?? null;
  };
  assert.equal(await follows(store), (await store.head()).size);
  assert.equal(await follows(promoted), null);
  await holds.stop();
  for (const one of [store, promoted]) await one.close();
  for (const one of [made, after]) await one.remove();
});

test('nothing for long is an entry that says so', async () => {
  const made = await publishing();
  await during(made, async (store, publisher) => {
    await allPublished(store, publisher);
    made.clock.later(3_600_000);
    await until('a heartbeat', async () => (await types(store)).includes('log.heartbeat'));
    await allPublished(store, publisher);
    const [beat] = (await store.entries(-1, 100)).filter(({ entry }) => entry.type === 'log.heartbeat');
    const before = (await store.entries(-1, 100))[(beat?.entry.index ?? 0) - 1];
    assert.deepEqual(beat?.entry.data, { since: before?.entry.at });
  });
  await made.remove();
});

test('a folder that cannot be written gives nothing out, names it, and recovers without a restart', async () => {
  const made = await publishing();
  await during(made, async (store, publisher) => {
    await allPublished(store, publisher);
    const { size } = publisher.given ?? { size: 0 };
    // A folder in the way, because root may write what is read-only.
    rmSync(join(made.folder, 'checkpoint'));
    mkdirSync(join(made.folder, 'checkpoint', 'in-the-way'), { recursive: true });
    value(await store.change(note(1)));
    await until('a problem', () => publisher.problem !== null);
    assert.equal(publisher.damage, null);
    assert.equal(publisher.given?.size, size, 'not given out');
    rmSync(join(made.folder, 'checkpoint'), { recursive: true });
    writeFileSync(join(made.folder, 'checkpoint'), (await store.checkpoint(origin, size))?.note ?? '');
    await allPublished(store, publisher);
    await until('no problem', () => publisher.problem === null);
  });
  await made.remove();
});
