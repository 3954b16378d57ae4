/**
 * The frame of every step (core/steps/): the rows it needs, what is loaded for it inside the transaction, and what it gives
 * back: an answer, with the rows, entries and notices that are written with it or not at all.
 */
import type { Begun } from './begun.ts';
import type { Account, AccountKey, SessionRow } from './accounts.ts';
import type { Case, Execution } from './case.ts';
import type { Click, ClickId, Post, PostId, Showing } from './chat.ts';
import type { Membership } from './claims.ts';
import type { How, Part } from './command-config.ts';
import type { Change, Directory } from './directory.ts';
import type { Delegation } from './delegation.ts';
import type { EntryDraft, EntryType } from './entry.ts';
import type { Range } from './erased.ts';
import type { Glass } from './glass.ts';
import type { AgentId, ApprovalId, Digest, PersonId } from './ids.ts';
import type { JsonValue } from './json.ts';
import type { LogKey } from './log-key.ts';
import type { Note } from './note.ts';
import type { Passkey } from './passkey.ts';
import type { RecentRow } from './recent.ts';
import type { KeptReconciliation } from './reconcile.ts';
import type { Refusal } from './refusal.ts';
import type { ErasureScope, Erasing, Hold } from './retention.ts';
import type { Result } from './result.ts';
import type { Runner } from './runner.ts';
import type { Crowd, Stop, Unsafe } from './stops.ts';
import type { Bearer, TokenRow } from './tokens.ts';
import type { PinnedTool } from './tool.ts';
import type { Versions } from './verdict.ts';

/** What the writer must read before the step of a command can run. */
export type Needs = (
  | { readonly rows: 'nothing' }
  | { readonly rows: 'case'; readonly by: 'action' | 'approval' | 'execution'; readonly id: string }
  /** The newest case with this join key that was held, or whose outcome is unknown: no other can be joined or hide one. */
  | { readonly rows: 'case'; readonly by: 'joinKey'; readonly id: string }
  | { readonly rows: 'tools'; readonly server: string }
  | { readonly rows: 'link'; readonly hash: string }
  | { readonly rows: 'used'; readonly hash: string }
) & {
  /** Whose recent grants are counted: this operation's, or that of the case that is read. */
  readonly recent?: { readonly operation: string } | 'of case';
  /** Whose pending approvals are counted, and how many of those that were opened within a minute, at most. */
  readonly crowd?: {
    readonly agent: AgentId;
    readonly people: readonly PersonId[];
    readonly openedMax?: number;
  };
  /** One-time things by what names them. */
  readonly begun?: readonly string[];
  /** Passkeys by their ids, and all of these people, revoked ones too. */
  readonly passkeys?: { readonly ids: readonly string[]; readonly of: readonly PersonId[] };
  /** Bearer tokens: one principal's, or the one of this id. */
  readonly tokens?: { readonly of: Bearer } | { readonly id: string };
  /** An account, and all accounts and claimed memberships of its person; of these people too. */
  readonly accounts?: {
    readonly key: AccountKey | null;
    readonly people: readonly PersonId[];
    /** Of everybody of this address, where the account is unknown. */
    readonly email?: string | null;
    /** These accounts as well, whosever they are. */
    readonly also?: readonly AccountKey[];
  };
  /** All claimed memberships. */
  readonly memberships?: 'all';
  /** The kind of begun things whose open ones are counted. */
  readonly begunOpen?: string;
  /** Sessions of a person. */
  readonly sessions?: PersonId;
  /** Reads what the gate asked last about its configuration. */
  readonly change?: true;
  /** Reads the keys that sign. */
  readonly logKeys?: true;
  /** Reads the entry that the grant of the case names. */
  readonly granted?: true;
  /** Reads whose run the execution is that names the case. */
  readonly runner?: true;
  /** A copy in a chat. */
  readonly post?: PostId;
  /** A press in a chat. */
  readonly click?: ClickId;
  /** What would be erased. */
  readonly erasing?: ErasureScope;
  /** Holds in force, and those that were released lately. */
  readonly holds?: true;
};

export interface LinkRow {
  readonly hash: string;
  readonly person: PersonId;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | null;
}

