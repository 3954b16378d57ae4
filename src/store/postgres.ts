/**
 * The store on PostgreSQL, which any number of gates share: one connection writes (postgres-driver.ts), a few read
 * (postgres-reads.ts), one listens (postgres-listener.ts), and each second it is looked whether anything was missed
 * (postgres-watch.ts).
 *
 * Promises: a flush is one READ COMMITTED transaction whose last lock is the head row, so the writers of all gates take turns
 * and each reads what the one before it committed; what is acknowledged was waited for on the synchronous standbys
 * (postgres-commit.ts); time is the database's, unless a clock is given.
 */
import { emptyHead } from '../core/entry.ts';
import { err } from '../core/result.ts';
import type { Clock } from '../ports/clock.ts';
import { noMeters, type Meters } from '../ports/meters.ts';
import type { Store } from '../ports/store.ts';
import { text } from './columns.ts';
import { postgresDialect, SqlFault, type Driver, type Queries } from './driver.ts';
import type { Flushed, Job } from './job.ts';
import { makeRoom, Room } from './partitions.ts';
import { DatabaseClock } from './postgres-clock.ts';
import { PostgresDriver } from './postgres-driver.ts';
import { channelOf } from './postgres-hint.ts';
import { Hosts } from './postgres-hosts.ts';
import { Listener } from './postgres-listener.ts';
import { Reads } from './postgres-reads.ts';
import { Standby } from './postgres-standby.ts';
import { Watch } from './postgres-watch.ts';
import { Queue } from './queue.ts';
import { pooledRandom } from './random.ts';
import { readerOf } from './reader.ts';
import { readHead } from './head-rows.ts';
import { migrate } from './schema.ts';
import { storeOf } from './store.ts';
import { Writer } from './writer.ts';

export interface PostgresOptions {
  /** `postgres://…`, with one host or several (postgres-url.ts); a `search_path` in its `options` chooses the schema, which must exist. */
  readonly url: string;
  /**
   * Where `url` is a pooler that gives a server to each transaction, such as PgBouncer: the same database past it, for the
   * connection that listens and for migrations. Null: `url` is no such pooler.
   */
  readonly direct?: string | null;
  /** `required`: does not start, and writes nothing, where commits wait for no standby. Default: it is said. */
  readonly standby?: 'warn' | 'required';
  /** The channels that are told of approvals, by name; a notice is kept for each. */
  readonly channels: readonly string[];
  /** The gate that writes; default: none does. */
  readonly gate?: string;
  /** Time in the place of the database's, for tests. */
  readonly clock?: Clock;
  /** Rows of the first partitions of what grows for ever; default: as many as do an operator good (partitions.ts). */
  readonly partitionRows?: number;
  /** Told what an operator should read; default: nobody. */
  readonly say?: (line: string) => void;
  readonly meters?: Meters;
}

const systemRandom = pooledRandom();
const selfBytes = 8;

/** Opens the store, making its tables; rejects with an Error that says what is wrong. */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const { url, clock, say = () => undefined, standby: wanted = 'warn' } = options;
  const direct = options.direct ?? null;
  const hosts = new Hosts(url, direct !== null);
  const past = direct === null ? hosts : new Hosts(direct, false);
  const reads = new Reads(hosts, options.meters);
  try {
    const { joinKey, channel, tells, room } = await prepared(past, options);
    await sameStore(reads, joinKey);
    const self = hex(selfBytes);
    const standby = await Standby.ask({ reads, say }, wanted === 'required');
    const driver = new PostgresDriver({
      hosts,
      needsStandby: wanted === 'required',
      clock: clock === undefined,
      tells: tells ? { channel, from: self } : null,
    });
    return await assemble({ options, past, reads, driver, standby, joinKey, channel, tells, self, room });
  } catch (error) {
    await reads.close();
    throw error;
  }
}

const hex = (bytes: number): string => Buffer.from(systemRandom.bytes(bytes)).toString('hex');

interface Prepared {
  readonly joinKey: string;
  readonly channel: string;
  /** Whether the database can tell others of a commit. */
  readonly tells: boolean;
  /** The index from which on the log has no room yet. */
  readonly room: number;
}

/** A connection for what changes the tables: past a pooler, and with patience. */
const apart = (past: Hosts): PostgresDriver =>
  new PostgresDriver({ hosts: past, needsStandby: false, patient: true, clock: false, tells: null });

