/** This thread's side of the store's other threads: the writer, which lives as long as the store, and the copier of a backup. */
import { Worker } from 'node:worker_threads';
import { err, ok, type Result } from '../core/result.ts';
import type { StoreFault } from '../ports/store.ts';
import { detailOf, SqlFault } from './driver.ts';
import type { Flushed, Job } from './job.ts';
import { queueLimits } from './queue.ts';
import type { CopyAnswer, CopyOptions, FromWorker, ToWorker, WorkerOptions } from './sqlite-protocol.ts';
import { decodeFlushed, encodeJobs } from './wire.ts';

/** `.ts` in a checkout, `.js` in the published form. */
const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

/** Makes a backup in a thread of its own. */
export function copyInThread(workerData: CopyOptions): Promise<Result<null, StoreFault>> {
  return new Promise((resolve) => {
    const fault = (detail: string): void => resolve(err({ kind: 'fault', detail }));
    const worker = new Worker(new URL(`./sqlite-copy-worker${ending}`, import.meta.url), { workerData });
    worker.on('message', (answer: CopyAnswer) =>
      answer.fault === null ? resolve(ok(null)) : fault(answer.fault),
    );
    worker.on('error', (error) => fault(detailOf(error)));
    worker.on('exit', () => fault('the backup stopped'));
  });
}

interface Call {
  readonly resolve: (flushed: string) => void;
  readonly reject: (error: Error) => void;
}

/** This side of the worker. If it dies, what it was writing is a fault, and the next flush starts another. */
export class WriterThread {
  readonly #options: WorkerOptions;
  readonly #calls = new Map<number, Call>();
  #worker: Worker;
  #started: Promise<void>;
  #nextId = 0;
  #alive = true;
  /** The last message `ahead` that no flush has taken up. */
  #ahead: number | null = null;
  onElsewhere: () => void = () => undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    [this.#worker, this.#started] = this.#start();
  }

  ready(): Promise<void> {
    return this.#started;
  }

  /** Has jobs decided that the next flush begins with; what comes to nothing here is decided there. */
  ahead(jobs: readonly Job[], nowMs: number): void {
    if (!this.#alive) return;
    this.#ahead = this.#nextId;
    this.#nextId += 1;
    this.#send({ kind: 'ahead', id: this.#ahead, nowMs, jobs: encodeJobs(jobs) });
  }

  async flush(jobs: readonly Job[], nowMs: number): Promise<Flushed> {
    if (!this.#alive) {
      this.#alive = true;
      [this.#worker, this.#started] = this.#start();
    }
    await this.#started;
    const flushed = await new Promise<string>((resolve, reject) => {
      const id = this.#nextId;
      this.#nextId += 1;
      this.#calls.set(id, { resolve, reject });
      this.#worker.ref();
      this.#send({ kind: 'flush', id, nowMs, jobs: encodeJobs(jobs), ahead: this.#ahead });
      this.#ahead = null;
    });
    return decodeFlushed(jobs, flushed);
  }

  /** Resolves when the thread has ended; one that does not end by itself is ended. */
  async close(): Promise<void> {
    if (!this.#alive) return;
    const worker = this.#worker;
    const late = setTimeout(() => void worker.terminate(), queueLimits.answerMsMax);
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.ref();
    this.#send({ kind: 'close' });
    await ended;
    clearTimeout(late);
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #start(): [Worker, Promise<void>] {
    const worker = new Worker(new URL(`./sqlite-worker${ending}`, import.meta.url), {
      workerData: this.#options,
    });
    const started = new Promise<void>((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'ready') {
          worker.unref();
          resolve();
        } else if (message.kind === 'failed') reject(new SqlFault(message.detail, 'database'));
        else this.#receive(message);
      });
      worker.on('error', (error) => reject(error));
      worker.on('exit', () => reject(new SqlFault('the writer stopped', 'database')));
    });
    worker.on('exit', () => this.#stopped(worker));
    started.catch(() => undefined); // whoever awaits it is told
    return [worker, started];
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'elsewhere') this.onElsewhere();
    if (message.kind !== 'flushed') return;
    const call = this.#calls.get(message.id);
    this.#calls.delete(message.id);
    // A store that nobody closes keeps no process alive.
    if (this.#calls.size === 0) this.#worker.unref();
    call?.resolve(message.flushed);
  }

  #stopped(worker: Worker): void {
    if (worker !== this.#worker) return;
    this.#alive = false;
    this.#ahead = null;
    for (const call of this.#calls.values()) {
      call.reject(new SqlFault('the writer stopped while it was writing', 'database'));
    }
    this.#calls.clear();
  }
}
