/** Commands by which people take hold of the gate itself: stopping agents, standing in for each other, break-glass. */
import type { Principal } from './directory.ts';
import type { GlassId } from './glass.ts';
import type { ActionId, AgentId, ApprovalId, DelegationId, PersonId } from './ids.ts';
import type { AskLimits } from './stops.ts';

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

/** Somebody who is away names who stands in for them (core/delegation.ts). */
export interface DelegateCommand {
  readonly kind: 'delegate';
  readonly id: DelegationId;
  /** Who is away: nobody arranges it for another. */
  readonly by: Extract<Principal, { kind: 'person' }>;
  readonly to: PersonId;
  /** Null: at once. */
  readonly fromMs: number | null;
  readonly untilMs: number;
}

export interface EndDelegationCommand {
  readonly kind: 'endDelegation';
  readonly id: DelegationId;
  readonly by: PersonId;
}

/** A person asks that what policies hold may pass for some minutes (core/glass.ts). */
export interface AskGlassCommand {
  readonly kind: 'askGlass';
  readonly by: Principal;
  readonly agent: AgentId;
  readonly operation: string;
  readonly minutes: number;
  readonly reason: string;
  readonly id: ActionId;
  readonly approval: ApprovalId;
  /** 32 random bytes, hexadecimal. */
  readonly salt: string;
  /** The same for everything that this person asks so: they ask for one at a time. */
  readonly joinKey: string;
  readonly likeKey: string;
  readonly limits: AskLimits;
}

export interface EndGlassCommand {
  readonly kind: 'endGlass';
  readonly glass: GlassId;
  readonly by: Principal;
  readonly reason: string | null;
}

/** Its time is over. */
export interface GlassDueCommand {
  readonly kind: 'glassDue';
  readonly glass: GlassId;
}

export interface ReviewGlassCommand {
  readonly kind: 'reviewGlass';
  readonly glass: GlassId;
  readonly by: Principal;
  /** What was found, in words. */
  readonly finding: string;
}

export type GateCommand =
  | StopCommand
  | LiftCommand
  | DelegateCommand
  | EndDelegationCommand
  | AskGlassCommand
  | EndGlassCommand
  | GlassDueCommand
  | ReviewGlassCommand;
