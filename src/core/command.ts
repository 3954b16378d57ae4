/**
 * Commands: every change of the store as data, and what each reads and answers. A command carries what was judged outside
 * (by Cedar) and the versions it was judged with; the step for its kind runs inside the transaction (core/steps/).
 */
import type { Asked, By, Case, Execution, Mode } from './case.ts';
import type { Change, Directory, Principal } from './directory.ts';
import type { EntryDraft } from './entry.ts';
import type {
  ActionId,
  AgentId,
  ApprovalId,
  Digest,
  ExecutionId,
  PersonId,
  PolicyId,
  Sha256Hex,
} from './ids.ts';
import type { JsonObject, JsonValue } from './json.ts';
import type { RecentRow } from './recent.ts';
import type { Refusal } from './refusal.ts';
import type { Result } from './result.ts';
import type { Proposed } from './review.ts';
import type { AskLimits, Crowd, Stop, Unsafe } from './stops.ts';
import type { PinnedTool } from './tool.ts';
import type { Verdict, Versions } from './verdict.ts';

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

/** A repeat of a POST under the same key answers what the first did (draft-ietf-httpapi-idempotency-key-header). */
export interface Idempotency {
  /** `agent:ID` or `person:ID`. */
  readonly principal: string;
  readonly key: string;
  /** SHA-256 of method, path and canonical body. */
  readonly fingerprint: string;
}

export interface AskCommand {
  readonly kind: 'ask';
  readonly asked: Asked;
  /** Used where the verdict is review. */
  readonly approval: ApprovalId;
  /** Set where the gate itself runs an allowed action: started in the same transaction. */
  readonly execution: ExecutionId | null;
  readonly mayApprove: MayApproveRows;
  readonly expected: Versions;
  readonly replayMs: number;
  readonly limits: AskLimits;
}
export interface ReviewCommand {
  readonly kind: 'review';
  readonly approval: ApprovalId;
  readonly proposed: Proposed;
  readonly again: Again;
  readonly expected: Versions;
  readonly limits: AskLimits;
}
export interface ClaimCommand {
  readonly kind: 'claim';
  readonly action: ActionId;
  readonly agent: AgentId;
  readonly execution: ExecutionId;
  readonly again: Again;
  readonly expected: Versions;
  readonly limits: AskLimits;
}
export interface OutcomeCommand {
  readonly kind: 'outcome';
  readonly execution: ExecutionId;
  readonly by: { readonly kind: 'gate' } | { readonly kind: 'agent'; readonly id: AgentId };
  readonly status: 'succeeded' | 'failed' | 'unknown';
  readonly detail: string | null;
  /** Kept for replay; null keeps nothing. */
  readonly result: JsonValue;
}
export interface CancelCommand {
  readonly kind: 'cancel';
  readonly approval: ApprovalId;
  readonly by: Principal;
  readonly reason: string | null;
}
/** A case whose time has come: expires what waits, and marks a cooperative run without outcome `unknown`. */
export interface DueCommand {
  readonly kind: 'due';
  readonly action: ActionId;
}
/** A mediated execution that was running when the gate stopped. */
export interface LostCommand {
  readonly kind: 'lost';
  readonly execution: ExecutionId;
}
export interface SettleCommand {
  readonly kind: 'settle';
  readonly execution: ExecutionId;
  readonly by: PersonId;
  readonly status: 'succeeded' | 'failed';
  readonly reason: string;
}
/** The agent has been given the outcome. */
export interface DeliveredCommand {
  readonly kind: 'delivered';
  readonly action: ActionId;
}
/** Accepts a proven policy set or a directory: the store holds what is in force, files are proposals. */
export interface AcceptCommand {
  readonly kind: 'accept';
  readonly what: 'policies' | 'directory';
  readonly body: JsonValue;
  readonly digest: Digest;
  readonly by: By;
}
/** What a server says of its tools; what is new is pinned, what differs is disabled. */
export interface PinCommand {
  readonly kind: 'pin';
  readonly server: string;
  readonly mode: 'first-sight' | 'manual';
  readonly definitions: readonly JsonObject[];
}
export interface AcceptToolCommand {
  readonly kind: 'acceptTool';
  readonly server: string;
  readonly tool: string;
  /** Of the definition that was looked at; another one is not accepted with it. */
  readonly hash: Sha256Hex;
  readonly by: PersonId;
}
/** A person stops an agent: it can ask and run nothing until an operator lifts that. */
export interface StopCommand {
  readonly kind: 'stop';
  readonly agent: AgentId;
  readonly by: PersonId;
  /** The approval that they looked at: its approvers may stop its agent. */
  readonly approval: ApprovalId | null;
  readonly reason: string | null;
}
/** An operator who is not its owner lets an agent, or one paused operation of it, go on. */
export interface LiftCommand {
  readonly kind: 'lift';
  readonly agent: AgentId;
  readonly operation: string | null;
  readonly by: PersonId;
  readonly reason: string | null;
}
/** Uses something up that may be used once: refused `input_invalid` where it was used before. */
export interface UseCommand {
  readonly kind: 'use';
  /** SHA-256 of what is used. */
  readonly hash: string;
  /** After this it need not be remembered, because it is too old anyway. */
  readonly expiresAtMs: number;
}
export interface TokenCommand {
  readonly kind: 'token';
  readonly principal: Principal;
  /** SHA-256 of the token; the token itself is never kept. */
  readonly hash: string;
}
/** A one-time sign-in link. */
export interface LinkCommand {
  readonly kind: 'link';
  readonly person: PersonId;
  readonly hash: string;
  readonly expiresAtMs: number;
}
/** Consumes a link, once, and opens a session. */
export interface SignInCommand {
  readonly kind: 'signIn';
  readonly linkHash: string;
  readonly sessionHash: string;
  readonly expiresAtMs: number;
}
export interface SignOutCommand {
  readonly kind: 'signOut';
  /** Whose session it is. */
  readonly person: PersonId;
  readonly sessionHash: string;
}
/** Only writes down that something happened. */
export interface RecordCommand {
  readonly kind: 'record';
  readonly entries: readonly EntryDraft[];
}

