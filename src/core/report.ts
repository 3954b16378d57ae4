/**
 * What was decided in a time, added up: what was allowed, whom people's approval was or would have been asked of, what was or
 * would have been denied. An operator who observes reads here what enforcing would cost whom. These are the shapes;
 * report-tally.ts adds up, report-weigh.ts says what one action comes to.
 */
import type { Case, Mode } from './case.ts';
import type { AgentId, GroupId, PersonId, PolicyId } from './ids.ts';
import type { Code } from './refusal.ts';
import type { Verdict } from './verdict.ts';

/** One action as the report counts it. */
export interface ReportRow {
  readonly agent: AgentId;
  readonly operation: string;
  readonly mode: Mode;
  readonly atMs: number;
  /** It passed under break-glass. */
  readonly glass?: true;
  /** Null: allowed, and enforced; nothing more is read of those. */
  readonly verdict: Verdict | null;
  /** Whether it was granted without asking: allowed or observed. */
  readonly passed: boolean;
  /** Null where nobody was asked. */
  readonly approval: Pick<
    NonNullable<Case['approval']>,
    'createdAtMs' | 'approvedAtMs' | 'eligibleThen' | 'expiresAtMs'
  > | null;
  readonly ending: Pick<NonNullable<Case['ending']>, 'code' | 'atMs'> | null;
}

/** How many, by code. */
export type ByCode = Readonly<Partial<Record<Code, number>>>;

/** What became of approvals: they add up to `asked`. */
export interface Ends {
  readonly approved: number;
  /** A person said no. */
  readonly denied: number;
  /** Nobody decided in time. */
  readonly expired: number;
  readonly cancelled: number;
  readonly pending: number;
  /** What was approved, or waited, no longer passed today's policies, people or tools. */
  readonly changed: number;
}

/** `actions` = `allowed` + `asked` + `wouldAsk` + all of `denied` + all of `wouldDeny`. */
export interface Tally {
  readonly actions: number;
  /** Of these: only observed. */
  readonly observed: number;
  /** Of these: passed under break-glass. */
  readonly glass: number;
  /** Policies allowed it by themselves. */
  readonly allowed: number;
  readonly asked: number;
  /** Observed, or under break-glass: people would have been asked. */
  readonly wouldAsk: number;
  /** Denied outright: nobody was asked. */
  readonly denied: ByCode;
  /** Observed: would have been denied outright. */
  readonly wouldDeny: ByCode;
  readonly ends: Ends;
}

/** How long people took to decide, in milliseconds; null where nobody decided. */
export interface Took {
  readonly decisions: number;
  readonly medianMs: number;
  /** Nine of ten were faster. */
  readonly slowMs: number;
}

export interface DayTally extends Tally {
  /** `2026-11-22`, in the report's time zone. */
  readonly day: string;
}

export interface OperationReport extends Tally {
  /** Null: all those that are not named one by one. */
  readonly operation: string | null;
  readonly took: Took | null;
  /** Days with anything, in order. */
  readonly days: readonly DayTally[];
}

/** What one person was or would have been asked: each action that they could have decided, alone or with others. */
export interface PersonReport {
  readonly person: PersonId;
  readonly asked: number;
  /** From the first action of the report to its end. */
  readonly perDay: number;
  readonly busiest: { readonly day: string; readonly asked: number };
}

export interface GroupReport {
  readonly group: GroupId;
  readonly asked: number;
  /** Its members today. */
  readonly people: number;
}

export interface PolicyReport {
  readonly policy: PolicyId;
  readonly title: string;
  /** Actions that it had, or would have had, people asked of. */
  readonly asked: number;
  /** Actions that it forbade, or would have forbidden. */
  readonly denied: number;
}

export interface Report {
  /** RFC 3339; `from` inclusive, `to` exclusive. */
  readonly from: string;
  readonly to: string;
  readonly timezone: string;
  readonly agents: number;
  readonly total: Tally & { readonly took: Took | null };
  /** The heaviest burden first. */
  readonly operations: readonly OperationReport[];
  /** In order; days without anything are left out. */
  readonly days: readonly DayTally[];
  readonly groups: readonly GroupReport[];
  readonly people: readonly PersonReport[];
  readonly policies: readonly PolicyReport[];
}

export interface ReportRange {
  /** Inclusive. */
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  /** IANA name, for the report to say. */
  readonly timezone: string;
  /** The day of a time in that zone: `2026-11-22`. */
  readonly dayOf: (atMs: number) => string;
}

/** How many in all. */
export const denialsIn = (byCode: ByCode): number => Object.values(byCode).reduce((all, one) => all + one, 0);
