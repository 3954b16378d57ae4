/**
 * The writer: one flush is one transaction that decides many jobs, one after another, and pays one fsync for all.
 *
 * The head row is locked first, so that writers of several processes take turns (on SQLite BEGIN IMMEDIATE does that), and
 * written last, once for the whole batch. Everything a step reads is read inside the transaction: another process may have
 * written in between. Only where the database says that nobody has (`dataVersion`), the head and the world are those of the
 * transaction before.
 *
 * Promises: a job that is refused writes only its entries; a job that fails (a bug, a row that the schema refuses) leaves
 * nothing and takes nobody with it; if the transaction fails, every job of it answers a fault and nothing is written, or,
 * where COMMIT itself failed, nobody knows.
 */
import type { Directory } from '../core/directory.ts';
import { Batch, type World, type WriterParts } from './batch.ts';
import { detailOf, SqlFault } from './driver.ts';
import { faulted, faultedAll, type Flushed, type Job, type Outcome } from './job.ts';
import { sweep, sweepMs } from './sweep.ts';
import { readHead, updateHead, type HeadRow } from './world-rows.ts';

/** One job failed for a reason of its own; the flush is tried again with a savepoint around each job. */
class JobFailed extends Error {}

export class Writer {
  readonly #parts: WriterParts;
  /** The parsed directory by its version: one at most. Emptied by a rollback, because versions of it may come again. */
  readonly #directories = new Map<number, Directory>();

  /** How the last transaction left them, and the data version that it saw; none after one that failed. */
  #left: { readonly version: number; readonly log: HeadRow; readonly world: World | undefined } | undefined;
  #sweptMs = 0;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** Decides the jobs in their order; never rejects. `clockMs`: the one time of this transaction. */
  async flush(jobs: readonly Job[], clockMs: number): Promise<Flushed> {
    try {
      return await this.#attempt(jobs, clockMs, false);
    } catch (error) {
      if (!(error instanceof JobFailed)) return faultedAll(jobs, detailOf(error));
    }
    try {
      return await this.#attempt(jobs, clockMs, true);
    } catch (error) {
      return faultedAll(jobs, detailOf(error));
    }
  }

  async #attempt(jobs: readonly Job[], clockMs: number, careful: boolean): Promise<Flushed> {
    const { driver } = this.#parts;
    try {
      const { answer: flushed, left } = await driver.transaction(async () => {
        const version = driver.dataVersion();
        const same = version !== null && this.#left?.version === version ? this.#left : undefined;
        const start = same?.log ?? (await readHead(driver, driver.dialect.forUpdate));
        const batch = new Batch(this.#parts, this.#directories, start, clockMs);
        batch.world = same?.world;
        if (batch.nowMs - this.#sweptMs >= sweepMs) {
          this.#sweptMs = batch.nowMs;
          await sweep(driver, batch.nowMs);
        }
        const outcomes: Outcome[] = [];
        for (const job of jobs) {
          outcomes.push(careful ? await this.#guarded(batch, job) : await this.#plain(batch, job));
        }
        const { log, world, notices, wrote } = batch;
        if (log.size !== start.size) await driver.run(updateHead, [log.size, log.head, log.atMs]);
        const changed = batch.everything ? 'everything' : [...batch.changed];
        const answer: Flushed = { outcomes, changed, notices, wrote, size: log.size, fault: null };
        return { answer, left: version === null ? undefined : { version, log, world } };
      });
      this.#left = left;
      return flushed;
    } catch (error) {
      this.#left = undefined;
      this.#directories.clear();
      throw error;
    }
  }

  async #plain(batch: Batch, job: Job): Promise<Outcome> {
    try {
      return await batch.job(job);
    } catch (error) {
      if (error instanceof SqlFault && error.scope === 'database') throw error;
      throw new JobFailed();
    }
  }

  async #guarded(batch: Batch, job: Job): Promise<Outcome> {
    const { driver } = this.#parts;
    const { log, everything, wrote } = batch;
    const changed = new Set(batch.changed);
    await driver.run('SAVEPOINT job');
    try {
      const outcome = await batch.job(job);
      await driver.run('RELEASE SAVEPOINT job');
      return outcome;
    } catch (error) {
      if (error instanceof SqlFault && error.scope === 'database') throw error;
      await driver.run('ROLLBACK TO SAVEPOINT job');
      await driver.run('RELEASE SAVEPOINT job');
      batch.forget({ log, everything, wrote, changed });
      this.#directories.clear();
      return faulted(`this change failed alone: ${detailOf(error)}`);
    }
  }
}
