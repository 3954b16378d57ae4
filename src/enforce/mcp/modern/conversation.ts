/**
 * One run of an action whose upstream asks something before it goes on, or answers with a task. It is one execution, however
 * many requests it takes: what was approved is run once, and an answer that only asks is no outcome (docs/decisions/008).
 *
 * Promises: a question reaches the agent, and an answer the upstream, only where policy permits `<operation>:input`; the log
 * has both first. A run whose question nobody answers ends. Nothing here outlives the process: a run that was under way when
 * the gate stopped is `unknown`, as any other.
 */
import type { Parts } from '../../../app/parts.ts';
import type { Action } from '../../../core/action.ts';
import type { Case } from '../../../core/case.ts';
import type { ActionId, AgentId } from '../../../core/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../core/json.ts';
import { refuse } from '../../../core/refusal.ts';
import { err, ok, type Result } from '../../../core/result.ts';
import type { Perform } from '../conclude.ts';
import { errorText, resultText, rpcCodes, type Answer } from '../message.ts';
import type { Failure } from '../pipe.ts';
import { maySendQuestion, questionMethods, recordQuestion, type Question } from '../questions.ts';
import { runOnce, type RunHow } from '../run.ts';
import type { ToolLink } from '../tool-link.ts';
import * as words from '../words.ts';
import { withOwnPoll } from './follow.ts';
import { patience, type Brought, type Leg } from './legs.ts';
import type { OpenTasks } from './open-tasks.ts';
import type { Asking } from './pool.ts';
import { typed } from './rewrite.ts';

/** How long a question waits for the agent's answer. */
export const questionMs = 10 * 60_000;
/** How often one run may ask. */
const roundsMax = 32;

/** Requests that an upstream may put to the agent within a call of this era: roots too, because they hold for this call alone. */
export const mayAsk: ReadonlySet<string> = new Set([...questionMethods, 'roots/list']);

export interface ConversationAt {
  readonly parts: Parts;
  readonly agent: AgentId;
  readonly link: ToolLink;
  readonly tasks: OpenTasks;
  readonly closing: AbortSignal;
  readonly ending: AbortSignal;
  /** Told from when to when an action waits for what the agent brings; undefined where it is brought another way. */
  readonly waiting?: (action: ActionId, is: boolean) => void;
  /** Answers a question of an older upstream; undefined for one of this era, which asks in its answers. */
  readonly tell: ((text: string) => Promise<void>) | undefined;
}

type End = Result<Answer, Failure>;

export class Conversation<L extends Leg = Leg> {
  leg: L;
  /** Ends what runs: the agent has left the request that it would be answered on. */
  readonly stop = new AbortController();
  /** Nobody waits any more: the agent has left, or the gate is closing. */
  readonly gone: AbortSignal;
  /** What runs is to end: the agent has left, or the gate has waited long enough. */
  readonly cancelled: AbortSignal;
  readonly #at: ConversationAt;
  readonly #first: JsonObject | undefined;
  #bring: ((brought: Brought<L>) => void) | undefined;
  /** Questions of an older upstream, which come while the call runs. */
  readonly #askings: Asking[] = [];
  #woken = Promise.withResolvers<'asked'>();

  /** @param answers that came with the first request, unasked. */
  constructor(at: ConversationAt, leg: L, answers?: JsonObject) {
    this.#at = at;
    this.gone = AbortSignal.any([this.stop.signal, at.closing]);
    this.cancelled = AbortSignal.any([this.stop.signal, at.ending]);
    this.leg = leg;
    this.#first = answers;
  }

  /** Goes on with what an agent brings; false where nothing was asked. */
  bring(brought: Brought<L>): boolean {
    const bring = this.#bring;
    this.#bring = undefined;
    bring?.(brought);
    return bring !== undefined;
  }

  /** An older upstream asks while its call runs. */
  asking(question: Asking): void {
    if (this.#askings.length >= roundsMax) {
      const no = { code: rpcCodes.gate, message: 'refused: too many questions are open' };
      return void this.#at.tell?.(errorText(question.id, no));
    }
    this.#askings.push(question);
    this.#woken.resolve('asked');
  }

