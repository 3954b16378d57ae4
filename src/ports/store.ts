/**
 * The store: the only place where state lives. Promises of every implementation (test/store/contract.ts runs them all):
 *
 * - `change` is the only way to change anything. It reads, decides (core/steps) and writes in one transaction: the next
 *   state and its entries, together or not at all. When it answers, what it answers is durable.
 * - Commands are decided one after another, in some order; each sees all that was decided before it.
 * - Entries are dense from 0 and chained: the head covers every entry that was ever written.
 * - A failure to write is a fault, never an answer: whether it was written may be unknown, and callers must then not act.
 * - Reads see everything whose `change` has answered. They go on working when nothing can be written.
 */
import type { Case } from '../core/case.ts';
import type { How, Part } from '../core/command-config.ts';
import type { Command, Idempotency } from '../core/command.ts';
import type { Delegation } from '../core/delegation.ts';
import type { Change, Directory, Principal } from '../core/directory.ts';
import type { Sealed } from '../core/entry.ts';
import type { ActionId, AgentId, ApprovalId, Digest, ExecutionId, PersonId, Sha256Hex } from '../core/ids.ts';
import type { JsonValue } from '../core/json.ts';
import type { Answer, NoticeKind } from '../core/loaded.ts';
import type { RecentRow } from '../core/recent.ts';
import type { Refusal } from '../core/refusal.ts';
import type { Result } from '../core/result.ts';
import type { Crowd, Stop, Unsafe } from '../core/stops.ts';
import type { TokenRow } from '../core/tokens.ts';
import type { PinnedTool } from '../core/tool.ts';
import type { Versions } from '../core/verdict.ts';
import type { Chats } from './chats.ts';
import type { Clock } from './clock.ts';
import type { Durability } from './durability.ts';
import type { EvidenceReads } from './evidence.ts';
import type { Gates } from './gates.ts';
import type { Glasses } from './glasses.ts';
import type { LogStore } from './log-store.ts';
import type { Overview } from './overview.ts';
import type { PeopleReads } from './people.ts';
import type { Proofs } from './proofs.ts';
import type { Reconciliations } from './reconciliations.ts';
import type { Reports } from './reports.ts';

/** The world failed. On the path of an action this is a deny with code `audit_unavailable`. */
export interface StoreFault {
  readonly kind: 'fault';
  /** What failed, for operators: the database's own message and the path. Holds no secret. */
  readonly detail: string;
}

export type ChangeError =
  { readonly kind: 'refused'; readonly refusal: Refusal } | { readonly kind: 'stale' } | StoreFault;

/** One past action of the same kind, for "what is new". */
export interface Past {
  readonly operation: string;
  readonly total: number;
  /** How they ended, by state. */
  readonly byState: Readonly<Record<string, number>>;
  readonly sinceMidnight: number;
  readonly last: { readonly atMs: number; readonly state: string } | null;
}

/** A notice that still has to be delivered to one channel. */
export interface Due {
  readonly id: string;
  readonly channel: string;
  readonly kind: NoticeKind;
  readonly approval: ApprovalId;
  /** How often it was tried before. */
  readonly attempts: number;
  /** Since when it is to be told. */
  readonly sinceMs: number;
  /** The channel that failed, where this one is told because of that; null: it is told as every channel is. */
  readonly insteadOf: string | null;
  /** Whether the next channel has been told because this one fails. */
  readonly fellBack: boolean;
}

export interface Accepted {
  readonly version: number;
  readonly body: JsonValue;
  readonly digest: Digest;
  readonly how: How;
  readonly atMs: number;
}

export interface Head {
  /** Number of entries: the next index. */
  readonly size: number;
  readonly head: Sha256Hex;
}

export type CaseKey =
  | { readonly action: ActionId }
  | { readonly approval: ApprovalId }
  | { readonly execution: ExecutionId }
  | { readonly joinKey: string };

export type CaseFilter = 'pending' | 'closed' | 'all';

/** `soon`: may be written a few milliseconds later, together with something else. */
export type Haste = 'now' | 'soon';

