/** One privileged action in the evidence: what was asked, who decided on what grounds, what became of it, and the checks of it. */
import type { Enforcement, Resource } from '../action.ts';
import type { Mode } from '../case.ts';
import type { EntryType } from '../entry.ts';
import type {
  ActionId,
  AgentId,
  ApprovalId,
  ExecutionId,
  GroupId,
  PersonId,
  PolicyId,
  Sha256Hex,
} from '../ids.ts';
import type { Shown } from '../render/shown.ts';
import type { Tone } from '../render/standing.ts';

/** What became of asking. Each row has exactly one. */
export const outcomes = [
  /** Policies allowed it; nobody was asked. */
  'allowed',
  /** People approved it. It may not have run: see `run`. */
  'approved',
  /** Policies, or the gate by its rules, said no: also a re-check after people had approved, and where nobody was left to ask. */
  'denied_by_policy',
  'denied_by_person',
  /** Nobody decided in time, or what was approved was not run in time (`granted`). */
  'expired',
  'cancelled',
  /** It would have been held, and passed under break-glass. */
  'broken_glass',
  /** Nothing was enforced: it passed whatever policies said. */
  'observed',
  /** Still waiting at the end of the period. */
  'open',
  /** The entries do not tell: erased, or hidden from whoever made this. */
  'unknown',
] as const;
export type Outcome = (typeof outcomes)[number];

/** What became of running. `running`: started, and no end by the end of the period. */
export const runs = ['not_run', 'running', 'succeeded', 'failed', 'unknown'] as const;
export type Run = (typeof runs)[number];

export type CheckResult = 'passed' | 'failed' | 'unknown' | 'not_applicable';

/** Names of the checks of each row, in the order in which they are shown. */
export const checkNames = [
  /** The entry that gave the permission is before the entry of the start, and is named by it. */
  'decided_before_started',
  /** The same, and the gate itself ran it, so that nothing ran before. Cooperative: never `passed`. */
  'decided_before_executed',
  /** Nobody who approved was in the conflict set: owner, starter, delegation chain, makers of what it depends on. */
  'approver_is_not_requester',
  /** Whoever approved was found eligible when it was asked. */
  'approver_was_eligible',
  /** Enough distinct people approved for each requirement. */
  'quorum_was_met',
  /** Each approval and the start name the digest of the action that was asked. */
  'exactly_what_was_approved',
  /** It was judged with the policy set that the log says was in force. */
  'policy_was_in_force',
  /** It ran at most once. */
  'ran_once',
] as const;
export type CheckName = (typeof checkNames)[number];

export interface Check {
  readonly name: CheckName;
  readonly result: CheckResult;
  /** One sentence: what was compared, or why it cannot be. */
  readonly why: Shown;
  /** Indexes of the entries that it rests on. */
  readonly entries: readonly number[];
}

export interface Approver {
  readonly person: PersonId;
  readonly name: Shown;
  /** Whom they stood in for; null: they spoke for themself. */
  readonly standingInFor: PersonId | null;
  readonly decision: 'approve' | 'deny';
  readonly reason: Shown | null;
  readonly channel: string;
  readonly atMs: number;
  /** Of its entry. */
  readonly index: number;
  /** From the opening of the approval; null where that is not known. */
  readonly afterMs: number | null;
  /** SHA-256 of what they were shown; null where the channel does not say. */
  readonly shown: Sha256Hex | null;
  /** With a passkey's signature over this very approval. */
  readonly signed: boolean;
}

export interface RequirementRef {
  readonly id: PolicyId;
  readonly title: Shown;
  readonly approvers: GroupId;
  readonly quorum: number;
}

