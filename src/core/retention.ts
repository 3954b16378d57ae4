/** What is erased, what must not be, and what a step is given to decide on it. */
import type { Case } from './case.ts';
import type { Directory } from './directory.ts';
import type { Sealed } from './entry.ts';
import type { Range } from './erased.ts';
import type { Glass } from './glass.ts';
import type { ActionId, HoldId, PersonId } from './ids.ts';

export type ErasureScope =
  /** Payloads of one action with everything about it. */
  | { readonly kind: 'action'; readonly action: ActionId }
  /** Entries about no action: from and to are both inclusive, and no more than `entriesRangeMax`. */
  | { readonly kind: 'entries'; readonly from: number; readonly to: number }
  /**
   * What the retention that is configured no longer keeps: entries below `index`, and actions of which nothing is younger. One
   * piece of it, looked for from `from` on; only the gate asks for it.
   */
  | { readonly kind: 'before'; readonly index: number; readonly from: number }
  /** What a restore brought back that had been erased before, as far as it is in the tree by now; only the gate asks for it. */
  | { readonly kind: 'restored' };

/** What a person may ask for. */
export type AskedErasure = Extract<ErasureScope, { readonly kind: 'action' | 'entries' }>;

/** The widest range of entries that a person erases at once. */
export const entriesRangeMax = 1000;
/** Longest reason, and longest basis, in characters. */
export const erasureTextCharsMax = 2000;
/** Holds in force at a time: each is asked for each erasure. */
export const holdsMax = 1000;
/** How long whoever released a hold erases nothing that it covered. */
export const releaserMs = 7 * 24 * 3_600_000;

/** A legal hold. */
export interface Hold {
  readonly id: HoldId;
  /** Null: not of one action alone. */
  readonly action: ActionId | null;
  /** Entries that name this person, and actions of which anything does; null: whoever they name. Both null: everything. */
  readonly person: PersonId | null;
  /** Why, in a person's words. */
  readonly reason: string;
  readonly placedAtMs: number;
  readonly placedBy: PersonId;
  readonly released: { readonly atMs: number; readonly by: PersonId; readonly reason: string } | null;
}

/** What is erased together or not at all: an action with all entries about it, or one entry about no action that is kept. */
export interface Erasable {
  readonly held: Case | null;
  /** The break-glass that it passed under, or that it asked for; null: none. */
  readonly glass: Glass | null;
  /** Those that are not erased yet, in order. */
  readonly entries: readonly Sealed[];
  /** Who people and agents were when it was asked, or written; absent where no person erases it, or nobody knows. */
  readonly directoryThen?: Directory | undefined;
}

/** What an erasure reads. */
export interface Erasing {
  /** The size of the published tree: what is at or above it has no leaf yet. */
  readonly published: number;
  /** Those in force, and those that were released within `releaserMs`. */
  readonly holds: readonly Hold[];
  readonly units: readonly Erasable[];
  /** Where to go on; null: there is no more. Of an action: any number says that the same call again erases more. */
  readonly next: number | null;
  /** Of `restored`: what is to be erased still, once these are. */
  readonly later?: readonly Range[];
}
