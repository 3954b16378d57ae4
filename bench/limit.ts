/**
 * This side of the limit's worker: the same group commit as the store's (no timer; what queues during one flush is the next
 * one; one JSON text each way), with nothing else in it.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { LimitJob, ToLimit } from './limit-worker.ts';

const flushMax = 256;

interface Waiting {
  readonly job: LimitJob;
  readonly answer: () => void;
}

export class Limit {
  readonly #worker: Worker;
  #waiting: Waiting[] = [];
  #sent: readonly Waiting[] = [];
  #busy = false;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (text: string) => this.#flushed(text));
  }

  static async open(file: string): Promise<Limit> {
    const worker = new Worker(new URL('./limit-worker.ts', import.meta.url), { workerData: file });
    await once(worker, 'message');
    return new Limit(worker);
  }

  /** Resolves when the two rows are durable. */
  decide(job: LimitJob): Promise<void> {
    return new Promise((answer) => {
      this.#waiting.push({ job, answer });
      if (!this.#busy) this.#schedule();
    });
  }

  async close(): Promise<void> {
    const ended = once(this.#worker, 'exit');
    this.#post('close');
    await ended;
  }

  #schedule(): void {
    this.#busy = true;
    setImmediate(() => {
      this.#sent = this.#waiting.splice(0, flushMax);
      this.#post({ jobs: JSON.stringify(this.#sent.map((one) => one.job)) });
    });
  }

  #flushed(text: string): void {
    const heads: unknown = JSON.parse(text);
    if (!Array.isArray(heads) || heads.length !== this.#sent.length)
      throw new Error('The limit lost a decision.');
    for (const { answer } of this.#sent) answer();
    if (this.#waiting.length > 0) this.#schedule();
    else this.#busy = false;
  }

  #post(message: ToLimit): void {
    this.#worker.postMessage(message);
  }
}
