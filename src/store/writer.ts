/**
 * The writer: one flush is one transaction that decides many jobs, one after another, and pays one fsync for all.
 *
 * The rows of the cases that its jobs name are locked first (case-locks.ts), the head row last of all locks; whoever has it
 * decides and writes, and writes it at the end, once for the whole batch. So writers of several processes take turns (on SQLite
 * BEGIN IMMEDIATE does that), the log needs no leader, and everything that a step reads is what was committed last: it is read
 * under the head row, or under the lock of its own row. Only where the database says that nobody has written (`dataVersion`),
 * or not to the world (`HeadRow.world`), what the transaction before knew of it is used again.
 *
 * Promises: a job that is refused writes only its entries; a job that fails (a bug, a row that the schema refuses) leaves
 * nothing and takes nobody with it; what met another writer, or a connection that broke, is decided anew from its beginning,
 * for a bounded time; if the transaction fails, every job of it answers a fault and nothing is written, or, where nobody can
 * tell whether COMMIT happened, nobody knows.
 */
import type { Directory } from '../core/directory.ts';
import type { ActionId } from '../core/ids.ts';
import { Batch, decideOf, type WriterParts } from './batch.ts';
import { LockedCases, namedBy, RowTaken } from './case-locks.ts';
import { detailOf, SqlFault } from './driver.ts';
import { faulted, faultedAll, type Flushed, type Job, type Outcome } from './job.ts';
import { sweep, sweepAgainMs, sweepMs } from './sweep.ts';
import { headValues, lockHead, updateHead, type HeadRow } from './head-rows.ts';
import type { World } from './loading.ts';
import { schemaVersion } from './schema.ts';

/** How long a transaction waits for its flush: it keeps every other process from writing. */
const aheadMsMax = 50;

/** For how long a flush is tried again; the queue gives up on it a little later (queue.ts). */
const againMsMax = 8_000;
/** The pause before it is: from here on doubled, and up to twice as long by chance, so that two writers part. */
const pauseMsMin = 2;
const pauseMsMax = 400;

/** What a flush adds to what was decided ahead of it. */
interface Rest {
  readonly jobs: readonly Job[];
  readonly clockMs: number;
}

/** What one transaction is begun for. */
interface Attempt {
  readonly jobs: readonly Job[];
  readonly clockMs: number;
  /** Actions whose rows are locked first besides those that the jobs name. */
  readonly first: readonly ActionId[];
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

/** Not one job's own failure: the transaction is over. */
const isWhole = (error: unknown): boolean =>
  error instanceof RowTaken || (error instanceof SqlFault && error.scope === 'database');

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms * (1 + Math.random())));

/** One job failed for a reason of its own; the flush is tried again with a savepoint around each job. */
class JobFailed extends Error {}

export class Writer {
  readonly #parts: WriterParts;
  /** The parsed directory by its version: one at most. Emptied by a rollback, because versions of it may come again. */
  readonly #directories = new Map<number, Directory>();

  /** How the last transaction left them, and the data version that it saw; none after one that failed. */
  #left:
    { readonly version: number | null; readonly log: HeadRow; readonly world: World | undefined } | undefined;
  #sweptMs = 0;
  #open: Open | undefined;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** Decides the jobs in their order; never rejects. `clockMs`: the time of these jobs, never before that of what is in the log. */
  async flush(jobs: readonly Job[], clockMs: number): Promise<Flushed> {
    const end = performance.now() + againMsMax;
    const first: ActionId[] = [];
    let careful = false;
    for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(2 * pauseMs, pauseMsMax)) {
      try {
        return (await this.#goOn(jobs, clockMs)) ?? (await this.#attempt({ jobs, clockMs, careful, first }));
      } catch (error) {
        // What was written without waiting failed at the end: which job it was shows when each is waited for.
        const ofJob = error instanceof JobFailed || (error instanceof SqlFault && error.scope === 'command');
        if (ofJob && !careful) careful = true;
        else if (error instanceof RowTaken) first.push(error.action);
        else if (!(error instanceof SqlFault && error.again)) return faultedAll(jobs, detailOf(error));
        if (performance.now() + 2 * pauseMs > end) return faultedAll(jobs, detailOf(error));
        if (!ofJob) {
          this.#parts.again?.();
          await pause(pauseMs);
        }
      }
    }
  }

