/**
 * Judging again. Before a grant is made, and again before it is consumed, the action must still pass today's policies with
 * today's people and today's tools; the stricter of then and now holds.
 */
import type { Again } from '../judged.ts';
import { requirementsOf, type Case } from '../case.ts';
import type { Loaded } from '../loaded.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { filled } from '../counting.ts';
import { mayApproveOf, worldOf } from './common.ts';
import { glassOver } from './glass-over.ts';

export type Judged =
  | { readonly kind: 'holds' }
  /** Policies cannot be evaluated at the moment: nothing runs, nothing ends. */
  | { readonly kind: 'broken'; readonly refusal: Refusal }
  /** The stricter answer: what was asked can no longer run. */
  | { readonly kind: 'changed'; readonly refusal: Refusal };

const changed = (detail: string): Judged => ({ kind: 'changed', refusal: refuse('policy_changed', detail) });

export function judgeAgain(held: Case, again: Again, loaded: Loaded): Judged {
  const { verdict } = again;
  // What passed only because it was observed passes while it is observed; else it is judged as anything else.
  if (held.asked.mode === 'observe' && again.mode === 'observe' && again.targetHolds)
    return { kind: 'holds' };
  if (verdict.effect === 'deny') {
    if (verdict.code === 'policy_error') {
      return { kind: 'broken', refusal: refuse('policy_error', verdict.toldAgent) };
    }
    return changed(
      `Today's policies deny this action (${verdict.code}), so what was decided before no longer holds.`,
    );
  }
  if (!again.targetHolds)
    return changed(
      'The tool, its profile or its server changed after this was asked, so it must be asked anew.',
    );
  // What passed only because of break-glass passes while that very one is open; else it is judged as anything else.
  if (held.asked.glass !== undefined && glassOver(held.asked.action, loaded)?.id === held.asked.glass)
    return { kind: 'holds' };
  const today = verdict.effect === 'review' ? verdict.requirements : [];
  const wanted = [...requirementsOf(held), ...today];
  const now = { ...worldOf(loaded), mayApprove: mayApproveOf(again.mayApprove) };
  return wanted.length === 0 || filled(held, wanted, now).met
    ? { kind: 'holds' }
    : changed(
        'Its approvals no longer meet the requirements with today’s policies and people, so it must be asked anew.',
      );
}
