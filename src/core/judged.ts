/** What was judged outside a transaction, by Cedar, and is carried into it by a command (core/command.ts) as plain data. */
import type { Mode } from './case.ts';
import type { PersonId, PolicyId } from './ids.ts';
import type { Verdict } from './verdict.ts';

/** Cedar's `approve` answers as plain data: by person, the requirements that no forbid keeps from them. */
export type MayApproveRows = readonly {
  readonly person: PersonId;
  readonly requirements: readonly PolicyId[];
}[];

/** The action judged again with today's policies, people and tools (design §2.5). */
export interface Again {
  /** Judged with nothing satisfied: allow, or what people it wants today, or deny. */
  readonly verdict: Verdict;
  readonly mayApprove: MayApproveRows;
  /** False where the tool's definition, profile or upstream is no longer the one in the action's target. */
  readonly targetHolds: boolean;
  /** Whether the operation is observed today. */
  readonly mode: Mode;
}
