/**
 * What a judged call comes to: run now, refused, run because people approved it, answered by what an earlier call left, or
 * "not run yet". Nothing runs here but by `effectOnce` and `runHeld` (app/execute.ts), which record the start before.
 */
import { effectOnce, runHeld, type Effect } from '../../app/execute.ts';
import type { Parts } from '../../app/parts.ts';
import type { Action } from '../../core/action.ts';
import { stateOf, type Case } from '../../core/case.ts';
import type { Chain, Credential } from '../../core/directory.ts';
import type { ActionId, AgentId } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import type { Result } from '../../core/result.ts';
import { gateLimits } from '../../core/runner.ts';
import type { CatalogEntry } from '../../ports/catalog.ts';
import type { ToolCall } from './classify.ts';
import { errorText, resultText, type Answer, type RequestId } from './message.ts';
import type { Failure } from './pipe.ts';
import { outcomeOf, runOnce, type RunHow } from './run.ts';
import type { InputChecks } from './schema.ts';
import type { ToolLink } from './tool-link.ts';
import * as words from './words.ts';

export interface CallAt {
  readonly parts: Parts;
  readonly checks: InputChecks;
  readonly server: string;
  readonly agent: AgentId;
  /** Whom the agent acts for; absent: nobody. */
  readonly chain?: Chain;
  /** How it was authenticated. */
  readonly via?: Credential;
  readonly link: ToolLink;
  readonly id: RequestId;
  readonly call: ToolCall;
  /** The agent no longer waits: it cancelled, or its connection is gone. Changes nothing but the waiting. */
  readonly gone: AbortSignal;
  /** Undefined while the agent's connection is there; else resolves when it is again: true, or false once it is gone. */
  readonly away?: () => Promise<boolean> | undefined;
  /** The agent cancelled: passed on to what runs. */
  readonly cancelled: AbortSignal;
  /** Nobody hears the answer; default: as `cancelled`. Another where the gate itself may end what runs. */
  readonly unheard?: AbortSignal;
  /** Shows that it waits; nothing where the client gave no progress token. */
  readonly tell: (message: string) => void;
  /** What runs upstream now, for judging the questions that it asks; null when it has ended. */
  readonly running: (held: Case | null) => void;
  /** Answers before the call is over in the log; true where the agent has it, and so waits for nothing more. */
  readonly answer: (text: string) => boolean | undefined;
  /** How long it may wait for people, or for another run of the same action; default: {@link patienceMs}. */
  readonly patienceMs?: number;
  /** What becomes of a call that people have to decide about first; default: it is held. */
  readonly wait?: (held: Case) => Promise<Said>;
  /** Looks at a call before it is judged; what it answers ends the call. */
  readonly vet?: (entry: CatalogEntry, input: JsonObject) => Promise<Said | undefined>;
  /** What every result of the agent's revision has besides. */
  readonly dress?: (result: JsonObject) => JsonObject;
  /** Runs the action upstream; default: one request (run.ts). */
  readonly perform?: Perform;
}

/** Runs an action upstream, in as many requests as it takes. */
export type Perform = (held: Case, action: Action, how: RunHow) => Promise<Result<Answer, Failure>>;

/** What the agent is answered, as a JSON-RPC text; null where it no longer waits. */
export interface Said {
  readonly text: string | null;
  /** Of the HTTP response, where it is not 200. */
  readonly status?: number;
  /** The held action whose outcome this is: delivered once the text was handed over. */
  readonly told: ActionId | null;
}

/** How long a client is kept waiting: one that asked for progress sees that it waits, and gives up later. */
export const patienceMs = ({ call, parts, patienceMs: own }: CallAt): number =>
  own ?? (call.progressToken === null ? parts.limits.holdMs : parts.limits.holdProgressMs);

export const result = (at: CallAt, value: JsonObject, told: ActionId | null = null): Said => ({
  text: resultText(at.id, at.dress?.(value) ?? value),
  told,
});

/** Allowed, and started in the same transaction; or denied outright. */
export async function unheld(at: CallAt, held: Case): Promise<Said> {
  if (held.execution === null)
    return result(at, words.endedResult(held, await at.parts.store.directory(), false));
  const run = runOf(at, held);
  const ran = await effectOnce(at.parts, held, held.execution.id, run.effect);
  return ran.ok ? said(at, held, run.end) : result(at, words.ranResult(held, ran.error));
}

/** What a held case has come to. @param replayed it had come to that before this call. */
export async function conclude(at: CallAt, held: Case, replayed: boolean): Promise<Said> {
  const { parts } = at;
  switch (stateOf(held, parts.clock.nowMs())) {
    case 'pending':
      return notYet(at, held);
    case 'ready': {
      // Nothing runs while nobody waits for it; an agent that comes back to its stream waits again.
      const back = at.gone.aborted ? undefined : at.away?.();
      if (back !== undefined && (await back))
        return conclude(at, (await parts.store.caseBy({ action: held.asked.id })) ?? held, replayed);
      if (back !== undefined || at.gone.aborted) return notYet(at, held);
      return (await unfit(at, held)) ?? resume(at, held);
    }
    case 'started':
      return at.gone.aborted ? notYet(at, held) : resume(at, held);
    case 'denied':
    case 'expired':
    case 'cancelled':
      return result(at, words.endedResult(held, await parts.store.directory(), replayed), held.asked.id);
    case 'succeeded':
    case 'failed': {
      const kept = words.replayOf(held, replayed);
      return 'result' in kept
        ? result(at, kept.result, held.asked.id)
        : { text: errorText(at.id, kept.error), told: held.asked.id };
    }
    case 'unknown':
      return result(
        at,
        words.unknownResult(held, held.execution?.detail ?? 'no outcome', replayed),
        held.asked.id,
      );
  }
}

