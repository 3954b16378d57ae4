/** The tables of PostgreSQL: from every earlier version, by one of those that start at once, and all of it or nothing. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import pg from 'pg';
import type { Store } from '../../src/ports/store.ts';
import type { Migration } from '../../src/store/migration.ts';
import { PostgresDriver } from '../../src/store/postgres-driver.ts';
import { Hosts } from '../../src/store/postgres-hosts.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { migrate, migrations, schemaVersion, schemaVersionOf } from '../../src/store/schema.ts';
import { channels, note, noOf } from '../store/bench.ts';
import { first, makeFirst } from '../store/migrating.ts';
import { eventually } from '../support/gate.ts';
import { postgresBench } from './bench.ts';

type Bench = Awaited<ReturnType<typeof postgresBench>>;

/** As stores migrate: a connection of its own whose statements may take long. */
const driverOn = (url: string): PostgresDriver =>
  new PostgresDriver({
    hosts: new Hosts(url, false),
    needsStandby: false,
    patient: true,
    clock: false,
    tells: null,
  });

async function onBench(work: (bench: Bench, driver: PostgresDriver) => Promise<void>): Promise<void> {
  const bench = await postgresBench();
  const driver = driverOn(bench.url);
  try {
    await work(bench, driver);
  } finally {
    await driver.close();
    await bench.remove();
  }
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

const open = (url: string, said: string[] = []): Promise<Store> =>
  openPostgres({ url, channels, say: (line) => void said.push(line) });

const tablesIn = async (bench: Bench): Promise<readonly string[]> =>
  (await bench.raw('SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1')).map(
    (row) => String(row['tablename']),
  );

for (const { version } of migrations.slice(0, -1))
  test(`from version ${version}: what was there is there, and is written on`, () =>
    onBench(async (bench, driver) => {
      const check = await makeFirst(driver);
      await migrate(driver, first, { to: version });
      assert.equal(await schemaVersionOf(driver), version);
      const store = await open(bench.url);
      try {
        await check(store);
        assert.equal(noOf(await store.change(note(1))), 'ok');
      } finally {
        await store.close();
      }
    }));

test('of gates that start at once on an empty database one makes the tables, and all are served', () =>
  onBench(async (bench) => {
    const stores = await Promise.all(Array.from({ length: 6 }, () => open(bench.url)));
    try {
      for (const [n, store] of stores.entries()) assert.equal(noOf(await store.change(note(n))), 'ok');
      const keys = stores.map((store) => Buffer.from(store.joinKey()).toString('hex'));
      assert.equal(new Set(keys).size, 1, 'one key');
    } finally {
      await Promise.all(stores.map((store) => store.close()));
    }
  }));

test('of gates that start at once on tables of an earlier version one changes them, and all are served', () =>
  onBench(async (bench, driver) => {
    const check = await makeFirst(driver);
    const stores = await Promise.all(Array.from({ length: 4 }, () => open(bench.url)));
    try {
      for (const store of stores) await check(store);
    } finally {
      await Promise.all(stores.map((store) => store.close()));
    }
  }));

test('whoever finds another at it waits and says so; where that one dies, it goes on', () =>
  onBench(async (bench, driver) => {
    const check = await makeFirst(driver);
    const other = await connected(bench.url);
    await other.query('BEGIN');
    await other.query("SELECT value FROM meta WHERE key = 'schema_version' FOR UPDATE");
    await other.query('CREATE TABLE half (one TEXT)');
    const said: string[] = [];
    const opening = open(bench.url, said);
    await eventually(() => said.length > 0, 'it says that it waits');
    assert.deepEqual(said, ['Another gate is changing the tables of the database; this one waits for it.']);
    // Longer than any statement of a gate may take.
    await new Promise((resolve) => setTimeout(resolve, 9_000));
    assert.equal(said.length, 1, 'it waits still, and says so once');
    await other.end();
    const store = await opening;
    try {
      await check(store);
      assert.ok(!(await tablesIn(bench)).includes('half'));
    } finally {
      await store.close();
    }
  }));

test('a gate of an earlier version that runs is waited for, and nothing is changed under it', () =>
  onBench(async (bench, driver) => {
    const check = await makeFirst(driver);
    const before = await tablesIn(bench);
    const earlier = await connected(bench.url);
    await earlier.query('SELECT pg_advisory_lock(1668507502, hashtext(current_schema()))');
    const said: string[] = [];
    const opening = open(bench.url, said);
    await eventually(() => said.length > 0, 'it says that it waits');
    assert.match(said[0] ?? '', /earlier version/);
    assert.deepEqual(await tablesIn(bench), before);
    await earlier.end();
    const store = await opening;
    await check(store);
    await store.close();
  }));

/** A version to come whose change takes longer than statements of gates may. */
const slow: Migration = {
  version: schemaVersion + 1,
  statements: () => [
    'CREATE TABLE after_all (one TEXT)',
    'SELECT pg_sleep(9)',
    'ALTER TABLE gates ADD COLUMN later TEXT',
  ],
  tables: ['after_all'],
};

test('a change of the tables may take longer than any other statement', () =>
  onBench(async (bench, driver) => {
    await migrate(driver, first);
    await migrate(driver, first, { versions: [...migrations, slow] });
    assert.equal(await schemaVersionOf(driver), schemaVersion + 1);
    assert.ok((await tablesIn(bench)).includes('after_all'));
  }));

test('kill -9 in the middle leaves nothing of it, and the next one does it all', () =>
  onBench(async (bench, driver) => {
    const check = await makeFirst(driver);
    const before = await tablesIn(bench);
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('support/migrate-child.ts', import.meta.url)), bench.url],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      await once(child.stdout, 'data');
      // It has made its tables by now, and sleeps in its transaction.
      const busy =
        "SELECT count(*) AS n FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'";
      await eventually(async () => Number((await bench.raw(busy))[0]?.['n']) > 0, 'it is in the middle');
    } finally {
      child.kill('SIGKILL');
    }
    await once(child, 'exit');
    assert.deepEqual(await tablesIn(bench), before);
    const [version] = await bench.raw("SELECT value FROM meta WHERE key = 'schema_version'");
    assert.equal(version?.['value'], '1');
    // The server finds out that nobody waits for what it does, and those who come next do not wait for a minute either.
    const store = await open(bench.url);
    await check(store);
    await store.close();
    assert.equal(await schemaVersionOf(driver), schemaVersion);
  }));

test('a newer schema admits this program as long as it says so, and no longer', () =>
  onBench(async (bench, driver) => {
    await migrate(driver, first);
    const store = await open(bench.url);
    try {
      await migrate(driver, first, {
        versions: [...migrations, { ...slow, statements: () => ['CREATE TABLE after_all (one TEXT)'] }],
      });
      assert.equal(noOf(await store.change(note(1))), 'ok', 'it goes on');
      const second = await open(bench.url);
      assert.equal(noOf(await second.change(note(2))), 'ok', 'it may start');
      await second.close();
      await bench.raw(`UPDATE log_head SET writers = ${schemaVersion + 1} WHERE one = 1`);
      const answer = await store.change(note(3));
      assert.ok(!answer.ok && answer.error.kind === 'fault', 'it writes no more');
      await assert.rejects(open(bench.url), /newer Countersign/);
      assert.equal((await store.entries(-1, 10)).length, 2, 'and reads still');
    } finally {
      await store.close();
    }
  }));
