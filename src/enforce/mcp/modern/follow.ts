/**
 * Tasks of an upstream (SEP-2663). Where the agent knows tasks, it asks for the end itself, and the gate sees it pass; where
 * the gate runs a call in a task of its own, it asks. Either way the execution ends with the upstream's task.
 */
import type { Parts } from '../../../app/parts.ts';
import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import { err } from '../../../core/result.ts';
import type { Answer } from '../message.ts';
import type { ToolLink } from '../tool-link.ts';
import { patience, type Leg } from './legs.ts';
import { endOf, taskMs, type End } from './open-tasks.ts';

/** Between two looks of the gate itself. */
const pollMs = { least: 250, usual: 2000, most: 30_000 };
/** How long one look may take. */
const lookMs = 30_000;
/** Looks that may fail one after the other. */
const failuresMax = 10;

type Ask = (
  requests: JsonObject,
) => Promise<
  | { readonly kind: 'answers'; readonly answers: JsonObject | undefined }
  | { readonly kind: 'end'; readonly end: End }
>;

/** Follows an upstream's task to its end on the gate's own account. */
export async function withOwnPoll(
  at: { readonly parts: Parts; readonly link: ToolLink },
  conversation: { readonly leg: Leg; readonly gone: AbortSignal },
  answer: Answer & { readonly kind: 'result' },
  ask: Ask,
): Promise<End> {
  const { taskId } = answer.result;
  if (typeof taskId !== 'string') return err({ kind: 'lost', detail: 'it named no task' });
  const params = { taskId, ...(conversation.leg.meta === undefined ? {} : { _meta: conversation.leg.meta }) };
  const untilMs = at.parts.clock.nowMs() + taskMs;
  const answered = new Set<string>();
  let task = answer.result;
  for (let failures = 0; failures < failuresMax && at.parts.clock.nowMs() < untilMs;) {
    await patience(new Promise<never>(() => undefined), pauseMs(task), conversation.gone);
    if (conversation.gone.aborted) break;
    const live = await at.link.live();
    const looked = live.ok ? await live.value.ask('tasks/get', params, lookMs) : live;
    if (!live.ok || !looked.ok || looked.value.kind !== 'result') {
      failures += 1;
      continue;
    }
    failures = 0;
    task = looked.value.result;
    const end = endOf(task, conversation.leg.id);
    if (end !== undefined) return end;
    const { inputRequests } = task;
    if (task['status'] !== 'input_required' || !isJsonObject(inputRequests)) continue;
    // Each is asked once, although the server may go on naming it for a while (SEP-2663 "Task Update Requests").
    const open = Object.entries(inputRequests).filter(([key]) => !answered.has(key));
    if (open.length === 0) continue;
    const asked = await ask(Object.fromEntries(open));
    if (asked.kind === 'end') return asked.end;
    for (const [key] of open) answered.add(key);
    await live.value.ask('tasks/update', { ...params, inputResponses: asked.answers ?? {} }, lookMs);
  }
  return err({ kind: 'lost', detail: 'it went on as a task of the server, which could not be followed' });
}

function pauseMs(task: JsonObject): number {
  const said = task['pollIntervalMs'];
  const ms = typeof said === 'number' && Number.isFinite(said) ? said : pollMs.usual;
  return Math.max(pollMs.least, Math.min(ms, pollMs.most));
}
