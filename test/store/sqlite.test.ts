/** The embedded store keeps the contract, and the promises that only it makes. */
import assert from 'node:assert/strict';
import { existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { asPersonId } from '../../src/core/ids.ts';
import type { Worker } from 'node:worker_threads';
import { emptyHead } from '../../src/core/entry.ts';
import { Batch } from '../../src/store/batch.ts';
import { SqlFault } from '../../src/store/driver.ts';
import { faultedAll, type Flushed, type Job } from '../../src/store/job.ts';
import { Queue } from '../../src/store/queue.ts';
import { migrate } from '../../src/store/schema.ts';
import { SqliteDriver } from '../../src/store/sqlite-driver.ts';
import { databaseFile } from '../../src/store/sqlite-protocol.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { assertLog, hold, noOf, note, storeTest, until, value } from './bench.ts';
import { contract } from './contract.ts';
import { sqliteBench } from './sqlite-bench.ts';
import { agent } from './world.ts';

contract('sqlite', sqliteBench);

test('files are for their owner only, and durability is what we asked for', async () => {
  const bench = await sqliteBench();
  const directory = join(bench.directory, 'data');
  const store = await openSqlite({ directory, channels: [] });
  try {
    value(await store.change(note(1)));
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    for (const name of ['countersign.db', 'countersign.db-wal', 'countersign.db-shm', 'lock.db']) {
      assert.equal(statSync(join(directory, name)).mode & 0o077, 0, name);
    }
  } finally {
    await store.close();
  }
  assert.ok(!existsSync(`${databaseFile(directory)}-wal`), 'closed: one file');
  const driver = new SqliteDriver(databaseFile(directory), 'write');
  assert.equal(driver.query('PRAGMA journal_mode')[0]?.['journal_mode'], 'wal');
  assert.equal(driver.query('PRAGMA synchronous')[0]?.['synchronous'], 2);
  driver.close();
  await bench.remove();
});

storeTest('a database file that is moved away is a fault until it is back', sqliteBench, async (opened) => {
  const { store } = opened;
  const { directory } = opened as typeof opened & { readonly directory: string };
  const { held } = await hold(opened);
  const file = databaseFile(directory);
  renameSync(file, `${file}.away`);
  const answer = await store.change(note(1));
  assert.ok(!answer.ok && answer.error.kind === 'fault');
  assert.match(answer.error.detail, /countersign\.db: the database file was deleted or moved away/);
  assert.equal(store.health().writable, false);
  assert.deepEqual(await store.held({ status: 'all', limit: 5 }), [held], 'reads go on');
  writeFileSync(file, '');
  const replaced = await store.change(note(2));
  assert.ok(
    !replaced.ok && replaced.error.kind === 'fault' && replaced.error.detail.includes('was replaced'),
  );
  renameSync(`${file}.away`, file);
  await until('writable by itself', () => store.health().writable);
  value(await store.change(note(3)));
  assert.deepEqual((await assertLog(store)).filter((type) => type === 'gate.started').length, 1);
});

test('a database of a newer program is refused', async () => {
  const bench = await sqliteBench();
  const store = await bench.open({});
  await store.close();
  await bench.raw("UPDATE meta SET value = '999' WHERE key = 'schema_version'");
  // It admits this program until it says otherwise.
  await (await bench.open({})).close();
  await bench.raw('UPDATE log_head SET writers = 999');
  await assert.rejects(bench.open({}), /newer Countersign/);
  await bench.remove();
});

test('a folder that cannot be one is a clear error', async () => {
  const bench = await sqliteBench();
  const file = join(bench.directory, 'file');
  writeFileSync(file, 'x');
  await assert.rejects(openSqlite({ directory: join(file, 'data'), channels: [] }), /ENOTDIR/);
  writeFileSync(
    databaseFile(bench.directory),
    'this is no database, and long enough to be read as one.'.repeat(20),
  );
  await assert.rejects(bench.open({}), /countersign\.db: file is not a database/);
  rmSync(databaseFile(bench.directory));
  await (await bench.open({})).close();
  await bench.remove();
});

test('a flush without an answer is a fault, not a wait', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  let late: (flushed: Flushed) => void = () => undefined;
  const queue = new Queue(() => new Promise((resolve) => (late = resolve)), { nowMs: () => 0 });
  const heard: (readonly string[])[] = [];
  queue.onChange((changed) => heard.push(changed));
  const job: Job = { kind: 'probe' };
  const answer = queue.submit(job);
  await new Promise((resolve) => setImmediate(resolve));
  context.mock.timers.tick(10_000);
  const outcome = await answer;
  assert.ok(!outcome.ok && outcome.error.kind === 'fault' && outcome.error.detail.includes('No answer'));
  assert.equal(queue.health().writable, false);
  late({
    ...faultedAll([job], ''),
    outcomes: [{ ok: true, value: { kind: 'done' } }],
    wrote: true,
    fault: null,
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(queue.health().writable, true, 'it was written after all');
  assert.deepEqual(heard, [[]]);
});

test('a step that throws is a fault of its command alone', async () => {
  const bench = await sqliteBench();
  const driver = new SqliteDriver(join(bench.directory, 'x.db'), 'write');
  await migrate(driver, { joinKey: '00', emptyHead });
  const { Writer } = await import('../../src/store/writer.ts');
  const { needsOf, step } = await import('../../src/core/steps/step.ts');
  const decide = {
    needsOf,
    step: (...args: Parameters<typeof step>) => {
      if (args[0].kind === 'signOut') throw new TypeError('a bug');
      const decided = step(...args);
      // A step that says no and writes all the same: a bug too, and its rows are not written.
      return args[0].kind === 'token'
        ? { ...decided, answer: { ok: false, error: { kind: 'stale' } } as const }
        : decided;
    },
  };
  const writer = new Writer({
    driver,
    random: { bytes: (n) => new Uint8Array(n) },
    channels: [],
    gate: null,
    decide,
  });
  const token = { kind: 'token', principal: { kind: 'agent', id: agent }, hash: 'h' } as const;
  const jobs = [
    note(1),
    { kind: 'signOut', person: asPersonId('rosa'), sessionHash: 'x' } as const,
    token,
    note(2),
  ].map((command): Job => ({
    kind: 'change',
    command,
    idempotency: null,
  }));
  const flushed = await writer.flush(jobs, 1);
  assert.deepEqual(
    flushed.outcomes.map((one) => one.ok),
    [true, false, false, true],
  );
  assert.equal(flushed.size, 3, 'a no writes its entries');
  assert.deepEqual(driver.query('SELECT hash FROM tokens'), []);
  driver.close();
  await bench.remove();
});

test('a transaction that fails leaves nothing, and the next one works', async () => {
  const bench = await sqliteBench();
  const driver = new SqliteDriver(join(bench.directory, 'x.db'), 'write');
  await migrate(driver, { joinKey: '00', emptyHead });
  const parts = { driver, random: { bytes: (n: number) => new Uint8Array(n) }, channels: [], gate: null };
  const record = async (fail: boolean): Promise<void> => {
    const batch = new Batch(parts, new Map(), {
      log: { size: 0, head: emptyHead, atMs: 0, world: 0, writers: 6 },
      clockMs: 1,
    });
    const command = note(1);
    await batch.record(command.kind === 'record' ? command.entries : []);
    if (fail) throw new SqlFault('as if the disk were gone', 'database');
  };
  await assert.rejects(
    driver.transaction(() => record(true)),
    /disk/,
  );
  assert.deepEqual(driver.query('SELECT idx FROM entries'), []);
  await driver.transaction(() => record(false));
  assert.equal(driver.query('SELECT idx FROM entries').length, 1);
  driver.close();
  await bench.remove();
});

test('a writer thread that dies is a fault, and is replaced', async () => {
  const threads: Worker[] = [];
  const listen = (worker: Worker): void => void threads.push(worker);
  process.on('worker', listen);
  const bench = await sqliteBench();
  const store = await bench.open({});
  try {
    value(await store.change(note(1)));
    const going = store.change(note(2));
    await threads[0]?.terminate();
    const answers = [noOf(await going), noOf(await store.change(note(3))), noOf(await store.change(note(4)))];
    assert.ok(answers.includes('ok'), answers.join());
    assert.equal(answers.at(-1), 'ok');
    assert.equal(threads.length, 2);
    await assertLog(store);
    await assert.rejects(bench.open({}), /Another gate is running/, 'it holds the folder again');
  } finally {
    process.off('worker', listen);
    await store.close();
    await bench.remove();
  }
});