export interface PopulationRow {
  /** From 1, in the order of the log. */
  readonly row: number;
  /** Of its `action.asked`. */
  readonly index: number;
  readonly askedAtMs: number;
  /** Its payload, or that of an entry about it, was erased: what is null below is not known any more. */
  readonly erased: boolean;
  /** Policies keep what it holds from whoever made this. */
  readonly hidden: boolean;
  readonly action: ActionId | null;
  readonly approval: ApprovalId | null;
  readonly execution: ExecutionId | null;
  /** `agent`: one of the directory; `gate` and `person`: what the gate asks people for itself, such as a change of policies. */
  readonly askedBy: 'agent' | 'gate' | 'person' | 'unknown';
  readonly agent: AgentId | null;
  /** By the directory that it was judged with; the first is accountable. Empty where that is not known. */
  readonly owners: readonly PersonId[];
  /** Whoever started the session; null: nobody is named. */
  readonly onBehalfOf: PersonId | null;
  readonly session: string | null;
  readonly operation: string | null;
  readonly resource: Resource | null;
  readonly environment: string | null;
  readonly effect: string | null;
  /** "Export 5,204 rows of customers · prod", from the stored bytes that the digest names; else from the entry alone. */
  readonly headline: Shown;
  readonly enforcement: Enforcement | null;
  readonly mode: Mode | null;
  readonly policyVersion: number | null;
  readonly directoryVersion: number | null;
  readonly policyDigest: string | null;
  readonly verdict: 'allow' | 'review' | 'deny' | null;
  /** Of a deny. */
  readonly code: string | null;
  readonly policies: readonly { readonly id: PolicyId; readonly title: Shown }[];
  readonly requirements: readonly RequirementRef[];
  readonly reviews: readonly Approver[];
  readonly outcome: Outcome;
  /** A permission to run was given, whatever became of it. */
  readonly granted: boolean;
  /** Why it ended without running, in words that were said or the gate's. */
  readonly reason: Shown | null;
  /** Who ended it or gave it, in words: "policy", a person's name. */
  readonly decidedBy: Shown | null;
  /** Index of the entry that decided. */
  readonly decidedIndex: number | null;
  readonly decidedAtMs: number | null;
  readonly startedIndex: number | null;
  readonly startedAtMs: number | null;
  readonly endedIndex: number | null;
  readonly endedAtMs: number | null;
  /** From asked to decided, and from decided to started; null where either is not known. */
  readonly decisionMs: number | null;
  readonly lagMs: number | null;
  readonly run: Run;
  /** Who says how it ended; null: nobody, or not known. */
  readonly outcomeBy: 'gate' | 'agent' | 'person' | null;
  /** The person who settled an unknown outcome. */
  readonly settledBy: PersonId | null;
  readonly glass: string | null;
  /** SHA-256 of the exact canonical bytes of the action: the receipt's subject. */
  readonly subject: Sha256Hex | null;
  /** All entries about it within the range, by index. */
  readonly entries: readonly number[];
  readonly checks: readonly Check[];
}

/** Rows counted; each table adds up to `rows`. */
export interface Counts {
  readonly rows: number;
  readonly byOutcome: Readonly<Record<Outcome, number>>;
  readonly byRun: Readonly<Record<Run, number>>;
  readonly byEnforcement: {
    readonly mediated: number;
    readonly cooperative: number;
    readonly unknown: number;
  };
  readonly observed: number;
  readonly underGlass: number;
  readonly erased: number;
  readonly hidden: number;
  /** What the gate asked people for itself. */
  readonly gates: number;
  readonly byCheck: Readonly<Record<CheckName, Readonly<Record<CheckResult, number>>>>;
  /** Rows with a failed check, at most {@link listedMax}; all of them are exceptions. */
  readonly failed: readonly { readonly row: number; readonly index: number; readonly check: CheckName }[];
  /** The first rows, at most {@link unsaidMax}, of which a check cannot say anything. */
  readonly unsaid: Readonly<Record<CheckName, readonly number[]>>;
  /** Rows that were started by the agent itself: what became of asking does not tell. */
  readonly ranCooperative: number;
}

/** Rows that are named for each check that cannot say anything of them. */
export const unsaidMax = 20;

/** Longest list of rows in a summary. */
export const listedMax = 1000;

export interface TimelineEntry {
  readonly index: number;
  readonly atMs: number;
  readonly type: EntryType;
  readonly tone: Tone | 'plain';
  readonly text: Shown;
  readonly erased: boolean;
}

/** One row looked at closely. */
export interface Sample {
  readonly row: PopulationRow;
  readonly timeline: readonly TimelineEntry[];
  /** What each approver saw: the digest that the review names; for a chat, the platform's copy is in the store under it. */
  readonly saw: readonly {
    readonly person: PersonId;
    readonly name: Shown;
    readonly channel: string;
    readonly shown: Sha256Hex | null;
    readonly atMs: number;
  }[];
  /** Why the policies said what they said, as recorded when it was asked. */
  readonly trace: {
    readonly text: Shown;
    readonly clauses: readonly {
      readonly policy: PolicyId;
      readonly text: Shown;
      readonly left: Shown | null;
      readonly right: Shown | null;
    }[];
  } | null;
  /** What the agent asked for, secrets masked, and why it said it did; null: the bytes are gone, or hidden. */
  readonly asked: { readonly input: Shown; readonly reason: Shown | null } | null;
  /** Entries whose receipts belong to it: the decision, and the execution's last. */
  readonly receipts: readonly number[];
}
