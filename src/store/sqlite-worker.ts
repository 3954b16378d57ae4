/**
 * The writer's thread: it owns the one connection that writes, so that the event loop of the gate never waits for a disk.
 */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { emptyHead } from '../core/entry.ts';
import { detailOf, SqlFault } from './driver.ts';
import type { Job } from './job.ts';
import { pooledRandom } from './random.ts';
import { migrate } from './schema.ts';
import { SqliteDriver } from './sqlite-driver.ts';
import { databaseFile, type FromWorker, type ToWorker, type WorkerOptions } from './sqlite-protocol.ts';
import { decodeJobs, encodeFlushed } from './wire.ts';
import { Writer } from './writer.ts';

/** How often we look whether another process has written. */
const elsewhereMs = 500;

/** Held until the process dies, however it dies: the operating system drops the lock with it. */
function lockDirectory(directory: string): SqliteDriver {
  const lock = new SqliteDriver(join(directory, 'lock.db'), 'lock');
  try {
    lock.run('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    throw new SqlFault(
      `Another gate is running on ${directory}; two would both run what is approved.`,
      'database',
      error,
    );
  }
}

async function serve(port: NonNullable<typeof parentPort>, options: WorkerOptions): Promise<void> {
  const { directory, channels, exclusive, gate } = options;
  const lock = exclusive ? lockDirectory(directory) : undefined;
  const driver = new SqliteDriver(databaseFile(directory), 'write');
  const random = pooledRandom();
  const send = (message: FromWorker): void => port.postMessage(message);
  await migrate(driver, { joinKey: Buffer.from(random.bytes(32)).toString('hex'), emptyHead });
  // A crash after an erasure left it in the write-ahead log.
  driver.erased();
  const writer = new Writer({ driver, random, channels, gate });

  let seen = driver.dataVersion();
  const look = setInterval(() => {
    try {
      const now = driver.dataVersion();
      if (now !== seen) send({ kind: 'elsewhere' });
      seen = now;
    } catch {
      // What is wrong with the database shows at the next write, to somebody who can be told.
    }
  }, elsewhereMs);
  look.unref();

  let ahead: { readonly id: number; readonly jobs: readonly Job[] } | undefined;
  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'ahead':
        ahead = { id: message.id, jobs: decodeJobs(message.jobs) };
        writer.ahead(ahead.jobs, message.nowMs);
        return;
      case 'flush': {
        // The writer knows what it has decided ahead by the very jobs.
        const first = ahead !== undefined && ahead.id === message.ahead ? ahead.jobs : [];
        ahead = undefined;
        const jobs = [...first, ...decodeJobs(message.jobs).slice(first.length)];
        void writer.flush(jobs, message.nowMs).then((flushed) => {
          send({ kind: 'flushed', id: message.id, flushed: encodeFlushed(jobs, flushed) });
          // A command line that works beside a gate does not stay for it.
          if (exclusive) driver.makeRoom();
        });
        return;
      }
      case 'close':
        clearInterval(look);
        writer.leave();
        driver.close();
        lock?.close();
        send({ kind: 'closed' });
        port.close();
        return;
    }
  });
  send({ kind: 'ready' });
}

if (parentPort !== null) {
  const port = parentPort;
  // sqlite.ts starts this file with WorkerOptions.
  serve(port, workerData as WorkerOptions).catch((error: unknown) => {
    port.postMessage({ kind: 'failed', detail: detailOf(error) } satisfies FromWorker);
    port.close();
  });
}
