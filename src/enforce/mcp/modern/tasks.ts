/**
 * `tasks/get`, `tasks/update`, `tasks/cancel` (SEP-2663). There are two kinds of task: one of the gate's own, which is an action
 * that waits for people and then runs while its agent asks for it; and one of the upstream's, whose name is wrapped so that it
 * is good for one agent and one server.
 *
 * Promises: a task of another agent, or of another server, does not exist here; however often a task is asked for, its action
 * runs once; answers reach an upstream only where policy permits `<operation>:input`.
 */
import { delivered } from '../../../app/execute.ts';
import { cancel } from '../../../app/review.ts';
import { stateOf, type Case } from '../../../core/case.ts';
import { asActionId } from '../../../core/ids.ts';
import { isOwn } from '../../../core/may-stop.ts';
import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import { refuse, type Refusal } from '../../../core/refusal.ts';
import { resultText } from '../message.ts';
import * as words from '../words.ts';
import type { TaskRun } from './legs.ts';
import { refusalText, refuseInput, type Exchange } from './request.ts';
import { typed } from './rewrite.ts';
import { runInTask } from './task-run.ts';
import { taskOf } from './task-words.ts';
import { relayTask } from './task-relay.ts';

/** How long a look at a task waits for a run that it has begun: a short one is over by then. */
const startedMs = 1000;

export async function handleTask(exchange: Exchange): Promise<void> {
  const { parts, server, request, reply } = exchange;
  const { taskId } = request.params;
  if (typeof taskId === 'string' && taskId.startsWith('task.')) return relayTask(exchange, taskId);
  const held =
    typeof taskId === 'string' ? await parts.store.caseBy({ action: asActionId(taskId) }) : undefined;
  const target = held?.asked.action.target;
  // The same for a task that never was, and one of another agent or server, or for another person.
  if (
    held === undefined ||
    !isTheirTask(exchange, held) ||
    held.approval === null ||
    target?.kind !== 'mcp' ||
    target.server !== server
  )
    return refuseInput(exchange, refuse('input_invalid', 'Task not found'));
  switch (request.method) {
    case 'tasks/get':
      return get(exchange, held);
    case 'tasks/cancel':
      await stop(exchange, held);
      break;
    default: // tasks/update: the only other method that comes here
      update(exchange, held);
  }
  reply.end(resultText(request.id, { resultType: 'complete' }));
}

/** An agent's own; with a token for somebody, what it asked for them. */
const isTheirTask = ({ agent, chain }: Pick<Exchange, 'agent' | 'chain'>, held: Case): boolean =>
  isOwn(held.asked.action, { id: agent, ...(chain === undefined ? {} : { chain }) });

async function get(exchange: Exchange, held: Case): Promise<void> {
  const { parts, request, reply, tasks } = exchange;
  const { id } = held.asked;
  let now = held;
  if (stateOf(held, parts.clock.nowMs()) === 'ready' && !tasks.runs.has(id)) {
    const stopped = await begin(exchange, held);
    if (stopped !== undefined) return void reply.end(refusalText(request.id, stopped));
    now = (await parts.store.caseBy({ action: id })) ?? held;
  }
  const handed = reply.end(resultText(request.id, await detailed(exchange, now)));
  const over = words.isOver(now, parts.clock.nowMs());
  if (handed && over && now.approval?.deliveredAtMs === null) await delivered(parts, id);
}

/** Begins the run of an approved action: its agent is here and asks for it. Answers why it does not. */
async function begin(exchange: Exchange, held: Case): Promise<Refusal | undefined> {
  const side = await exchange.upstreams.of(exchange.agent, exchange.server);
  if (!side.ok) return side.error;
  // Somebody else may have begun it meanwhile; the grant is taken once in any case.
  const run = exchange.tasks.runs.get(held.asked.id) ?? runInTask(exchange, side.value, held);
  if (run === undefined) return refuse('quota', 'Too many tasks run already; ask again later.');
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, startedMs);
  });
  await Promise.race([run.over, late]);
  clearTimeout(timer);
  return undefined;
}

/** The task as it is now, with its end where it has one. */
async function detailed(exchange: Exchange, held: Case): Promise<JsonObject> {
  const { parts, tasks } = exchange;
  const nowMs = parts.clock.nowMs();
  const task = { resultType: 'complete', ...taskOf(held, parts.origin, nowMs) };
  const completed = (result: JsonObject): JsonObject => ({
    ...task,
    status: 'completed',
    result: typed(result),
  });
  switch (stateOf(held, nowMs)) {
    case 'pending':
      return task;
    case 'ready':
    case 'started':
      return { ...task, ...running(tasks.runs.get(held.asked.id), tasks.notes.get(held.asked.id)) };
    case 'cancelled':
      return { ...task, status: 'cancelled', statusMessage: 'Cancelled.' };
    case 'denied':
    case 'expired':
      return completed(words.endedResult(held, await parts.store.directory(), false));
    case 'unknown':
      return completed(words.unknownResult(held, held.execution?.detail ?? 'no outcome', false));
    case 'succeeded':
    case 'failed': {
      const kept = words.replayOf(held, false);
      return 'result' in kept
        ? completed(kept.result)
        : // An RpcError holds JSON and nothing else.
          {
            ...task,
            status: 'failed',
            statusMessage: kept.error.message,
            error: kept.error as unknown as JsonObject,
          };
    }
  }
}

/** A run that asks its agent something waits for `tasks/update`; one that could not begin says why. */
function running(run: TaskRun | undefined, note: string | undefined): JsonObject {
  const open = run?.open();
  if (open !== undefined)
    return { status: 'input_required', statusMessage: 'It asks for input.', inputRequests: open };
  return run === undefined && note !== undefined ? { statusMessage: note } : {};
}

/** Answers to what is not asked are left unread (SEP-2663): only what policy let the upstream ask is ever open. */
function update({ request, tasks }: Exchange, held: Case): void {
  const { inputResponses: answers } = request.params;
  if (isJsonObject(answers)) tasks.runs.get(held.asked.id)?.answer(answers);
}

/**
 * Withdraws what waits, and ends what waits for an answer. What runs already is not broken off: it was approved, and would end
 * as something that nobody knows.
 */
async function stop(exchange: Exchange, held: Case): Promise<void> {
  const { parts, agent, tasks } = exchange;
  const run = tasks.runs.get(held.asked.id);
  if (run?.open() !== undefined) run.stop();
  if (held.approval === null || held.execution !== null) return;
  await cancel(parts, { kind: 'agent', id: agent }, held.approval.id, {
    reason: 'The agent cancelled its task.',
  });
}
