/**
 * What the rest of the gate may ask of the transparency log. Promises: what it hands out verifies without us, against a
 * checkpoint that is committed; asking changes nothing; nothing here is in the way of a decision.
 */
import type { ActionId } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import type { LogKey } from '../core/log-key.ts';
import type { Result } from '../core/result.ts';
import type { StoredCheckpoint } from './log-store.ts';
import type { StoreFault } from './store.ts';

/** Proof of one entry, for somebody who has nothing of ours but public keys. */
export interface Receipt {
  readonly index: number;
  /** Sigstore bundle v0.3, JSON. */
  readonly bundle: string;
  /** C2SP `.tlog-proof`. */
  readonly proof: string;
  /** The exact canonical bytes of the action that the entry is about, which is the subject of the statement; null: about none. */
  readonly action: string | null;
  /** The receipt key that signed the statement, SPKI PEM: what a verifier is given beside the receipt, from a source it trusts. */
  readonly key: string;
}

/** `erased`: the payload is gone, so only the proof of its digest is left. `not_yet`: it is recorded, and not in a checkpoint yet. */
export type ReceiptError =
  | { readonly kind: 'not_found' }
  | { readonly kind: 'not_yet'; readonly published: number }
  | { readonly kind: 'erased'; readonly proof: string }
  | StoreFault;

export interface WitnessStanding {
  readonly name: string;
  /** The newest of our checkpoints that it has cosigned; null: none. */
  readonly cosigned: { readonly size: number; readonly atMs: number } | null;
  /** Why it is late, in one sentence; null: it is not. */
  readonly late: string | null;
}

export interface LogStanding {
  readonly origin: string;
  /** Entries in the log, and how many of them the tree holds. */
  readonly size: number;
  readonly published: number;
  readonly checkpoint: StoredCheckpoint | null;
  /** `witnessed`: as many witnesses as are configured have cosigned lately. Else edits are found only by who kept a checkpoint. */
  readonly tier: 'tamper-detecting' | 'witnessed';
  readonly witnesses: readonly WitnessStanding[];
  readonly stamp: { readonly size: number; readonly atMs: number } | null;
  /** What keeps the tree from being published, or stamped; null: nothing. */
  readonly problem: string | null;
  readonly keys: readonly LogKey[];
}

export interface Transparency {
  standing(): Promise<LogStanding>;
  /** What was found altered in the stored log, in a sentence, so that nothing runs; null: nothing was. */
  damage(): string | null;
  /** Why this gate's keys cannot be used, for operators; null: they can. */
  keysProblem(): string | null;
  /** How many entries there are receipts of by now: those below this. */
  covered(): Promise<number>;
  receipt(index: number): Promise<Result<Receipt, ReceiptError>>;
  /** Indexes of an action's entries that are worth a receipt: its reviews, its decision, its runs. */
  receiptsOf(action: ActionId): Promise<readonly number[]>;
  /** What stock verifiers of Sigstore bundles take as their root of trust: all keys, each with its time. */
  trustedRoot(): Promise<JsonObject>;
  /** Verifier keys (C2SP signed-note) of the log, the newest first. */
  verifierKeys(): Promise<readonly string[]>;
  /** Consistency between two sizes of the tree: 32-byte hashes. */
  consistency(from: number, to: number): Promise<readonly Uint8Array[]>;
  /** Signs a document of ours, such as a manifest, as a DSSE envelope with the receipt key; JSON. */
  sign(payloadType: string, body: string): string;
  /** Answers `/tlog/…`; undefined for any other path. `mayRead`: whether who asks is an auditor. */
  handle(request: Request, mayRead: () => Promise<boolean>): Promise<Response | undefined>;
}
