/**
 * The requests of an agent that one run is answered on, one after the other, and what is kept between them: in memory, as
 * everything that runs is.
 */
import type { Case } from '../../../core/case.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { Answer, RequestId } from '../message.ts';
import type { Reply } from '../reply.ts';

/** The request of the agent that a run is answered on; the next one takes its place. */
export interface Leg {
  readonly id: RequestId;
  readonly meta: JsonObject | undefined;
  /** Hands over what the upstream asks; undefined: only to be asked again. False where nobody is there. */
  readonly ask: (requests: JsonObject | undefined, held: Case) => boolean;
  /** Hands over a task of the upstream; false where the agent does not know tasks. Undefined: the gate follows it itself. */
  readonly task?: (answer: Answer & { readonly kind: 'result' }, held: Case) => boolean;
}

/** A leg that is answered on an HTTP response. */
export interface HttpLeg extends Leg {
  readonly reply: Reply;
}

/** What an agent brings back. */
export interface Brought<L extends Leg = Leg> {
  readonly leg: L;
  readonly answers: JsonObject | undefined;
}

/** A run that asked its agent something. */
export interface Waiting {
  /** Ends what runs: the agent has left the request that it would be answered on. */
  readonly stop: AbortController;
  /** Goes on with what an agent brings; false where nothing was asked. */
  bring(brought: Brought<HttpLeg>): boolean;
}

/** The run of an approved action in a task of the gate's own. */
export interface TaskRun {
  /** Resolves when it has ended, well or not. */
  readonly over: Promise<void>;
  /** What it asks and has no answer to; undefined while it asks nothing. */
  open(): JsonObject | undefined;
  /** Answers; what was not asked is left unread. */
  answer(answers: JsonObject): void;
  stop(): void;
}

/** A promise's value; undefined where the time is over, or the signal aborts, before. */
export async function patience<T>(
  promise: Promise<T>,
  ms: number,
  signal: AbortSignal,
): Promise<T | undefined> {
  const over = Promise.withResolvers<undefined>();
  const end = (): void => over.resolve(undefined);
  const timer = setTimeout(end, ms);
  timer.unref();
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  const first = await Promise.race([promise, over.promise]);
  clearTimeout(timer);
  signal.removeEventListener('abort', end);
  return first;
}
