/**
 * What was granted lately, so that many small actions are judged as the one large action that they are (anti-splitting). The
 * store counts granted actions by operation, agent and minute; this file turns those rows into what policies read. Pure.
 *
 * Promise: the action being judged is counted exactly once, whether its own grant was counted already or not.
 */
import type { Directory } from './directory.ts';
import type { AgentId } from './ids.ts';
import type { JsonObject } from './json.ts';
import { atPath, type Profile } from './profile.ts';

/** Granted actions of one operation within a time, the action being judged among them. */
export interface Window {
  readonly count: number;
  /** Of the input field that the profile names with `sum`; null where this action gives no whole number for it. */
  readonly sum: number | null;
}

export interface Scope {
  readonly hour: Window;
  readonly day: Window;
  /** Since the store began. */
  readonly ever: Window;
}

/** What `context.recent` holds; always about the operation that is judged. */
export interface Recent {
  /** By this agent. */
  readonly agent: Scope;
  /** By all agents with the same accountable owner. */
  readonly owner: Scope;
  /** By anybody. */
  readonly operation: Scope;
}

/** One row of the store: what one agent was granted of an operation in one minute, or (`minute` 0) ever. */
export interface RecentRow {
  readonly agent: AgentId;
  /** Minutes since 1970, or {@link everMinute}. */
  readonly minute: number;
  readonly count: number;
  /** At most 2^53 − 1: it stays there instead of running over. */
  readonly sum: number;
}

/** The row that holds all that an agent was ever granted of an operation. */
export const everMinute = 0;
/** The longest window. Rows of older minutes are of no use. */
export const recentDayMs = 24 * 3_600_000;
const hourMs = 3_600_000;
const minuteMs = 60_000;

export const minuteOf = (atMs: number): number => Math.floor(atMs / minuteMs);

/** The whole number that the profile's `sum` names in an input; null where there is none, or no profile names one. */
export function amountOf(profile: Profile | null, input: JsonObject): number | null {
  const template = profile?.sum;
  if (template === undefined || !template.startsWith('input.')) return null;
  const value = atPath(input, template.slice('input.'.length));
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** The action that is being judged. */
export interface Counting {
  readonly agent: AgentId;
  readonly amount: number | null;
  /** When its own grant was counted; null where it was not yet. */
  readonly countedAtMs: number | null;
}

/** What policies read of these rows for this action at this time. */
export function recentOf(
  rows: readonly RecentRow[],
  one: Counting,
  directory: Directory,
  nowMs: number,
): Recent {
  const owners = new Map(directory.agents.map((agent) => [agent.id, agent.owners[0]]));
  const owner = owners.get(one.agent);
  const ofOwner = (agent: AgentId): boolean =>
    agent === one.agent || (owner !== undefined && owners.get(agent) === owner);
  const scope = (mine: (agent: AgentId) => boolean): Scope => ({
    hour: windowOf(rows, one, { mine, sinceMs: nowMs - hourMs }),
    day: windowOf(rows, one, { mine, sinceMs: nowMs - recentDayMs }),
    ever: windowOf(rows, one, { mine, sinceMs: null }),
  });
  return {
    agent: scope((agent) => agent === one.agent),
    owner: scope(ofOwner),
    operation: scope(() => true),
  };
}

interface Within {
  readonly mine: (agent: AgentId) => boolean;
  /** Null: ever. A minute that began before counts whole: rather too many than too few. */
  readonly sinceMs: number | null;
}

function windowOf(rows: readonly RecentRow[], one: Counting, { mine, sinceMs }: Within): Window {
  const since = sinceMs === null ? null : minuteOf(sinceMs);
  const counted = one.countedAtMs !== null && (since === null || minuteOf(one.countedAtMs) >= since) ? 1 : 0;
  let count = 1 - counted;
  let sum = counted === 1 ? 0 : (one.amount ?? 0);
  for (const row of rows) {
    if (!mine(row.agent)) continue;
    if (since === null ? row.minute !== everMinute : row.minute === everMinute || row.minute < since)
      continue;
    count += row.count;
    sum += row.sum;
  }
  return { count, sum: one.amount === null ? null : Math.min(sum, Number.MAX_SAFE_INTEGER) };
}

/** Whether two counts say the same; what was judged with another one is stale. */
export function sameRecent(a: Recent | null, b: Recent | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
