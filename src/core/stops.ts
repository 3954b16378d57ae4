/**
 * What keeps an agent from asking although policies would let it: a person stopped it, an operation is paused for it, the same
 * action was denied as unsafe a short time ago, or too much waits already. Pure; the counts are read in the transaction that
 * would open the approval.
 *
 * Promise: a flood is refused before anybody is asked, and nobody is told of it twice.
 */
import type { Action } from './action.ts';
import type { By } from './case.ts';
import type { AgentId, ApprovalId, PersonId } from './ids.ts';
import type { Requirement } from './verdict.ts';
import { fillPlaces } from './places.ts';
import { refuse, type Refusal } from './refusal.ts';

/** In force until it is lifted. */
export interface Stop {
  readonly agent: AgentId;
  /** `paused` is about one operation; null: everything the agent does. */
  readonly operation: string | null;
  readonly kind: 'stopped' | 'paused';
  readonly by: By;
  readonly reason: string | null;
  readonly atMs: number;
}

/** One denial that was marked unsafe. */
export interface Unsafe {
  readonly agent: AgentId;
  readonly operation: string;
  /** `Asked.likeKey` of what was denied. */
  readonly likeKey: string;
  readonly approval: ApprovalId;
  readonly person: PersonId;
  readonly reason: string | null;
  readonly atMs: number;
}

/** How much an agent may ask of people. */
export interface AskLimits {
  /** Approvals of one agent that may be pending at once. */
  readonly pendingPerAgent: number;
  /** Pending approvals in one person's inbox. */
  readonly inbox: number;
  /** Approvals that one agent may open within a minute. */
  readonly creationsPerMinute: number;
  /** For how long the same action is refused after it was denied as unsafe. */
  readonly cooldownMs: number;
  /** So many unsafe denials of one operation of one agent pause it. */
  readonly unsafeMax: number;
  /** Within this time. */
  readonly unsafeWindowMs: number;
}

export const askLimitDefaults: AskLimits = {
  pendingPerAgent: 5,
  inbox: 200,
  creationsPerMinute: 60,
  cooldownMs: 15 * 60_000,
  unsafeMax: 3,
  unsafeWindowMs: 24 * 3_600_000,
};

/** How long unsafe denials are kept at least: longer than any window may be configured. */
export const unsafeKeptMs = 30 * 24 * 3_600_000;
/** What `creationsPerMinute` counts over. */
export const creationsMs = 60_000;

/** What waits already, as counted when somebody asks. */
export interface Crowd {
  /** Pending approvals of this agent; what is over by its time counts until it has been ended. */
  readonly pending: number;
  /** Approvals that this agent opened within the last minute. */
  readonly opened: number;
  /** Pending approvals that each of these people could decide. */
  readonly inbox: readonly { readonly person: PersonId; readonly pending: number }[];
}

/** Stopped or paused. @param operation null: whatever it is about, so that only a stop of the whole agent refuses. */
export function refusesStopped(
  agent: AgentId,
  operation: string | null,
  stops: readonly Stop[],
): Refusal | undefined {
  const mine = stops.filter((stop) => stop.agent === agent);
  const stopped = mine.find((stop) => stop.operation === null);
  if (stopped !== undefined)
    return refuse('agent_stopped', `This agent was stopped${because(stopped.reason)}`, {
      since: stopped.atMs,
    });
  const paused = mine.find((stop) => stop.operation === operation);
  return paused === undefined
    ? undefined
    : refuse('operation_paused', `${operation} is paused for this agent${because(paused.reason)}`, {
        since: paused.atMs,
      });
}

/** As {@link refusesStopped}, of whoever asks and of every agent that it acts for: a stopped agent does nothing through another. */
export function refusesStoppedActors(
  { agent, operation, delegation }: Pick<Action, 'agent' | 'operation' | 'delegation'>,
  stops: readonly Stop[],
): Refusal | undefined {
  const own = refusesStopped(agent, operation, stops);
  if (own !== undefined || stops.length === 0) return own;
  for (const link of delegation) {
    const through = link.kind === 'agent' ? refusesStopped(link.id, operation, stops) : undefined;
    if (through !== undefined)
      return { ...through, detail: `An agent that this one acts for cannot go on. ${through.detail}` };
  }
  return undefined;
}

