/**
 * Making the log forget what should be found: by whoever did it, under a legal hold, while it is open, past the gate, or by a
 * backup that remembers. Each is refused or found; and what may be erased is in no byte of any file.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkDatabase } from '../../src/store/sqlite-copy.ts';
import { restoreSqlite } from '../../src/store/restore.ts';
import { SqliteDriver } from '../../src/store/sqlite-driver.ts';
import { databaseFile } from '../../src/store/sqlite-protocol.ts';
import { eraseOld, eraseRestored } from '../../src/app/retention.ts';
import { handle, noOf, note, storeTest, until, value, type Opened } from '../store/bench.ts';
import {
  assertErasedLog,
  denied,
  directory,
  ended,
  erase,
  eraseAction,
  erasedOf,
  pattern,
  pia,
  placed,
  publishAll,
} from '../store/erasing.ts';
import { sqliteBench, type SqliteBench } from '../store/sqlite-bench.ts';
import * as world from '../store/world.ts';

const { oz, rosa } = world;

/** Files of a store that hold something of what was erased. */
const holding = (folder: string): readonly string[] =>
  readdirSync(folder).filter((name) => pattern.test(readFileSync(join(folder, name), 'latin1')));

type OpenedSqlite = Opened & SqliteBench;
const sqliteTest = (name: string, body: (opened: OpenedSqlite) => Promise<void>): void =>
  storeTest(name, sqliteBench, async (opened) => {
    value(await opened.store.change(world.acceptDirectory(directory)));
    // `storeTest` spreads the bench that it was given into what its body gets.
    await body(opened as OpenedSqlite);
  });

sqliteTest(
  'what was erased is in no byte of the database, of its write-ahead log, or of a backup made then',
  async (opened) => {
    const { store, directory: folder } = opened;
    // Of sizes that take a part of a page, and many; changed as they go on, so that pages are split and freed.
    for (let n = 0; n < 60; n += 1) {
      const long = `zebra-4711 ${'walrus-4712 '.repeat((n * 37) % 900)}`;
      const ask = world.ask(world.review(await store.versions()), {
        input: { long, n },
        run: `heron-4716${n}`,
      });
      value(await store.change(ask));
      const review = world.reviewOf(handle(ask), rosa, n % 2 === 0 ? 'approve' : 'deny');
      value(
        await store.change({
          ...review,
          proposed: { ...review.proposed, reason: long.slice(0, n * 90) || 'no' },
        }),
      );
      if (n % 2 === 1) continue;
      const claim = world.claim(ask.asked.id, ask.asked.verdict);
      value(await store.change(claim));
      const { execution } = claim;
      const by = { kind: 'agent', id: world.agent } as const;
      value(
        await store.change({
          kind: 'outcome',
          execution,
          by,
          status: 'succeeded',
          detail: long,
          result: long,
        }),
      );
    }
    await publishAll(store);
    assert.ok(holding(folder).includes('countersign.db-wal'), 'the search finds what is there');
    const { size: index } = await store.head();
    const one = (await store.held({ status: 'all', limit: 1 }))[0]?.asked.id ?? assert.fail();
    erasedOf(await eraseAction(store, oz, one));
    for (let from: number | null = 0; from !== null;)
      from = erasedOf(await erase(store, 'gate', { kind: 'before', index, from })).next;
    assert.deepEqual(holding(folder), []);
    await assertErasedLog(store);
    const file = join(folder, 'backup.db');
    assert.ok((await store.backup(file)).ok);
    assert.doesNotMatch(readFileSync(file, 'latin1'), pattern);
    value(await store.change(note(1)));
    assert.deepEqual(holding(folder), [], 'nor does it come back');
  },
);

sqliteTest(
  'whoever has the database blanks a statement: no backup is made of it, and none is restored',
  async (opened) => {
    const { store, raw, directory: folder } = opened;
    const action = await ended(opened);
    await publishAll(store);
    const [first] = await store.entriesAbout(action);
    const index = first?.entry.index ?? assert.fail();
    const good = join(folder, 'good.db');
    assert.ok((await store.backup(good)).ok);
    await raw(`UPDATE entries SET statement = '' WHERE idx = $1`, [index]);
    const backup = await store.backup(join(folder, 'bad.db'));
    assert.ok(!backup.ok);
    assert.equal(
      backup.error.detail,
      `entry ${index} of the log is blank, and no entry says that it was erased`,
    );
    const driver = new SqliteDriver(good, 'write');
    driver.run(`UPDATE entries SET statement = '' WHERE idx = $1`, [index]);
    driver.close();
    const restored = await restoreSqlite({ directory: folder, file: good });
    assert.ok(!restored.ok && restored.error.detail.includes(`entry ${index} of the log is blank`));
  },
);

sqliteTest(
  'an entry that names what is younger than itself, or anything malformed, covers no blank',
  async (opened) => {
    const { store, raw, directory: folder } = opened;
    // Somebody who can write entries through the gate, not the rule: the check does not believe them.
    const claim = (indexes: unknown) =>
      store.change({
        kind: 'record',
        entries: [
          {
            type: 'payloads.erased',
            by: { kind: 'gate' },
            about: { action: null, approval: null, execution: null },
            subject: null,
            data: { indexes: indexes as never, count: 1 },
          },
        ],
      });
    const { size } = await store.head();
    for (const indexes of [[[size, size + 100]], [[0]], 'all', [[-1, 1]], [[1, 0]], [[0, 0.5]], null])
      value(await claim(indexes));
    await raw(`UPDATE entries SET statement = '' WHERE idx = 0`);
    await assert.rejects(checkDatabase(databaseFile(folder)), /entry 0 of the log is blank/);
    value(await claim([[0, 0]]));
    await checkDatabase(databaseFile(folder));
  },
);

