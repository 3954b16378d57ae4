/** What recorded reviews amount to: whether one fills a place of a requirement today, and how far all of them fill all. */
import { requirementsOf, type Case, type Channel, type Review } from './case.ts';
import { areOne } from './delegation.ts';
import { mayFill, voicesOf, type MayApprove, type World } from './eligible.ts';
import type { PersonId } from './ids.ts';
import { signs } from './passkey.ts';
import { fillPlaces, type Eligible, type Filling } from './places.ts';
import type { Requirement } from './verdict.ts';

/** Whether a requirement may be met from a channel. */
export const channelFits = (requirement: Requirement, channel: Channel): boolean =>
  requirement.channels?.includes(channel) ?? true;
/** Whether a reason is there, or none is asked for. */
export const reasonFits = (requirement: Requirement, reason: string | null): boolean =>
  !requirement.reasonRequired || (reason ?? '').trim() !== '';

// RULE step-up
/** Whether a requirement's passkey was used: on this very approval, by this person, to approve it. */
const passkeyFits = (held: Case, { person, proof }: Review, requirement: Requirement): boolean =>
  requirement.stepUp === null ||
  (proof !== null &&
    held.approval !== null &&
    signs(proof, { approval: held.approval.id, digest: held.asked.digest, decision: 'approve', person }));

/** Whether a recorded approve fills a place of a requirement today: eligible, in its channel, with its proof and reason. */
export function countsFor(
  held: Case,
  review: Review,
  requirement: Requirement,
  now: World & { readonly mayApprove: MayApprove },
): boolean {
  return (
    review.decision === 'approve' &&
    review.digest === held.asked.digest &&
    mayFill(held, { person: review.person, voice: voiceOf(review) }, requirement, now) &&
    channelFits(requirement, review.channel) &&
    reasonFits(requirement, review.reason) &&
    passkeyFits(held, review, requirement)
  );
}

/** How far the recorded reviews fill the requirements, with today's people and policies. */
export function filled(
  held: Case,
  requirements: readonly Requirement[],
  now: World & { readonly mayApprove: MayApprove },
): Filling {
  const approves = eachOnce(
    held.reviews.filter((review) => requirements.some((one) => countsFor(held, review, one, now))),
    now,
  );
  const counts: Eligible = (person, requirement) =>
    approves.some((review) => review.person === person && countsFor(held, review, requirement, now));
  return fillPlaces(
    requirements,
    approves.map((review) => review.person),
    counts,
  );
}

/** Whose places a review fills. */
export const voiceOf = (review: Pick<Review, 'person' | 'standingInFor'>): PersonId =>
  review.standingInFor ?? review.person;

/** Of two who are one only the first is left, and of two who speak for the same absent person. */
const eachOnce = (reviews: readonly Review[], now: World): readonly Review[] =>
  reviews.reduce<readonly Review[]>(
    (left, one) =>
      left.some((other) => voiceOf(other) === voiceOf(one) || areOne(other.person, one.person, now))
        ? left
        : [...left, one],
    [],
  );

/** Whether a person signs with a passkey where they approve here: a policy that asks them wants it. */
export const wantsPasskey = (
  held: Case,
  person: PersonId,
  channel: Channel,
  now: World & { readonly mayApprove: MayApprove },
): boolean =>
  requirementsOf(held).some(
    (one) =>
      one.stepUp === 'passkey' && channelFits(one, channel) && voicesOf(held, person, one, now).length > 0,
  );
