/**
 * Making documents of evidence. Promises: what comes out is what the model says and nothing more; the same model gives the same
 * bytes but for the signature; it does not block who asks, and ends when it is told to.
 */
import type { Evidence } from '../core/evidence/model.ts';
import type { PopulationRow } from '../core/evidence/model-rows.ts';
import type { Sha256Hex } from '../core/ids.ts';
import type { Result } from '../core/result.ts';
import type { Transparency } from './transparency.ts';

/** What of the log a package is proven with. */
export type Proving = Pick<
  Transparency,
  'covered' | 'receipt' | 'trustedRoot' | 'verifierKeys' | 'consistency' | 'sign'
>;

export interface PackParts {
  readonly evidence: Evidence;
  /** The population's rows in order, in pages. */
  readonly rows: AsyncIterable<readonly PopulationRow[]>;
  readonly transparency: Proving;
  /** Samples come with proofs of digests alone: whoever makes it is no auditor. Default: false. */
  readonly proofsOnly?: boolean;
  /** Told what is done now, and how far it is, from 0 to 1. */
  readonly tell?: (what: string, part: number) => void;
  readonly ends?: AbortSignal;
}

/** A file of a package. */
export interface PackedFile {
  /** Relative, with forward slashes. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Packed {
  readonly files: readonly PackedFile[];
  /** SHA-256 of `manifest.json`: what the log names. */
  readonly manifest: Sha256Hex;
  /** All files as one zip. */
  zip(): Uint8Array<ArrayBuffer>;
}

/** `too_many`: more rows than one package holds; `miscounted`: not as many as the model says, so nothing is handed out. */
export type PackError =
  | { readonly kind: 'too_many'; readonly rows: number; readonly max: number }
  | { readonly kind: 'miscounted'; readonly rows: number; readonly expected: number };

/** Rejects where it failed, took too long or was stopped. */
export type PackEvidence = (parts: PackParts) => Promise<Result<Packed, PackError>>;
