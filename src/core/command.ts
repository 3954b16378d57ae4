/**
 * Commands: every change of the store as data. A command carries what was judged outside (by Cedar) and the versions it was
 * judged with; the step for its kind runs inside the transaction (core/steps/). What a step is given and what it answers:
 * core/loaded.ts. Here are those about cases; the others are in files by subject, and all of them in `Command`.
 */
import type { Asked } from './case.ts';
import type { AccessCommand } from './command-access.ts';
import type { ChatCommand } from './command-chat.ts';
import type { ConfigCommand } from './command-config.ts';
import type { GateCommand } from './command-gate.ts';
import type { LogCommand } from './command-log.ts';
import type { PeopleCommand } from './command-people.ts';
import type { Credential, Principal } from './directory.ts';
import type { EntryDraft } from './entry.ts';
import type { ActionId, AgentId, ApprovalId, ExecutionId, PersonId } from './ids.ts';
import type { JsonValue } from './json.ts';
import type { Again, MayApproveRows } from './judged.ts';
import type { Proposed } from './review.ts';
import type { AskLimits } from './stops.ts';
import type { Versions } from './verdict.ts';

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
  /** How its agent was authenticated; absent where that is not known. */
  readonly via?: Credential;
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
  /** How the agent that waits was authenticated; absent where it was a moment ago. */
  readonly via?: Credential;
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
/** A mediated execution whose gate is gone (core/runner.ts). */
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
  | ConfigCommand
  | AccessCommand
  | PeopleCommand
  | GateCommand
  | ChatCommand
  | LogCommand
  | RecordCommand;
