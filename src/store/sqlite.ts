/**
 * The embedded store: one SQLite file in a folder of its own. Changes go to a worker thread (sqlite-worker.ts); reads are
 * point reads of microseconds on a second, read-only connection in this thread, and go on when nothing can be written.
 *
 * Files: `countersign.db` with `-wal` and `-shm` beside it, and `lock.db`, which a gate holds while it runs.
 */
import { mkdirSync } from 'node:fs';
import type { Clock } from '../ports/clock.ts';
import { noMeters, type Meters } from '../ports/meters.ts';
import type { Store } from '../ports/store.ts';
import { text } from './columns.ts';
import { SqlFault } from './driver.ts';
import { Queue } from './queue.ts';
import { readerOf } from './reader.ts';
import { SqliteDriver } from './sqlite-driver.ts';
import { copyInThread, WriterThread } from './sqlite-thread.ts';
import { databaseFile } from './sqlite-protocol.ts';
import { storeOf } from './store.ts';

export interface SqliteOptions {
  /** Made if it is not there, for this user only. */
  readonly directory: string;
  /** The channels that are told of approvals, by name; a notice is kept for each. */
  readonly channels: readonly string[];
  /**
   * A gate holds the folder against a second gate, which is refused. False is for a command line that works beside a
   * running gate. Default true.
   */
  readonly exclusive?: boolean;
  /** The gate that writes; default: none does. */
  readonly gate?: string;
  readonly clock?: Clock;
  readonly meters?: Meters;
}

const systemClock: Clock = { nowMs: () => Date.now() };

/** Opens or makes the store; rejects with an Error that says what is wrong with the folder. */
export async function openSqlite(options: SqliteOptions): Promise<Store> {
  const { directory, channels, exclusive = true, gate = null, clock = systemClock } = options;
  const { meters = noMeters } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const writer = new WriterThread({ directory, channels, exclusive, gate });
  await writer.ready();
  const file = databaseFile(directory);
  try {
    return assemble({ writer, db: new SqliteDriver(file, 'read'), clock, file, meters });
  } catch (error) {
    await writer.close();
    throw error;
  }
}

interface Opened {
  readonly writer: WriterThread;
  readonly db: SqliteDriver;
  readonly clock: Clock;
  readonly file: string;
  readonly meters: Meters;
}

function assemble({ writer, db, clock, file, meters }: Opened): Store {
  const queue = new Queue(
    (jobs, nowMs) => writer.flush(jobs, nowMs),
    clock,
    (jobs, nowMs) => writer.ahead(jobs, nowMs),
    meters,
  );
  let joinKey = readJoinKey(db);
  writer.onElsewhere = () => {
    try {
      joinKey = readJoinKey(db); // a restore may have brought another
    } catch {
      // What is wrong with the database shows where somebody can be told; the key stays.
    }
    queue.announce([]);
  };
  return storeOf({
    reads: readerOf(db, clock),
    queue,
    clock,
    joinKey: () => joinKey,
    backup: (to) => copyInThread({ from: file, to }),
    async close() {
      // The last connection to close folds the log of SQLite into the file, and a reader cannot: it goes first.
      db.close();
      await writer.close();
    },
  });
}

function readJoinKey(db: SqliteDriver): Uint8Array {
  const [row] = db.query("SELECT value FROM meta WHERE key = 'join_key'");
  if (row === undefined) throw new SqlFault(`${db.file}: the store has no join key`, 'database');
  return Uint8Array.from(Buffer.from(text(row, 'value'), 'hex'));
}
