/** The run of an approved action in a task: nobody waits on a request for it, so what it asks and how it ends is kept here. */
import { stateOf, type Case } from '../../../core/case.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../../core/json.ts';
import { metaUpstream, type ToolCall } from '../classify.ts';
import { conclude, type CallAt } from '../conclude.ts';
import { messageOf } from '../pipe.ts';
import { Conversation } from './conversation.ts';
import type { Leg, TaskRun } from './legs.ts';
import type { Exchange } from './request.ts';
import { typed } from './rewrite.ts';
import { linkTo, type Side } from './upstreams.ts';

/** Runs in tasks that may be under way at once. */
export const taskRunsMax = 1000;
/** Before an upstream that only wants to be called again is. */
const againMs = 250;

/** Begins it; undefined where too many run already. */
export function runInTask(exchange: Exchange, side: Side, held: Case): TaskRun | undefined {
  const { parts, tasks, agent, server, closing, ending, request } = exchange;
  const { id } = held.asked;
  if (tasks.runs.size >= taskRunsMax) return undefined;
  const question = questionOf((answers) => conversation.bring({ leg, answers }));
  const leg: Leg = { id, meta: metaFor(request.params), ask: (requests) => question.ask(requests) };
  const { link, tell, close } = linkTo(side, {
    heard: () => undefined,
    asking: (asking) => conversation.asking(asking),
  });
  const talk = { parts, agent, link, tell, tasks, closing, ending };
  const conversation: Conversation = new Conversation(talk, leg);
  const stop = (): void => conversation.stop.abort();
  const at: CallAt = {
    parts,
    checks: exchange.checks,
    server,
    agent,
    link,
    id,
    call: callOf(held, leg.meta),
    gone: conversation.gone,
    cancelled: conversation.cancelled,
    tell: () => undefined,
    running: (running) => tasks.run(running),
    answer: () => undefined,
    dress: typed,
    perform: conversation.perform,
  };
  const work = async (): Promise<void> => {
    try {
      const said = await conclude(at, held, false);
      const now = await parts.store.caseBy({ action: id });
      // It could not begin (the upstream is away, a tool changed): its grant is there still, and its agent is told why.
      if (now !== undefined && stateOf(now, parts.clock.nowMs()) === 'ready')
        tasks.note(id, noteOf(said.text));
    } catch (error) {
      exchange.log(`the gate failed to run a task: ${messageOf(error)}`);
    } finally {
      tasks.runs.delete(id);
      close();
    }
  };
  const run: TaskRun = { over: work(), open: question.open, answer: question.answer, stop };
  tasks.runs.set(id, run);
  return run;
}

/** What goes upstream beside the action: the agent's envelope and trace, as it asks now. No progress: nobody hears it. */
function metaFor(params: JsonObject): JsonObject | undefined {
  const meta = params['_meta'];
  const { progressToken: _token, ...kept } = metaUpstream(isJsonObject(meta) ? meta : undefined) ?? {};
  return Object.keys(kept).length === 0 ? undefined : kept;
}

const callOf = (held: Case, meta: JsonObject | undefined): ToolCall => {
  const { target, input, reason, session } = held.asked.action;
  const name = target.kind === 'mcp' ? target.tool : '';
  return { name, input, reason, session, run: held.asked.run, progressToken: null, meta };
};

/** Questions as a task shows them. Keys are used once in its lifetime, so each round has its own (SEP-2663). */
function questionOf(bring: (answers: JsonObject | undefined) => void): Pick<TaskRun, 'open' | 'answer'> & {
  readonly ask: (requests: JsonObject | undefined) => boolean;
} {
  let round = 0;
  let open: Map<string, { readonly key: string; readonly request: JsonValue }> | undefined;
  let answers: Record<string, JsonValue> = {};
  return {
    ask: (requests) => {
      if (requests === undefined) {
        setTimeout(() => bring(undefined), againMs).unref();
        return true;
      }
      round += 1;
      answers = {};
      open = new Map(Object.entries(requests).map(([key, request]) => [`${round}.${key}`, { key, request }]));
      return true;
    },
    open: () =>
      open === undefined
        ? undefined
        : Object.fromEntries([...open].map(([shown, { request }]) => [shown, request])),
    answer: (given) => {
      for (const [shown, answer] of Object.entries(given)) {
        const asked = open?.get(shown);
        if (asked === undefined) continue;
        open?.delete(shown);
        answers[asked.key] = answer;
      }
      if (open?.size !== 0) return;
      open = undefined;
      bring(answers);
    },
  };
}

/** The first text of an answer that says why nothing ran. */
function noteOf(text: string | null): string {
  const message = text === null ? null : (JSON.parse(text) as JsonValue); // a text of ours
  const result = isJsonObject(message) ? message['result'] : undefined;
  const content = isJsonObject(result) ? result['content'] : undefined;
  const first = isJsonArray(content) ? content[0] : undefined;
  return isJsonObject(first) && typeof first['text'] === 'string' ? first['text'] : 'It could not run yet.';
}
