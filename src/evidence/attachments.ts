/** Files of proof: made once, put into the package's folder `proofs/` and into the report. */
import type { CheckpointRef, Evidence } from '../core/evidence/model.ts';
import type { Embedded } from './paper.ts';

/** What the log gives besides the model. */
export interface LogProofs {
  /** Sigstore trusted root, JSON. */
  readonly trustedRoot: string;
  /** Verifier keys of the log, the newest first. */
  readonly verifierKeys: readonly string[];
  /** From the start checkpoint to the end checkpoint, 32-byte hashes; null: there are not two of one origin. */
  readonly consistency: readonly Uint8Array[] | null;
}

/** A receipt of a sample, or why there is none. */
export interface SampleReceipt {
  readonly index: number;
  readonly bundle: string | null;
  readonly proof: string | null;
  /** The exact bytes of the action that the entry is about. */
  readonly action: string | null;
  /** One sentence; null where there is a receipt. */
  readonly why: string | null;
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** The note as a witness's reader gets it: with its cosignatures. */
export const noteOf = (checkpoint: CheckpointRef): string =>
  checkpoint.note + checkpoint.cosignatures.map((one) => `${one.trimEnd()}\n`).join('');

/** Files of the log's state at both ends of the period. */
export function logFiles(evidence: Evidence, proofs: LogProofs): readonly Embedded[] {
  const { start, end, keys } = evidence.log;
  const files: Embedded[] = [];
  const add = (name: string, type: string, says: string, content: Uint8Array<ArrayBuffer>): void =>
    void files.push({ name, type, says, bytes: content });
  for (const [when, checkpoint] of [
    ['start', start],
    ['end', end],
  ] as const) {
    if (checkpoint === null) continue;
    add(
      `checkpoint-${when}.txt`,
      'text/plain',
      `Signed state of the log at the ${when} of the period`,
      bytes(noteOf(checkpoint)),
    );
    if (checkpoint.stamp !== null)
      add(
        `checkpoint-${when}.tsr`,
        'application/timestamp-reply',
        'Time stamp (RFC 3161) of that state',
        new Uint8Array(Buffer.from(checkpoint.stamp, 'base64')),
      );
  }
  if (proofs.consistency !== null && start !== null && end !== null)
    add(
      'consistency.txt',
      'text/plain',
      'Proof that the later state continues the earlier one (RFC 6962): hashes, base64, one a line',
      bytes(proofs.consistency.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('')),
    );
  add(
    'trusted_root.json',
    'application/json',
    'Keys of the log, for verifiers of Sigstore bundles',
    bytes(proofs.trustedRoot),
  );
  add(
    'log.vkeys',
    'text/plain',
    'Verifier keys of the log (C2SP signed-note)',
    bytes(proofs.verifierKeys.map((key) => `${key}\n`).join('')),
  );
  for (const key of keys)
    add(
      `${key.use}-key-${key.id.slice(0, 16)}.pem`,
      'application/x-pem-file',
      `Public key that signed the ${key.use === 'log' ? 'checkpoints' : 'entries'}`,
      bytes(pem(key.spki)),
    );
  return files;
}

/** SubjectPublicKeyInfo as PEM (RFC 7468). */
const pem = (spki: string): string =>
  `-----BEGIN PUBLIC KEY-----\n${spki.match(/.{1,64}/g)?.join('\n') ?? ''}\n-----END PUBLIC KEY-----\n`;

/** Files of one sample's receipts. */
export function receiptFiles(receipt: SampleReceipt): readonly Embedded[] {
  const at = `entry-${receipt.index}`;
  const one = (name: string, type: string, says: string, text: string | null): readonly Embedded[] =>
    text === null ? [] : [{ name, type, says, bytes: bytes(text) }];
  return [
    ...one(
      `${at}.sigstore.json`,
      'application/vnd.dev.sigstore.bundle.v0.3+json',
      `Receipt of entry ${receipt.index}`,
      receipt.bundle,
    ),
    ...one(
      `${at}.tlog-proof`,
      'text/plain',
      `Proof that entry ${receipt.index} is in the log`,
      receipt.proof,
    ),
    ...one(
      `${at}.action.json`,
      'application/json',
      `The exact action that entry ${receipt.index} is about`,
      receipt.action,
    ),
  ];
}