export interface Store
  extends
    Overview,
    PeopleReads,
    Reports,
    Glasses,
    Proofs,
    Chats,
    LogStore,
    Reconciliations,
    EvidenceReads,
    Gates {
  /**
   * Decides one command; resolves after its transaction is durable. Never rejects.
   * @param haste `soon` where nobody waits for the answer; default: now.
   */
  change(command: Command, idempotency?: Idempotency, haste?: Haste): Promise<Result<Answer, ChangeError>>;

  /** One case; by join key: the newest that was held, or whose outcome is unknown. */
  caseBy(key: CaseKey): Promise<Case | undefined>;
  /** Held cases (those with an approval), newest first, after (older than) the given approval, exclusive. */
  held(query: {
    readonly status: CaseFilter;
    readonly agent?: AgentId;
    /** Only what waits for this person: the pending approvals that they were found eligible for. */
    readonly for?: PersonId;
    /** With `for`: what waits for these people as well, whom they stand in for. */
    readonly alsoFor?: readonly PersonId[];
    /** With `for`: what these agents asked as well. */
    readonly orOf?: readonly AgentId[];
    readonly after?: ApprovalId;
    readonly limit: number;
  }): Promise<readonly Case[]>;
  /** Earlier actions of this agent with this operation, before the given time. */
  past(agent: AgentId, operation: string, beforeMs: number): Promise<Past>;
  /** Grants of one operation lately, by agent and minute (core/recent.ts). */
  recent(operation: string): Promise<readonly RecentRow[]>;
  /** How much waits already (core/stops.ts). */
  crowd(of: { readonly agent: AgentId; readonly people: readonly PersonId[] }): Promise<Crowd>;
  /** Stops in force. */
  stops(): Promise<readonly Stop[]>;
  /** Unsafe denials of the last days, oldest first. */
  unsafe(): Promise<readonly Unsafe[]>;
  /** Entries from `after` (exclusive; −1 for all), in order. */
  entries(after: number, limit: number): Promise<readonly Sealed[]>;
  /** Entries about one action, in order. */
  entriesAbout(action: ActionId): Promise<readonly Sealed[]>;
  head(): Promise<Head>;

  versions(): Promise<Versions>;
  directory(): Promise<Directory>;
  /** What is in force of a part; undefined where none was ever accepted. */
  accepted(what: Part): Promise<Accepted | undefined>;
  /** The newest that was accepted whole: not what only tightened it since. */
  acceptedWhole(what: Part): Promise<Accepted | undefined>;
  /** What waited, or waits, to be accepted. */
  candidate(digest: Digest): Promise<JsonValue | undefined>;
  /** The newest case of a change of the configuration. */
  newestChange(): Promise<Case | undefined>;
  /** When something was last accepted at the machine, without anybody's approval; null: never. */
  machineAcceptedAtMs(): Promise<number | null>;
  changes(sinceMs: number): Promise<readonly Change[]>;
  /** Delegations that hold or will hold. */
  delegations(): Promise<readonly Delegation[]>;
  /** Delegations that name a person, over or not, newest first; at most 200. */
  delegationsOf(person: PersonId): Promise<readonly Delegation[]>;
  tools(server?: string): Promise<readonly PinnedTool[]>;
  /** Whose token has this SHA-256, whether it is still good or not; undefined for none. */
  principalOf(tokenHash: string): Promise<Principal | undefined>;
  /** The token with the directory in force, as both are at one moment. Whether it is still good: core/tokens.ts. */
  bearerOf(
    tokenHash: string,
  ): Promise<{ readonly token: TokenRow; readonly directory: Directory } | undefined>;
  /** Bearer tokens, ended ones too, newest first; at most 1000. */
  tokens(): Promise<readonly TokenRow[]>;
  /** A person whom a sign-in link that is still usable would sign in; reading it uses nothing up. */
  linkOf(linkHash: string): Promise<PersonId | undefined>;

  /** The cases whose time comes first; at most `limit`. */
  nextDue(limit: number): Promise<readonly { readonly action: ActionId; readonly atMs: number }[]>;
  /** Mediated executions that are `started`: at start-up, those that a crash left behind. */
  running(): Promise<readonly ExecutionId[]>;

  /** Leases undelivered notices of a channel for `leaseMs`; another call does not get them until then. */
  takeNotices(channel: string, leaseMs: number, limit: number): Promise<readonly Due[]>;
  noticeDone(id: string): Promise<void>;
  /** Puts a notice back until a time; with why it failed, and whether another channel was told instead. */
  noticeLater(
    id: string,
    untilMs: number,
    why?: { readonly detail: string; readonly fellBack: boolean },
  ): Promise<void>;

  /** The time by which this store decides: the machine's where it is embedded, else the database's, so that gates agree. */
  readonly clock: Clock;
  /** What has to be lost before something that was acknowledged is lost, as far as is known. */
  durability(): Durability;
  /** The server's key for join keys: 32 random bytes made with the store. */
  joinKey(): Uint8Array;
  /** Called after each commit with the actions that changed; empty where everything may have (a restore). Returns how to stop. */
  onChange(listener: (changed: readonly ActionId[]) => void): () => void;
  /** Called after each commit that wrote notices, and where another process may have (`elsewhere`). Returns how to stop. */
  onNotices(listener: (elsewhere: boolean) => void): () => void;
  /** Writes something that changes nothing, durably: whether that works now. Never rejects. */
  probe(): Promise<Result<null, StoreFault>>;
  /** Whether the last write worked, and why not. */
  health(): { readonly writable: boolean; readonly detail: string | null };
  /** Writes a consistent copy to a new file while everything goes on. Embedded store only. */
  backup(file: string): Promise<Result<null, StoreFault>>;
  close(): Promise<void>;
}
