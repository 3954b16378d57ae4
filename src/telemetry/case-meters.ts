/** What is counted of a case when a command has changed it: decisions, runs, and how long both took. */
import { approvalStatusOf, type Case } from '../core/case.ts';
import type { Command } from '../core/command.ts';
import type { Meters } from '../ports/meters.ts';

/** Counts one change of a case. */
export function countCase(meters: Meters, command: Command, held: Case): void {
  switch (command.kind) {
    case 'review':
      meters.count('reviews', { decision: command.proposed.decision, channel: command.proposed.channel });
      if (held.grant !== null || held.ending !== null) ended(meters, held);
      return;
    case 'claim':
      if (held.ending !== null) unused(meters, held);
      else if (held.execution !== null && held.approval?.approvedAtMs != null)
        meters.observe(
          'approved_to_run_seconds',
          (held.execution.startedAtMs - held.approval.approvedAtMs) / 1000,
          {},
        );
      return;
    case 'cancel':
    case 'due':
      if (held.execution !== null) ran(meters, held);
      else if (held.grant === null) ended(meters, held);
      else unused(meters, held);
      return;
    case 'outcome':
    case 'lost':
      ran(meters, held);
      return;
    default: // what else there is ends nothing
  }
}

function ended(meters: Meters, held: Case): void {
  const { approval, ending } = held;
  const status = approvalStatusOf(held, Number.NEGATIVE_INFINITY);
  if (approval === null || status === 'pending') return;
  meters.count('approvals_ended', { status });
  const atMs = ending?.atMs ?? approval.approvedAtMs;
  if (atMs !== null)
    meters.observe('decision_seconds', (atMs - approval.createdAtMs) / 1000, { status });
}

const unused = (meters: Meters, { ending }: Case): void =>
  meters.count('grants_unused', { code: ending?.code === 'expired' ? 'expired' : 'other' });

function ran(meters: Meters, held: Case): void {
  const { execution } = held;
  if (execution === null || execution.status === 'started') return;
  const { enforcement } = held.asked.action;
  meters.count('executions', { status: execution.status, enforcement });
  if (execution.endedAtMs !== null)
    meters.observe('execution_seconds', (execution.endedAtMs - execution.startedAtMs) / 1000, { enforcement });
}
