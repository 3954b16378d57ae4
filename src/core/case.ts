/**
 * A case: one action and everything that has happened to it. The store reads and writes cases whole; what state a case
 * is in is derived here and nowhere else.
 */
import type { Identified } from './action.ts';
import type { Via } from './accounts.ts';
import type { Conflicted } from './conflict.ts';
import type { GlassId } from './glass.ts';
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
import type { JsonValue } from './json.ts';
import type { Proof } from './passkey.ts';
import type { Profile } from './profile.ts';
import type { Code } from './refusal.ts';
import type { Requirement, Verdict } from './verdict.ts';

export type Channel = 'web' | 'cli' | 'api' | 'slack' | 'teams';

/** The answer of a preview or a look at the state before: read by the gate, informative, not bound. */
export interface Seen {
  readonly tool: string;
  readonly input: JsonValue;
  readonly atMs: number;
  readonly answer:
    { readonly ok: true; readonly value: JsonValue } | { readonly ok: false; readonly detail: string };
}

/** `observe`: the verdict is recorded, and the action passes whatever it says (design §2). */
export type Mode = 'enforce' | 'observe';

/** The immutable first half of a case. */
export interface Asked extends Identified {
  readonly joinKey: string;
  /** The same for the same agent, operation, resource, input and target, whatever its session, run or reason. */
  readonly likeKey: string;
  readonly mode: Mode;
  /** It passed under this break-glass, although it would have been held; absent: under none. */
  readonly glass?: GlassId;
  /** Where a workflow is woken when the wait ends; the asker's own, on a configured host. */
  readonly callback: string | null;
  /** What `context.recent` adds up for it; null where its profile names no field, or it holds no whole number. */
  readonly amount: number | null;
  /** The agent's idempotency key or `_meta["dev.countersign/run"]`. */
  readonly run: string | null;
  readonly verdict: Verdict;
  readonly profile: Profile | null;
  readonly preview: Seen | null;
  readonly before: Seen | null;
  readonly atMs: number;
  /** W3C traceparent of the request that asked, where it was traced: what follows is linked to it. No part of the action. */
  readonly trace?: string;
  /** Made for a reader who may not see what it holds (core/sight.ts); from the store only where that was erased. */
  readonly veiled?: true;
  /** What it held was erased (core/erased-case.ts): the index of the entry `payloads.erased` that says so. */
  readonly erased?: number;
}

export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled';

/** Why and by whom a case ended without running. */
export interface Ending {
  readonly atMs: number;
  readonly code: Code;
  /** The reviewer's reason, or the gate's sentence. */
  readonly reason: string | null;
  readonly by: By;
}

/** Who did what an entry tells of. */
export type By =
  | { readonly kind: 'gate' }
  | { readonly kind: 'agent'; readonly id: AgentId }
  | { readonly kind: 'person'; readonly id: PersonId }
  /** Somebody with the configuration's file system rights, at a command line. */
  | { readonly kind: 'operator' };

/** Who could fill the places of one requirement when it was asked. */
export interface EligibleThen {
  readonly requirement: PolicyId;
  readonly people: readonly PersonId[];
  /** Those who stood in for one of them then, and so were asked too: for inboxes, never for who is eligible. */
  readonly standIns?: readonly PersonId[];
}

export interface Approval {
  readonly id: ApprovalId;
  /** Counts its changes; a command that judged another version is stale. */
  readonly version: number;
  readonly createdAtMs: number;
  /** When it expires while pending. */
  readonly expiresAtMs: number;
  /** How long its grant lives. */
  readonly grantMs: number;
  readonly approvedAtMs: number | null;
  /** Who could approve when this was asked, by requirement: approvers and escalation groups, less conflict and forbids. */
  readonly eligibleThen: readonly EligibleThen[];
  /** As computed when asked; computed again with today's directory at each review and run. */
  readonly conflict: readonly Conflicted[];
  /** The agent has been given the outcome at least once. */
  readonly deliveredAtMs: number | null;
  /** The same action ran before and nobody knows how it ended: reviewers are told. */
  readonly afterUnknown: ActionId | null;
}

/** One person's word. Only `core/review.ts` makes one that the store will take. */
export interface Review {
  readonly person: PersonId;
  /** Somebody who was away, whose place it fills; absent where the person spoke for themself. */
  readonly standingInFor?: PersonId;
  readonly decision: 'approve' | 'deny';
  readonly digest: Digest;
  readonly reason: string | null;
  readonly unsafe: boolean;
  readonly channel: Channel;
  readonly atMs: number;
  /** SHA-256 of what the person was shown; null for what came from a channel that does not say. */
  readonly shown: Sha256Hex | null;
  /** How the person proved who they are. */
  readonly via: Via | null;
  /** The passkey's signature over this very approval, where there is one. */
  readonly proof: Proof | null;
}

