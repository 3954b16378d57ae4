/** Judging an action again with what is in force now: gathers what the transaction needs to decide (core/steps/again.ts). */
import { canonicalize } from '../core/canonical.ts';
import { grantedAtMs, type Case } from '../core/case.ts';
import type { Again } from '../core/command.ts';
import type { PersonId } from '../core/ids.ts';
import { requirementsOf } from '../core/review.ts';
import { judgeable } from './authorize.ts';
import { modeOf, targetNow } from './catalog.ts';
import type { Parts } from './parts.ts';
import { recentNow } from './recent.ts';

/** @param also a person who is about to review. */
export async function judgeNow(parts: Parts, held: Case, also: readonly PersonId[]): Promise<Again> {
  const { action, amount } = held.asked;
  const { agent, operation } = action;
  const nowMs = parts.clock.nowMs();
  const one = { agent, operation, amount, countedAtMs: grantedAtMs(held) };
  const verdict = parts.policy.judge(judgeable(action), nowMs, await recentNow(parts, one, nowMs));
  const today = verdict.effect === 'review' ? verdict.requirements : [];
  const people = [...new Set([...held.reviews.map((review) => review.person), ...also])];
  const mayApprove = parts.policy.mayApprove(
    judgeable(action),
    [...requirementsOf(held), ...today],
    people,
    nowMs,
  );
  const mode = modeOf(parts.world.catalog, operation);
  return { verdict, mayApprove, targetHolds: targetHolds(parts, held), mode };
}

/** The tool, profile and upstream of today are those that the action names. */
function targetHolds(parts: Parts, held: Case): boolean {
  const now = targetNow(parts.world.catalog, held.asked.action.operation);
  // Targets are JSON by construction.
  return now !== undefined && canonicalize(now) === canonicalize(held.asked.action.target);
}
