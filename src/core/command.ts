/**
 * Commands: every change of the store as data. A command carries what was judged outside (by Cedar) and the versions it was
 * judged with; the step for its kind runs inside the transaction (core/steps/). What a step is given and what it answers:
 * core/loaded.ts.
 */
import type { Asked, By, Mode } from './case.ts';
import type { Principal } from './directory.ts';
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
import type { Proposed } from './review.ts';
import type { AskLimits } from './stops.ts';
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
  /** What becomes of a tool that was never seen: enabled at once, or waiting for an operator. */
  readonly pin: 'first-sight' | 'manual';
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
