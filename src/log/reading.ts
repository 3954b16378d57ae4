/**
 * The log of a store beside a running gate, for whoever proves something from it: nothing is published, and nothing signed but
 * documents. What it hands out is from committed checkpoints, and verified before.
 */
import type { KeyObject } from 'node:crypto';
import type { Store } from '../ports/store.ts';
import type { Transparency } from '../ports/transparency.ts';
import { signEnvelope } from './envelope.ts';
import { keyOfSpki } from './leaf.ts';
import { isCheckpointKey } from './log-id.ts';
import { consistencyProof } from './merkle.ts';
import { vkeyOf } from './note.ts';
import { receiptOf } from './receipt.ts';
import { nodesOf } from './tiles.ts';
import { trustedRootOf } from './trusted-root.ts';

export type LogReading = Pick<
  Transparency,
  'covered' | 'receipt' | 'trustedRoot' | 'verifierKeys' | 'consistency' | 'sign'
>;

/** @param receiptKey ECDSA P-256. @param quorum cosignatures that a checkpoint should have; 0: none are expected. */
export function readingLog(store: Store, receiptKey: KeyObject, quorum: number): LogReading {
  const nodeAt = nodesOf((level, n) => store.tile(level, n));
  return {
    covered: async () => (await store.published()).size,
    receipt: (index) => receiptOf({ store, nodeAt, quorum }, index),
    trustedRoot: async () => trustedRootOf(await store.logKeys()),
    async verifierKeys() {
      const keys = (await store.logKeys()).filter(isCheckpointKey).toReversed();
      return keys.map(({ origin, spki }) => vkeyOf(origin, keyOfSpki(spki)));
    },
    consistency: (from, to) => (from === to ? Promise.resolve([]) : consistencyProof(from, to, nodeAt)),
    sign: (payloadType, body) => signEnvelope(payloadType, body, receiptKey),
  };
}