/** What the step sees: rows read inside the transaction, and the world as the transaction finds it. */
export interface Loaded {
  readonly case: Case | null;
  readonly tools: readonly PinnedTool[];
  readonly link: LinkRow | null;
  /** Whether it was used before. */
  readonly used: boolean;
  /** Rows of `Needs.recent`. */
  readonly recent: readonly RecentRow[];
  /** Counts of `Needs.crowd`; null where it asked for none. */
  readonly crowd: Crowd | null;
  /** Rows of `Needs.begun`, in any order. */
  readonly begun: readonly Begun[];
  /** Rows of `Needs.passkeys`, oldest first. */
  readonly passkeys: readonly Passkey[];
  /** Rows of `Needs.tokens`. */
  readonly tokens: readonly TokenRow[];
  /** Rows of `Needs.accounts`, taken away or not. */
  readonly accounts?: readonly Account[];
  /** Rows of `Needs.accounts` or `Needs.memberships`. */
  readonly memberships?: readonly Membership[];
  /** Of `Needs.begunOpen`: not used, and not too late. */
  readonly begunOpen?: number;
  /** Rows of `Needs.sessions`. */
  readonly sessions?: readonly SessionRow[];
  /** The newest case of a change of the configuration; null where there is none, or `Needs.change` did not ask. */
  readonly change: Case | null;
  /** The row of `Needs.post`; null or absent where there is none. */
  readonly post?: Post | null;
  /** The row of `Needs.click`; null or absent where there is none. */
  readonly click?: Click | null;
  /** All stops in force. */
  readonly stops: readonly Stop[];
  /** Unsafe denials of the last days. */
  readonly unsafe: readonly Unsafe[];
  readonly versions: Versions;
  readonly directory: Directory;
  /** Those that are not reviewed yet: open, or over. */
  readonly glasses: readonly Glass[];
  /** Changes of the last 7 days, for the conflict set. */
  readonly changes: readonly Change[];
  /** Delegations that are not over; absent: none. */
  readonly delegations?: readonly Delegation[];
  readonly nowMs: number;
  /** The index that the first entry of this step gets. */
  readonly nextIndex: number;
  /** Rows of `Needs.logKeys`, oldest first. */
  readonly logKeys?: readonly LogKey[];
  /** What the log holds at the index that the grant of the case names; null or absent: no such entry about this action. */
  readonly granted?: EntryType | null;
  /** Of `Needs.runner`. */
  readonly runner?: Runner;
  /** Rows of `Needs.erasing`. */
  readonly erasing?: Erasing;
  /** Rows of `Needs.holds`. */
  readonly holds?: readonly Hold[];
}

/** A row to write. The writer stores each or none. */
export type Write =
  | { readonly row: 'case'; readonly before: Case | null; readonly next: Case }
  | {
      readonly row: 'accepted';
      readonly what: Part;
      readonly version: number;
      readonly body: JsonValue;
      readonly digest: Digest;
      readonly how: How;
    }
  /** What waits to be accepted, whole. */
  | { readonly row: 'candidate'; readonly digest: Digest; readonly body: JsonValue }
  | { readonly row: 'tool'; readonly tool: PinnedTool }
  | { readonly row: 'toolsVersion'; readonly version: number }
  /** One more grant, for `context.recent`. */
  | {
      readonly row: 'recent';
      readonly operation: string;
      readonly agent: AgentId;
      readonly atMs: number;
      readonly amount: number | null;
    }
  | { readonly row: 'stop'; readonly stop: Stop }
  /** Ends a stop, and forgets the unsafe denials that led to it. */
  | { readonly row: 'lifted'; readonly agent: AgentId; readonly operation: string | null }
  | { readonly row: 'unsafe'; readonly unsafe: Unsafe }
  | { readonly row: 'used'; readonly hash: string; readonly expiresAtMs: number }
  | { readonly row: 'glass'; readonly glass: Glass }
  | { readonly row: 'change'; readonly change: Change }
  /** They are in the directory no more: what let them in, or spoke for them, is over. */
  | { readonly row: 'gone'; readonly people: readonly PersonId[]; readonly agents: readonly AgentId[] }
  | { readonly row: 'delegation'; readonly delegation: Delegation }
  | { readonly row: 'token'; readonly token: TokenRow }
  /** Its new end, or that it was revoked. */
  | { readonly row: 'tokenEnds'; readonly token: TokenRow }
  | { readonly row: 'link'; readonly link: LinkRow }
  /** New, or used with this change. */
  | { readonly row: 'begun'; readonly begun: Begun }
  /** New, or with another counter, time, confirmation or end. */
  | { readonly row: 'passkey'; readonly passkey: Passkey }
  | { readonly row: 'note'; readonly note: Note }
  | { readonly row: 'session'; readonly session: SessionRow }
  | { readonly row: 'sessionEnded'; readonly hash: string }
  /** The person did something in it, now. */
  | { readonly row: 'sessionSeen'; readonly hash: string }
  /** All sessions that were opened with an account. */
  | { readonly row: 'sessionsEnded'; readonly person: PersonId; readonly account: AccountKey }
  | { readonly row: 'account'; readonly account: Account }
  | { readonly row: 'membership'; readonly membership: Membership }
  | { readonly row: 'membershipEnded'; readonly membership: Membership }
  /** The directory with its claimed memberships is another one now. */
  | { readonly row: 'directoryVersion'; readonly version: number }
  /** A code of a chat that was sent, or the wrong ones of one account counted. */
  | { readonly row: 'chatCode'; readonly begun: Begun }
  /** New, or as it is now. */
  | { readonly row: 'post'; readonly post: Post }
  | { readonly row: 'showing'; readonly showing: Showing; readonly approval: ApprovalId }
  /** New, or carried out. */
  | { readonly row: 'click'; readonly click: Click }
  /** New, or ended. */
  | { readonly row: 'logKey'; readonly key: LogKey }
  /** Blanks the statements of these indexes, and leaves these cases and glasses in the place of what they were. */
  | {
      readonly row: 'erased';
      readonly indexes: readonly Range[];
      readonly cases: readonly Case[];
      readonly glasses: readonly Glass[];
    }
  /** What a restore brought back and is erased once it is in the tree. */
  | { readonly row: 'eraseLater'; readonly indexes: readonly Range[] }
  /** New, or released. */
  | { readonly row: 'hold'; readonly hold: Hold }
  | { readonly row: 'reconciliation'; readonly kept: KeptReconciliation }
  /** All notes of a person were read. */
  | { readonly row: 'notesSeen'; readonly person: PersonId };

