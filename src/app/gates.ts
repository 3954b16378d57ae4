/**
 * Who may approve, where Cedar is asked and where it is not: what the gate asks for itself (core/gate-operations.ts) is decided
 * by its requirement's group and the conflict set alone, with usable policies or without.
 */
import { requirementsOf, type Case } from '../core/case.ts';
import type { Again, MayApproveRows } from '../core/judged.ts';
import { everybodyMay, isGateAction } from '../core/gate-operations.ts';
import type { PersonId } from '../core/ids.ts';
import type { Parts } from './parts.ts';

/** By person, the requirements that no policy keeps from them. */
export function mayApproveNow(
  { policy }: Pick<Parts, 'policy'>,
  held: Case,
  people: readonly PersonId[],
  nowMs: number,
): MayApproveRows {
  const requirements = requirementsOf(held);
  const { action } = held.asked;
  return isGateAction(action)
    ? everybodyMay(people, requirements)
    : policy.mayApprove(action, requirements, people, nowMs);
}

/** The gate's own action, judged again: its verdict is the one that it was asked with, for the world as it is now. */
export async function judgeGates(parts: Parts, held: Case, people: readonly PersonId[]): Promise<Again> {
  const versions = await parts.store.versions();
  return {
    verdict: { ...held.asked.verdict, versions },
    mayApprove: everybodyMay(people, requirementsOf(held)),
    targetHolds: true,
    mode: 'enforce',
  };
}
