/** What tests of `store copy` stand on: a source that holds a little of everything, and both sides row by row. */
import assert from 'node:assert/strict';
import { asAgentId } from '../../src/core/ids.ts';
import { mayOpen, readCopyMark } from '../../src/store/copy-marks.ts';
import { copyStore, type CopyOptions } from '../../src/store/copy.ts';
import type { Driver, Row } from '../../src/store/driver.ts';
import { PostgresDriver } from '../../src/store/postgres-driver.ts';
import { Hosts } from '../../src/store/postgres-hosts.ts';
import { tables } from '../../src/store/schema.ts';
import { SqliteDriver } from '../../src/store/sqlite-driver.ts';
import { databaseFile } from '../../src/store/sqlite-protocol.ts';
import type { Store } from '../../src/ports/store.ts';
import { handle, note, value } from '../store/bench.ts';
import { sqliteBench, type SqliteBench } from '../store/sqlite-bench.ts';
import * as world from '../store/world.ts';
import { postgresBench } from './bench.ts';

/** Beyond the basic plane, right to left, a lone combining mark, what normalises to something else, quotes, and every control. */
export const odd = `😀\u202e\u0301é\u00e9\ud7ff\uffff\u2400'"\\$1 ${Array.from({ length: 31 }, (_, at) => String.fromCharCode(at + 1)).join('')}\u007f`;

export interface Rig {
  readonly source: SqliteBench;
  readonly target: Awaited<ReturnType<typeof postgresBench>>;
  copy(options?: Partial<CopyOptions>): ReturnType<typeof copyStore>;
  readonly here: <T>(work: (driver: SqliteDriver) => Promise<T>) => Promise<T>;
  readonly there: <T>(work: (driver: PostgresDriver) => Promise<T>) => Promise<T>;
}

/** A source with `cases` of each kind, and an empty target. */
export async function withRig(cases: number, work: (rig: Rig) => Promise<void>): Promise<void> {
  const source = await sqliteBench();
  const target = await postgresBench();
  try {
    const store = await source.open({});
    try {
      await fill(store, cases);
    } finally {
      await store.close();
    }
    await work(rigOf(source, target));
  } finally {
    await source.remove();
    await target.remove();
  }
}

export const rigOf = (source: SqliteBench, target: Rig['target']): Rig => ({
  source,
  target,
  copy: (options) => copyStore({ directory: source.directory, url: target.url, from: 'data', ...options }),
  here: async (body) => {
    const driver = new SqliteDriver(databaseFile(source.directory), 'write');
    try {
      return await body(driver);
    } finally {
      driver.close();
    }
  },
  there: async (body) => {
    const driver = driverTo(target.url);
    try {
      return await body(driver);
    } finally {
      await driver.close();
    }
  },
});

export const driverTo = (url: string): PostgresDriver =>
  new PostgresDriver({ hosts: new Hosts(url, false), needsStandby: false, clock: true, tells: null });

/** Pending, approved, running, ended, denied, stopped; and text that is hard to carry. */
export async function fill(store: Store, cases: number): Promise<void> {
  value(await store.change(world.acceptDirectory()));
  const versions = await store.versions();
  for (let n = 0; n < cases; n += 1) {
    const pending = world.ask(world.review(versions), { input: { n, odd }, run: `run ${n}` });
    value(await store.change(pending));
    const asked = world.ask(world.review(versions), { input: { n: -n - 1 } });
    value(await store.change(asked));
    const review = world.reviewOf(handle(asked), world.rosa);
    value(await store.change({ ...review, proposed: { ...review.proposed, reason: odd } }));
    if (n % 2 === 0) value(await store.change(world.claim(asked.asked.id, asked.asked.verdict)));
    value(
      await store.change(
        world.ask(world.allow(versions), { execute: n % 3 === 0, amount: Number.MAX_SAFE_INTEGER }),
      ),
    );
    value(await store.change(world.ask(world.deny(versions))));
    value(
      await store.change({
        kind: 'token',
        principal: { kind: 'agent', id: asAgentId(`bot-${n}`) },
        hash: world.freshKey(),
      }),
    );
    value(await store.change(note(n)));
  }
}

/** Every row of every table that is copied, as text; `meta` but for what each side has of its own. */
export async function dump(driver: Driver): Promise<Readonly<Record<string, readonly string[]>>> {
  const all: Record<string, readonly string[]> = {};
  for (const table of [...tables, 'meta']) {
    const rows = (await driver.query(`SELECT * FROM ${table}`)).filter(
      (row) =>
        table !== 'meta' || !['copy', 'moved', 'copying', 'schema_version'].includes(String(row['key'])),
    );
    all[table] = rows.map((row) => textOf(row, table)).toSorted();
  }
  return all;
}

const textOf = (row: Row, table: string): string =>
  JSON.stringify(
    Object.entries(row)
      .filter(([name]) => table !== 'log_head' || name !== 'writers')
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );

/** Both sides hold the same, and only the target may be opened. */
export async function assertMoved(rig: Rig): Promise<void> {
  const [here, there] = [await rig.here((driver) => dump(driver)), await rig.there((driver) => dump(driver))];
  assert.deepEqual(there, here);
  assert.deepEqual(await openable(rig), { source: false, target: true });
}

/** Which sides a gate would open as this store; asks nothing of either that stays. */
export async function openable(rig: Rig): Promise<{ readonly source: boolean; readonly target: boolean }> {
  return {
    source: await rig.here((driver) => opens(driver)),
    target: await rig.there(async (driver) => {
      const [row] = await driver.query("SELECT to_regclass('meta')::text AS meta");
      if (row?.['meta'] === null) return false;
      // An empty store of its own is no copy.
      return (await readCopyMark(driver)) !== undefined && opens(driver);
    }),
  };
}

class Enough extends Error {}

async function opens(driver: Driver): Promise<boolean> {
  try {
    await driver.transaction(async () => {
      await mayOpen(driver);
      throw new Enough();
    });
  } catch (error) {
    if (error instanceof Enough) return true;
    assert.match(String(error), /was moved to|holds an unfinished copy/);
    return false;
  }
  return false;
}
