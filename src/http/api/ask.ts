/**
 * Asking by HTTP: an agent says what it wants, and is answered with the state of that action. What it says is read once,
 * held to the operation's schema, and judged; an operation that nobody configured is judged by its name alone.
 */
import { splitOperation } from '../../core/action.ts';
import { callbackCharsMax, readCallback, type CallbackRules } from '../../core/callback.ts';
import { stateOf, type Case } from '../../core/case.ts';
import { claimsChain, refusesClaimedChain } from '../../core/claimed-chain.ts';
import type { AgentPrincipal } from '../../core/directory.ts';
import type { AgentId } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';
import { refuse, type Code, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { visibleLine } from '../../core/visible.ts';
import { askedBy, authorize, type AskedAnswer, type Attempt } from '../../app/authorize.ts';
import { undeclaredTarget } from '../../app/catalog.ts';
import type { Parts } from '../../app/parts.ts';
import type { CatalogEntry } from '../../ports/catalog.ts';
import { reasonCharsMax } from '../../app/review.ts';
import { refusesStoppedNow } from '../../app/stops.ts';
import { recordBounded } from '../../app/told.ts';
import { tell, waited } from './actions.ts';
import { Fields, readBody } from './body.ts';
import { askerOf, waitMsOf, type Call, type Handler, type Reply } from './call.ts';
import { idempotencyOf } from './idempotency.ts';
import { problemBody } from './problems.ts';
import { recordRefused } from './refused.ts';
import { schemaRefusal } from './schema.ts';
import { isOver, lookerOf, stateView } from './views.ts';

/** Characters (UTF-16 units) of what an agent names. */
export const operationCharsMax = 400;
const sessionCharsMax = 256;

/** What `POST /v1/actions` asks for. */
export interface Wanted extends Pick<Attempt, 'operation' | 'resource' | 'input' | 'reason' | 'session'> {
  readonly callback: string | null;
}

function wantedOf(body: JsonObject, callbacks: CallbackRules | null): Result<Wanted, Refusal> {
  const claimed = claimsChain(body);
  if (claimed !== undefined) return err(refusesClaimedChain(`/${claimed}`));
  const fields = new Fields(body);
  const wanted = {
    operation: fields.text('operation', operationCharsMax),
    resource: fields.optionalResource('resource'),
    input: fields.object('input'),
    reason: fields.optionalText('reason', reasonCharsMax),
    session: fields.optionalText('session', sessionCharsMax),
  };
  const said = fields.optionalText('callback', callbackCharsMax);
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  const callback = said === null ? null : readCallback(said, callbacks);
  if (callback?.ok === false) return callback;
  return splitOperation(wanted.operation) === undefined
    ? err(
        refuse('input_invalid', '"operation" must be TARGET___NAME, with three underscores.', {
          pointer: '/operation',
        }),
      )
    : ok({ ...wanted, callback: callback?.value.href ?? null });
}

/** What the operation is here, with its input checked. A tool of an MCP server is the gate's to run, never the caller's. */
export function attemptOf(
  parts: Parts,
  by: Omit<AgentPrincipal, 'kind'>,
  wanted: Wanted,
  run: string | null,
): Result<Attempt, Refusal> {
  const { catalog } = parts.world;
  const entry = catalog.entry(wanted.operation);
  const asked = { ...askedBy(by), ...wanted, run, runsNow: false };
  const misplaced = resourceRefusal(entry, wanted);
  if (misplaced !== undefined) return err(misplaced);
  if (entry !== undefined) {
    const refusal = schemaRefusal(entry, wanted.input);
    const { target, enforcement, profile } = entry;
    return refusal === undefined ? ok({ ...asked, target, enforcement, profile }) : err(refusal);
  }
  if (catalog.isWithdrawn(wanted.operation))
    return err(
      refuse('tool_disabled', `${visibleLine(wanted.operation)} was taken out of the configuration.`),
    );
  const name = splitOperation(wanted.operation);
  const pinned = name !== undefined && catalog.tools(name.target).some((tool) => tool.tool === name.name);
  return pinned
    ? err(
        refuse(
          'tool_disabled',
          `${visibleLine(wanted.operation)} is disabled until an operator accepts its definition.`,
        ),
      )
    : ok({ ...asked, target: undeclaredTarget, enforcement: 'cooperative', profile: null });
}

/**
 * The gate itself says what a tool's call is about: what the agent says would keep the call itself from joining this. And an
 * operation is its own target's: an agent that could name another `Server` would step out of policies about this one.
 */
function resourceRefusal(
  entry: CatalogEntry | undefined,
  { operation, resource }: Wanted,
): Refusal | undefined {
  if (resource === null) return undefined;
  const at = { pointer: '/resource' };
  if (entry?.enforcement === 'mediated')
    return refuse('input_invalid', '"resource" is not for tools of MCP servers; their profile says it.', at);
  return resource.type === 'Server' && resource.id !== splitOperation(operation)?.target
    ? refuse('input_invalid', '"resource" names a Server that this operation does not belong to.', at)
    : undefined;
}

/** `POST /v1/actions?wait=`. */
export const ask: Handler = async (call) => {
  const agent = askerOf(call);
  if (!agent.ok) return agent;
  const { id } = agent.value;
  const waitMs = waitMsOf(call);
  if (!waitMs.ok) return waitMs;
  const body = await readBody(call.request);
  const wanted = body.ok ? wantedOf(body.value, call.callbacks) : body;
  if (!body.ok || !wanted.ok) return refusedAttempt(call, id, wanted, null);
  const idempotency = idempotencyOf(call, body.value);
  if (!idempotency.ok) return idempotency;
  const attempt = attemptOf(call.parts, agent.value, wanted.value, idempotency.value?.key ?? null);
  if (!attempt.ok) return refusedAttempt(call, id, attempt, wanted.value.operation);
  const asked = await authorize(call.parts, attempt.value, idempotency.value);
  return asked.ok ? answer(call, asked.value, waitMs.value) : asked;
};

async function refusedAttempt(
  call: Call,
  agent: AgentId,
  refused: Result<unknown, Refusal>,
  operation: string | null,
): Promise<Result<Reply, Refusal>> {
  if (refused.ok) throw new TypeError('only a refusal is recorded as refused');
  await recordRefused(call.parts, agent, refused.error, operation);
  return refused;
}

/** Waits where the caller asked for that, then mirrors the state: 200 may run or has run, 202 pending, 403 closed. */
async function answer(
  call: Call,
  { held, joined }: AskedAnswer,
  waitMs: number,
): Promise<Result<Reply, Refusal>> {
  const { parts, by } = call;
  const replayed = joined && isOver(stateOf(held, parts.clock.nowMs()));
  const now = await waited(call, held, waitMs);
  // A repeat with its key is answered without being judged again, and a wait takes its time: stopped is stopped.
  const { agent, operation } = now.asked.action;
  const stopped = await refusesStoppedNow(parts, agent, operation);
  if (stopped !== undefined) {
    await recordBounded(parts, { agent, operation }, stopped);
    return err(stopped);
  }
  const looker = lookerOf(parts, by);
  const state = stateOf(now, looker.nowMs);
  const view = stateView(now, looker, replayed);
  await tell(call, now);
  switch (state) {
    case 'ready':
    case 'started':
    case 'succeeded':
    case 'failed':
    case 'unknown':
      return ok({ status: 200, body: view });
    case 'pending':
      return ok({ status: 202, body: view });
    case 'denied':
    case 'expired':
    case 'cancelled':
      return ok({ status: 403, body: problemBody(endedRefusal(now, state), { ...view }) });
  }
}

/** Why a case ended without running, for its agent. */
function endedRefusal(held: Case, state: 'denied' | 'expired' | 'cancelled'): Refusal {
  const { ending } = held;
  const code: Code = ending?.code ?? state;
  const reason = ending?.reason ?? null;
  if (code === 'denied')
    return refuse(
      code,
      reason === null ? 'A reviewer denied this and gave no reason.' : `A reviewer denied this: ${reason}`,
    );
  if (code === 'cancelled')
    return refuse(code, reason === null ? 'This was withdrawn.' : `This was withdrawn: ${reason}`);
  return refuse(code, reason ?? 'The time to approve or to run this is over; ask again.');
}
