/** How often each agent may do something within a minute, in memory: after a restart everybody starts anew. */
import type { AgentId } from '../../core/ids.ts';

export interface Pace {
  /** Whether so many more are within the limit; if they are, they are counted. */
  takes(agent: AgentId, count: number, nowMs: number): boolean;
}

const minuteMs = 60_000;
/** Agents that are remembered; beyond that all start anew. There are as many as the directory has. */
const agentsMax = 10_000;

/** Counts by whole minutes of the clock. */
export function createPace(perMinute: number): Pace {
  let minute = -1;
  const taken = new Map<AgentId, number>();
  return {
    takes: (agent, count, nowMs) => {
      const now = Math.floor(nowMs / minuteMs);
      if (now !== minute || taken.size >= agentsMax) taken.clear();
      minute = now;
      const next = (taken.get(agent) ?? 0) + count;
      if (next > perMinute) return false;
      taken.set(agent, next);
      return true;
    },
  };
}
