/**
 * What an auditor has to look at, each with a name that stays: `KIND/WHAT`, where WHAT is an index of the log, an id or an
 * operation. Making the evidence again names them the same, so that an answer of management finds its exception.
 */
import type { PersonId } from '../ids.ts';
import type { Shown } from '../render/shown.ts';

export const exceptionKinds = [
  /** `observe/OPERATION-OR-SERVER`: nothing was held there. */
  'observe',
  /** `cooperative/OPERATION`: ran in the agents' own processes. */
  'cooperative',
  /** `downtime/INDEX` of the `gate.started` that ended it. */
  'downtime',
  /** `machine/INDEX` of what was accepted without anybody's approval, at the machine. */
  'machine',
  /** `unreviewed/INDEX` of what was accepted as found, because the company is one person. */
  'unreviewed',
  /** `break-glass/GLASS-ID`: who asked and approved, how it ended, and what its reviewer found, if any. */
  'break-glass',
  /** `fast-approval/INDEX` of a review under 5 seconds after the approval opened. */
  'fast-approval',
  /** `unknown-outcome/INDEX` of the `execution.unknown`. */
  'unknown-outcome',
  /** `in-doubt/INDEX` of an `execution.started` without an end in the period. */
  'in-doubt',
  /** `erased/INDEX` of the `payloads.erased`. */
  'erased',
  /**
   * `tampered/INDEX` of an entry whose payload is gone although no entry says that it was erased, or whose accepted version is
   * another one in the store.
   */
  'tampered',
  /** `late/INDEX` of the `log.late`. */
  'late',
  /** `origin/INDEX` of a `log.opened` with a reason: the log goes on under another name. */
  'origin',
  /** `restored/INDEX` of the `store.restored`. */
  'restored',
  /** `target-only/RECONCILIATION-ID`: the target recorded what the gate did not. */
  'target-only',
  /** `failed-check/INDEX:CHECK` of the row's `action.asked`. */
  'failed-check',
  /** `leaver/PERSON`: did something after they had left. */
  'leaver',
] as const;
export type ExceptionKind = (typeof exceptionKinds)[number];

/** What management said; the newest of one exception counts, the others stay. */
export interface Answered {
  readonly exception: string;
  readonly text: Shown;
  readonly by: PersonId | null;
  readonly byName: Shown;
  readonly atMs: number;
  readonly index: number;
}

export interface Exception {
  /** Stable. */
  readonly name: string;
  readonly kind: ExceptionKind;
  /** One sentence. */
  readonly text: Shown;
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Entries that it rests on, at most 100. */
  readonly entries: readonly number[];
  /** Rows of the population that it concerns, at most 100. */
  readonly rows: readonly number[];
  /** How many rows or entries there are of it. */
  readonly count: number;
  /** Oldest first. Empty: nobody has answered. */
  readonly answers: readonly Answered[];
}