/**
 * `approval.escalated`: its escalation group is told now; `approval.reminded`: half the time is over. Both only where it is
 * pending still. `approval.reviewed`: somebody approved, and it waits for others. `execution.ended`: what became of what people
 * approved.
 */
export type NoticeKind =
  | 'approval.opened'
  | 'approval.reviewed'
  | 'approval.escalated'
  | 'approval.reminded'
  | 'approval.closed'
  | 'execution.ended'
  | GlassNotice;

/** What channels are told of break-glass. */
export type GlassNotice = 'glass.opened' | 'glass.closed' | 'glass.reviewed';

/** What channels must be told, written with the change and delivered afterwards, at least once. */
export interface Notice {
  readonly kind: NoticeKind;
  readonly approval: ApprovalId;
  /** Whether the asker's callback is called as well. */
  readonly callback: boolean;
  /** When; absent: at once. */
  readonly dueAtMs?: number;
  /** One channel alone, because another (`insteadOf`) cannot be reached, or because it alone has to be told; absent: all. */
  readonly only?: { readonly channel: string; readonly insteadOf: string | null };
}

export type Answer =
  | {
      readonly kind: 'case';
      readonly case: Case;
      readonly joined: boolean;
      /** By this very command; false where it found the case so. */
      readonly changed: boolean;
      readonly execution: Execution | null;
    }
  | { readonly kind: 'accepted'; readonly versions: Versions }
  | { readonly kind: 'tools'; readonly tools: readonly PinnedTool[]; readonly versions: Versions }
  | { readonly kind: 'person'; readonly person: PersonId }
  | { readonly kind: 'begun'; readonly begun: Begun }
  /** `isNew`: recorded by this very command. */
  | { readonly kind: 'click'; readonly click: Click; readonly isNew: boolean }
  | { readonly kind: 'delegation'; readonly delegation: Delegation }
  /** `next`: where to go on; null: there is no more (core/retention.ts, Erasing). */
  | {
      readonly kind: 'erased';
      readonly count: number;
      readonly indexes: readonly Range[];
      readonly next: number | null;
    }
  | { readonly kind: 'hold'; readonly hold: Hold }
  | { readonly kind: 'done' };

/** `stale`: what was judged is no longer what is; judge again. */
export type No = { readonly kind: 'refused'; readonly refusal: Refusal } | { readonly kind: 'stale' };

export interface Step {
  readonly answer: Result<Answer, No>;
  readonly writes: readonly Write[];
  readonly entries: readonly EntryDraft[];
  readonly notices: readonly Notice[];
}
