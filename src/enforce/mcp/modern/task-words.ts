/** The gate's own tasks, as an agent reads them (SEP-2663): an action that waits for people, or runs because they approved it. */
import type { Parts } from '../../../app/parts.ts';
import { endedAtMs, stateOf, type Case } from '../../../core/case.ts';
import type { ActionId, AgentId } from '../../../core/ids.ts';
import type { JsonObject, JsonValue } from '../../../core/json.ts';
import { rfc3339 } from '../../../core/time.ts';
import { waitingSentence } from '../words.ts';
import { seal, type SealedFor } from './request-state.ts';

/** How often an agent should look. */
const pollIntervalMs = 2000;
/** How long the name of an upstream's task is good for. */
const taskNameMs = 30 * 24 * 3_600_000;

/** A task of an action. Its name is the action's: 128 random bits that the store holds already, and that prove nothing. */
export function taskOf(held: Case, origin: string, nowMs: number): JsonObject {
  const state = stateOf(held, nowMs);
  const last =
    endedAtMs(held) ?? held.execution?.startedAtMs ?? held.approval?.approvedAtMs ?? held.asked.atMs;
  return {
    taskId: held.asked.id,
    status: 'working',
    statusMessage:
      state === 'pending'
        ? waitingSentence(held, origin)
        : state === 'ready'
          ? 'Approved; it runs now.'
          : 'Running.',
    createdAt: rfc3339(held.asked.atMs),
    lastUpdatedAt: rfc3339(last),
    // The store keeps it.
    ttlMs: null,
    pollIntervalMs,
  };
}

/** Whom the names of an upstream's tasks are for. */
export const taskFor = (who: { readonly agent: AgentId; readonly server: string }): SealedFor => ({
  agent: who.agent,
  server: who.server,
  method: 'tasks',
  digest: '',
});

/** The name of an upstream's task, for one agent alone; it says which action began it. */
export const wrappedTask = (
  parts: Parts,
  who: { readonly agent: AgentId; readonly server: string },
  action: ActionId,
  task: JsonValue | undefined,
): string =>
  seal(parts, 'task', taskFor(who), {
    body: { action, task: task ?? null },
    expiresAtMs: parts.clock.nowMs() + taskNameMs,
  });
