/**
 * A channel that is told of approvals while nobody looks at a page. Promises: `deliver` is called at least once for each
 * notice, again after a failure or a crash; it must not decide anything, and it must not show what the reviewer may not see.
 */
import type { Case } from '../core/case.ts';
import type { Glass } from '../core/glass.ts';
import type { PersonId } from '../core/ids.ts';
import type { NoticeKind } from '../core/loaded.ts';
import type { Result } from '../core/result.ts';

export interface Told {
  readonly kind: NoticeKind;
  /** Stable across repeats: receivers drop what they have seen. */
  readonly id: string;
  readonly case: Case;
  /** Where a person can look at it. */
  readonly url: string;
  readonly headline: string;
  /** Who owns the agent, the accountable one first: they are told every outcome. */
  readonly owners: readonly { readonly id: PersonId; readonly name: string }[];
  /** What a notice `glass.…` is about, with the names of whoever had a part in it. */
  readonly glass?: { readonly now: Glass; readonly names: ReadonlyMap<PersonId, string> };
  readonly nowMs: number;
}

export interface Channel {
  readonly name: string;
  deliver(told: Told): Promise<Result<null, { readonly detail: string; readonly retryable: boolean }>>;
}
