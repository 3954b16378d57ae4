/**
 * Running once. The grant is consumed in the transaction that records the start; only then is anything done; then the
 * outcome is recorded. Whoever loses the race for the grant gets the winner's outcome.
 */
import type { Action } from '../core/action.ts';
import { stateOf, type Case, type Execution } from '../core/case.ts';
import type { Idempotency } from '../core/command.ts';
import type { Credential } from '../core/directory.ts';
import { executionIdOf, type ActionId, type AgentId, type ExecutionId, type RunIds } from '../core/ids.ts';
import type { JsonValue } from '../core/json.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { noTracing, type SpanStart } from '../ports/tracing.ts';
import { judgeNow } from './again.ts';
import { keptChanging, Stale, whileStale } from './stale.ts';
import { auditUnavailable } from './unwritten.ts';
import type { Parts } from './parts.ts';
import { neverRan, recordLater } from './record-later.ts';
import { refusesStoppedNow } from './stops.ts';

export interface Outcome {
  readonly status: 'succeeded' | 'failed' | 'unknown';
  /** One sentence for the log and the page, or null. */
  readonly detail: string | null;
  readonly result: JsonValue;
  /** Whoever waited for it has the answer already, so that nobody waits until it is recorded. */
  readonly answered?: boolean;
}

/** Does what an action says, from the action as stored. Never rejects: a thrown error is an outcome `unknown`. */
export type Effect = (action: Action, ids: RunIds) => Promise<Outcome>;

export interface Ran {
  readonly held: Case;
  /** True where this is the outcome of an earlier run of the same action. */
  readonly replayed: boolean;
  /** The whole result where this call ran it; what was kept of it where it is replayed. */
  readonly result: JsonValue;
}

/** A case whose grant was taken by this execution, or before. */
interface Claimed {
  readonly held: Case;
  readonly execution: Execution;
}

/**
 * Takes the grant of a case. Refused with a code that says why it cannot run; see `notReady`.
 * @param how with `via`, how the agent was authenticated, where that is a while ago.
 */
export async function claim(
  parts: Parts,
  agent: AgentId,
  action: ActionId,
  { idempotency, via }: { readonly idempotency?: Idempotency; readonly via?: Credential } = {},
): Promise<Result<Claimed, Refusal>> {
  const execution = executionIdOf(parts.random.bytes(16));
  const answered = await whileStale<Result<Claimed, Refusal>>(parts, async () => {
    const held = await parts.store.caseBy({ action });
    if (held?.asked.action.agent !== agent) return err(refuse('not_found', 'There is no such action.'));
    const again = await judgeNow(parts, held, []);
    const result = await parts.store.change(
      {
        kind: 'claim',
        action,
        agent,
        ...(via === undefined ? {} : { via }),
        execution,
        again,
        expected: again.verdict.versions,
        limits: parts.limits,
      },
      idempotency,
    );
    if (result.ok) {
      const { value } = result;
      if (value.kind !== 'case') return claimed(held);
      // A repeat under its key is answered without being decided again; whoever was stopped since runs nothing.
      const { operation } = held.asked.action;
      const stopped = value.joined ? await refusesStoppedNow(parts, agent, operation) : undefined;
      return stopped === undefined ? claimed(value.case) : err(stopped);
    }
    if (result.error.kind === 'refused') return err(result.error.refusal);
    if (result.error.kind === 'fault') {
      // An agent that runs it itself asks again under its key, and has an hour; here nobody runs it any more.
      if (held.asked.action.enforcement === 'mediated') neverRan(parts.store, execution);
      return err(auditUnavailable(result.error.detail));
    }
    return new Stale(held.asked.action.operation);
  });
  return answered ?? err(keptChanging('ask'));
}

/** A claim that found the world changed answers the ended case. */
function claimed(held: Case): Result<Claimed, Refusal> {
  if (held.execution !== null) return ok({ held, execution: held.execution });
  return err(refuse(held.ending?.code ?? 'denied', held.ending?.reason ?? 'This action can no longer run.'));
}

/**
 * Runs a case that is ready, or waits for the run that another caller won.
 * @param how until when to wait, and how whoever waits was authenticated when it came.
 */
export async function runHeld(
  parts: Parts,
  held: Case,
  effect: Effect,
  { signal, via }: { readonly signal?: AbortSignal; readonly via?: Credential | undefined } = {},
): Promise<Result<Ran, Refusal>> {
  const { action, id } = held.asked;
  const taken = await claim(parts, action.agent, id, via === undefined ? {} : { via });
  if (taken.ok) return effectOnce(parts, taken.value.held, taken.value.execution.id, effect);
  if (taken.error.code !== 'grant_consumed') return err(taken.error);
  const over = await untilOver(parts, id, signal);
  return over === undefined
    ? err(taken.error)
    : ok({ held: over, replayed: true, result: over.execution?.result ?? null });
}