/** Brings the tables to this version, and looks what database this is. */
async function prepared(past: Hosts, { say, partitionRows }: PostgresOptions): Promise<Prepared> {
  const driver = apart(past);
  try {
    await migrate(driver, { joinKey: hex(32), emptyHead }, say === undefined ? {} : { say });
    const { size } = await readHead(driver);
    const [row] = await driver.query('SELECT current_schema() AS name');
    const name = row?.['name'];
    return {
      joinKey: await joinKeyOf(driver),
      channel: channelOf(typeof name === 'string' ? name : ''),
      tells: await canTell(driver),
      room: await makeRoom(driver, size, partitionRows),
    };
  } finally {
    await driver.close();
  }
}

async function joinKeyOf(from: Queries): Promise<string> {
  const [row] = await from.query("SELECT value FROM meta WHERE key = 'join_key'");
  if (row === undefined) throw new SqlFault('the store has no join key', 'database');
  return text(row, 'value');
}

/** @throws where the pooler leads to another database, or to another schema of it. */
async function sameStore(reads: Queries, joinKey: string): Promise<void> {
  const same = await joinKeyOf(reads).then(
    (key) => key === joinKey,
    (error: unknown) => {
      if (error instanceof SqlFault && error.again) throw error;
      return false;
    },
  );
  if (!same)
    throw new Error(
      'database and postgres.direct are not the same store: check the database and the search_path of both.',
    );
}

const canTell = (driver: Driver): Promise<boolean> =>
  Promise.resolve(driver.query("SELECT to_regprocedure('pg_notify(text,text)') IS NOT NULL AS can")).then(
    ([row]) => Boolean(row?.['can']),
    () => false,
  );

interface Opened extends Prepared {
  readonly options: PostgresOptions;
  readonly past: Hosts;
  readonly reads: Reads;
  readonly driver: PostgresDriver;
  readonly standby: Standby;
  readonly self: string;
}

async function assemble(opened: Opened): Promise<Store> {
  const { options, reads, driver, standby, joinKey } = opened;
  const { channels, gate = null } = options;
  const measuring = new DatabaseClock(Date.now());
  const clock = options.clock ?? measuring;
  const { meters = noMeters } = options;
  const again = (): void => meters.count('store_flush_retries', {});
  const writer = new Writer({ driver, random: systemRandom, channels, gate, again });
  const room = new Room(opened.room, () => apart(opened.past), options.partitionRows);
  let last: Promise<unknown> = Promise.resolve();
  // One transaction at a time: a flush that the queue gave up waiting for may still be running.
  const flush = (jobs: readonly Job[], nowMs: number): Promise<Flushed> => {
    room.look();
    const flushed = last.then(() => writer.flush(jobs, nowMs));
    last = flushed.then(({ fault, size }) => room.look(fault === null ? size : 0));
    return flushed;
  };
  const queue = new Queue(flush, clock, undefined, meters);
  const stop = await hear(opened, queue, measuring);
  standby.start();
  const key = Uint8Array.from(Buffer.from(joinKey, 'hex'));
  return storeOf({
    reads: readerOf(reads, clock),
    queue,
    shared: true,
    clock,
    durability: () => standby.known,
    joinKey: () => key,
    backup: () => Promise.resolve(err({ kind: 'fault', detail: 'This store is PostgreSQL: use pg_dump.' })),
    async close() {
      standby.stop();
      await stop();
      await room.close();
      await driver.close();
      // A flush that the queue gave up waiting for: nothing is written after the store was closed.
      await last;
      await reads.close();
    },
  });
}

/** Begins to hear what other gates commit; the answer ends it. */
async function hear(opened: Opened, queue: Queue, clock: DatabaseClock): Promise<() => Promise<void>> {
  const { options, past, reads, self, channel, tells } = opened;
  const { meters = noMeters } = options;
  let connected = false;
  meters.gauge('listener_connected', () => (connected ? 1 : 0));
  const watch = new Watch({
    reads,
    self,
    nowMs: options.clock === undefined ? postgresDialect.nowMs : 'NULL',
    announce: (changed) => queue.announce(changed),
    announceNotices: () => queue.announceNotices(),
    measured: (sample) => clock.measured(sample),
    missed: () => meters.count('listener_missed', {}),
  });
  await watch.start();
  const listener = new Listener({
    hosts: past,
    channel,
    heard: (hint) => {
      if (hint.from !== self) meters.count('listener_notifications', {});
      watch.heard(hint);
    },
    listening: (on) => {
      connected = on;
      if (!on) meters.count('listener_lost', {});
      void watch.listening(on);
    },
  });
  const cannot = tells ? await listener.start() : { detail: 'it has no pg_notify' };
  if (cannot !== null)
    options.say?.(
      `store: this database cannot tell gates of each other's changes (${cannot.detail}): they look once a second instead.`,
    );
  return async () => {
    await listener.stop();
    await watch.stop();
  };
}
