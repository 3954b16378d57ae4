/**
 * What grows for ever is cut into ranges of indices: an earlier store without copying a row, further ranges before they are needed and
 * in nobody's way, and where a range is missing after all, nothing is lost.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { emptyHead } from '../../src/core/entry.ts';
import type { Row } from '../../src/store/driver.ts';
import { firstEnd, isNarrow, makeRoom, rowsFrom } from '../../src/store/partitions.ts';
import { PostgresDriver } from '../../src/store/postgres-driver.ts';
import { Hosts } from '../../src/store/postgres-hosts.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { migrate } from '../../src/store/schema.ts';
import { assertLog, channels, noOf, note, until, type Bench } from '../store/bench.ts';
import { postgresBench, serverUrl } from './bench.ts';

const least = 64;

const driverOf = (url: string): PostgresDriver =>
  new PostgresDriver({ hosts: new Hosts(url, false), needsStandby: false, clock: false, tells: null });

async function using<T>(url: string, work: (driver: PostgresDriver) => Promise<T>): Promise<T> {
  const driver = driverOf(url);
  try {
    return await work(driver);
  } finally {
    await driver.close();
  }
}

const boundsOf = async (raw: Bench['raw'], table: string): Promise<readonly Row[]> =>
  raw(
    `SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bound
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass($1) ORDER BY c.oid`,
    [table],
  );

const endOf = async (raw: Bench['raw'], table: string): Promise<number> => {
  const [last] = (await boundsOf(raw, table)).slice(-1);
  return Number(/TO \('(\d+)'\)/.exec(String(last?.['bound']))?.[1]);
};

/** A database whose first partitions are small: they are empty still. */
async function smallBench(): Promise<Awaited<ReturnType<typeof postgresBench>>> {
  const bench = await postgresBench();
  await (await openPostgres({ url: bench.url, channels })).close();
  for (const table of ['entries', 'leaves']) {
    for (const { name } of await boundsOf(bench.raw, table))
      await bench.raw(
        name === `${table}_p0`
          ? `ALTER TABLE ${table} DETACH PARTITION ${name}`
          : `DROP TABLE ${String(name)}`,
      );
    // What the gate has written when it was opened is in the first one.
    await bench.raw(`ALTER TABLE ${table} ATTACH PARTITION ${table}_p0 FOR VALUES FROM (0) TO (${least})`);
  }
  return bench;
}

test('later ranges are larger, so that their number grows by the logarithm', () => {
  assert.deepEqual(
    [0, 1023, 2047, 2048, 4095, 4096, 100_000].map((from) => rowsFrom(from, 64)),
    [64, 64, 64, 128, 128, 256, 4096],
  );
  let ranges = 0;
  for (let end = 0; end < 10_000_000_000; ranges += 1) end += rowsFrom(end, 4_194_304);
  assert.ok(ranges < 150, `${ranges} ranges hold ten billion entries`);
});

test('a log has room where another range fits behind it', () => {
  assert.deepEqual([isNarrow(0, 64, 64), isNarrow(1, 64, 64), isNarrow(1, 128, 64)], [false, true, false]);
  assert.deepEqual(
    [0, 1, 32, 33, 64, 97].map((size) => firstEnd(size, 64)),
    [64, 64, 64, 128, 128, 192],
  );
});

