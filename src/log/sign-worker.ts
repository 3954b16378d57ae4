/** The thread that checks and signs many entries, so that the gate answers meanwhile. signer.ts starts it. */
import { createPrivateKey } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import type { RawEntry } from '../ports/log-store.ts';
import type { Upto } from './check.ts';
import { signEntries, type Signed } from './signing.ts';

export interface ToSigner {
  readonly id: number;
  readonly entries: readonly RawEntry[];
  readonly upto: Upto;
  /** PKCS #8, PEM. It never leaves the process. */
  readonly key: string;
}

export interface FromSigner {
  readonly id: number;
  readonly signed: Signed;
}

if (parentPort !== null) {
  const port = parentPort;
  port.on('message', ({ id, entries, upto, key }: ToSigner) => {
    port.postMessage({
      id,
      signed: signEntries(entries, upto, createPrivateKey(key)),
    } satisfies FromSigner);
  });
}
