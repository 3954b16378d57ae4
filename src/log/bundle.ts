/**
 * Sigstore bundles v0.3 (dev.sigstore.bundle.v1): one entry of the log with its signature and its proof, in the form that stock
 * verifiers take: the gate's statement in a DSSE envelope, and a Rekor v2 `hashedrekord` entry with inclusion proof and checkpoint.
 *
 * The form is fixed for ever: receipts that people keep must go on verifying (test/log/formats.test.ts pins it).
 */
import type { Checkpoint } from './checkpoint.ts';
import { envelopeOf } from './envelope.ts';
import { leafBody, receiptKeyId, type LeafParts } from './leaf.ts';
import type { Hash } from './merkle.ts';

export const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

export interface Bundled {
  readonly statement: string;
  readonly leaf: LeafParts;
  readonly index: number;
  /** The audit path of the leaf in the checkpoint's tree. */
  readonly proof: readonly Hash[];
  readonly checkpoint: Pick<Checkpoint, 'size' | 'root'>;
  /** The checkpoint's signed note, with its cosignatures. */
  readonly note: string;
  /** Names the log's key as the root of trust does (log-id.ts). */
  readonly logId: string;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** JSON of protocol buffers: 64-bit numbers are strings. There is no time in it: the witnesses' are in the note. */
export function writeBundle(of: Bundled): string {
  const { statement, leaf, index, proof, checkpoint, note, logId } = of;
  return JSON.stringify({
    mediaType: bundleType,
    verificationMaterial: {
      // As cosign names a key: SHA-256 of its SPKI.
      publicKey: { hint: Buffer.from(receiptKeyId(leaf.spki), 'hex').toString('base64') },
      tlogEntries: [
        {
          logIndex: String(index),
          logId: { keyId: logId },
          kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
          inclusionProof: {
            logIndex: String(index),
            rootHash: base64(checkpoint.root),
            treeSize: String(checkpoint.size),
            hashes: proof.map(base64),
            checkpoint: { envelope: note },
          },
          canonicalizedBody: base64(leafBody(leaf)),
        },
      ],
    },
    dsseEnvelope: envelopeOf(statement, leaf.signature),
  });
}
