/** A person's word: judged by core/review.ts, stored only if it passed, and acted upon at once. */
import { requirementsOf, type Case, type Review } from '../case.ts';
import type { ReviewCommand } from '../command.ts';
import { personIn } from '../directory.ts';
import { isGates } from '../gate.ts';
import type { Loaded, Step, Write } from '../loaded.ts';
import { counterOf, signedChallengeOf, type Signed } from '../passkey.ts';
import { refuse } from '../refusal.ts';
import { displayHash } from '../render/display.ts';
import { filled, voiceOf } from '../counting.ts';
import { checkReview, type CheckedReview } from '../review.ts';
import { judgeAgain } from './again.ts';
import { carryOut, ranAtOnce } from './gate-operations.ts';
import { pauses, refusesStoppedActors, type Stop, type Unsafe } from '../stops.ts';
import {
  byOf,
  changed,
  closedNotices,
  counted,
  ended,
  entryOf,
  mayApproveOf,
  recentHolds,
  reviewedNotices,
  refused,
  stale,
  worldOf,
} from './common.ts';
import { sameVersions } from '../verdict.ts';

export function review(command: ReviewCommand, loaded: Loaded): Step {
  const held = loaded.case;
  if (held?.approval == null) return refused(refuse('not_found', 'There is no such approval.'));
  if (!sameVersions(command.expected, loaded.versions)) return stale;
  const now = { ...worldOf(loaded), mayApprove: mayApproveOf(command.again.mayApprove) };
  const signed = signedOf(held, command, loaded);
  const result = checkReview(held, command.proposed, signed === undefined ? now : { ...now, signed });
  if (!result.ok) return refusedReview(held, command, result.error);
  if (result.value.decision === 'deny')
    return withSpent(deny(held, result.value, command, loaded), result.value, loaded);
  const stopped = refusesStoppedActors(held.asked.action, loaded.stops);
  if (stopped !== undefined) return refused(stopped);
  if (!recentHolds(held, command.again.verdict, loaded)) return stale;
  // While policies cannot be evaluated nobody can be found eligible, and nothing may be approved.
  if (command.again.verdict.effect === 'deny' && command.again.verdict.code === 'policy_error') {
    return refused(refuse('policy_error', command.again.verdict.toldAgent));
  }
  if (!asksAboutAll(held, command, loaded)) return stale;
  return withSpent(approve(held, result.value, command, loaded), result.value, loaded);
}

/**
 * Whether everybody who has reviewed it was judged with it: somebody may have since it was read, and their word counts as well.
 * Of two who approve at once each would find the other's missing, and it would wait for ever. Who has left counts for nothing.
 */
export function asksAboutAll(
  { reviews }: Case,
  { again }: Pick<ReviewCommand, 'again'>,
  { directory }: Loaded,
): boolean {
  const asked = new Set(again.mayApprove.map((row) => row.person));
  return reviews
    .flatMap((one) => [one.person, voiceOf(one)])
    .every((person) => asked.has(person) || personIn(directory, person) === undefined);
}

/** What the transaction knows of the signature that comes with a review; undefined without one. */
function signedOf(held: Case, { proposed, again }: ReviewCommand, loaded: Loaded): Signed | undefined {
  const { proof } = proposed;
  if (proof === undefined) return undefined;
  const challenge = signedChallengeOf(proof.clientDataJSON);
  return {
    begun: loaded.begun.find((one) => one.hash === challenge),
    passkey: loaded.passkeys.find((one) => one.id === proof.credential),
    // Rendered here and now: nothing that a page posts says what it showed.
    shown: displayHash(held, loaded.directory),
    policies: again.verdict.policyDigest,
    nowMs: loaded.nowMs,
  };
}

/** A recorded signature is used up: its challenge once, its counter never again. */
function spent(one: Review, loaded: Loaded): readonly Write[] {
  const { proof } = one;
  if (proof === null) return [];
  const challenge = signedChallengeOf(proof.clientDataJSON);
  return [
    ...loaded.begun
      .filter((begun) => begun.hash === challenge)
      .map((begun): Write => ({ row: 'begun', begun: { ...begun, usedAtMs: loaded.nowMs } })),
    ...loaded.passkeys
      .filter((passkey) => passkey.id === proof.credential)
      .map((passkey): Write => ({ row: 'passkey', passkey: { ...passkey, counter: counterOf(proof) } })),
  ];
}

