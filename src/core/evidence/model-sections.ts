/** Sections of the evidence: scope, policies, people, who could approve and who did, what targets recorded. */
import type { How } from '../command-config.ts';
import type { AgentId, ApprovalId, Digest, GroupId, PersonId, PolicyId } from '../ids.ts';
import type { Shown } from '../render/shown.ts';
import type { Mode } from '../case.ts';

/** When something was so within the period; null: from before its start, or beyond its end. */
export interface Span {
  readonly fromMs: number | null;
  readonly fromIndex: number | null;
  readonly toMs: number | null;
  readonly toIndex: number | null;
}

export interface ScopeAgent extends Span {
  readonly agent: AgentId;
  readonly owners: readonly PersonId[];
  readonly groups: readonly GroupId[];
  readonly active: boolean;
  /** Rows of the population. */
  readonly asked: number;
}
export interface ScopeServer extends Span {
  readonly server: string;
  readonly reached: 'command' | 'url';
  readonly mode: Mode;
  /** Tools whose mode is another one. */
  readonly modes: Readonly<Record<string, Mode>>;
  readonly asked: number;
}
/** Something that was said of a tool: seen and pinned, changed and disabled, accepted. */
export interface ScopeTool {
  readonly operation: string;
  readonly event: 'pinned' | 'waiting' | 'disabled' | 'accepted';
  readonly by: Shown;
  readonly hash: string | null;
  readonly atMs: number;
  readonly index: number;
}
export interface ScopeOperation {
  readonly operation: string;
  /** `declared`: of the HTTP API; else a server's tool, known by being asked for. */
  readonly declared: boolean;
  readonly asked: number;
  readonly mediated: number;
  readonly cooperative: number;
  readonly observed: number;
}
/** A time in which something was only observed. */
export interface ObservePeriod extends Span {
  /** A server or an operation. */
  readonly name: string;
}
/** A time in which no gate wrote anything: nothing passed through this one. */
export interface Downtime {
  /** Of the last entry before it. */
  readonly sinceMs: number;
  readonly sinceIndex: number;
  /** Of `gate.started`. */
  readonly untilMs: number;
  readonly untilIndex: number;
  /** It said that it stopped. */
  readonly clean: boolean;
  /** Runs that it had under way: their outcome is unknown. */
  readonly lost: number | null;
}
export interface Scope {
  readonly agents: readonly ScopeAgent[];
  readonly servers: readonly ScopeServer[];
  readonly tools: readonly ScopeTool[];
  readonly operations: readonly ScopeOperation[];
  readonly observed: readonly ObservePeriod[];
  readonly downtimes: readonly Downtime[];
  /** Longest time between two entries while the gate said nothing of stopping. */
  readonly longestSilence: { readonly ms: number; readonly fromIndex: number } | null;
  /** Lists above that were cut, by name. */
  readonly cut: readonly string[];
}

/** Who accepted a version of something, and how. */
export interface AcceptedBy {
  readonly how: How | null;
  /** In words: "approved by people", "accepted at the machine". */
  readonly howWords: Shown;
  /** Whoever is known to have made the change; null: it was found on disk, or it is not known. */
  readonly proposedBy: PersonId | null;
  /** People who approved it. Empty where nobody was asked. */
  readonly acceptedBy: readonly PersonId[];
  /** Somebody else than whoever made it: unknown where the maker is. */
  readonly secondPerson: 'yes' | 'no' | 'unknown';
  /** The approval in which they did. */
  readonly approval: ApprovalId | null;
  readonly atMs: number | null;
  /** Of its entry; null where the log does not have it. */
  readonly index: number | null;
  /** What changed, in lines. */
  readonly changes: readonly Shown[];
}

export interface PolicyVersion extends AcceptedBy {
  readonly version: number;
  readonly digest: Digest | null;
  /** The text has this digest. Unknown where the text or the digest is not there. */
  readonly digestHolds: 'yes' | 'no' | 'unknown';
  /** What verdicts, and so the rows of the population, name this text by; null where the text is not the accepted one. */
  readonly set: Digest | null;
  readonly atStart: boolean;
  readonly atEnd: boolean;
  /** Literally, by file; null: the store has it no more. */
  readonly texts: readonly { readonly file: string; readonly text: string }[] | null;
}

