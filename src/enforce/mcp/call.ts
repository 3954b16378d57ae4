/**
 * One `tools/call`: found among the pinned tools, checked, judged, and then run, refused, or held until people have decided.
 * The order of effects is the promise: the upstream is connected and its tools are read before anything is recorded, the
 * record is durable before anything runs, and what runs is the action as stored.
 */
import { authorize, type Attempt } from '../../app/authorize.ts';
import { effectOnce, runHeld, type Outcome } from '../../app/execute.ts';
import type { Parts } from '../../app/parts.ts';
import type { Action } from '../../core/action.ts';
import { stateOf, type Case } from '../../core/case.ts';
import { aboutNothing } from '../../core/entry.ts';
import type { ActionId, AgentId } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import type { Result } from '../../core/result.ts';
import type { CatalogEntry } from '../../ports/catalog.ts';
import { nameCharsMax, type ToolCall } from './classify.ts';
import { splitReason } from './definitions.ts';
import { hold } from './hold.ts';
import type { Link } from './link.ts';
import { takeLook } from './look.ts';
import { errorText, resultText, rpcCodes, type Answer, type RequestId } from './message.ts';
import type { Failure } from './pipe.ts';
import { findTool } from './pins.ts';
import { outcomeOf, runOnce } from './run.ts';
import type { InputChecks } from './schema.ts';
import * as words from './words.ts';

export interface CallAt {
  readonly parts: Parts;
  readonly checks: InputChecks;
  readonly server: string;
  readonly agent: AgentId;
  readonly link: Link;
  readonly id: RequestId;
  readonly call: ToolCall;
  /** The agent no longer waits: it cancelled, or its connection is gone. Changes nothing but the waiting. */
  readonly gone: AbortSignal;
  /** The agent cancelled: passed on to what runs. */
  readonly cancelled: AbortSignal;
  /** Shows that it waits; nothing where the client gave no progress token. */
  readonly tell: (message: string) => void;
  /** What runs upstream now, for judging the questions that it asks; null when it has ended. */
  readonly running: (held: Case | null) => void;
  /** Answers before the call is over in the log. */
  readonly answer: (text: string) => void;
}

/** What the agent is answered, as a JSON-RPC text; null where it no longer waits. */
export interface Said {
  readonly text: string | null;
  /** The held action whose outcome this is: delivered once the text was handed over. */
  readonly told: ActionId | null;
}

export async function callTool(at: CallAt): Promise<Said> {
  const { parts, server, call, id } = at;
  // An upstream that cannot start is found out here, where it uses nothing up.
  const tools = await at.link.tools(false);
  if (!tools.ok) return result(at, words.refusedResult(tools.error));
  const found = findTool(parts, server, call.name, tools.value.get(call.name));
  if (found.kind === 'unknown') {
    const message = `Unknown tool: ${call.name.slice(0, nameCharsMax)}`;
    return {
      text: errorText(id, { code: rpcCodes.invalidParams, message, data: { code: 'not_found' } }),
      told: null,
    };
  }
  if (found.kind === 'disabled')
    return result(at, words.refusedResult(refuse('tool_disabled', found.detail)));
  const { entry } = found;
  const { input, reason } = splitReason(entry, call.input);
  const fits = at.checks.of(entry.tool?.hash ?? '', entry.inputSchema)(input);
  if (!fits.ok) {
    await recordRefused(parts, at.agent, {
      server,
      operation: entry.operation,
      code: fits.error.code,
      detail: fits.error.detail,
    });
    if (fits.error.code !== 'input_invalid') return result(at, words.refusedResult(fits.error));
    const error = {
      code: rpcCodes.invalidParams,
      message: fits.error.detail,
      data: { code: fits.error.code },
    };
    return { text: errorText(id, error), told: null };
  }
  const asked = await authorize(parts, attemptOf(at, entry, input, call.reason ?? reason));
  if (!asked.ok) return result(at, words.refusedResult(asked.error));
  const { held, joined } = asked.value;
  if (held.approval === null) return unheld(at, held);
  if (stateOf(held, parts.clock.nowMs()) !== 'pending') return conclude(at, held, joined);
  const decided = await hold(parts, held.asked.id, {
    untilMs:
      parts.clock.nowMs() + (call.progressToken === null ? parts.limits.holdMs : parts.limits.holdProgressMs),
    gone: at.gone,
    tell: at.tell,
  });
  return conclude(at, decided ?? held, false);
}

/** Refused input leaves an entry, and nothing else. Where even that cannot be written, it is refused all the same. */
export async function recordRefused(parts: Parts, agent: AgentId, data: JsonObject): Promise<void> {
  await parts.store.change({
    kind: 'record',
    entries: [
      { type: 'action.refused', by: { kind: 'agent', id: agent }, about: aboutNothing, subject: null, data },
    ],
  });
}

