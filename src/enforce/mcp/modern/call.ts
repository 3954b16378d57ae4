/**
 * `tools/call` of 2026-07-28. It is judged and run as a call of the older era is (call.ts, conclude.ts); what differs is how
 * an agent waits for people: in a task where it knows tasks, else by bringing back a state until they have decided.
 */
import { resourceOf } from '../../../app/authorize.ts';
import { delivered } from '../../../app/execute.ts';
import { operationOf } from '../../../core/action.ts';
import { stateOf, type Case } from '../../../core/case.ts';
import { asActionId, type ActionId } from '../../../core/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../core/json.ts';
import { refuse, type Refusal } from '../../../core/refusal.ts';
import type { CatalogEntry } from '../../../ports/catalog.ts';
import { callTool } from '../call.ts';
import type { ToolCall } from '../classify.ts';
import { conclude, result, type CallAt, type Said } from '../conclude.ts';
import { hold } from '../hold.ts';
import { progressOf } from '../flight.ts';
import { errorText, resultText } from '../message.ts';
import { recordQuestion } from '../questions.ts';
import type { Reply } from '../reply.ts';
import * as words from '../words.ts';
import { Conversation, questionMs } from './conversation.ts';
import { knowsTasks, mismatch, statusOfError } from './envelope.ts';
import type { HttpLeg } from './legs.ts';
import { wrongParams } from './param-headers.ts';
import { refusalText, refuseInput, type Exchange } from './request.ts';
import { digestOfParams, seal, unseal, useUp, type SealedFor, type Unsealed } from './request-state.ts';
import { typed, unmarked, withResult } from './rewrite.ts';
import { taskOf, wrappedTask } from './task-words.ts';
import { linkTo } from './upstreams.ts';

/** How long a state that only waits may be brought back: a client does so at once. */
const waitingStateMs = 5 * 60_000;
/**
 * How often an agent is asked to come back: clients of the official SDK do ten times (`maxRounds`), and the eleventh request
 * has to end in an answer.
 */
const returnsMax = 10;

export async function callModern(exchange: Exchange, call: ToolCall): Promise<void> {
  const { request, reply } = exchange;
  const { inputResponses: answers, requestState: state } = request.params;
  if (answers !== undefined && !isJsonObject(answers))
    return refused(exchange, refuse('input_invalid', 'inputResponses has to be an object.'));
  if (state === undefined) return begin(exchange, call, answers);
  if (typeof state !== 'string')
    return refused(exchange, refuse('input_invalid', 'requestState has to be a text.'));
  // Also now: somebody on the way may believe the headers of this request.
  const schema = exchange.parts.world.catalog.entry(operationOf(exchange.server, call.name))?.inputSchema;
  const wrong = schema === undefined ? null : wrongParams(schema, call.input, exchange.headers);
  if (wrong !== null) {
    const { error, status } = mismatch(request.id, wrong);
    return void reply.end(errorText(request.id, error), status);
  }
  const opened = await open(exchange, state);
  if ('code' in opened) return refused(exchange, opened);
  const { kind, action, returns } = opened.body;
  const id = asActionId(typeof action === 'string' ? action : '');
  if (kind === 'question') {
    const leg = legOf(exchange, call);
    const conversation = exchange.tasks.conversations.get(id);
    if (conversation === undefined || !conversation.bring({ leg, answers })) {
      const gone = refuse('grant_consumed', 'What asked for this input has ended; call again without it.');
      reply.end(resultText(request.id, typed(words.refusedResult(gone))));
      return;
    }
    // From here on the conversation answers on this request; it ends with it.
    whenGone(reply, conversation);
    return;
  }
  const held = await exchange.parts.store.caseBy({ action: id });
  if (held?.asked.action.agent !== exchange.agent)
    return refused(exchange, refuse('input_invalid', 'This state belongs to another request.'));
  return carry(exchange, call, undefined, (at) =>
    stateOf(held, at.parts.clock.nowMs()) === 'pending'
      ? wait(exchange, at, held, Number(returns))
      : conclude(at, held, false),
  );
}

const begin = (exchange: Exchange, call: ToolCall, answers: JsonObject | undefined): Promise<void> =>
  carry(exchange, call, answers, callTool);

/** What a state of this request says; it cannot be used again. */
async function open(exchange: Exchange, state: string): Promise<Unsealed | Refusal> {
  const { parts } = exchange;
  const opened = unseal(parts, 'state', sealedFor(exchange), state);
  if (!opened.ok) return opened.error;
  const used = await useUp(parts, state, opened.value);
  return used.ok ? opened.value : used.error;
}

const sealedFor = ({ agent, chain, server, request }: Exchange): SealedFor => ({
  agent,
  server,
  method: request.method,
  digest: digestOfParams(request.params, chain),
});

/** A state that cannot be read is input; one that cannot be used up because of the store is not. */
function refused(exchange: Exchange, refusal: Refusal): Promise<void> {
  if (refusal.code === 'input_invalid') return refuseInput(exchange, refusal);
  exchange.reply.end(refusalText(exchange.request.id, refusal));
  return Promise.resolve();
}

