/**
 * The keys that sign: one for checkpoints (Ed25519, C2SP signed-note), one for receipts (ECDSA P-256: what stock verifiers of
 * Sigstore bundles take, and what every key service signs with). Only public halves are kept here.
 */

/** `log`: checkpoints. `receipt`: the leaf of every entry, and envelopes. */
export type KeyUse = 'log' | 'receipt';

export interface LogKey {
  /** Of a log key its key id in notes, 8 hexadecimal digits; of a receipt key the SHA-256 of its SPKI, 64. */
  readonly id: string;
  readonly use: KeyUse;
  /** SubjectPublicKeyInfo, DER, base64. */
  readonly spki: string;
  /** Of a log key: the origin whose notes it signs. Null for a receipt key. */
  readonly origin: string | null;
  readonly begunAtMs: number;
  /** The tree's size when it began to sign. */
  readonly begunAt: number;
  /** It signs no more; null: it does. */
  readonly endedAtMs: number | null;
}