export type Command =
  | AskCommand
  | ReviewCommand
  | ClaimCommand
  | OutcomeCommand
  | CancelCommand
  | DueCommand
  | LostCommand
  | SettleCommand
  | DeliveredCommand
  | AcceptCommand
  | PinCommand
  | AcceptToolCommand
  | StopCommand
  | LiftCommand
  | UseCommand
  | TokenCommand
  | LinkCommand
  | SignInCommand
  | SignOutCommand
  | RecordCommand;

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
  /** Whose pending approvals are counted. */
  readonly crowd?: { readonly agent: AgentId; readonly people: readonly PersonId[] };
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
  /** All stops in force. */
  readonly stops: readonly Stop[];
  /** Unsafe denials of the last days. */
  readonly unsafe: readonly Unsafe[];
  readonly versions: Versions;
  readonly directory: Directory;
  /** Changes of the last 7 days, for the conflict set. */
  readonly changes: readonly Change[];
  readonly nowMs: number;
}

/** A row to write. The writer stores each or none. */
export type Write =
  | { readonly row: 'case'; readonly before: Case | null; readonly next: Case }
  | {
      readonly row: 'accepted';
      readonly what: 'policies' | 'directory';
      readonly version: number;
      readonly body: JsonValue;
      readonly digest: Digest;
    }
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
  | { readonly row: 'change'; readonly change: Change }
  | { readonly row: 'token'; readonly principal: Principal; readonly hash: string }
  | { readonly row: 'link'; readonly link: LinkRow }
  | {
      readonly row: 'session';
      readonly hash: string;
      readonly person: PersonId;
      readonly expiresAtMs: number;
    }
  | { readonly row: 'sessionEnded'; readonly hash: string };

/** What channels must be told, written with the change and delivered afterwards, at least once. */
export interface Notice {
  readonly kind: 'approval.opened' | 'approval.closed';
  readonly approval: ApprovalId;
  /** Whether the asker's callback is called as well. */
  readonly callback: boolean;
}

export type Answer =
  | {
      readonly kind: 'case';
      readonly case: Case;
      readonly joined: boolean;
      readonly execution: Execution | null;
    }
  | { readonly kind: 'accepted'; readonly versions: Versions }
  | { readonly kind: 'tools'; readonly tools: readonly PinnedTool[]; readonly versions: Versions }
  | { readonly kind: 'person'; readonly person: PersonId }
  | { readonly kind: 'done' };

/** `stale`: what was judged is no longer what is; judge again. */
export type No = { readonly kind: 'refused'; readonly refusal: Refusal } | { readonly kind: 'stale' };

export interface Step {
  readonly answer: Result<Answer, No>;
  readonly writes: readonly Write[];
  readonly entries: readonly EntryDraft[];
  readonly notices: readonly Notice[];
}