  readonly perform: Perform = async (held, action, how) => {
    let retry: JsonObject = {};
    if (this.#first !== undefined) {
      const question = { method: 'inputResponses', params: {}, agent: this.#at.agent, cases: [held] };
      if (!(await recordQuestion(this.#at.parts, 'question.passed', question, this.#first)))
        return this.#refused('the log cannot be written, so the answer may not pass');
      retry = { inputResponses: this.#first };
    }
    for (let round = 0; round < roundsMax; round += 1) {
      const end = await this.#run(held, action, { ...how, retry });
      if (!end.ok || end.value.kind === 'error') return end;
      const { resultType, inputRequests, requestState } = end.value.result;
      if (resultType === 'task') return this.#follow(held, end.value);
      if (resultType !== 'input_required') return end;
      const asked = await this.#ask(held, isJsonObject(inputRequests) ? inputRequests : undefined);
      if (asked.kind === 'end') return asked.end;
      retry = {
        ...(asked.answers === undefined ? {} : { inputResponses: asked.answers }),
        ...(typeof requestState === 'string' ? { requestState } : {}),
      };
    }
    return unsent('it asked again and again');
  };

  /** One request upstream; an older upstream may ask while it is under way. */
  async #run(held: Case, action: Action, how: RunHow): Promise<End> {
    const { id, meta } = this.leg;
    const end = runOnce(this.#at.link, action, { ...how, id, meta, cancelled: this.cancelled });
    for (let round = 0; ;) {
      const first = await Promise.race([end, this.#woken.promise]);
      if (first !== 'asked') return this.#renamed(first);
      this.#woken = Promise.withResolvers<'asked'>();
      for (const asking of this.#askings.splice(0)) {
        round += 1;
        const answer = round < roundsMax ? await this.#askOlder(held, asking) : null;
        const no = { code: rpcCodes.gate, message: 'refused: the agent gives no answer' };
        await this.#at.tell?.(answer ?? errorText(asking.id, no));
      }
    }
  }

  /** An older upstream answers the request that began the call; the agent waits on another by now. */
  #renamed(end: End): End {
    const { id } = this.leg;
    if (!end.ok || end.value.id === id) return end;
    const { value } = end;
    return value.kind === 'error'
      ? ok({ ...value, id, text: errorText(id, value.error) })
      : ok({ ...value, id, text: resultText(id, value.result) });
  }

  async #askOlder(held: Case, question: Asking): Promise<string | null> {
    const { method, params } = question;
    const asked = await this.#ask(held, { question: { method, params } });
    if (asked.kind === 'end') return null;
    const answer = asked.answers?.['question'];
    return isJsonObject(answer) ? resultText(question.id, answer) : null;
  }

  /** Asks the agent, where policy lets it; else how the run ends. */
  async #ask(
    held: Case,
    requests: JsonObject | undefined,
  ): Promise<
    | { readonly kind: 'answers'; readonly answers: JsonObject | undefined }
    | { readonly kind: 'end'; readonly end: End }
  > {
    const { parts } = this.#at;
    const question = requests === undefined ? undefined : this.question(held, requests);
    if (question !== undefined && !this.permits(question, requests)) {
      await recordQuestion(parts, 'question.refused', question, null);
      return { kind: 'end', end: this.#refused('no policy permits this tool to ask the agent') };
    }
    const leave = this.#at.tasks.place(this.#at.agent);
    if (leave === undefined)
      return { kind: 'end', end: unsent('too many runs of this agent wait for its input already') };
    const brought = Promise.withResolvers<Brought<L>>();
    this.#bring = brought.resolve;
    // Before the question leaves: the answer may be back at once.
    this.#at.waiting?.(held.asked.id, true);
    const there = this.leg.ask(requests, held);
    const first = there ? await patience(brought.promise, questionMs, this.gone) : undefined;
    leave();
    this.#bring = undefined;
    this.#at.waiting?.(held.asked.id, false);
    if (!there) return { kind: 'end', end: unsent('the agent left while it was asked') };
    if (first === undefined)
      return { kind: 'end', end: unsent('it asked for input, and the agent gave none in time') };
    this.leg = first.leg;
    if (question === undefined) return { kind: 'answers', answers: undefined };
    if (!(await recordQuestion(parts, 'question.passed', question, first.answers ?? null)))
      return { kind: 'end', end: this.#refused('the log cannot be written, so the answer may not pass') };
    return { kind: 'answers', answers: first.answers };
  }

  question(held: Case, requests: JsonObject): Question {
    return {
      method: methodsOf(requests),
      params: requests,
      agent: this.#at.agent,
      cases: [held],
    };
  }

  permits(question: Question, requests: JsonObject | undefined): boolean {
    return (
      Object.values(requests ?? {}).every((request) => mayAsk.has(methodOf(request))) &&
      maySendQuestion(this.#at.parts, question)
    );
  }

  async #follow(held: Case, answer: Answer & { readonly kind: 'result' }): Promise<End> {
    const { leg } = this;
    if (leg.task === undefined)
      return withOwnPoll(this.#at, { leg, gone: this.cancelled }, answer, (requests) =>
        this.#ask(held, requests),
      );
    if (!leg.task(answer, held))
      return this.#refused('the server answered with a task, which this client does not know');
    return this.#at.tasks.untilSeen(this.#at.agent, held.asked.id, answer.id);
  }

  /** The run ends because the gate does not let it go on: what the agent is told is also how it ended. */
  #refused(why: string): End {
    const { id } = this.leg;
    const result = typed(words.refusedResult(refuse('not_permitted', `It did not go on: ${why}.`)));
    return ok({ kind: 'result', id, result, text: resultText(id, result) });
  }
}

export const methodOf = (request: JsonValue): string =>
  isJsonObject(request) && typeof request['method'] === 'string' ? request['method'] : '';

const unsent = (detail: string): End => err({ kind: 'unsent', detail });

/** What is asked, for the log. */
export const methodsOf = (requests: JsonObject): string =>
  [...new Set(Object.values(requests).map(methodOf))].join(', ').slice(0, 200);
