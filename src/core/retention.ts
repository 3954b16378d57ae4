/** What is erased, and what must not be. */
import type { ActionId, HoldId, PersonId } from './ids.ts';

/** Payloads of one action with everything about it; or of all entries of which nothing is younger. */
export type ErasureScope =
  | { readonly kind: 'action'; readonly action: ActionId }
  /** Entries below this index, but for those of actions that are not over. */
  | { readonly kind: 'before'; readonly index: number };

/** A legal hold. */
export interface Hold {
  readonly id: HoldId;
  /** Null: everything. */
  readonly action: ActionId | null;
  /** Entries that name this person, or are about actions that do; null: whoever they name. */
  readonly person: PersonId | null;
  /** Why, in a person's words. */
  readonly reason: string;
  readonly placedAtMs: number;
  readonly placedBy: PersonId;
  readonly releasedAtMs: number | null;
}