if (serverUrl === '') {
  test('PostgreSQL is there', () => {
    assert.fail('DATABASE_URL is not set: run `npm run test:pg`, which starts a PostgreSQL for these tests.');
  });
} else {
  test('a store of version 5 becomes the first range of itself: no row moves, indexes and guards are there', async () => {
    const bench = await postgresBench();
    try {
      await using(bench.url, async (driver) => {
        const first = { joinKey: '00'.repeat(32), emptyHead };
        await migrate(driver, first, { to: 5 });
        await bench.raw(
          `INSERT INTO entries SELECT n, n, 'gate.started', n / 3, NULL, '{}', 'p', 'h' FROM generate_series(0, 999) n`,
        );
        await bench.raw(`INSERT INTO leaves SELECT n, 'k', 's' FROM generate_series(0, 899) n`);
        await bench.raw('UPDATE log_head SET size = 1000');
        const files = (names: readonly string[]): Promise<readonly Row[]> =>
          Promise.all(
            names.map(
              async (name) =>
                (await bench.raw('SELECT pg_relation_filenode($1::regclass) AS file', [name]))[0] ?? {},
            ),
          );
        const kept = ['entries', 'entries_pkey', 'entries_action', 'entries_stray', 'leaves', 'leaves_pkey'];
        const before = await files(kept);
        await migrate(driver, first);
        assert.deepEqual(await files(kept.map((name) => name.replace(/^(entries|leaves)/, '$1_p0'))), before);
      });
      for (const table of ['entries', 'leaves']) {
        assert.deepEqual(await boundsOf(bench.raw, table), [
          { name: `${table}_p0`, bound: "FOR VALUES FROM ('0') TO ('4194304')" },
        ]);
        const checks = await bench.raw(
          `SELECT conname FROM pg_constraint WHERE conrelid = '${table}_p0'::regclass AND contype = 'c'`,
        );
        assert.deepEqual(checks, []);
      }
      const broken = await bench.raw(
        `SELECT indexrelid::regclass::text AS name FROM pg_index WHERE NOT indisvalid AND indrelid IN ('entries'::regclass, 'leaves'::regclass)`,
      );
      assert.deepEqual(broken, []);
      assert.deepEqual(await bench.raw('SELECT count(*)::int AS n, max(action_ord) AS ord FROM entries'), [
        { n: 1000, ord: '333' },
      ]);
      await assert.rejects(
        bench.raw(`INSERT INTO entries VALUES (7, 7, 't', NULL, NULL, '{}', 'p', 'h')`),
        /entries_p0_pkey/,
      );
      await assert.rejects(
        bench.raw(`INSERT INTO entries VALUES (-1, 7, 't', NULL, NULL, '{}', 'p', 'h')`),
        /no partition/,
      );
    } finally {
      await bench.remove();
    }
  });

  test('two that start at once on a store of version 5 bring it to today’s once', async () => {
    const bench = await postgresBench();
    const first = { joinKey: '00'.repeat(32), emptyHead };
    try {
      await using(bench.url, (driver) => migrate(driver, first, { to: 5 }));
      await Promise.all(
        Array.from({ length: 4 }, () => using(bench.url, (driver) => migrate(driver, first))),
      );
      assert.equal((await boundsOf(bench.raw, 'entries')).length, 1);
    } finally {
      await bench.remove();
    }
  });

  test('ranges are made ahead of two busy writers: nothing fails, and the log is whole', async () => {
    const bench = await smallBench();
    const options = { url: bench.url, channels, partitionRows: least };
    const stores = [await openPostgres(options), await openPostgres(options)];
    try {
      const [store, second] = stores;
      assert.ok(store !== undefined && second !== undefined);
      const answers: string[] = [];
      for (let n = 0; n < 40; n += 1) {
        const some = Array.from({ length: 20 }, (_, at) =>
          (at % 2 === 0 ? store : second).change(note(20 * n + at)),
        );
        answers.push(...(await Promise.all(some)).map(noOf));
      }
      assert.deepEqual([...new Set(answers)], ['ok']);
      assert.equal((await assertLog(store)).length, 800);
      const bounds = await boundsOf(bench.raw, 'entries');
      assert.ok(bounds.length >= 13, `${bounds.length} ranges`);
      await until('there is a range ahead in both', async () => {
        const ends = await Promise.all(['entries', 'leaves'].map((table) => endOf(bench.raw, table)));
        return ends.every((end) => end >= 800 + least);
      });
    } finally {
      await Promise.all(stores.map((one) => one.close()));
      await bench.remove();
    }
  });

  test('a range is made while others write and read: it takes no lock that they wait for, nor waits for theirs', async () => {
    const bench = await smallBench();
    const client = new pg.Client({ connectionString: bench.url });
    await client.connect();
    try {
      // As a flush has them.
      await client.query('BEGIN');
      await client.query(`INSERT INTO entries VALUES (1, 1, 't', NULL, NULL, '{}', 'p', 'h')`);
      await client.query('SELECT count(*) FROM leaves');
      await using(bench.url, async (driver) => assert.equal(await makeRoom(driver, 1, least), 2 * least));
      await client.query(`INSERT INTO entries VALUES (${least}, 1, 't', NULL, NULL, '{}', 'p', 'h')`);
      await client.query('COMMIT');
    } finally {
      await client.end();
      await bench.remove();
    }
  });

  test('many that make the same range at once are not in each other’s way', async () => {
    const bench = await smallBench();
    try {
      const ends = await Promise.all(
        Array.from({ length: 6 }, () => using(bench.url, (driver) => makeRoom(driver, 500, least))),
      );
      assert.deepEqual([...new Set(ends)], [9 * least]);
    } finally {
      await bench.remove();
    }
  });

  test('where nobody could make a range in time, what is asked waits for it and is not lost', async () => {
    const bench = await smallBench();
    const store = await openPostgres({ url: bench.url, channels, partitionRows: least });
    const client = new pg.Client({ connectionString: bench.url });
    await client.connect();
    try {
      // As an operator's CREATE INDEX does: nothing is attached as long as it lasts.
      await client.query('BEGIN; LOCK TABLE entries IN SHARE UPDATE EXCLUSIVE MODE');
      const room = await endOf(bench.raw, 'entries');
      const { size } = await store.head();
      for (let n = size; n < room; n += 1)
        assert.equal(noOf(await store.change(note(n))), 'ok', `entry ${n} of ${room}`);
      const late = store.change(note(room));
      await until('somebody waits for the lock', async () => {
        const [row] = await bench.raw(
          `SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND relation = 'entries'::regclass`,
        );
        return row?.['n'] === 1;
      });
      await client.query('ROLLBACK');
      assert.equal(noOf(await late), 'ok');
      assert.equal((await assertLog(store)).length, room + 1);
    } finally {
      await client.end();
      await store.close();
      await bench.remove();
    }
  });
}
