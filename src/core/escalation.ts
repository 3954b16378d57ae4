/** Escalation (`@escalate`): a second group can answer from the start, and is told when the first has not for a while. */
import { requirementsOf, type Case } from './case.ts';
import type { GroupId } from './ids.ts';

/** The groups whose time to be told has come, each once, the first told first. */
export function escalatedTo(held: Case, nowMs: number): readonly GroupId[] {
  const sinceMs = nowMs - (held.approval?.createdAtMs ?? nowMs);
  const due = requirementsOf(held)
    .flatMap((one) => (one.escalate === null ? [] : [one.escalate]))
    .filter((one) => one.afterMs <= sinceMs)
    .toSorted((a, b) => a.afterMs - b.afterMs);
  return [...new Set(due.map((one) => one.group))];
}
