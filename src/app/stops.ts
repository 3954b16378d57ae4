/** Stopping an agent and letting it go on. What it still had people look at is withdrawn, as far as who stops it may do that. */
import type { Idempotency } from '../core/command.ts';
import type { AgentId, ApprovalId, PersonId } from '../core/ids.ts';
import type { Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { refusesStopped } from '../core/stops.ts';
import { refusesByPolicy } from './access.ts';
import type { Parts } from './parts.ts';
import { cancel, reasonCharsMax, refusalOf } from './review.ts';

/** Pending approvals of a stopped agent that are withdrawn with it. The rest cannot be approved, and expires. */
const withdrawnMax = 200;

const bounded = (reason: string | null): string | null =>
  reason === null || reason.trim() === '' ? null : reason.slice(0, reasonCharsMax);

/** Stops everything that an agent does. Again: nothing more changes. @param said `approval`: what the person looked at. */
export async function stopAgent(
  parts: Parts,
  by: PersonId,
  agent: AgentId,
  said: {
    readonly reason: string | null;
    readonly approval: ApprovalId | null;
    readonly idempotency?: Idempotency | undefined;
  },
): Promise<Result<null, Refusal>> {
  const reason = bounded(said.reason);
  const { approval: seen, idempotency } = said;
  const stopped = await parts.store.change({ kind: 'stop', agent, by, approval: seen, reason }, idempotency);
  if (!stopped.ok) return err(refusalOf(stopped.error));
  const pending = await parts.store.held({ status: 'pending', agent, limit: withdrawnMax });
  const why = `The agent was stopped${reason === null ? '.' : `: ${reason}`}`;
  for (const { approval } of pending) {
    // Refused where this person may not stop that one; it cannot be approved either way.
    if (approval !== null) await cancel(parts, { kind: 'person', id: by }, approval.id, { reason: why });
  }
  return ok(null);
}

/** Ends a stop, or the pause of one operation; for operators who do not own the agent. */
export async function lift(
  parts: Parts,
  by: PersonId,
  agent: AgentId,
  said: {
    readonly operation: string | null;
    readonly reason: string | null;
    readonly idempotency?: Idempotency | undefined;
  },
): Promise<Result<null, Refusal>> {
  const { operation, idempotency } = said;
  const reason = bounded(said.reason);
  const asked = { person: by, act: 'lift', subject: { kind: 'agent', agent } } as const;
  const refusal = refusesByPolicy(parts, { directory: await parts.store.directory() }, asked);
  if (refusal !== undefined) return err(refusal);
  const lifted = await parts.store.change({ kind: 'lift', agent, operation, by, reason }, idempotency);
  return lifted.ok ? ok(null) : err(refusalOf(lifted.error));
}

/**
 * For what is answered without being judged: a stopped agent reads nothing either. Undefined where nothing is stopped.
 * @param operation what it is about, which may be paused; null: only a stop of the whole agent refuses.
 */
export const refusesStoppedNow = async (
  parts: Parts,
  agent: AgentId,
  operation: string | null,
): Promise<Refusal | undefined> => refusesStopped(agent, operation, await parts.store.stops());
