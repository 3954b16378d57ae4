/**
 * Group commit: what queues while one flush is being written is the next flush. No timer decides how large a flush is.
 *
 * Promises: jobs are written in the order in which they were submitted; every job gets an answer, within `answerMsMax` of
 * being sent, or a fault; the queue has a limit. While nothing can be written a probe finds out when that ends.
 */
import type { ActionId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';
import { detailOf } from './driver.ts';
import { faulted, faultedAll, type Flushed, type Job, type Outcome } from './job.ts';

export const queueLimits = {
  /** Jobs in one transaction. */
  flushMax: 256,
  /** Jobs that wait; more are answered with a fault at once. */
  queuedMax: 10_000,
  /** How long one flush may take: the database's own patience with a lock (5 s), and as much for the disk. */
  answerMsMax: 10_000,
  /** How often an unwritable store is tried. */
  probeMs: 1_000,
} as const;

interface Waiting {
  readonly job: Job;
  readonly answer: (outcome: Outcome) => void;
}

export type Listener = (changed: readonly ActionId[]) => void;

export class Queue {
  readonly #flush: (jobs: readonly Job[], nowMs: number) => Promise<Flushed>;
  readonly #clock: Clock;
  readonly #listeners = new Set<Listener>();
  #waiting: Waiting[] = [];
  #busy = false;
  #fault: string | null = null;
  #closed = false;
  #idle: (() => void) | undefined;
  #probe: NodeJS.Timeout | undefined;

  constructor(flush: (jobs: readonly Job[], nowMs: number) => Promise<Flushed>, clock: Clock) {
    this.#flush = flush;
    this.#clock = clock;
  }

  /** Never rejects. */
  submit(job: Job): Promise<Outcome> {
    if (this.#closed) return Promise.resolve(faulted('The store is closed.'));
    if (this.#waiting.length >= queueLimits.queuedMax) {
      return Promise.resolve(faulted(`${queueLimits.queuedMax} changes wait to be written already.`));
    }
    return new Promise((answer) => {
      this.#waiting.push({ job, answer });
      if (!this.#busy) this.#schedule();
    });
  }

  health(): { readonly writable: boolean; readonly detail: string | null } {
    return { writable: this.#fault === null, detail: this.#fault };
  }

  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells the listeners; empty: anything may have changed. */
  announce(changed: readonly ActionId[]): void {
    for (const listener of this.#listeners) listener(changed);
  }

  /** Resolves when all that was submitted is answered; what is submitted later is a fault. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#probe);
    if (this.#busy) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  #schedule(): void {
    this.#busy = true;
    // After whatever else is ready to run: callers that were answered together ask again together.
    setImmediate(() => void this.#run());
  }

  async #run(): Promise<void> {
    const sent = this.#waiting.splice(0, queueLimits.flushMax);
    const jobs = sent.map((one) => one.job);
    const flushed = await this.#answered(jobs);
    this.#note(flushed);
    for (const [at, { answer }] of sent.entries()) {
      answer(flushed.outcomes[at] ?? faulted('The writer answered nothing.'));
    }
    if (this.#waiting.length > 0) this.#schedule();
    else {
      this.#busy = false;
      this.#idle?.();
    }
    if (flushed.changed === 'everything') this.announce([]);
    else if (flushed.changed.length > 0) this.announce(flushed.changed);
  }

  /** The flush's answer, or a fault when it takes too long: whether it was written is then unknown. */
  #answered(jobs: readonly Job[]): Promise<Flushed> {
    return new Promise((resolve) => {
      let tooLate = false;
      const late = setTimeout(() => {
        tooLate = true;
        resolve(faultedAll(jobs, `No answer from the database in ${queueLimits.answerMsMax / 1000} s.`));
      }, queueLimits.answerMsMax);
      void this.#flush(jobs, this.#clock.nowMs())
        .catch((error: unknown) => faultedAll(jobs, detailOf(error)))
        .then((flushed) => {
          clearTimeout(late);
          resolve(flushed);
          if (!tooLate) return;
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
