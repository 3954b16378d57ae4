/**
 * A channel that is told of approvals while nobody looks at a page. Promises: `deliver` is called at least once for each
 * notice, again after a failure or a crash; it must not decide anything, and it must not show what the reviewer may not see.
 */
import type { Case } from '../core/case.ts';
import type { Result } from '../core/result.ts';

export interface Told {
  readonly kind: 'approval.opened' | 'approval.closed';
  /** Stable across repeats: receivers drop what they have seen. */
  readonly id: string;
  readonly case: Case;
  /** Where a person can look at it. */
  readonly url: string;
  readonly headline: string;
  readonly nowMs: number;
}

export interface Channel {
  readonly name: string;
  deliver(told: Told): Promise<Result<null, { readonly detail: string; readonly retryable: boolean }>>;
}