sqliteTest(
  'a backup from before brings back neither what was erased, nor what a hold had been placed on to be erased',
  async (opened) => {
    const { store, directory: folder } = opened;
    const [gone, kept] = [await ended(opened), await ended(opened, 'crm___import')];
    await publishAll(store);
    const released = await placed(store, pia);
    const file = join(folder, 'before.db');
    assert.ok((await store.backup(file)).ok);
    value(await store.change({ kind: 'release', by: rosa, hold: released, reason: 'over' }));
    erasedOf(await eraseAction(store, oz, gone));
    const hold = await placed(store, pia, { action: kept });
    const elsewhere = join(folder, 'new');
    const live = (await store.entriesAbout(gone)).map(({ entry }) => entry.index);

    const restored = await restoreSqlite({ directory: folder, file });
    assert.ok(restored.ok, JSON.stringify(restored));
    await until('the store sees it', async () => (await store.head()).size === restored.value.entries);
    assert.deepEqual(await assertErasedLog(store), live);
    assert.ok(((await store.caseBy({ action: gone }))?.asked.erased ?? 0) > 0);
    assert.doesNotMatch(JSON.stringify(await store.caseBy({ action: gone })), pattern);
    assert.equal((await store.caseBy({ action: kept }))?.asked.erased, undefined);
    assert.deepEqual(
      (await store.holds()).map((one) => [one.id, one.released?.by]),
      [
        [hold, undefined],
        [released, rosa],
      ],
    );
    const types = (await store.entries(-1, 1000)).map(({ entry }) => entry);
    const told = types.slice(types.findIndex((one) => one.type === 'store.restored') + 1);
    assert.deepEqual(
      told.map((one) => one.type),
      ['hold.placed', 'hold.released', 'payloads.erased'],
    );
    await checkDatabase(databaseFile(folder));
    // A store that knows of no erasure cannot keep one: the backup still holds it, as docs/storage.md says.
    assert.ok((await restoreSqlite({ directory: elsewhere, file })).ok);
  },
);

sqliteTest(
  'a backup from before it was in the tree: it is erased again once it is, and the gate keeps asking until then',
  async (opened) => {
    const { store, directory: folder } = opened;
    const action = await ended(opened);
    const file = join(folder, 'untold.db');
    assert.ok((await store.backup(file)).ok);
    await publishAll(store);
    erasedOf(await eraseAction(store, oz, action));
    const live = (await store.entriesAbout(action)).map(({ entry }) => entry.index);
    const restored = await restoreSqlite({ directory: folder, file });
    assert.ok(restored.ok, JSON.stringify(restored));
    await until('the store sees it', async () => (await store.head()).size === restored.value.entries);
    assert.ok(((await store.caseBy({ action }))?.asked.erased ?? 0) > 0, 'what is shown is erased at once');
    assert.deepEqual(await assertErasedLog(store), [], 'nothing is signed without its payload');
    assert.equal(await eraseRestored(store), false, 'it waits for the tree');
    await publishAll(store);
    assert.equal(await eraseRestored(store), true);
    assert.deepEqual(await assertErasedLog(store), live);
    assert.equal(await store.erasesLater(), false);
    assert.equal(
      noOf(await erase(store, oz, { kind: 'restored' })),
      'not_permitted',
      'nobody asks for it but the gate',
    );
    rmSync(file);
    for (const name of readdirSync(folder).filter((one) => one.includes('before-restore')))
      rmSync(join(folder, name));
    assert.deepEqual(holding(folder), []);
  },
);

sqliteTest('a crash between the erasure and its clean-up: the next start finishes it', async (opened) => {
  const { store, directory: folder } = opened;
  await denied(opened);
  await publishAll(store);
  // As a writer that dies right after COMMIT leaves it: the change is in the write-ahead log, and so are the pages before it.
  const driver = new SqliteDriver(databaseFile(folder), 'write');
  driver.run(`UPDATE entries SET statement = '' WHERE statement LIKE '%zebra-4711%'`);
  driver.run(`UPDATE actions SET canonical = '{}'`);
  assert.ok(holding(folder).includes('countersign.db-wal'));
  const other = await opened.open({ exclusive: false });
  try {
    assert.ok(!holding(folder).includes('countersign.db-wal'));
  } finally {
    driver.close();
    await other.close();
  }
});

sqliteTest(
  'retention takes later entries about what it erased before, and goes round again without harm',
  async (opened) => {
    const { store, clock } = opened;
    const action = await ended(opened);
    await publishAll(store);
    opened.later(10_000);
    assert.equal(await eraseOld({ store, clock }, 5_000), true);
    const first = await assertErasedLog(store);
    assert.ok(first.length > 0);
    value(await store.change({ kind: 'delivered', action }));
    await publishAll(store);
    assert.equal(await eraseOld({ store, clock }, 5_000), true);
    assert.deepEqual(await assertErasedLog(store), first, 'it is young');
    opened.later(10_000);
    assert.equal(await eraseOld({ store, clock }, 5_000), true);
    const { size } = await store.head();
    assert.equal((await assertErasedLog(store)).length, first.length + 1);
    assert.equal(await eraseOld({ store, clock }, 5_000), true);
    assert.equal((await store.head()).size, size, 'nothing is left, so nothing is written');
  },
);