/** Runs what a request comes to, and hands over how it ended on whichever request waits for it then. */
async function carry(
  exchange: Exchange,
  call: ToolCall,
  answers: JsonObject | undefined,
  work: (at: CallAt) => Promise<Said>,
): Promise<void> {
  const { upstreams, agent, server, parts, request, reply } = exchange;
  const side = await upstreams.of(agent, server);
  if (!side.ok) {
    reply.end(resultText(request.id, typed(words.refusedResult(side.error))));
    return;
  }
  const { link, tell, close } = linkTo(side.value, {
    heard: ({ text }) => void conversation.leg.reply.event(text),
    asking: (question) => conversation.asking(question),
  });
  const { tasks } = exchange;
  const waiting = (action: ActionId, is: boolean): void => {
    if (is) tasks.conversations.set(action, conversation);
    else tasks.conversations.delete(action);
  };
  const { closing, ending } = exchange;
  const talk = { parts, agent, link, tell, tasks, closing, ending, waiting };
  const conversation: Conversation<HttpLeg> = new Conversation(talk, legOf(exchange, call), answers);
  whenGone(reply, conversation);
  const at: CallAt = {
    parts,
    checks: exchange.checks,
    server,
    agent,
    ...(exchange.chain === undefined ? {} : { chain: exchange.chain }),
    ...(exchange.via === undefined ? {} : { via: exchange.via }),
    link,
    get id() {
      return conversation.leg.id;
    },
    call,
    gone: conversation.gone,
    cancelled: conversation.cancelled,
    unheard: conversation.stop.signal,
    tell: progressOf({ progressToken: call.progressToken, reply }),
    running: (running) => tasks.run(running),
    answer: (text) => end(conversation.leg.reply, text),
    patienceMs: parts.limits.holdMs,
    dress: typed,
    perform: conversation.perform,
    wait: (held) => wait(exchange, at, held, 0),
    vet: (entry, input) => vet(exchange, at, entry, input),
  };
  const said = await work(at);
  close();
  const handed = end(conversation.leg.reply, said.text, said.status);
  if (handed && said.text !== null && said.told !== null) await delivered(parts, said.told);
}

function legOf(exchange: Exchange, call: ToolCall): HttpLeg {
  const { parts, agent, server, request, reply } = exchange;
  const { id, capabilities } = request;
  return {
    id,
    meta: call.meta,
    reply,
    ask: (requests, held) => {
      const body = { kind: 'question', action: held.asked.id, returns: 0 };
      const expiresAtMs = parts.clock.nowMs() + questionMs;
      const requestState = seal(parts, 'state', sealedFor(exchange), { body, expiresAtMs });
      const asks = requests === undefined ? {} : { inputRequests: requests };
      return reply.end(resultText(id, { resultType: 'input_required', ...asks, requestState }));
    },
    task: (answer, held) => {
      if (!knowsTasks(capabilities)) return false;
      const taskId = wrappedTask(parts, { agent, server }, held.asked.id, answer.result['taskId']);
      reply.end(withResult(answer, id, (task) => unmarked({ ...task, taskId })));
      return true;
    },
  };
}

/** An agent that closes its request has cancelled it (2026-07-28 "Cancellation"); one that was answered has not. */
function whenGone(reply: Reply, conversation: { readonly stop: AbortController }): void {
  reply.gone.addEventListener('abort', () => conversation.stop.abort(), { once: true });
}

/** Hands over an answer with the status that its error has over HTTP. */
function end(reply: Reply, text: string | null, status?: number): boolean {
  return reply.end(text, status ?? (text === null ? 200 : statusOfText(text)));
}

/** Errors are short, and begin as `errorText` and the official SDKs write them; what is not looked at is 200. */
function statusOfText(text: string): number {
  if (text.length > 16_384 || !text.includes('"error"')) return 200;
  const message = JSON.parse(text) as JsonValue; // a text of ours, or one that was read before
  const error = isJsonObject(message) ? message['error'] : undefined;
  const code = isJsonObject(error) ? error['code'] : undefined;
  return typeof code === 'number' ? statusOfError(code) : 200;
}

/** How an agent waits for people. @param returns how often it has come back already. */
async function wait(exchange: Exchange, at: CallAt, held: Case, returns: number): Promise<Said> {
  const { parts } = at;
  if (knowsTasks(exchange.request.capabilities))
    return result(at, { resultType: 'task', ...taskOf(held, parts.origin, parts.clock.nowMs()) });
  const untilMs = parts.clock.nowMs() + parts.limits.holdMs;
  const now = (await hold(parts, held.asked.id, { untilMs, gone: at.gone, tell: at.tell })) ?? held;
  if (stateOf(now, parts.clock.nowMs()) !== 'pending' || at.gone.aborted || returns >= returnsMax)
    return conclude(at, now, false);
  const body = { kind: 'wait', action: held.asked.id, returns: returns + 1 };
  const expiresAtMs = parts.clock.nowMs() + waitingStateMs;
  const requestState = seal(parts, 'state', sealedFor(exchange), { body, expiresAtMs });
  return result(at, { resultType: 'input_required', requestState });
}

/** What has to hold before a call is judged: headers repeat the arguments, and answers that nobody asked for are permitted. */
async function vet(
  exchange: Exchange,
  at: CallAt,
  entry: CatalogEntry,
  input: JsonObject,
): Promise<Said | undefined> {
  const { parts, agent, headers, request } = exchange;
  const wrong = wrongParams(entry.inputSchema, input, headers);
  if (wrong !== null) {
    const { error, status } = mismatch(request.id, wrong);
    return { text: errorText(request.id, error), status, told: null };
  }
  const answers = request.params['inputResponses'];
  if (!isJsonObject(answers)) return undefined;
  const { operation, profile } = entry;
  const resource = resourceOf({ operation, resource: null, input, profile });
  if (parts.policy.permitsQuestion({ agent, operation, resource, input }, parts.clock.nowMs()))
    return undefined;
  const question = { method: 'inputResponses', params: answers, agent, cases: [] };
  await recordQuestion(parts, 'question.refused', question, null);
  const no = refuse('not_permitted', `It brings answers, and no policy permits ${operation}:input.`);
  return result(at, words.refusedResult(no));
}