/** The permission to run once. */
export interface Grant {
  readonly expiresAtMs: number;
  readonly consumedAtMs: number | null;
  /** The entry that gave it: `approval.approved`, or `action.asked` where nobody was asked. Written in the same transaction. */
  readonly index: number;
}

export type ExecutionStatus = 'started' | 'succeeded' | 'failed' | 'unknown';

export interface Execution {
  readonly id: ExecutionId;
  readonly status: ExecutionStatus;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  /** Who says how it ended: the gate saw it, the agent reported it, or a person settled it. */
  readonly outcomeBy: 'gate' | 'agent' | 'person' | null;
  readonly detail: string | null;
  /** What is replayed to the agent (an MCP tool result); null where none was kept. */
  readonly result: JsonValue;
}

export interface Case {
  readonly asked: Asked;
  /** Null where the verdict was allow or deny. */
  readonly approval: Approval | null;
  readonly reviews: readonly Review[];
  readonly grant: Grant | null;
  /** Null while it may still run, and once it has. */
  readonly ending: Ending | null;
  readonly execution: Execution | null;
}

/** When a case was granted, or null: what `context.recent` counts. */
export const grantedAtMs = (held: Case): number | null =>
  held.grant === null ? null : (held.approval?.approvedAtMs ?? held.asked.atMs);

/** The states of design §8, as an agent sees them. */
export type State =
  'ready' | 'pending' | 'denied' | 'expired' | 'cancelled' | 'started' | 'succeeded' | 'failed' | 'unknown';

/** What state a case is in at a time; an approval or a grant whose time is over is expired before any timer says so. */
export function stateOf(held: Case, nowMs: number): State {
  if (held.execution !== null) return held.execution.status;
  if (held.ending !== null) {
    return held.ending.code === 'expired' || held.ending.code === 'cancelled' ? held.ending.code : 'denied';
  }
  if (held.grant !== null) return nowMs >= held.grant.expiresAtMs ? 'expired' : 'ready';
  return held.approval !== null && nowMs < held.approval.expiresAtMs ? 'pending' : 'expired';
}

/** The status of an approval (design §1): what became of asking people, whatever became of the run. */
export function approvalStatusOf(held: Case, nowMs: number): ApprovalStatus {
  const state = stateOf(held, nowMs);
  switch (state) {
    case 'pending':
    case 'denied':
    case 'expired':
    case 'cancelled':
      return state;
    case 'ready':
    case 'started':
    case 'succeeded':
    case 'failed':
    case 'unknown':
      return 'approved';
  }
}

/** When a case ended, or null while it has not: what the replay time counts from. */
export function endedAtMs(held: Case): number | null {
  return held.execution === null ? (held.ending?.atMs ?? null) : held.execution.endedAtMs;
}

/** A cooperative execution with no outcome after this long is `unknown` (design §2.6). */
export const outcomeDueMs = 3_600_000;

/** When something must happen to a case by itself: the one timer is armed at the least of these. Null: never. */
export function dueAtMs(held: Case): number | null {
  if (held.execution !== null) {
    return held.execution.status === 'started' && held.asked.action.enforcement === 'cooperative'
      ? held.execution.startedAtMs + outcomeDueMs
      : null;
  }
  if (held.ending !== null) return null;
  return held.grant?.expiresAtMs ?? held.approval?.expiresAtMs ?? null;
}

/** Whether a later, same call joins this case instead of opening a new one (design §4). */
export function joinable(held: Case, nowMs: number, replayMs: number): boolean {
  if (held.approval === null) return false;
  const state = stateOf(held, nowMs);
  if (state === 'pending' || state === 'ready' || state === 'started') return true;
  if (state === 'unknown') return false; // what happened is not known: only a new approval, which says so, may run it
  if (held.approval.deliveredAtMs === null) return true;
  const ended = endedAtMs(held) ?? dueAtMs(held) ?? nowMs;
  return nowMs - ended < replayMs;
}

/** What people were asked for; nothing where nobody was. */
export const requirementsOf = (held: Case): readonly Requirement[] =>
  held.asked.verdict.effect === 'review' ? held.asked.verdict.requirements : [];
