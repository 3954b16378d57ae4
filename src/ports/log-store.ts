/**
 * What the store keeps for the transparency log. The index of an entry is given in the commit of its state change; the tree is
 * made from the entries afterwards, by one holder at a time. Promises of every implementation (test/store/contract-log.ts):
 *
 * - `publish` writes leaves, tiles and checkpoint together or not at all, and only for the newest epoch and exactly where the
 *   tree stands: two holders never write two trees.
 * - What is published never changes: a tile only grows, a leaf is written once, a checkpoint keeps its note.
 * - Reads answer rows in the order of their indexes, a bounded number at a time.
 */
import type { EntryType } from '../core/entry.ts';
import type { Sha256Hex } from '../core/ids.ts';
import type { LogKey } from '../core/log-key.ts';
import type { Result } from '../core/result.ts';
import type { Hold } from '../core/retention.ts';
import type { StoreFault } from './store.ts';

/** One entry as its row is, unread: what is signed and shipped. */
export interface RawEntry {
  readonly index: number;
  readonly atMs: number;
  readonly type: EntryType;
  /** The statement's exact bytes, UTF-8; empty once the payload was erased. */
  readonly statement: string;
  /** SHA-256 of the DSSE PAE of the statement. */
  readonly pae: Sha256Hex;
  /** The chain up to and with this entry. */
  readonly head: Sha256Hex;
}

/** What a leaf is made of beside its entry's digest. */
export interface Leaf {
  readonly index: number;
  readonly pae: Sha256Hex;
  /** The receipt key that signed. */
  readonly keyId: string;
  /** ECDSA P-256 over the PAE, DER, base64. */
  readonly signature: string;
}

export interface Cosignature {
  /** The witness's verifier key (C2SP signed-note, vkey). */
  readonly key: string;
  /** The signature line, `— NAME BASE64`, without the line break. */
  readonly line: string;
  readonly atMs: number;
}

export interface StoredCheckpoint {
  readonly origin: string;
  /** Leaves that it covers. */
  readonly size: number;
  /** Base64 of 32 bytes. */
  readonly root: string;
  /** The signed note (C2SP tlog-checkpoint), with our signatures and no cosignature. */
  readonly note: string;
  readonly atMs: number;
  readonly cosignatures: readonly Cosignature[];
  /** An RFC 3161 token over the note's body, DER, base64; null: none. */
  readonly stamp: string | null;
  readonly stampedAtMs: number | null;
}

/** How far the tree has come. */
export interface Published {
  readonly size: number;
  /** The chain's head at that size. */
  readonly head: Sha256Hex;
  readonly epoch: number;
}

export interface Tile {
  readonly level: number;
  readonly n: number;
  /** 1 to 256 hashes of 32 bytes. */
  readonly hashes: Uint8Array;
}

/** Leaves in one publishing, at most. */
export const leavesPerPublishing = 4096;

/** What one publishing adds. */
export interface Publishing {
  readonly epoch: number;
  /** The size that the tree has now: leaves begin here. */
  readonly from: number;
  readonly leaves: readonly Omit<Leaf, 'pae'>[];
  /** New, or grown. */
  readonly tiles: readonly Tile[];
  /** The chain's head after the leaves. */
  readonly head: Sha256Hex;
  readonly checkpoint: Pick<StoredCheckpoint, 'origin' | 'size' | 'root' | 'note' | 'atMs'> | null;
}

/** `lost`: another holder has the tree now, or it does not stand where it was thought to. */
export type PublishError = { readonly kind: 'lost' } | StoreFault;

/** A place that the log is shipped to. */
export interface Cursor {
  readonly name: string;
  /** The next index to ship. */
  readonly next: number;
  readonly atMs: number;
  /** Why it does not go on; null: it does. Holds no secret. */
  readonly detail: string | null;
}

export interface LogStore {
  /** Entries from `from`, in order; at most `limit` (1,000). */
  rawEntries(from: number, limit: number): Promise<readonly RawEntry[]>;
  /** Index of the first entry at or after a time; the log's size where there is none. */
  indexAt(atMs: number): Promise<number>;
  published(): Promise<Published>;
  /**
   * Takes the tree for `forMs`, or keeps it; null while another holder has it. A new holder gets a new epoch.
   * @param holder a random name, the same for the life of a process.
   */
  takeTree(holder: string, forMs: number): Promise<Published | null>;
  publish(publishing: Publishing): Promise<Result<null, PublishError>>;
  /** At most `limit` (4,096), in order. */
  leaves(from: number, limit: number): Promise<readonly Leaf[]>;
  /** As it is now; undefined where there is none. */
  tile(level: number, n: number): Promise<Uint8Array | undefined>;
  /** The newest; of an origin, or of all. */
  newestCheckpoint(origin?: string): Promise<StoredCheckpoint | undefined>;
  checkpoint(origin: string, size: number): Promise<StoredCheckpoint | undefined>;
  /** The first that covers this many leaves; of an origin, or of all. */
  checkpointCovering(size: number, origin?: string): Promise<StoredCheckpoint | undefined>;
  /** Newest first; at most `limit` (1,000). */
  checkpoints(limit: number): Promise<readonly StoredCheckpoint[]>;
  /**
   * Whether a checkpoint is stored with this note and there to stay, as a commit is: what was read may have been on a primary alone
   * that is gone since. False too where that cannot be found out.
   */
  confirm(checkpoint: Pick<StoredCheckpoint, 'origin' | 'size' | 'note'>): Promise<boolean>;
  addCosignature(origin: string, size: number, cosignature: Cosignature): Promise<void>;
  addStamp(origin: string, size: number, stamp: string): Promise<void>;
  /** Names under which this store signs no more: what was given out under them may contradict what it holds. */
  burntOrigins(): Promise<readonly string[]>;
  /** All that ever signed, oldest first. */
  logKeys(): Promise<readonly LogKey[]>;
  cursors(): Promise<readonly Cursor[]>;
  /** Those in force first, then those that were released, the newest first; at most 1,000. */
  holds(): Promise<readonly Hold[]>;
  /** Whether a restore left something to be erased once it is in the tree. */
  erasesLater(): Promise<boolean>;
  /**
   * The first entry from `from` on and below `below` whose payload is there; where it is not `found`, the place to go on from,
   * because one call looks through a bounded number.
   */
  nextPayload(from: number, below: number): Promise<{ readonly index: number; readonly found: boolean }>;
  /** Durable when it resolves; where that fails, what comes next is shipped twice rather than never. */
  setCursor(cursor: Pick<Cursor, 'name' | 'next' | 'detail'>): Promise<void>;
}
