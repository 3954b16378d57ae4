/** Signs a few entries here and many in a thread of its own, which is made when it is needed first. */
import type { KeyObject } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { RawEntry } from '../ports/log-store.ts';
import type { Upto } from './check.ts';
import { signEntries, type Signed } from './signing.ts';
import type { FromSigner, ToSigner } from './sign-worker.ts';

/** Entries that are signed in this thread: about two milliseconds. */
const hereMax = 48;

/** `.ts` in a checkout, `.js` in the published form. */
const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

export class Signer {
  #worker: Worker | undefined;
  #nextId = 0;
  /** Ends the call that waits. */
  #fail: (error: Error) => void = () => undefined;

  /** Rejects where the thread dies. One call at a time. */
  async sign(entries: readonly RawEntry[], upto: Upto, key: KeyObject): Promise<Signed> {
    if (entries.length <= hereMax) return signEntries(entries, upto, key);
    const worker = (this.#worker ??= this.#start());
    this.#nextId += 1;
    const id = this.#nextId;
    const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    worker.ref();
    try {
      return await new Promise<Signed>((resolve, reject) => {
        this.#fail = reject;
        worker.on('message', ({ id: answered, signed }: FromSigner) => {
          if (answered === id) resolve(signed);
        });
        worker.postMessage({ id, entries, upto, key: pem } satisfies ToSigner);
      });
    } finally {
      this.#fail = () => undefined;
      worker.removeAllListeners('message');
      worker.unref();
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  /** Whenever it dies, at work or idle, the next call starts another: nobody waits for a thread that is gone. */
  #start(): Worker {
    const worker = new Worker(new URL(`./sign-worker${ending}`, import.meta.url));
    worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#fail(new Error('the thread that signs stopped'));
    });
    return worker;
  }
}