/** Nobody is there any more to cancelled calls; where the gate is closing, the agent still hears what to do. */
const notYet = (at: CallAt, held: Case): Said =>
  isHeard(at) ? result(at, words.pendingResult(held, at.parts.origin)) : { text: null, told: null };

const isHeard = ({ unheard, cancelled }: CallAt): boolean => !(unheard ?? cancelled).aborted;

/**
 * Why an approved action cannot run now, although its grant is there and stays. The tools are asked for anew, because people
 * took their time: that proves that the upstream lives before the grant is used, and pins what changed meanwhile, so that
 * the re-check finds it.
 */
async function unfit(at: CallAt, held: Case): Promise<Said | undefined> {
  const { target } = held.asked.action;
  const tools = await at.link.tools(true);
  if (!tools.ok) return result(at, words.notRunResult(held, tools.error));
  if (target.kind === 'mcp' && tools.value.has(target.tool)) return undefined;
  const gone = refuse('tool_disabled', 'The server no longer offers this tool; nothing ran.');
  return result(at, words.notRunResult(held, gone));
}

/** Approved: runs it, or waits for the run that another call of the same action has won. */
async function resume(at: CallAt, held: Case): Promise<Said> {
  const { parts } = at;
  // While the tools were looked at, the agent may have left, or the gate begun to stop: the grant stays for its next call.
  if (at.gone.aborted) return notYet(at, held);
  const patience = AbortSignal.any([at.gone, AbortSignal.timeout(patienceMs(at))]);
  const run = runOf(at, held);
  const ran = await runHeld(parts, held, run.effect, { signal: patience, via: at.via });
  if (ran.ok)
    return ran.value.replayed ? conclude(at, ran.value.held, true) : said(at, ran.value.held, run.end);
  return run.end === null ? notRun(at, held, ran.error) : result(at, words.ranResult(held, ran.error));
}

async function notRun(at: CallAt, held: Case, refusal: Refusal): Promise<Said> {
  const now = (await at.parts.store.caseBy({ action: held.asked.id })) ?? held;
  if (refusal.code === 'grant_consumed' && stateOf(now, at.parts.clock.nowMs()) === 'started') {
    return isHeard(at) ? result(at, words.runningResult(now)) : { text: null, told: null };
  }
  if (now.ending !== null) return conclude(at, now, false);
  return result(
    at,
    words.notRunResult(now, refusal),
    words.isOver(now, at.parts.clock.nowMs()) ? now.asked.id : null,
  );
}

interface Run {
  readonly effect: Effect;
  /** How it ended, once the effect has resolved. */
  end: Result<Answer, Failure> | null;
}

function runOf(at: CallAt, held: Case): Run {
  const run: Run = {
    end: null,
    effect: async (action, ids) => {
      at.running(held);
      const key = at.parts.store.joinKey();
      const given = givenUp(at.parts);
      const how = { id: at.id, meta: at.call.meta, ids, cancelled: at.cancelled, key, givenUp: given };
      run.end = await (at.perform === undefined
        ? runOnce(at.link, action, how)
        : at.perform(held, action, how));
      at.running(null);
      // What was allowed is answered while its outcome is written: its start is durable, and a crash in between leaves
      // `unknown`, as it would a moment before. What people approved is answered once the log holds how it ended.
      const answered = held.approval === null && run.end.ok && at.answer(words.relayed(run.end.value));
      return { ...outcomeOf(run.end, held.approval !== null), answered: answered === true }; // only what was held is ever replayed
    },
  };
  return run;
}

/**
 * Whether what was started just now may have been given up by another gate before it was begun: this one was stopped, or cut off,
 * in between. People may have settled it, or approved it again, so it must not begin any more.
 */
function givenUp({ lives }: CallAt['parts']): () => boolean {
  const sinceMs = performance.now();
  return () => lives?.() === false && performance.now() - sinceMs >= gateLimits.beginMsMax;
}

/** The upstream's own answer, as it was written; or why there is none. */
function said(at: CallAt, held: Case, end: Result<Answer, Failure> | null): Said {
  const told = held.approval === null ? null : held.asked.id;
  if (end === null)
    return result(at, words.unknownResult(held, 'the run failed in an unexpected way', false), told);
  if (end.ok) return { text: words.relayed(end.value), told };
  if (!isHeard(at)) return { text: null, told: null };
  if (end.error.kind === 'lost') return result(at, words.unknownResult(held, end.error.detail, false), told);
  return result(
    at,
    words.notRunResult(
      held,
      refuse('upstream_unavailable', `The MCP server could not run it: ${end.error.detail}.`),
    ),
    told,
  );
}
