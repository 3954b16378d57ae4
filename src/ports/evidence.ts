/**
 * Reads for the evidence of a period (core/evidence/). Promises of every implementation (test/store/contract-evidence.ts): each looks
 * at a bounded number of rows and answers them in order; an entry that is erased is answered as such, with the action that its row
 * still names; nothing is written.
 */
import type { Part } from '../core/command-config.ts';
import type { Entry, EntryType, Sealed } from '../core/entry.ts';
import type { ActionId } from '../core/ids.ts';
import type { Profile } from '../core/profile.ts';
import type { Seen } from '../core/case.ts';
import type { Accepted } from './store.ts';

/** An entry with the number of the action that it is about. */
export interface NumberedEntry {
  /** The action's number in the store: not above the index of its `action.asked`. Null: about none that the store has. */
  readonly ord: number | null;
  readonly sealed: Sealed;
}

/** Where the next page begins. */
export interface AboutPlace {
  readonly ord: number;
  readonly index: number;
}

/** What a headline is made of. */
export interface AskedBytes {
  readonly ord: number;
  readonly action: ActionId;
  /** As they are stored; '' where they were erased or are longer than {@link canonicalCharsMax}. */
  readonly canonical: string;
  readonly profile: Profile | null;
  readonly preview: Seen | null;
}

/** Entries that one read by type looks through; who wants more asks from there on. */
export const typesSpanMax = 100_000;

/** Longest canonical bytes that are read for a headline. */
export const canonicalCharsMax = 65_536;

/** An accepted version with the entry that accepted it. */
export interface AcceptedAt extends Accepted {
  /** Null where the log does not have it near its time, or where it was erased. */
  readonly entry: Entry | null;
}

export interface EvidenceReads {
  /** Entries from an index (inclusive) to another (exclusive), in order; at most `limit` (1,000). */
  entriesIn(from: number, to: number, limit: number): Promise<readonly NumberedEntry[]>;
  /** Entries of some types among these, in order; at most `limit` (1,000). Looks through no more than {@link typesSpanMax}. */
  entriesOfTypes(
    types: readonly EntryType[],
    range: { readonly from: number; readonly to: number },
    limit: number,
  ): Promise<readonly Sealed[]>;
  /**
   * Entries about actions with these numbers (from inclusive, to exclusive) whose index is below `below`: those of one action
   * together, actions by number, entries by index; after a place, exclusive; at most `limit` (1,000).
   */
  entriesOfActions(
    range: { readonly from: number; readonly to: number; readonly below: number },
    after: AboutPlace | null,
    limit: number,
  ): Promise<readonly NumberedEntry[]>;
  /** Of actions with these numbers (from inclusive, to exclusive), by number; at most `limit` (200). */
  askedBytes(from: number, to: number, limit: number): Promise<readonly AskedBytes[]>;
  /** One accepted version. */
  acceptedVersion(what: Part, version: number): Promise<Accepted | undefined>;
  /** The newest version of a part whose entry is below an index: what was in force there. Undefined: none was, or none is known. */
  acceptedBefore(what: Part, index: number): Promise<AcceptedAt | undefined>;
}
