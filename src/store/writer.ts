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
import { readHead, updateHead, type HeadRow } from './head-rows.ts';

/** How long a transaction waits for its flush: it keeps every other process from writing. */
const aheadMsMax = 50;

/** What a flush adds to what was decided ahead of it. */
interface Rest {
  readonly jobs: readonly Job[];
  readonly clockMs: number;
}

/** A transaction that waits for its flush. */
interface Open {
  readonly jobs: readonly Job[];
  /** Null: nothing comes any more. */
  readonly resolve: (rest: Rest | null) => void;
  readonly flushed: Promise<Flushed>;
  readonly late: NodeJS.Timeout;
  failed: boolean;
}

/** One job failed for a reason of its own; the flush is tried again with a savepoint around each job. */
class JobFailed extends Error {}

export class Writer {
  readonly #parts: WriterParts;
  /** The parsed directory by its version: one at most. Emptied by a rollback, because versions of it may come again. */
  readonly #directories = new Map<number, Directory>();

  /** How the last transaction left them, and the data version that it saw; none after one that failed. */
  #left: { readonly version: number; readonly log: HeadRow; readonly world: World | undefined } | undefined;
  #sweptMs = 0;
  #open: Open | undefined;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** Decides the jobs in their order; never rejects. `clockMs`: the time of these jobs, never before that of what is in the log. */
  async flush(jobs: readonly Job[], clockMs: number): Promise<Flushed> {
    try {
      return (await this.#goOn(jobs, clockMs)) ?? (await this.#attempt(jobs, clockMs, false));
    } catch (error) {
      if (!(error instanceof JobFailed)) return faultedAll(jobs, detailOf(error));
    }
    try {
      return await this.#attempt(jobs, clockMs, true);
    } catch (error) {
      return faultedAll(jobs, detailOf(error));
    }
  }

  /**
   * Decides jobs in a transaction that stays open for the flush that begins with these very jobs, so that only its COMMIT is
   * left to that flush. What fails here is decided again there, and so is what no flush has come for in `aheadMsMax`.
   */
  ahead(jobs: readonly Job[], clockMs: number): void {
    if (this.#open !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<Rest | null>();
    const flushed = this.#transaction(clockMs, async (batch) => {
      const outcomes = await this.#decide(batch, jobs, false);
      const rest = await promise;
      if (rest === null) throw new Error('nothing came for it');
      batch.later(rest.clockMs);
      return [...outcomes, ...(await this.#decide(batch, rest.jobs, false))];
    });
    const open: Open = {
      jobs,
      resolve,
      flushed,
      late: setTimeout(() => this.leave(), aheadMsMax).unref(),
      failed: false,
    };
    flushed.catch(() => (open.failed = true));
    this.#open = open;
  }

  /** Whether a transaction is open for a flush. */
  get waiting(): boolean {
    return this.#open !== undefined;
  }

  /** Rolls back what is decided ahead. */
  leave(): void {
    const open = this.#open;
    this.#open = undefined;
    clearTimeout(open?.late);
    open?.resolve(null);
  }

  /** The whole of the flush in the transaction that is open for it; undefined where there is none. */
  async #goOn(jobs: readonly Job[], clockMs: number): Promise<Flushed | undefined> {
    const open = this.#open;
    if (open === undefined) return undefined;
    const first = open.jobs.length;
    if (open.failed || open.jobs.some((job, at) => job !== jobs[at])) {
      this.leave();
      await open.flushed.catch(() => undefined);
      return undefined;
    }
    this.#open = undefined;
    clearTimeout(open.late);
    open.resolve({ jobs: jobs.slice(first), clockMs });
    return open.flushed;
  }

  async #attempt(jobs: readonly Job[], clockMs: number, careful: boolean): Promise<Flushed> {
    return this.#transaction(clockMs, (batch) => this.#decide(batch, jobs, careful));
  }

  async #decide(batch: Batch, jobs: readonly Job[], careful: boolean): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const job of jobs) {
      outcomes.push(careful ? await this.#guarded(batch, job) : await this.#plain(batch, job));
    }
    return outcomes;
  }

  async #transaction(
    clockMs: number,
    decide: (batch: Batch) => Promise<readonly Outcome[]>,
  ): Promise<Flushed> {
    const { driver } = this.#parts;
    try {
      const {
        answer: flushed,
        erases,
        left,
      } = await driver.transaction(async () => {
        const version = driver.dataVersion();
        const same = version !== null && this.#left?.version === version ? this.#left : undefined;
        const start = same?.log ?? (await readHead(driver, driver.dialect.forUpdate));
        const batch = new Batch(this.#parts, this.#directories, start, clockMs);
        batch.world = same?.world;
        if (batch.nowMs - this.#sweptMs >= sweepMs) {
          this.#sweptMs = batch.nowMs;
          await sweep(driver, batch.nowMs);
        }
        const outcomes = await decide(batch);
        const { log, world, notices, wrote } = batch;
        if (log.size !== start.size) await driver.run(updateHead, [log.size, log.head, log.atMs]);
        const changed = batch.everything ? 'everything' : [...batch.changed];
        const answer: Flushed = { outcomes, changed, notices, wrote, size: log.size, fault: null };
        return { answer, erases: batch.erased, left: version === null ? undefined : { version, log, world } };
      });
      this.#left = left;
      if (erases) await driver.erased();
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
