/** How a case ends without running: withdrawn, out of time; and that its agent was told. */
import { dueAtMs, stateOf, type Case } from '../case.ts';
import type { CancelCommand, DeliveredCommand, DueCommand } from '../command.ts';
import type { Loaded, Step } from '../loaded.ts';
import { approvalClosed } from '../closed.ts';
import { refuse } from '../refusal.ts';
import { mayRead, mayStop } from '../may-stop.ts';
import { byOf, changed, closedNotices, ended, entryOf, refused, unchanged, worldOf } from './common.ts';
import { unknownNow } from './execution.ts';

export function cancel(command: CancelCommand, loaded: Loaded): Step {
  const held = loaded.case;
  const { by } = command;
  if (held?.approval == null || !mayRead(held, by, worldOf(loaded)))
    return refused(refuse('not_found', 'There is no such approval.'));
  if (by.kind === 'person' && !mayStop(held, by.id, worldOf(loaded)))
    return refused(refuse('not_permitted', 'You may read this approval, not stop it.'));
  const state = stateOf(held, loaded.nowMs);
  if (state === 'cancelled') return unchanged(held);
  if (state !== 'pending' && state !== 'ready') return refused(approvalClosed(state));
  const next = ended(held, { atMs: loaded.nowMs, code: 'cancelled', reason: command.reason, by: byOf(by) });
  return changed(
    held,
    next,
    [entryOf(next, 'approval.cancelled', byOf(by), { reason: command.reason })],
    closedNotices(held),
  );
}

export function due(_command: DueCommand, loaded: Loaded): Step {
  const held = loaded.case;
  if (held === null) return refused(refuse('not_found', 'There is no such action.'));
  const at = dueAtMs(held);
  if (at === null || at > loaded.nowMs) return unchanged(held);
  if (held.execution !== null)
    return unknownNow(held, held.execution, loaded.nowMs, 'No outcome was reported within an hour.');
  return expire(held, loaded.nowMs);
}

function expire(held: Case, nowMs: number): Step {
  const granted = held.grant !== null;
  const reason = granted ? 'It was not run in time.' : 'Nobody decided in time.';
  const next = ended(held, { atMs: nowMs, code: 'expired', reason, by: { kind: 'gate' } });
  const type = held.approval === null ? 'grant.expired' : 'approval.expired';
  return changed(
    held,
    next,
    [entryOf(next, type, { kind: 'gate' }, { reason, granted })],
    closedNotices(held),
  );
}

export function delivered(_command: DeliveredCommand, loaded: Loaded): Step {
  const held = loaded.case;
  if (held?.approval == null) return refused(refuse('not_found', 'There is no such held action.'));
  const state = stateOf(held, loaded.nowMs);
  if (held.approval.deliveredAtMs !== null || state === 'pending' || state === 'ready' || state === 'started')
    return unchanged(held);
  const next: Case = { ...held, approval: { ...held.approval, deliveredAtMs: loaded.nowMs } };
  return changed(held, next, [entryOf(next, 'outcome.delivered', { kind: 'gate' }, { state })]);
}