  /**
   * Decides jobs in a transaction that stays open for the flush that begins with these very jobs, so that only its COMMIT is
   * left to that flush. What fails here is decided again there, and so is what no flush has come for in `aheadMsMax`.
   */
  ahead(jobs: readonly Job[], clockMs: number): void {
    if (this.#open !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<Rest | null>();
    const flushed = this.#transaction({ jobs, clockMs, first: [] }, async (batch) => {
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

  async #attempt(how: Attempt & { readonly careful: boolean }): Promise<Flushed> {
    return this.#transaction(how, (batch) => this.#decide(batch, how.jobs, how.careful));
  }

  async #decide(batch: Batch, jobs: readonly Job[], careful: boolean): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const job of jobs) {
      outcomes.push(careful ? await this.#guarded(batch, job) : await this.#plain(batch, job));
    }
    return outcomes;
  }

  async #transaction(
    { jobs, clockMs, first }: Attempt,
    decide: (batch: Batch) => Promise<readonly Outcome[]>,
  ): Promise<Flushed> {
    const { driver } = this.#parts;
    let last: HeadRow | undefined;
    try {
      const { answer, erases, left } = await driver.transaction(
        async () => {
          const cases = new LockedCases(driver);
          await cases.lock(namedBy(jobs, decideOf(this.#parts).needsOf, first));
          const { start, batch, version } = await this.#begin(cases, clockMs);
          const outcomes = await decide(batch);
          await batch.end();
          const { everything, world, notices, wrote } = batch;
          const moved = Math.max(start.world + 1, batch.nowMs);
          const log = everything ? { ...batch.log, world: moved } : batch.log;
          if (log !== start) await driver.run(updateHead, headValues(log));
          if (batch.told !== null) await driver.tell(batch.told);
          if (log.size !== start.size) last = log;
          const changed = everything ? 'everything' : [...batch.changed];
          const flushed: Flushed = { outcomes, changed, notices, wrote, size: log.size, fault: null };
          return { answer: flushed, erases: batch.erased, left: { version, log, world } };
        },
        () => (last === undefined ? null : { index: last.size - 1, head: last.head }),
      );
      this.#left = left;
      if (erases) await driver.erased();
      return answer;
    } catch (error) {
      this.#left = undefined;
      this.#directories.clear();
      throw error;
    }
  }

  /** Takes the head row, and with it everybody else's turn to write. */
  async #begin(
    cases: LockedCases,
    clockMs: number,
  ): Promise<{ readonly start: HeadRow; readonly batch: Batch; readonly version: number | null }> {
    const { driver } = this.#parts;
    const version = driver.dataVersion();
    const same = version !== null && this.#left?.version === version ? this.#left : undefined;
    const taken = same === undefined ? await lockHead(driver) : { head: same.log, nowMs: null };
    const { head: start, nowMs } = taken;
    if (start.writers > schemaVersion)
      throw new SqlFault(
        `This gate is older than what the database now allows to write (schema ${start.writers}, this one knows ${schemaVersion}); upgrade it.`,
        'database',
      );
    const batch = new Batch(this.#parts, this.#directories, {
      log: start,
      clockMs: nowMs ?? clockMs,
      cases,
    });
    if (same !== undefined || this.#left?.log.world === start.world) batch.world = this.#left?.world;
    // A version of it may have come again, in a database that went back.
    else this.#directories.clear();
    if (batch.nowMs - this.#sweptMs >= sweepMs) {
      // What cannot be swept now is left for the next time: it keeps nobody from writing.
      this.#sweptMs = batch.nowMs;
      const more = await sweep(driver, batch.nowMs).catch((error: unknown) => {
        throw new SqlFault(`what is old could not be swept: ${detailOf(error)}`, 'database', error, true);
      });
      if (more) this.#sweptMs -= sweepMs - sweepAgainMs;
    }
    return { start, batch, version };
  }

  async #plain(batch: Batch, job: Job): Promise<Outcome> {
    try {
      return await batch.job(job);
    } catch (error) {
      if (isWhole(error)) throw error;
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
      await batch.end();
      await driver.run('RELEASE SAVEPOINT job');
      return outcome;
    } catch (error) {
      if (isWhole(error)) throw error;
      await driver.run('ROLLBACK TO SAVEPOINT job');
      await driver.run('RELEASE SAVEPOINT job');
      batch.forget({ log, everything, wrote, changed });
      this.#directories.clear();
      return faulted(`this change failed alone: ${detailOf(error)}`);
    }
  }
}