const withSpent = (step: Step, one: Review, loaded: Loaded): Step =>
  step.answer.ok ? { ...step, writes: [...step.writes, ...spent(one, loaded)] } : step;

function refusedReview(held: Case, command: ReviewCommand, refusal: Parameters<typeof refused>[0]): Step {
  const { by, decision, channel } = command.proposed;
  return refused(refusal, [
    entryOf(held, 'review.refused', byOf(by), {
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
      ...(one.standingInFor === undefined ? {} : { standingInFor: one.standingInFor }),
      ...(one.shown === null ? {} : { shown: one.shown }),
      // All that anybody needs to check the signature: the log alone is enough.
      ...(one.proof === null ? {} : { proof: one.proof }),
    },
  );

// RULE deny-ends-it
function deny(held: Case, one: CheckedReview, command: ReviewCommand, loaded: Loaded): Step {
  const by = { kind: 'person', id: one.person } as const;
  const next = ended(withReview(held, one), { atMs: one.atMs, code: 'denied', reason: one.reason, by });
  const step = changed(
    held,
    next,
    [
      recorded(held, one),
      entryOf(next, 'approval.denied', by, { code: 'denied', reason: one.reason, unsafe: one.unsafe }),
    ],
    closedNotices(held),
  );
  // What files say is nobody's conduct: there is no agent to slow down.
  return one.unsafe && !isGates(held.asked.action.operation)
    ? unsafely(step, next, one, { limits: command.limits, loaded })
    : step;
}

/** Denied as unsafe: the same action is refused for a while, and after some of them the operation is paused for its agent. */
function unsafely(
  step: Step,
  held: Case,
  one: CheckedReview,
  { limits, loaded }: { readonly limits: ReviewCommand['limits']; readonly loaded: Loaded },
): Step {
  const { agent, operation } = held.asked.action;
  if (held.approval === null) return step;
  const unsafe: Unsafe = {
    agent,
    operation,
    likeKey: held.asked.likeKey,
    approval: held.approval.id,
    person: one.person,
    reason: one.reason,
    atMs: loaded.nowMs,
  };
  const writes = [...step.writes, { row: 'unsafe', unsafe } as const];
  const known = loaded.stops.some((stop) => stop.agent === agent && stop.operation === operation);
  if (known || !pauses(loaded.unsafe, unsafe, limits)) return { ...step, writes };
  const reason = `${limits.unsafeMax} of its actions were denied as unsafe${one.reason === null ? '' : `, the last one because: ${one.reason}`}`;
  const by = { kind: 'gate' } as const;
  const stop: Stop = { agent, operation, kind: 'paused', by, reason, atMs: loaded.nowMs };
  return {
    ...step,
    writes: [...writes, { row: 'stop', stop }],
    entries: [...step.entries, entryOf(held, 'operation.paused', by, { agent, operation, reason })],
  };
}

function approve(held: Case, one: CheckedReview, command: ReviewCommand, loaded: Loaded): Step {
  const next = withReview(held, one);
  const now = { ...worldOf(loaded), mayApprove: mayApproveOf(command.again.mayApprove) };
  if (!filled(next, requirementsOf(next), now).met)
    return changed(held, next, [recorded(held, one)], reviewedNotices(held));
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
        closedNotices(held),
      );
    }
    case 'holds': {
      const approval = next.approval === null ? null : { ...next.approval, approvedAtMs: loaded.nowMs };
      const expiresAtMs = loaded.nowMs + (approval?.grantMs ?? 0);
      // The review is recorded first, then what gives the grant.
      const grant = { expiresAtMs, consumedAtMs: null, index: loaded.nextIndex + 1 };
      const approved: Case = { ...next, approval, grant };
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
      const out = carryOut(approved, loaded);
      if (out !== undefined)
        return ranAtOnce(held, { approved, recorded: [recorded(held, one), entry] }, out, loaded.nowMs);
      const step = changed(held, approved, [recorded(held, one), entry], closedNotices(held));
      return { ...step, writes: [...step.writes, counted(approved, loaded.nowMs)] };
    }
  }
}
