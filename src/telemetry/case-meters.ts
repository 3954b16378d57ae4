/** What is counted of a case when a command has changed it: decisions, runs, and how long both took. */
import { approvalStatusOf, type Case } from '../core/case.ts';
import type { Command } from '../core/command.ts';
import type { Meters } from '../ports/meters.ts';

/** Counts one change of a case; what a command of any other kind does ends nothing. */
export function countCase(meters: Meters, command: Command, held: Case): void {
  const { kind } = command;
  if (kind === 'review') {
    meters.count('reviews', { decision: command.proposed.decision, channel: command.proposed.channel });
    if (held.grant !== null || held.ending !== null) ended(meters, held);
  } else if (kind === 'claim') {
    claimed(meters, held);
  } else if (kind === 'cancel' || kind === 'due') {
    if (held.execution !== null) ran(meters, held);
    else if (held.grant === null) ended(meters, held);
    else unused(meters, held);
  } else if (kind === 'outcome' || kind === 'lost') {
    ran(meters, held);
  }
}

function claimed(meters: Meters, held: Case): void {
  const approvedAtMs = held.approval?.approvedAtMs ?? null;
  if (held.ending !== null) unused(meters, held);
  else if (held.execution !== null && approvedAtMs !== null)
    meters.observe('approved_to_run_seconds', (held.execution.startedAtMs - approvedAtMs) / 1000, {});
}

function ended(meters: Meters, held: Case): void {
  const { approval, ending } = held;
  const status = approvalStatusOf(held, Number.NEGATIVE_INFINITY);
  if (approval === null || status === 'pending') return;
  meters.count('approvals_ended', { status });
  const atMs = ending?.atMs ?? approval.approvedAtMs;
  if (atMs !== null) meters.observe('decision_seconds', (atMs - approval.createdAtMs) / 1000, { status });
}

const unused = (meters: Meters, { ending }: Case): void =>
  meters.count('grants_unused', { code: ending?.code === 'expired' ? 'expired' : 'other' });

function ran(meters: Meters, held: Case): void {
  const { execution } = held;
  if (execution === null || execution.status === 'started') return;
  const { enforcement } = held.asked.action;
  meters.count('executions', { status: execution.status, enforcement });
  if (execution.endedAtMs !== null)
    meters.observe('execution_seconds', (execution.endedAtMs - execution.startedAtMs) / 1000, {
      enforcement,
    });
}
