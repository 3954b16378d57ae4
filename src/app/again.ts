/** Judging an action again with what is in force now: gathers what the transaction needs to decide (core/steps/again.ts). */
import { canonicalize } from '../core/canonical.ts';
import { grantedAtMs, requirementsOf, type Case } from '../core/case.ts';
import type { Again } from '../core/judged.ts';
import { isGateAction } from '../core/gate-operations.ts';
import { changeOperation } from '../core/gate.ts';
import type { PersonId } from '../core/ids.ts';
import { voiceOf } from '../core/counting.ts';
import { judgeable } from './authorize.ts';
import { judgeChange } from './change-config.ts';
import { modeOf, targetNow } from './catalog.ts';
import { judgeGates } from './gates.ts';
import type { Parts } from './parts.ts';
import { recentNow } from './recent.ts';

/** @param also a person who is about to review. */
export async function judgeNow(parts: Parts, held: Case, also: readonly PersonId[]): Promise<Again> {
  const { action, amount } = held.asked;
  const { agent, operation } = action;
  // Cedar has no say in what it is that Cedar judges by.
  if (isGateAction(action) && operation === changeOperation) return judgeChange(parts, held);
  const nowMs = parts.clock.nowMs();
  const people = await asked(parts, held, also);
  // No policy is asked about what the gate asks for itself.
  if (isGateAction(action)) return judgeGates(parts, held, people);
  const one = { agent, operation, amount, countedAtMs: grantedAtMs(held) };
  const verdict = parts.policy.judge(judgeable(action), nowMs, await recentNow(parts, one, nowMs));
  const today = verdict.effect === 'review' ? verdict.requirements : [];
  const mayApprove = parts.policy.mayApprove(
    judgeable(action),
    [...requirementsOf(held), ...today],
    people,
    nowMs,
  );
  const mode = modeOf(parts.world.catalog, operation);
  return { verdict, mayApprove, targetHolds: targetHolds(parts, held), mode };
}

/** Everybody whose eligibility counts. A stand-in fills a place that the absent one could, so both are asked about. */
async function asked(parts: Parts, held: Case, also: readonly PersonId[]): Promise<readonly PersonId[]> {
  const absent =
    also.length === 0
      ? []
      : (await parts.store.delegations()).filter((each) => also.includes(each.to)).map((each) => each.from);
  const reviewers = held.reviews.flatMap((review) => [review.person, voiceOf(review)]);
  return [...new Set([...reviewers, ...also, ...absent])];
}

/** The tool, profile and upstream of today are those that the action names. */
function targetHolds(parts: Parts, held: Case): boolean {
  const now = targetNow(parts.world.catalog, held.asked.action.operation);
  // Targets are JSON by construction.
  return now !== undefined && canonicalize(now) === canonicalize(held.asked.action.target);
}
