/**
 * Actions by HTTP once they are asked: an agent looks, waits, and (where its own process does it) takes the grant, runs, and
 * reports. The gate cannot see such a run: it is `enforcement: cooperative`, and everything about it says so.
 */
import { splitOperation } from '../../core/action.ts';
import { stateOf, type Case } from '../../core/case.ts';
import { asActionId, asExecutionId } from '../../core/ids.ts';
import { isOwn } from '../../core/may-stop.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { afterwards, seenBy } from '../../app/access.ts';
import { claim, delivered, reportOutcome, settled } from '../../app/execute.ts';
import { absencesNow } from '../../app/review.ts';
import { Fields, readBody } from './body.ts';
import { agentOf, idIn, waitMsOf, type Call, type Handler } from './call.ts';
import { idempotencyOf } from './idempotency.ts';
import { actionView, exactAction, executionView, isOver, lookerOf } from './views.ts';

/** Characters (UTF-16 units) of an outcome's detail. */
const detailCharsMax = 2000;

/** A case as it is once it no longer waits for people, or when the time is over, or the caller has gone. */
export async function waited(call: Call, held: Case, waitMs: number): Promise<Case> {
  const { parts, by } = call;
  if (waitMs === 0 || stateOf(held, parts.clock.nowMs()) !== 'pending') return held;
  const now = await settled(parts, held.asked.id, parts.clock.nowMs() + waitMs, call.ends());
  // It comes from the store again, whole.
  return now === undefined || by.kind === 'agent'
    ? (now ?? held)
    : afterwards(parts, await absencesNow(parts), by, now);
}

/** Notes that the agent has its outcome, once it is over: the same call later is a new action (design §4). */
export async function tell(call: Call, held: Case): Promise<void> {
  const { parts, by, request } = call;
  if (
    by.kind !== 'agent' ||
    request.method === 'HEAD' ||
    held.approval === null ||
    held.approval.deliveredAtMs !== null
  )
    return;
  if (isOver(stateOf(held, parts.clock.nowMs())) && !call.ends().aborted)
    await delivered(parts, held.asked.id);
}

/** One action as the caller may see it; for everybody else there is none. */
async function readAction(call: Call): Promise<Result<Case, Refusal>> {
  const id = idIn(call, 'action', 'act');
  if (!id.ok) return id;
  const { parts, by } = call;
  const [held, now] = await Promise.all([
    parts.store.caseBy({ action: asActionId(id.value) }),
    absencesNow(parts),
  ]);
  const seen = held === undefined ? undefined : seenBy(parts, now, by, held);
  return seen !== undefined ? ok(seen) : err(refuse('not_found', 'There is no such action.'));
}

/** `GET /v1/actions/ID?wait=`. */
export const show: Handler = async (call) => {
  const waitMs = waitMsOf(call);
  if (!waitMs.ok) return waitMs;
  const found = await readAction(call);
  if (!found.ok) return found;
  const held = await waited(call, found.value, waitMs.value);
  const body = actionView(held, lookerOf(call.parts, call.by));
  await tell(call, held);
  return ok({ status: 200, body });
};

/** `POST /v1/actions/ID/execution`: takes the grant; one caller wins, once. */
export const run: Handler = async (call) => {
  const agent = agentOf(call);
  if (!agent.ok) return agent;
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const unknown = new Fields(body.value).refusal();
  if (unknown !== undefined) return err(unknown);
  const idempotency = idempotencyOf(call, body.value);
  if (!idempotency.ok) return idempotency;
  const found = await readAction(call);
  if (!found.ok) return found;
  const { id, action } = found.value.asked;
  if (action.enforcement === 'mediated') {
    return err(
      refuse(
        'run_through_mcp',
        `The gate runs this itself: call the tool through /mcp/${splitOperation(action.operation)?.target ?? ''} with the same arguments.`,
      ),
    );
  }
  const key = idempotency.value;
  const taken = await claim(call.parts, agent.value, id, key === undefined ? {} : { idempotency: key });
  if (!taken.ok) return taken;
  const { held, execution } = taken.value;
  return ok({ status: 201, body: { id: execution.id, action: exactAction(held.asked.action, held) } });
};

/** `PUT /v1/executions/ID/outcome`: what the agent says became of its own run. The same report again changes nothing. */
export const report: Handler = async (call) => {
  const agent = agentOf(call);
  if (!agent.ok) return agent;
  const id = idIn(call, 'execution', 'exe');
  if (!id.ok) return id;
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const fields = new Fields(body.value);
  const outcome = {
    status: fields.word('status', ['succeeded', 'failed']),
    detail: fields.optionalText('detail', detailCharsMax),
  };
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  const ran = await call.parts.store.caseBy({ execution: asExecutionId(id.value) });
  // With a token for somebody, an agent reports what it ran for them.
  if (ran !== undefined && call.by.kind === 'agent' && !isOwn(ran.asked.action, call.by))
    return err(refuse('not_found', 'There is no such execution.'));
  const reported = await reportOutcome(call.parts, agent.value, asExecutionId(id.value), outcome);
  if (!reported.ok) return reported;
  await tell(call, reported.value);
  const { execution, asked } = reported.value;
  if (execution === null) throw new TypeError('an outcome is of an execution');
  return ok({ status: 200, body: { ...executionView(execution, call.by), action: asked.id } });
};
