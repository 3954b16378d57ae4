/** What an upstream says by itself: notifications pass; its questions to the agent are judged; its pings are ours to answer. */
import type { Parts } from '../../app/parts.ts';
import { refusesStoppedNow } from '../../app/stops.ts';
import type { AgentId } from '../../core/ids.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { ServerSettings } from '../../ports/settings.ts';
import type { FromUpstream } from './connection.ts';
import type { Flight } from './flight.ts';
import type { Link } from './link.ts';
import { errorText, keyOf, resultText, rpcCodes, type RequestId } from './message.ts';
import type { Outlet } from './outlet.ts';
import { messageOf, type Log } from './pipe.ts';
import { maySendQuestion, questionMethods, recordQuestion, type Question } from './questions.ts';
import type { Reply } from './reply.ts';

export interface BackAt {
  readonly parts: Parts;
  readonly agent: AgentId;
  readonly link: Link;
  readonly flights: ReadonlyMap<string, Flight>;
  readonly outlet: Outlet;
  readonly log: Log;
  readonly settings: () => ServerSettings | undefined;
}

export interface Back {
  message(incoming: FromUpstream, related: RequestId | null): void;
  /** The agent answers a request of the upstream. */
  answer(id: RequestId, message: JsonObject): Promise<void>;
  /** The upstream connection ended, and with it what it asked. */
  ended(): void;
  /** The agent can give no answer here any more: what is asked, and will be, is refused, so that what asks can end. */
  letGo(): void;
}

/** Requests of an upstream that an agent may have in front of it. */
const openMax = 256;

export function createBack(at: BackAt): Back {
  /** What the agent was asked and has not answered, by the upstream's id. */
  const open = new Map<string, Question & { readonly id: RequestId }>();
  let gone = false;
  const refuseUpstream = (id: RequestId, code: number, message: string): void => {
    open.delete(keyOf(id));
    void at.link.tell(errorText(id, { code, message }));
  };
  const ask = (
    incoming: FromUpstream & { readonly kind: 'request' },
    related: RequestId | null,
    question: Question,
  ): void => {
    if (gone) return refuseUpstream(incoming.id, rpcCodes.gate, 'the gate is stopping');
    if (open.size >= openMax) return refuseUpstream(incoming.id, rpcCodes.gate, 'too many open requests');
    open.set(keyOf(incoming.id), { ...question, id: incoming.id });
    at.outlet.send(incoming.text, repliesFor(at, related), () => {
      refuseUpstream(incoming.id, rpcCodes.gate, 'the client has no stream open');
    });
  };
  const request = async (
    incoming: FromUpstream & { readonly kind: 'request' },
    related: RequestId | null,
  ): Promise<void> => {
    const { id, method, params } = incoming;
    if (method === 'ping') return at.link.tell(resultText(id, {}));
    if (!questionMethods.has(method))
      return refuseUpstream(id, rpcCodes.noMethod, `the gate does not pass ${method}`);
    const question: Question = { method, params, agent: at.agent, cases: askers(at, related) };
    if (maySendQuestion(at.parts, question)) return ask(incoming, related, question);
    await recordQuestion(at.parts, 'question.refused', question, null);
    refuseUpstream(id, rpcCodes.gate, 'refused by policy: no policy permits this tool to ask the agent');
  };
  return {
    message: (incoming, related) => {
      const forget = (id: RequestId): void => void open.delete(keyOf(id));
      const done =
        incoming.kind === 'request' ? request(incoming, related) : pass(at, incoming, related, forget);
      done.catch((error: unknown) =>
        at.log(`the gate failed to pass ${incoming.method}: ${messageOf(error)}`),
      );
    },
    answer: async (id, message) => {
      const question = open.get(keyOf(id));
      if (question === undefined) return; // answers nothing that was asked, or asked no more
      open.delete(keyOf(id));
      const { result, error } = message;
      const said = isJsonObject(result) ? { result } : { error: error ?? null };
      const no = await refusesAnswer(at, question, said);
      if (no !== undefined) return refuseUpstream(id, rpcCodes.gate, no);
      await at.link.tell(JSON.stringify({ jsonrpc: '2.0', id, ...said }));
    },
    ended: () => open.clear(),
    letGo: () => {
      gone = true;
      for (const { id } of open.values()) refuseUpstream(id, rpcCodes.gate, 'the gate is stopping');
    },
  };
}

/** Passes a notification of the upstream on. @param forget a question that it takes back. */
async function pass(
  at: BackAt,
  incoming: FromUpstream & { readonly kind: 'notification' },
  related: RequestId | null,
  forget: (id: RequestId) => void,
): Promise<void> {
  const { method, params, text } = incoming;
  if (method === 'notifications/tools/list_changed') {
    // The gate looks first, so that what changed is disabled before the agent can ask for it.
    const tools = await at.link.tools(true);
    if (!tools.ok) at.log(`could not list its tools again: ${tools.error.detail}`);
  }
  const asked = params['requestId'];
  if (method === 'notifications/cancelled' && (typeof asked === 'string' || typeof asked === 'number'))
    forget(asked);
  const replies = method === 'notifications/progress' ? progressReplies(at, params) : repliesFor(at, related);
  if (replies !== null) at.outlet.send(text, replies);
}

/** Why an answer may not pass; undefined where it may, and is on record. An agent that was stopped meanwhile says nothing more. */
async function refusesAnswer(
  { parts, agent }: BackAt,
  question: Question,
  said: JsonObject,
): Promise<string | undefined> {
  if ((await refusesStoppedNow(parts, agent, null)) !== undefined) return 'refused: the agent was stopped';
  return (await recordQuestion(parts, 'question.passed', question, said))
    ? undefined
    : 'the log cannot be written, so the answer may not pass';
}

/** The calls that may be asking: the one on whose stream it came; all that run, where the transport does not tell. */
function askers(at: BackAt, related: RequestId | null): Question['cases'] {
  const flights = related === null ? [...at.flights.values()] : [at.flights.get(keyOf(related))];
  return flights.flatMap((flight) =>
    flight === undefined || flight.running === null ? [] : [flight.running],
  );
}

/** Where a message goes. A process does not say what it belongs to: with one request on its way, it is that one's. */
function repliesFor(
  at: BackAt,
  related: RequestId | null,
): { readonly related: Reply | null; readonly others: readonly Reply[] } {
  const flights = [...at.flights.values()];
  const only = flights.length === 1 && at.settings()?.upstream.kind === 'command' ? flights[0] : undefined;
  const own = related === null ? only : at.flights.get(keyOf(related));
  const others = flights.map((flight) => flight.reply).filter((reply) => reply.here);
  return { related: own?.reply ?? null, others: others.toReversed() };
}

/** Progress belongs to the request with its token; late progress, of a request that is answered, to none. */
function progressReplies(
  at: BackAt,
  params: JsonObject,
): { readonly related: Reply; readonly others: readonly Reply[] } | null {
  const flight = [...at.flights.values()].find((one) => one.progressToken === params['progressToken']);
  return flight === undefined ? null : { related: flight.reply, others: [] };
}
