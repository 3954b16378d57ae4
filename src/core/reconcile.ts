/**
 * What a target itself recorded, compared with what the gate let run. The gate leaves the execution's id at the target
 * (docs/reconcile.md); a row of the target's own record is `matched` where it names an execution that ran there and then, and
 * else it is `target-only`: it happened outside the gate, or somebody used an id that is not theirs. An execution without a row
 * is `gate-only`.
 *
 * Promises: every row of the period is counted as exactly one of the two, and what cannot be read is target-only; lists are
 * bounded, and counts are whole. Not a promise: that who knows an execution's id cannot use it while it runs.
 */
import { splitOperation } from './action.ts';
import type { By, ExecutionStatus } from './case.ts';
import type { ActionId, AgentId, ExecutionId, Sha256Hex } from './ids.ts';

/** Where the rows come from: PostgreSQL's pgaudit, AWS CloudTrail, or any table with named columns. */
export const sources = ['pgaudit', 'cloudtrail', 'csv', 'json'] as const;
export type Source = (typeof sources)[number];

/** One thing that the target says was done. Texts are the target's, and of whoever wrote there: show them escaped only. */
export interface TargetRow {
  /** Of the files, in the order in which they were given; from 0. */
  readonly file: number;
  /** Its place there: the line, or the number of the record; from 1. */
  readonly place: number;
  /** Null: its time cannot be read. */
  readonly atMs: number | null;
  readonly what: string;
  /** Who did it by the target's own names: a role, a user; null: it does not say. */
  readonly who: string | null;
  /** Where the gate leaves its id: the whole text of it. Null: it has no such place, or nothing is there. */
  readonly named: string | null;
}

/** One execution as matching reads it. */
export interface Ran {
  readonly execution: ExecutionId;
  readonly action: ActionId;
  readonly operation: string;
  readonly agent: AgentId;
  readonly status: ExecutionStatus;
  readonly startedAtMs: number;
  /** Null: it runs still. */
  readonly endedAtMs: number | null;
}

/** Why a row is the target's alone. */
export type TargetOnlyWhy =
  /** It could not be read, or has no time. */
  | 'unreadable'
  /** It names no id. */
  | 'no_id'
  /** It names an id that the gate never gave. */
  | 'unknown_id'
  /** It names an action that never ran. */
  | 'not_run'
  /** It names an execution of another target. */
  | 'other_target'
  /** Before the execution began: before its grant was used. */
  | 'before_it_ran'
  /** After the execution had ended. */
  | 'after_it_ran'
  /** The id was used more often than one execution does. */
  | 'used_again';

export interface TargetOnly {
  readonly file: number;
  readonly place: number;
  readonly at: string | null;
  readonly what: string;
  readonly who: string | null;
  readonly named: string | null;
  readonly why: TargetOnlyWhy;
  /** The execution that it names, where there is one. */
  readonly execution: ExecutionId | null;
}

export interface GateOnly {
  readonly execution: ExecutionId;
  readonly action: ActionId;
  readonly operation: string;
  readonly agent: AgentId;
  readonly status: ExecutionStatus;
  readonly startedAt: string;
}

/** All of them counted, and the first of them. */
export interface Found<T> {
  readonly count: number;
  readonly rows: readonly T[];
}

/** How rows are compared. */
export interface ReconcileRules {
  /** Inclusive. */
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  /** What stands before the three underscores of an operation; empty: every target. */
  readonly targets: readonly string[];
  /** How far the target's clock may be from the gate's. */
  readonly skewMs: number;
  /** Rows that one execution may leave. */
  readonly rowsPerExecution: number;
}

export interface Compared {
  /** Rows of the period. */
  readonly rows: number;
  /** Rows of another time: not judged. */
  readonly outside: number;
  readonly matched: number;
  readonly targetOnly: Found<TargetOnly>;
  /** Executions that began in the period, at these targets. */
  readonly executions: number;
  readonly gateOnly: Found<GateOnly>;
}

/** A file that rows were read from. */
export interface SourceFile {
  readonly name: string;
  readonly sha256: Sha256Hex;
}

/** One comparison, as it is kept and shown. */
export interface Reconciliation extends Compared {
  /** `rec_` and 128 random bits. */
  readonly id: string;
  readonly source: Source;
  readonly targets: readonly string[];
  /** RFC 3339, inclusive. */
  readonly from: string;
  /** RFC 3339, exclusive. */
  readonly to: string;
  readonly skewMs: number;
  readonly rowsPerExecution: number;
  readonly files: readonly SourceFile[];
}

/** As the store keeps it. */
export interface KeptReconciliation extends Reconciliation {
  readonly at: string;
  readonly by: By;
}

/** Rows of each list that are kept. */
export const targetOnlyKept = 500;
export const gateOnlyKept = 200;
/** UTF-16 units of a text of the target that are kept. */
export const reconcileTextMax = 160;
/** The most that a target's clock may be away. */
export const skewMaxMs = 5 * 60_000;
/** What holds where nothing else is said: one call of a tool may be many statements or requests. */
export const reconcileDefaults = {
  skewMs: 5000,
  rowsPerExecution: { pgaudit: 1000, cloudtrail: 1000, csv: 1, json: 1 },
} as const satisfies { skewMs: number; rowsPerExecution: Readonly<Record<Source, number>> };

/** The gate's ids, wherever they stand in a text: `exe_` before `act_`, because it says more. */
const idForms: readonly RegExp[] = [
  /(?<![a-z0-9])exe_[0-9a-hjkmnp-tv-z]{26}(?![a-z0-9])/,
  /(?<![a-z0-9])act_[0-9a-hjkmnp-tv-z]{26}(?![a-z0-9])/,
];

/** The id that a text holds. */
export function idIn(text: string | null): string | null {
  if (text === null) return null;
  for (const form of idForms) {
    const found = form.exec(text);
    if (found !== null) return found[0];
  }
  return null;
}

/** Whether an operation is one of these targets'. */
export const isOf = (operation: string, targets: readonly string[]): boolean =>
  targets.length === 0 || targets.includes(splitOperation(operation)?.target ?? '');

/** What is known of an id: the execution; that its action never ran; or that the gate never gave it. */
export type Known = Ran | 'not_run' | 'unknown';

/** What is wrong with a row that names this, by its time and place alone; null: nothing. */
export function misfit(
  atMs: number,
  known: Known,
  { targets, skewMs }: Pick<ReconcileRules, 'targets' | 'skewMs'>,
): TargetOnlyWhy | null {
  if (known === 'unknown') return 'unknown_id';
  if (known === 'not_run') return 'not_run';
  if (!isOf(known.operation, targets)) return 'other_target';
  if (atMs < known.startedAtMs - skewMs) return 'before_it_ran';
  // What nobody knows the end of may go on at the target.
  const endMs = known.status === 'unknown' ? null : known.endedAtMs;
  return endMs !== null && atMs > endMs + skewMs ? 'after_it_ran' : null;
}