/** Waits while another caller's run of the same action goes on; undefined where the signal aborts first. */
async function untilOver(parts: Parts, id: ActionId, signal?: AbortSignal): Promise<Case | undefined> {
  for (;;) {
    const held = await parts.store.caseBy({ action: id });
    if (held === undefined || stateOf(held, parts.clock.nowMs()) !== 'started') return held;
    await parts.waiters.changed(id, 1000, signal);
    if (signal?.aborted === true) return undefined;
  }
}

/** The run of an action, linked to whoever asked, who may have asked long ago. */
const executionSpan = ({ asked, approval }: Case, execution: ExecutionId): SpanStart => ({
  name: 'countersign.execution',
  kind: 'internal',
  attributes: {
    'countersign.action.id': asked.id,
    'countersign.operation': asked.action.operation,
    'countersign.execution.id': execution,
    ...(approval === null ? {} : { 'countersign.approval.id': approval.id }),
  },
  links: [approval === null ? undefined : asked.trace],
});

/** Does the thing and records how it ended. The start is durable already. */
export async function effectOnce(
  parts: Parts,
  held: Case,
  execution: ExecutionId,
  effect: Effect,
): Promise<Result<Ran, Refusal>> {
  const tracing = parts.tracing ?? noTracing;
  const span = tracing.start(executionSpan(held, execution));
  const outcome = await tracing
    .within(span, () => effect(held.asked.action, { action: held.asked.id, execution }))
    .catch((error: unknown): Outcome => ({
      status: 'unknown',
      detail: error instanceof Error ? error.message : 'The run failed in an unexpected way.',
      result: null,
    }));
  if (outcome.status !== 'succeeded') span.fail(outcome.status);
  span.end();
  // Only what is held can be replayed, so only its result is kept (design §4).
  const kept =
    held.approval === null || tooLarge(outcome.result, parts.limits.resultCharsMax) ? null : outcome.result;
  const command = {
    kind: 'outcome',
    execution,
    by: { kind: 'gate' },
    status: outcome.status,
    detail: outcome.detail,
    result: kept,
  } as const;
  const haste = outcome.answered === true ? 'soon' : 'now';
  const result = await parts.store.change(command, undefined, haste);
  if (result.ok)
    return ok({
      held: result.value.kind === 'case' ? result.value.case : held,
      replayed: false,
      result: outcome.result,
    });
  if (!result.ok && result.error.kind === 'fault') {
    void recordLater(parts.store, command).catch(() => undefined);
    return err(
      refuse(
        'audit_unavailable',
        'It ran, but its outcome could not be recorded yet; it will not run again.',
        { status: outcome.status },
      ),
    );
  }
  return err(refuse('grant_consumed', 'This execution was ended by somebody else.'));
}

const tooLarge = (result: JsonValue, charsMax: number): boolean =>
  result !== null && JSON.stringify(result).length > charsMax;

/** A cooperative agent reports how its own run ended. */
export async function reportOutcome(
  parts: Parts,
  agent: AgentId,
  execution: ExecutionId,
  outcome: { readonly status: 'succeeded' | 'failed'; readonly detail: string | null },
): Promise<Result<Case, Refusal>> {
  const result = await parts.store.change({
    kind: 'outcome',
    execution,
    by: { kind: 'agent', id: agent },
    ...outcome,
    result: null,
  });
  if (result.ok && result.value.kind === 'case') return ok(result.value.case);
  if (!result.ok && result.error.kind === 'refused') return err(result.error.refusal);
  return err(
    auditUnavailable(!result.ok && result.error.kind === 'fault' ? result.error.detail : 'unexpected answer'),
  );
}

/** Notes that the agent has its answer, so that the same call later is a new action once `limits.replay` is over. */
export async function delivered(parts: Parts, action: ActionId): Promise<void> {
  await parts.store.change({ kind: 'delivered', action });
}

/** Waits until a case is no longer pending, or the time is over; answers it as it is then. */
export async function settled(
  parts: Parts,
  action: ActionId,
  untilMs: number,
  signal?: AbortSignal,
): Promise<Case | undefined> {
  for (;;) {
    // Registered before the read: a change in between wakes it.
    const woken = new AbortController();
    const leftMs = untilMs - parts.clock.nowMs();
    const both = signal === undefined ? woken.signal : AbortSignal.any([signal, woken.signal]);
    const change = parts.waiters.changed(action, Math.min(leftMs, 60_000), both);
    const held = await parts.store.caseBy({ action });
    if (
      held === undefined ||
      stateOf(held, parts.clock.nowMs()) !== 'pending' ||
      leftMs <= 0 ||
      signal?.aborted === true
    ) {
      woken.abort();
      return held;
    }
    parts.tracing?.waits();
    await change;
  }
}
