/** A person's word: judged by core/review.ts, stored only if it passed, and acted upon at once. */
import type { Case, Review } from '../case.ts';
import type { Loaded, ReviewCommand, Step } from '../command.ts';
import { refuse } from '../refusal.ts';
import { checkReview, filled, requirementsOf, type CheckedReview } from '../review.ts';
import { judgeAgain } from './again.ts';
import { changed, ended, entryOf, mayApproveOf, refused, stale, worldOf } from './common.ts';
import { sameVersions } from '../verdict.ts';

export function review(command: ReviewCommand, loaded: Loaded): Step {
  const held = loaded.case;
  if (held?.approval == null) return refused(refuse('not_found', 'There is no such approval.'));
  if (!sameVersions(command.expected, loaded.versions)) return stale;
  const now = { ...worldOf(loaded), mayApprove: mayApproveOf(command.again.mayApprove) };
  const result = checkReview(held, command.proposed, now);
  if (!result.ok) return refusedReview(held, command, result.error);
  if (result.value.decision === 'deny') return deny(held, result.value);
  // While policies cannot be evaluated nobody can be found eligible, and nothing may be approved.
  if (command.again.verdict.effect === 'deny' && command.again.verdict.code === 'policy_error') {
    return refused(refuse('policy_error', command.again.verdict.toldAgent));
  }
  return approve(held, result.value, command, loaded);
}

function refusedReview(held: Case, command: ReviewCommand, refusal: Parameters<typeof refused>[0]): Step {
  const { by, decision, channel } = command.proposed;
  return refused(refusal, [
    entryOf(held, 'review.refused', by, {
      decision,
      channel,
      code: refusal.code,
      evidence: refusal.evidence ?? null,
    }),
  ]);
}

/** Adds a review; takes only what `checkReview` made, so an unchecked one does not compile. */
const withReview = (held: Case, checked: CheckedReview): Case => ({
  ...held,
  reviews: [...held.reviews, checked satisfies Review],
  approval: held.approval === null ? null : { ...held.approval, version: held.approval.version + 1 },
});

const recorded = (held: Case, one: Review) =>
  entryOf(
    held,
    'review.recorded',
    { kind: 'person', id: one.person },
    {
      decision: one.decision,
      digest: one.digest,
      reason: one.reason,
      unsafe: one.unsafe,
      channel: one.channel,
    },
  );

const closed = (held: Case): Step['notices'] =>
  held.approval === null ? [] : [{ kind: 'approval.closed', approval: held.approval.id }];

// RULE deny-ends-it
function deny(held: Case, one: CheckedReview): Step {
  const by = { kind: 'person', id: one.person } as const;
  const next = ended(withReview(held, one), { atMs: one.atMs, code: 'denied', reason: one.reason, by });
  return changed(
    held,
    next,
    [
      recorded(held, one),
      entryOf(next, 'approval.denied', by, { code: 'denied', reason: one.reason, unsafe: one.unsafe }),
    ],
    closed(held),
  );
}

function approve(held: Case, one: CheckedReview, command: ReviewCommand, loaded: Loaded): Step {
  const next = withReview(held, one);
  const now = { ...worldOf(loaded), mayApprove: mayApproveOf(command.again.mayApprove) };
  if (!filled(next, requirementsOf(next), now).met) return changed(held, next, [recorded(held, one)]);
  const judged = judgeAgain(next, command.again, loaded);
  switch (judged.kind) {
    case 'broken':
      return refused(judged.refusal);
    case 'changed': {
      const over = ended(next, {
        atMs: loaded.nowMs,
        code: 'policy_changed',
        reason: judged.refusal.detail,
        by: { kind: 'gate' },
      });
      return changed(
        held,
        over,
        [
          recorded(held, one),
          entryOf(
            over,
            'approval.denied',
            { kind: 'gate' },
            { code: 'policy_changed', reason: judged.refusal.detail },
          ),
        ],
        closed(held),
      );
    }
    case 'holds': {
      const approval = next.approval === null ? null : { ...next.approval, approvedAtMs: loaded.nowMs };
      const expiresAtMs = loaded.nowMs + (approval?.grantMs ?? 0);
      const approved: Case = { ...next, approval, grant: { expiresAtMs, consumedAtMs: null } };
      const entry = entryOf(
        approved,
        'approval.approved',
        { kind: 'gate' },
        {
          digest: held.asked.digest,
          people: next.reviews.map((each) => each.person),
          grantExpiresAtMs: expiresAtMs,
          versions: command.again.verdict.versions,
        },
      );
      return changed(held, approved, [recorded(held, one), entry], closed(held));
    }
  }
}
