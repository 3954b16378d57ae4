/**
 * Checks and signs entries: what a publishing costs in computing, so that it can run in this thread for a few, and in a thread
 * of its own for many (sign-worker.ts).
 */
import type { KeyObject } from 'node:crypto';
import type { RawEntry } from '../ports/log-store.ts';
import { wrongIn, type Upto, type Wrong } from './check.ts';
import { leafHash, signPayload, spkiOf } from './leaf.ts';
import type { Hash } from './merkle.ts';

export interface SignedLeaf {
  readonly index: number;
  readonly signature: string;
  /** Of the leaf, for the tree. */
  readonly hash: Hash;
}

/** `wrong`: nothing is signed, because the entries do not follow. */
export type Signed =
  | { readonly kind: 'signed'; readonly leaves: readonly SignedLeaf[] }
  | { readonly kind: 'wrong'; readonly wrong: Wrong };

export function signEntries(entries: readonly RawEntry[], upto: Upto, key: KeyObject): Signed {
  const wrong = wrongIn(entries, upto);
  if (wrong !== null) return { kind: 'wrong', wrong };
  const spki = spkiOf(key);
  return {
    kind: 'signed',
    leaves: entries.map(({ index, statement, pae }) => {
      const signature = signPayload(statement, key);
      return { index, signature, hash: leafHash({ pae, signature, spki }) };
    }),
  };
}