const because = (reason: string | null): string =>
  reason === null || reason.trim() === ''
    ? '; an operator must lift that.'
    : `: ${reason}${/[.!?…]\s*$/.test(reason) ? '' : '.'} An operator must lift that.`;

/** The same action was denied as unsafe. @param sinceMs only denials after this count; null: all that are fresh. */
export function refusesCooldown(
  likeKey: string,
  unsafe: readonly Unsafe[],
  limits: Pick<AskLimits, 'cooldownMs'>,
  at: { readonly nowMs: number; readonly sinceMs: number | null },
): Refusal | undefined {
  const last = unsafe
    .filter((one) => one.likeKey === likeKey && at.nowMs - one.atMs < limits.cooldownMs)
    .filter((one) => at.sinceMs === null || one.atMs > at.sinceMs)
    .toSorted((a, b) => b.atMs - a.atMs)[0];
  if (last === undefined) return undefined;
  const minutes = Math.ceil((last.atMs + limits.cooldownMs - at.nowMs) / 60_000);
  const reason = last.reason === null || last.reason.trim() === '' ? '' : `: ${last.reason}`;
  return refuse(
    'cooldown',
    `This was denied as unsafe${reason}. It is refused for ${minutes} more minutes.`,
    {
      retryAfterMs: last.atMs + limits.cooldownMs - at.nowMs,
    },
  );
}

/** Too much waits: of this agent, or for the people who would be asked. */
export function refusesQuota(
  crowd: Crowd,
  limits: AskLimits,
  asked: {
    readonly requirements: readonly Requirement[];
    readonly eligible: readonly { readonly requirement: string; readonly people: readonly PersonId[] }[];
  },
): Refusal | undefined {
  const { pendingPerAgent, creationsPerMinute, inbox } = limits;
  if (crowd.pending >= pendingPerAgent)
    return refuse(
      'quota',
      `${crowd.pending} actions of this agent wait for people already; wait for one of them, or cancel it.`,
      { quota: 'pendingPerAgent', limit: pendingPerAgent },
    );
  if (crowd.opened >= creationsPerMinute)
    return refuse(
      'quota',
      `This agent asked people ${crowd.opened} times within a minute; ask more slowly.`,
      {
        quota: 'creationsPerMinute',
        limit: creationsPerMinute,
        retryAfterMs: creationsMs,
      },
    );
  // Nobody's inbox grows beyond its limit for them to count on; whoever has room must still be enough.
  const full = new Set(crowd.inbox.filter((one) => one.pending >= inbox).map((one) => one.person));
  if (full.size === 0) return undefined;
  const people = [...new Set(asked.eligible.flatMap((one) => one.people))].filter((one) => !full.has(one));
  const fits = (person: PersonId, one: Requirement): boolean =>
    asked.eligible.find((row) => row.requirement === one.id)?.people.includes(person) === true;
  return fillPlaces(asked.requirements, people, fits).met
    ? undefined
    : refuse(
        'quota',
        'Too much waits already for the people who would have to approve this; ask again later.',
        {
          quota: 'inbox',
          limit: inbox,
        },
      );
}

/** Whether one more unsafe denial pauses the operation for the agent. */
export function pauses(
  unsafe: readonly Unsafe[],
  one: Pick<Unsafe, 'agent' | 'operation' | 'atMs'>,
  limits: Pick<AskLimits, 'unsafeMax' | 'unsafeWindowMs'>,
): boolean {
  const earlier = unsafe.filter(
    (row) =>
      row.agent === one.agent &&
      row.operation === one.operation &&
      one.atMs - row.atMs < limits.unsafeWindowMs,
  );
  return earlier.length + 1 >= limits.unsafeMax;
}
