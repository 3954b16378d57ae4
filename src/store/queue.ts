/**
 * Group commit: what queues while one flush is being written is the next flush. No timer decides how large a flush is. Only
 * what nobody waits for (`soon`) is kept for a few milliseconds, to ride with what comes next instead of taking the disk alone.
 *
 * Promises: jobs are written in the order in which they were submitted; every job gets an answer, within `answerMsMax` of
 * being sent, or a fault; the queue has a limit. While nothing can be written a probe finds out when that ends. A database that
 * does not answer keeps nobody waiting twice: until it does, whatever comes is a fault at once.
 */
import type { ActionId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';
import { noMeters, type Meters } from '../ports/meters.ts';
import type { Haste } from '../ports/store.ts';
import { detailOf } from './driver.ts';
import { faulted, faultedAll, type Flushed, type Job, type Outcome } from './job.ts';

export const queueLimits = {
  /** Jobs in one transaction. */
  flushMax: 256,
  /** Jobs that wait; more are answered with a fault at once. */
  queuedMax: 10_000,
  /** How long one flush may take: the database's own patience with a lock (5 s), and as much for the disk. */
  answerMsMax: 10_000,
  /** How long what nobody waits for may wait for company. */
  soonMs: 5,
  /** How often an unwritable store is tried. */
  probeMs: 1_000,
} as const;

interface Waiting {
  /** Of the steady clock. */
  readonly sinceMs: number;
  readonly haste: Haste;
  readonly job: Job;
  readonly answer: (outcome: Outcome) => void;
}

export type Listener = (changed: readonly ActionId[]) => void;

export class Queue {
  readonly #flush: (jobs: readonly Job[], nowMs: number) => Promise<Flushed>;
  readonly #clock: Clock;
  readonly #meters: Meters;
  readonly #ahead: ((jobs: readonly Job[], nowMs: number) => void) | undefined;
  readonly #listeners = new Set<Listener>();
  readonly #noticed = new Set<(elsewhere: boolean) => void>();
  #waiting: Waiting[] = [];
  #busy = false;
  #fault: string | null = null;
  /** A flush whose callers were told that nobody knows, and that has not come back: what it is waited for with. */
  #overdue: string | null = null;
  #closed = false;
  #idle: (() => void) | undefined;
  #probe: NodeJS.Timeout | undefined;
  /** Set while all that waits is in no haste. */
  #soon: NodeJS.Timeout | undefined;

  /** @param ahead told of the jobs that the next flush will begin with, while they wait for company. */
  constructor(
    flush: (jobs: readonly Job[], nowMs: number) => Promise<Flushed>,
    clock: Clock,
    ahead?: (jobs: readonly Job[], nowMs: number) => void,
    meters: Meters = noMeters,
  ) {
    this.#meters = meters;
    meters.gauge('store_queue_jobs', () => this.#waiting.length);
    this.#flush = flush;
    this.#clock = clock;
    this.#ahead = ahead;
  }

  /** Never rejects. */
  submit(job: Job, haste: Haste = 'now'): Promise<Outcome> {
    if (this.#closed) return Promise.resolve(faulted('The store is closed.'));
    if (this.#waiting.length >= queueLimits.queuedMax) {
      this.#meters.count('store_queue_full', {});
      return Promise.resolve(faulted(`${queueLimits.queuedMax} changes wait to be written already.`));
    }
    return new Promise((answer) => {
      this.#waiting.push({ job, answer, haste, sinceMs: performance.now() });
      if (!this.#busy) this.#next();
    });
  }

  health(): { readonly writable: boolean; readonly detail: string | null } {
    return { writable: this.#fault === null, detail: this.#fault };
  }

  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onNotices(listener: (elsewhere: boolean) => void): () => void {
    this.#noticed.add(listener);
    return () => this.#noticed.delete(listener);
  }

  /** Tells the listeners; empty: anything may have changed, and anybody may have left notices. */
  announce(changed: readonly ActionId[]): void {
    for (const listener of this.#listeners) listener(changed);
    if (changed.length === 0) this.announceNotices();
  }

  /** Tells whoever delivers notices that there may be some. @param elsewhere another process wrote them, if anybody did. */
  announceNotices(elsewhere = true): void {
    for (const listener of this.#noticed) listener(elsewhere);
  }

  /** Resolves when all that was submitted is answered; what is submitted later is a fault. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#probe);
    if (this.#soon !== undefined) this.#schedule();
    if (this.#busy) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  /** Writes what waits: at once, or a little later where all of it is in no haste. */
  #next(): void {
    const now = this.#waiting.some((one) => one.haste === 'now');
    if (now || this.#closed || this.#waiting.length >= queueLimits.flushMax) this.#schedule();
    else if (this.#soon === undefined) {
      this.#soon = setTimeout(() => this.#schedule(), queueLimits.soonMs);
      // After whoever has been answered was told.
      if (this.#ahead !== undefined) setImmediate(() => this.#begin());
    }
  }

  /** Has what waits decided; what comes later goes behind it. */
  #begin(): void {
    if (this.#busy || this.#soon === undefined) return;
    this.#ahead?.(
      this.#waiting.map((one) => one.job),
      this.#clock.nowMs(),
    );
  }

  #schedule(): void {
    this.#busy = true;
    clearTimeout(this.#soon);
    this.#soon = undefined;
    // After whatever else is ready to run: callers that were answered together ask again together.
    setImmediate(() => void this.#run());
  }

  async #run(): Promise<void> {
    const sent = this.#waiting.splice(0, queueLimits.flushMax);
    const jobs = sent.map((one) => one.job);
    const startMs = performance.now();
    for (const { sinceMs } of sent)
      this.#meters.observe('store_queue_wait_seconds', (startMs - sinceMs) / 1000, {});
    const flushed = await this.#answered(jobs);
    this.#measure(flushed, jobs.length, performance.now() - startMs);
    this.#note(flushed);
    for (const [at, { answer }] of sent.entries()) {
      answer(flushed.outcomes[at] ?? faulted('The writer answered nothing.'));
    }
    this.#busy = false;
    if (this.#waiting.length > 0) this.#next();
    else this.#idle?.();
    if (flushed.changed === 'everything') this.announce([]);
    else if (flushed.changed.length > 0) this.announce(flushed.changed);
    if (flushed.notices) this.announceNotices(false);
  }

  #measure({ fault }: Flushed, jobs: number, ms: number): void {
    this.#meters.count('store_flushes', { result: fault === null ? 'ok' : 'fault' });
    this.#meters.observe('store_flush_jobs', jobs, {});
    this.#meters.observe('store_flush_seconds', ms / 1000, {});
  }

  /** The flush's answer, or a fault when it takes too long: whether it was written is then unknown. */
  #answered(jobs: readonly Job[]): Promise<Flushed> {
    if (this.#overdue !== null) return Promise.resolve(faultedAll(jobs, this.#overdue));
    return new Promise((resolve) => {
      let tooLate = false;
      const late = setTimeout(() => {
        tooLate = true;
        this.#overdue = `No answer from the database in ${queueLimits.answerMsMax / 1000} s.`;
        resolve(faultedAll(jobs, this.#overdue));
      }, queueLimits.answerMsMax);
      void this.#flush(jobs, this.#clock.nowMs())
        .catch((error: unknown) => faultedAll(jobs, detailOf(error)))
        .then((flushed) => {
          clearTimeout(late);
          resolve(flushed);
          if (!tooLate) return;
          this.#overdue = null;
          // Its callers were told that nobody knows; now it is known, and whoever reads again sees it.
          this.#note(flushed);
          this.announce([]);
        });
    });
  }

  #note(flushed: Flushed): void {
    if (flushed.fault !== null) this.#fault = flushed.fault;
    else if (flushed.wrote) this.#fault = null;
    if (this.#fault === null || this.#closed || this.#probe !== undefined) return;
    this.#probe = setTimeout(() => {
      this.#probe = undefined;
      void this.submit({ kind: 'probe' });
    }, queueLimits.probeMs).unref();
  }
}
