/**
 * What is under way for agents that left the request that began it: runs that asked them something, tasks of upstreams, and runs
 * in tasks of the gate's own. In memory: a run that was under way when the gate stopped is `unknown`, as any other.
 */
import type { Case } from '../../../core/case.ts';
import type { ActionId, AgentId } from '../../../core/ids.ts';
import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import { err, ok, type Result } from '../../../core/result.ts';
import { errorText, resultText, type Answer, type RequestId } from '../message.ts';
import type { Failure } from '../pipe.ts';
import { patience, type TaskRun, type Waiting } from './legs.ts';
import { typed } from './rewrite.ts';

/** How a run ended upstream. */
export type End = Result<Answer, Failure>;

/** How long an upstream's task is remembered as running. */
export const taskMs = 24 * 3_600_000;
/**
 * Runs of one agent that may wait for its next word, and as many tasks of upstreams for it to see their end: each keeps its
 * action in memory, which may be large.
 */
export const waitsPerAgentMax = 64;
/** Notes that are kept. */
const notesMax = 1000;

/** What is under way upstream for agents that left their requests. */
export class OpenTasks {
  /** Runs that asked their agent something, by action. */
  readonly conversations = new Map<ActionId, Waiting>();
  /** Runs in tasks of the gate's own, by action. */
  readonly runs = new Map<ActionId, TaskRun>();
  /** Why a task could not begin to run when it was asked for last. */
  readonly notes = new Map<ActionId, string>();
  readonly #open = new Map<ActionId, { readonly agent: AgentId; readonly end: (end: End) => void }>();
  readonly #waits = new Map<AgentId, number>();
  readonly #closing = new AbortController();
  #running = 0;
  #quiet: (() => void) | undefined;

  /** Takes one of the places of an agent's runs that wait for its next word; answers how to leave it. Undefined: there is none. */
  place(agent: AgentId): (() => void) | undefined {
    const waits = this.#waits.get(agent) ?? 0;
    if (waits >= waitsPerAgentMax) return undefined;
    this.#waits.set(agent, waits + 1);
    return () => {
      const left = (this.#waits.get(agent) ?? 1) - 1;
      if (left > 0) this.#waits.set(agent, left);
      else this.#waits.delete(agent);
    };
  }

  /** Waits until an agent has seen how a task ended. Of too many, the one that was begun first is not waited for any more. */
  async untilSeen(agent: AgentId, action: ActionId, id: RequestId): Promise<End> {
    const seen = Promise.withResolvers<End>();
    const own = [...this.#open.values()].filter((one) => one.agent === agent);
    if (own.length >= waitsPerAgentMax)
      own[0]?.end(
        err({ kind: 'lost', detail: 'it went on as a task of the server, beside too many others' }),
      );
    this.#open.set(action, { agent, end: seen.resolve });
    const end = await patience(seen.promise, taskMs, this.#closing.signal);
    this.#open.delete(action);
    return (
      end ??
      err({ kind: 'lost', detail: `it went on as a task of the server, and nobody saw its end (${id})` })
    );
  }

  /** An agent sees a task of an upstream as it is now. */
  saw(action: ActionId, id: RequestId, task: JsonObject): void {
    const end = endOf(task, id);
    if (end !== undefined) this.#open.get(action)?.end(end);
  }

  note(action: ActionId, why: string): void {
    if (this.notes.size >= notesMax) this.notes.clear(); // they are told again with the next try
    this.notes.set(action, why);
  }

  /** How many actions run upstream. */
  get running(): number {
    return this.#running;
  }

  /** Counts what runs upstream. */
  run(held: Case | null): void {
    this.#running += held === null ? -1 : 1;
    if (this.#running === 0) this.#quiet?.();
  }

  /** Lets go of what only waits, and resolves when nothing runs any more or the time is over. */
  async quiet(withinMs: number): Promise<void> {
    this.#closing.abort();
    const quiet = Promise.withResolvers<void>();
    this.#quiet = quiet.resolve;
    if (this.#running > 0) await patience(quiet.promise, withinMs, new AbortController().signal);
  }
}

/** How a task ended; undefined while it has not. */
export function endOf(task: JsonObject, id: RequestId): End | undefined {
  const { status, result, error } = task;
  if (status === 'completed' && isJsonObject(result)) {
    const whole = typed(result);
    return ok({ kind: 'result', id, result: whole, text: resultText(id, whole) });
  }
  if (status === 'failed' && isJsonObject(error)) {
    const { code, message } = error;
    const read = {
      code: typeof code === 'number' ? code : -32603,
      message: typeof message === 'string' ? message : 'The task failed.',
      ...(error['data'] === undefined ? {} : { data: error['data'] }),
    };
    return ok({ kind: 'error', id, error: read, text: errorText(id, read) });
  }
  if (status === 'cancelled') return err({ kind: 'unsent', detail: 'its task was cancelled' });
  return undefined;
}
