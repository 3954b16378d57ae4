/**
 * The store on PostgreSQL: the same writer over one connection of its own, reads over a pool. The only file that knows `pg`.
 *
 * Promises: a flush is one READ COMMITTED transaction that locks the head row first, so the writers of all processes take
 * turns and each reads what the one before it committed. `synchronous_commit` is on whatever the server's default is. A
 * broken connection is a fault and is replaced by the next flush.
 */
import pg from 'pg';
import { emptyHead } from '../core/entry.ts';
import { err } from '../core/result.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import { text } from './columns.ts';
import { SqlFault, type Queries } from './driver.ts';
import type { Flushed, Job } from './job.ts';
import { connection, PostgresDriver, send } from './postgres-driver.ts';
import { Queue } from './queue.ts';
import { pooledRandom } from './random.ts';
import { readerOf } from './reader.ts';
import { migrate } from './schema.ts';
import { storeOf } from './store.ts';
import { readHead } from './head-rows.ts';
import { Writer } from './writer.ts';

export interface PostgresOptions {
  /** `postgres://…`; a `search_path` in its `options` chooses the schema, which must exist. */
  readonly url: string;
  /** The channels that are told of approvals, by name; a notice is kept for each. */
  readonly channels: readonly string[];
  /** A gate refuses to start beside another on the same schema. False for a command line. Default true. */
  readonly exclusive?: boolean;
  /** The gate that writes; default: none does. */
  readonly gate?: string;
  readonly clock?: Clock;
}

/** Connections that read, at most. */
const readersMax = 8;

/** How often we look whether another process has written. */
const elsewhereMs = 500;

/** How long closing waits for reads that are under way. */
const closeMsMax = 5_000;

const systemClock: Clock = { nowMs: () => Date.now() };
const systemRandom = pooledRandom();

/** Opens the store, making its tables; rejects with an Error that says what is wrong. */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const { url, channels, exclusive = true, gate = null, clock = systemClock } = options;
  const driver = new PostgresDriver(url, exclusive);
  const pool = new pg.Pool({ ...connection(url), max: readersMax });
  pool.on('error', () => undefined); // an idle connection broke: the pool replaces it
  const reads: Queries = { query: (sql, params = []) => send(pool, sql, params) };
  try {
    const joinKey = Buffer.from(systemRandom.bytes(32)).toString('hex');
    await migrate(driver, { joinKey, emptyHead });
    const [row] = await reads.query("SELECT value FROM meta WHERE key = 'join_key'");
    if (row === undefined) throw new SqlFault('the store has no join key', 'database');
    return assemble({ driver, pool, reads, channels, clock, gate, joinKey: text(row, 'value') });
  } catch (error) {
    await Promise.allSettled([driver.close(), pool.end()]);
    throw error;
  }
}

interface Opened {
  readonly driver: PostgresDriver;
  readonly pool: pg.Pool;
  readonly reads: Queries;
  readonly channels: readonly string[];
  readonly clock: Clock;
  readonly gate: string | null;
  readonly joinKey: string;
}

function assemble({ driver, pool, reads, channels, clock, gate, joinKey }: Opened): Store {
  const writer = new Writer({ driver, random: systemRandom, channels, gate });
  let last: Promise<unknown> = Promise.resolve();
  let size = -1;
  // One transaction at a time: a flush that the queue gave up waiting for may still be running.
  const flush = (jobs: readonly Job[], nowMs: number): Promise<Flushed> => {
    const flushed = last.then(() => writer.flush(jobs, nowMs));
    last = flushed.then((done) => {
      if (done.fault === null) size = done.size;
    });
    return flushed;
  };
  const queue = new Queue(flush, clock);
  const look = setInterval(() => {
    readHead(reads).then(
      (head) => {
        if (size >= 0 && head.size > size) queue.announce([]);
        size = Math.max(size, head.size);
      },
      () => undefined, // shows at the next write, to somebody who can be told
    );
  }, elsewhereMs);
  look.unref();
  const key = Uint8Array.from(Buffer.from(joinKey, 'hex'));
  return storeOf({
    reads: readerOf(reads, clock),
    queue,
    joinKey: () => key,
    backup: () => Promise.resolve(err({ kind: 'fault', detail: 'This store is PostgreSQL: use pg_dump.' })),
    async close() {
      clearInterval(look);
      await driver.close();
      // A reader whose server has gone is not waited for.
      const late = new Promise((resolve) => setTimeout(resolve, closeMsMax).unref());
      await Promise.race([pool.end(), late]);
    },
  });
}
