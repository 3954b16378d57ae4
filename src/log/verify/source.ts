/**
 * Where a log is read from: a copy in a folder, or a store. Promises of every source: reading changes nothing; what it answers is
 * not trusted by anybody.
 */
import type { LogKey } from '../../core/log-key.ts';
import type { StoredCheckpoint } from '../../ports/log-store.ts';
import type { LoggedEntry } from './line.ts';
import type { Problem } from './problem.ts';
import type { Segment } from './segment.ts';

export interface LogSource {
  /** In words, for people: "the folder audit", "the store in data". */
  readonly place: string;
  /** The newest checkpoint, with its cosignatures; a sentence where there is none, or it is no checkpoint. */
  newest(): Promise<StoredCheckpoint | string>;
  /** All that are kept, of every origin, smallest first. */
  checkpoints(): AsyncIterable<StoredCheckpoint | Problem>;
  keys(): Promise<readonly LogKey[]>;
  /** Entries from n · 256, `width` of them, with their tile. */
  segment(n: number, width: number): Promise<Segment>;
  tile(level: number, n: number, width: number): Promise<Uint8Array | undefined>;
  /** Entries that are recorded and not in the tree yet; without leaves. A copy has none. */
  rest(from: number): AsyncIterable<Omit<LoggedEntry, 'keyId' | 'signature'>>;
  /** What only this kind of source can have wrong. `warnings` do not make the log less whole. */
  own(
    newest: StoredCheckpoint,
  ): Promise<{ readonly problems: readonly Problem[]; readonly warnings: readonly string[] }>;
}

/** The newest checkpoint's note with the cosignatures that came later. */
export const cosignedNote = ({
  note,
  cosignatures,
}: Pick<StoredCheckpoint, 'note' | 'cosignatures'>): string =>
  note + cosignatures.map(({ line }) => `${line}\n`).join('');