function attemptOf(at: CallAt, entry: CatalogEntry, input: JsonObject, reason: string | null): Attempt {
  const { parts, server, link } = at;
  return {
    agent: at.agent,
    session: at.call.session,
    startedBy: null,
    delegation: [],
    operation: entry.operation,
    resource: null,
    input,
    target: entry.target,
    enforcement: 'mediated',
    reason,
    run: at.call.run,
    profile: entry.profile,
    runsNow: true,
    look: (which, profile) => takeLook({ parts, server, link, input }, which, profile),
  };
}

const result = (at: CallAt, value: JsonObject, told: ActionId | null = null): Said => ({
  text: resultText(at.id, value),
  told,
});

/** Allowed, and started in the same transaction; or denied outright. */
async function unheld(at: CallAt, held: Case): Promise<Said> {
  if (held.execution === null)
    return result(at, words.endedResult(held, await at.parts.store.directory(), false));
  const run = runOf(at, held);
  const ran = await effectOnce(at.parts, held, held.execution.id, run.effect);
  return ran.ok ? said(at, held, run.end) : result(at, words.notRunResult(held, ran.error));
}

/** What a held case has come to. @param replayed it had come to that before this call. */
async function conclude(at: CallAt, held: Case, replayed: boolean): Promise<Said> {
  const { parts } = at;
  switch (stateOf(held, parts.clock.nowMs())) {
    case 'pending':
      return at.gone.aborted
        ? { text: null, told: null }
        : result(at, words.pendingResult(held, parts.origin));
    case 'ready':
    case 'started':
      return at.gone.aborted ? { text: null, told: null } : resume(at, held);
    case 'denied':
    case 'expired':
    case 'cancelled':
      return result(at, words.endedResult(held, await parts.store.directory(), replayed), held.asked.id);
    case 'succeeded':
    case 'failed': {
      const kept = words.replayOf(held);
      const text = 'result' in kept ? resultText(at.id, kept.result) : errorText(at.id, kept.error);
      return { text, told: held.asked.id };
    }
    case 'unknown':
      return result(
        at,
        words.unknownResult(held, held.execution?.detail ?? 'no outcome', replayed),
        held.asked.id,
      );
  }
}

/** Approved: runs it, or waits for the run that another call of the same action has won. */
async function resume(at: CallAt, held: Case): Promise<Said> {
  const { parts } = at;
  const tool = held.asked.action.target.kind === 'mcp' ? held.asked.action.target.tool : '';
  // Asked anew, because people took their time: proves that the upstream lives before the grant is used, and pins what
  // changed meanwhile, so that the re-check finds it.
  const tools = await at.link.tools(true);
  if (!tools.ok) return result(at, words.notRunResult(held, tools.error));
  if (!tools.value.has(tool)) {
    return result(
      at,
      words.notRunResult(
        held,
        refuse('tool_disabled', 'The server no longer offers this tool; nothing ran.'),
      ),
    );
  }
  const patience = AbortSignal.any([at.gone, AbortSignal.timeout(parts.limits.holdMs)]);
  const run = runOf(at, held);
  const ran = await runHeld(parts, held, run.effect, patience);
  if (!ran.ok) return notRun(at, held, ran.error);
  return ran.value.replayed ? conclude(at, ran.value.held, true) : said(at, ran.value.held, run.end);
}

async function notRun(at: CallAt, held: Case, refusal: Refusal): Promise<Said> {
  const now = (await at.parts.store.caseBy({ action: held.asked.id })) ?? held;
  if (refusal.code === 'grant_consumed' && stateOf(now, at.parts.clock.nowMs()) === 'started') {
    return at.gone.aborted ? { text: null, told: null } : result(at, words.runningResult(now));
  }
  if (now.ending !== null) return conclude(at, now, false);
  return result(
    at,
    words.notRunResult(now, refusal),
    words.isOver(now, at.parts.clock.nowMs()) ? now.asked.id : null,
  );
}

interface Run {
  readonly effect: (action: Action) => Promise<Outcome>;
  /** How it ended, once the effect has resolved. */
  end: Result<Answer, Failure> | null;
}

function runOf(at: CallAt, held: Case): Run {
  const run: Run = {
    end: null,
    effect: async (action) => {
      at.running(held);
      run.end = await runOnce(at.link, action, { id: at.id, meta: at.call.meta, cancelled: at.cancelled });
      at.running(null);
      // What was allowed is answered while its outcome is written: its start is durable, and a crash in between leaves
      // `unknown`, as it would a moment before. What people approved is answered once the log holds how it ended.
      if (held.approval === null && run.end.ok) at.answer(run.end.value.text);
      return outcomeOf(run.end, held.approval !== null); // only what was held is ever replayed
    },
  };
  return run;
}

/** The upstream's own answer, as it was written; or why there is none. */
function said(at: CallAt, held: Case, end: Result<Answer, Failure> | null): Said {
  const told = held.approval === null ? null : held.asked.id;
  if (end === null)
    return result(at, words.unknownResult(held, 'the run failed in an unexpected way', false), told);
  if (end.ok) return { text: end.value.text, told };
  if (at.cancelled.aborted) return { text: null, told: null };
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
