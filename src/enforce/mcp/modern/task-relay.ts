/** Tasks of an upstream, by names that are good for one agent: passed on, and seen on the way. */
import { delivered } from '../../../app/execute.ts';
import type { Case } from '../../../core/case.ts';
import { asActionId } from '../../../core/ids.ts';
import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import { isOwn } from '../../../core/may-stop.ts';
import { refuse } from '../../../core/refusal.ts';
import { metaUpstream } from '../classify.ts';
import type { Connection } from '../connection.ts';
import { unavailable } from '../link.ts';
import { errorText, rpcCodes, type Answer } from '../message.ts';
import { maySendQuestion, recordQuestion, type Question } from '../questions.ts';
import { mayAsk, methodOf, methodsOf } from './conversation.ts';
import { statusOfError } from './envelope.ts';
import { metaOf, refusalText, refuseInput, type Exchange } from './request.ts';
import { unseal } from './request-state.ts';
import { typed, unmarked, withResult } from './rewrite.ts';
import { taskFor } from './task-words.ts';

/** How long one look may take. */
const lookMs = 30_000;
const overStatuses: ReadonlySet<unknown> = new Set(['completed', 'failed', 'cancelled']);

export async function relayTask(exchange: Exchange, taskId: string): Promise<void> {
  const { parts, agent, request, reply, upstreams, server } = exchange;
  const opened = unseal(parts, 'task', taskFor(exchange), taskId);
  if (!opened.ok) return refuseInput(exchange, opened.error);
  const { action, task } = opened.value.body;
  const held =
    typeof action === 'string' ? await parts.store.caseBy({ action: asActionId(action) }) : undefined;
  const { chain } = exchange;
  const own = { id: agent, ...(chain === undefined ? {} : { chain }) };
  if (held === undefined || !isOwn(held.asked.action, own) || typeof task !== 'string')
    return refuseInput(exchange, refuse('input_invalid', 'Task not found'));
  const side = await upstreams.of(agent, server);
  if (!side.ok) return void reply.end(refusalText(request.id, side.error));
  if (side.value.kind === 'legacy') return refuseInput(exchange, refuse('input_invalid', 'Task not found'));
  const connection = side.value.relay.open(() => undefined);
  await passOn(exchange, connection, held, { wrapped: taskId, taskId: task });
  await connection.close();
}

async function passOn(
  exchange: Exchange,
  connection: Connection,
  held: Case,
  { wrapped, taskId }: { readonly wrapped: string; readonly taskId: string },
): Promise<void> {
  const { parts, agent, request, reply, tasks } = exchange;
  const { inputResponses: answers } = request.params;
  const updates = request.method === 'tasks/update';
  if (updates && !(await mayAnswer(exchange, held, answers))) return;
  const meta = metaUpstream(metaOf(request.params)) ?? {};
  const params = { taskId, ...(updates ? { inputResponses: answers ?? {} } : {}), _meta: meta };
  const answer = await connection.request(request.id, request.method, params);
  if (!answer.ok) return void reply.end(refusalText(request.id, unavailable(answer.error.detail)));
  if (answer.value.kind === 'error')
    return void reply.end(answer.value.text, statusOfError(answer.value.error.code));
  const seen = answer.value.result;
  if (request.method !== 'tasks/get') {
    reply.end(withResult(answer.value, request.id, (result) => typed(unmarked(result))));
    return;
  }
  const { inputRequests, status } = seen;
  if (isJsonObject(inputRequests)) {
    const method = methodsOf(inputRequests);
    const question: Question = { method, params: inputRequests, agent, cases: [held] };
    const known = Object.values(inputRequests).every((one) => mayAsk.has(methodOf(one)));
    if (!known || !maySendQuestion(parts, question))
      return forbid(exchange, connection, question, { wrapped, taskId });
  }
  const handed = reply.end(asSeen(answer.value, request.id, wrapped));
  tasks.saw(held.asked.id, request.id, seen);
  if (handed && overStatuses.has(status) && held.approval?.deliveredAtMs === null)
    await delivered(parts, held.asked.id);
}

const asSeen = (
  answer: Answer & { readonly kind: 'result' },
  id: Exchange['request']['id'],
  taskId: string,
): string =>
  withResult(answer, id, (task) => {
    const { result } = task;
    const inner = isJsonObject(result) ? { result: unmarked(result) } : {};
    return typed(unmarked({ ...task, taskId, ...inner }));
  });

/** Whether answers may go up; where not, that is answered and on record. */
async function mayAnswer(
  { parts, agent, request, reply }: Exchange,
  held: Case,
  answers: JsonObject[string] | undefined,
): Promise<boolean> {
  const question: Question = { method: 'tasks/update', params: {}, agent, cases: [held] };
  const permitted = maySendQuestion(parts, question);
  if (permitted && (await recordQuestion(parts, 'question.passed', question, answers ?? null))) return true;
  if (!permitted) await recordQuestion(parts, 'question.refused', question, null);
  const { operation } = held.asked.action;
  const no = permitted
    ? refuse('audit_unavailable', 'The log cannot be written, so the answer may not pass.')
    : refuse('not_permitted', `No policy permits ${operation}:input, so answers do not pass.`);
  reply.end(refusalText(request.id, no));
  return false;
}

/** A task that asks what policy does not let it ask: it is cancelled, and so it ends. */
async function forbid(
  { parts, request, reply, tasks }: Exchange,
  connection: Connection,
  question: Question,
  { wrapped, taskId }: { readonly wrapped: string; readonly taskId: string },
): Promise<void> {
  const [held] = question.cases;
  await recordQuestion(parts, 'question.refused', question, null);
  const meta = metaUpstream(metaOf(request.params)) ?? {};
  await connection.ask('tasks/cancel', { taskId, _meta: meta }, lookMs);
  const message = 'It asked for input, and no policy permits this tool to ask the agent; it was cancelled.';
  const error = { code: rpcCodes.gate, message, data: { code: 'not_permitted' } };
  if (held !== undefined) tasks.saw(held.asked.id, request.id, { status: 'failed', error });
  reply.end(errorText(request.id, { ...error, message: `${message} (${wrapped.slice(0, 16)}…)` }));
}