export interface RosterPerson {
  readonly person: PersonId;
  readonly name: Shown;
  readonly groups: readonly GroupId[];
  readonly active: boolean;
}
export interface RosterAt {
  readonly version: number | null;
  readonly people: readonly RosterPerson[];
  readonly operators: GroupId | null;
  readonly auditors: GroupId | null;
  readonly admins: GroupId;
  /** Whose people open a break-glass. */
  readonly breakGlass: GroupId;
}
export interface RosterChange extends AcceptedBy {
  readonly version: number;
  /** "Sam Lee (sam) joined", "left data-owners". */
  readonly lines: readonly Shown[];
}
export interface Leaver {
  readonly person: PersonId;
  readonly name: Shown;
  /** `left`: in the directory no more; `deactivated`; `groups`: lost groups, named. */
  readonly how: 'left' | 'deactivated';
  readonly atMs: number;
  readonly index: number;
  /** When they came back within the period; null: they did not. */
  readonly backIndex: number | null;
  /** Entries that they did after leaving: each is a failure of a promise of this product. */
  readonly actedAfter: readonly number[];
  /** Attempts of theirs after leaving that were refused. */
  readonly refusedAfter: number;
  /** Agents that named them as an owner at the end of the period. */
  readonly stillOwns: readonly AgentId[];
}
export interface Roster {
  readonly start: RosterAt | null;
  readonly end: RosterAt | null;
  readonly changes: readonly RosterChange[];
  readonly leavers: readonly Leaver[];
  /** Groups that providers claimed and that came, counted or went: what the accepted roster does not hold. */
  readonly claimed: readonly {
    readonly index: number;
    readonly atMs: number;
    readonly text: Shown;
  }[];
}

/** What one person could approve at the end of the period, and what they did in it. */
export interface AccessRow {
  readonly person: PersonId;
  readonly name: Shown;
  readonly active: boolean;
  /** By the policies in force at the end: requirements whose approvers or escalation group they are in. */
  readonly could: readonly { readonly id: PolicyId; readonly title: Shown; readonly group: GroupId }[];
  readonly operator: boolean;
  readonly auditor: boolean;
  /** May accept changes of who may do what. */
  readonly admin: boolean;
  /** May approve that a break-glass opens. */
  readonly glass: boolean;
  /** Approvals opened in the period for which they were found eligible. */
  readonly asked: number;
  readonly approved: number;
  readonly denied: number;
  readonly lastMs: number | null;
  /** Could, and never did. */
  readonly never: boolean;
}
export interface AccessReview {
  readonly rows: readonly AccessRow[];
  /** Whether `could` is from the policy set in force at the end; else from the requirements that were asked in the period. */
  readonly from: 'policies' | 'asked';
  /** Requirements whose group has fewer active people than places. */
  readonly thin: readonly {
    readonly id: PolicyId;
    readonly group: GroupId;
    readonly people: number;
    readonly quorum: number;
  }[];
}

export interface ReviewerStatistics {
  readonly person: PersonId;
  readonly name: Shown;
  readonly approved: number;
  readonly denied: number;
  /** Reviews whose time to decide is known. */
  readonly timed: number;
  /** The value at rank ceil(n/2), and at ceil(0.9 n), of the sorted times; null where none is known. */
  readonly medianMs: number | null;
  readonly ninetiethMs: number | null;
  /** Approvals under {@link fastMs} after the approval opened. */
  readonly fast: number;
}
/** An approval that comes sooner than this after it was asked for is an exception, in milliseconds. */
export const fastMs = 5000;

export interface Reconciliation {
  readonly id: string;
  readonly source: Shown;
  /** As the entry says them. */
  readonly from: Shown;
  readonly to: Shown;
  readonly file: Shown;
  readonly matched: number;
  readonly gateOnly: number;
  readonly targetOnly: number;
  readonly by: Shown;
  readonly atMs: number;
  readonly index: number;
}
