/**
 * Reads for people who look at the gate as a whole: what was asked lately, by whom, and the log, searched. Promises: each
 * looks through a bounded number of rows, says where it stopped, and lets other work pass in between; none reads what an
 * input holds.
 */
import type { Case, Mode, Review, State } from '../core/case.ts';
import type { Entry, EntryType, Sealed } from '../core/entry.ts';
import type { GlassId } from '../core/glass.ts';
import type { ActionId, AgentId, ApprovalId, Digest, PersonId } from '../core/ids.ts';
import type { NoticeKind } from '../core/loaded.ts';
import type { Verdict } from '../core/verdict.ts';

/** One action as a list names it. */
export interface Glance {
  readonly action: ActionId;
  /** Null where nobody was asked. */
  readonly approval: ApprovalId | null;
  readonly agent: AgentId;
  readonly operation: string;
  readonly atMs: number;
  readonly state: State;
  readonly mode: Mode;
  /** It passed under this break-glass; absent: under none. */
  readonly glass?: GlassId;
  readonly verdict: Verdict;
}

/** One operation that an agent has used. */
export interface Used {
  readonly operation: string;
  readonly lastMs: number;
}

/** One person's word on an approval, with what it was about. */
export interface Reviewed {
  readonly approval: ApprovalId;
  readonly agent: AgentId;
  readonly operation: string;
  readonly review: Pick<Review, 'decision' | 'unsafe' | 'channel' | 'atMs'>;
}

/** One accepted version of the policies or of the directory. */
export interface AcceptedVersion {
  readonly version: number;
  readonly digest: Digest;
  readonly atMs: number;
  /** Its entry in the log: who accepted it; null where it could not be found near its time. */
  readonly entry: Entry | null;
}

/** What to find in the log; null: anything. All that is named must hold. */
export interface LogFilter {
  /** Found in an entry, or in the action that it is about, as people see it: secrets are masked, so that a search cannot guess them. Case aside. */
  readonly text: string | null;
  readonly type: EntryType | null;
  /** Entries that name the agent, or are about one of its actions. */
  readonly agent: AgentId | null;
  /** Entries that name the operation, or are about one of its actions. */
  readonly operation: string | null;
  /** Entries that name the person. */
  readonly person: PersonId | null;
  /** The whole id of a resource, without a secret in it: entries about actions on it. */
  readonly resource: string | null;
  /** Entries about actions of which the policies said this. */
  readonly verdict: Verdict['effect'] | null;
  /** The id of a policy: entries that name it, or are about actions whose verdict it had a part in. */
  readonly policy: string | null;
  /** Inclusive. */
  readonly fromMs: number | null;
  /** Exclusive. */
  readonly toMs: number | null;
}

/** A search from the newest entry backwards. */
export interface LogQuery extends LogFilter {
  /** Only entries below this index; null: from the newest. */
  readonly before: number | null;
  /** Entries to find. */
  readonly limit: number;
}

/** A read in the order of the log. */
export interface LogScan extends LogFilter {
  /** The first index to look at. */
  readonly first: number;
  /** Exclusive; null: to the end as it is now. */
  readonly until: number | null;
  /** Entries to find. */
  readonly limit: number;
}

export interface LogScanned {
  /** In order. */
  readonly entries: readonly Sealed[];
  /** Everything from `first` up to here (exclusive) has been looked at. */
  readonly searchedTo: number;
  /** Whether there is something above that was not looked at. */
  readonly more: boolean;
}

export interface LogFound {
  /** Newest first. */
  readonly entries: readonly Sealed[];
  /** Everything from here (inclusive) up to `before` has been looked at. */
  readonly searchedTo: number;
  /** Whether there is something below that was not looked at. */
  readonly more: boolean;
}

/** What the log says of a notice that failed: the next channel was told, or it was given up. */
export interface Failed {
  readonly channel: string;
  readonly kind: NoticeKind;
  readonly attempts: number;
  /** Holds no secret. */
  readonly detail: string;
  /** The channel that was told instead; null: it was given up. */
  readonly next: string | null;
  readonly atMs: number;
}

/** Cases that are in memory at once where many are read: each may hold a megabyte of input and as much of a result. */
export const casesMax = 25;

export interface Overview {
  /** Newest first, not older than `sinceMs`; of one agent or of all. */
  recentActions(query: {
    readonly limit: number;
    readonly sinceMs: number;
    readonly agent?: AgentId;
  }): Promise<readonly Glance[]>;
  /** What an agent has ever asked for, the last used first; at most 200. */
  usedOperations(agent: AgentId): Promise<readonly Used[]>;
  /** A person's reviews of the last 1,000 held actions, newest first. */
  reviewsBy(person: PersonId, limit: number): Promise<readonly Reviewed[]>;
  /** The last accepted versions, newest first. */
  acceptedVersions(what: 'policies' | 'directory', limit: number): Promise<readonly AcceptedVersion[]>;
  /** Notices that a channel has not been told of; counts no further than `max`. */
  waitingNotices(channel: string, max: number): Promise<number>;
  /** What the log says of failures to tell of an approval, oldest first; at most 100. */
  failuresOf(approval: ApprovalId): Promise<readonly Failed[]>;
  /** Approvals that wait for people. What is over by its time is counted until it has been ended. */
  pendingApprovals(): Promise<number>;
  /** When the one of them that waits longest was asked; null: none waits. */
  oldestPendingMs(): Promise<number | null>;
  searchLog(query: LogQuery): Promise<LogFound>;
  scanLog(query: LogScan): Promise<LogScanned>;
  /** Cases of these actions, in no order; at most `casesMax` are asked for at once. */
  casesOf(actions: readonly ActionId[]): Promise<readonly Case[]>;
  /** One entry; undefined where the log is shorter. */
  entry(index: number): Promise<Sealed | undefined>;
}
