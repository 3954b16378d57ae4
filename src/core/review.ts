/**
 * Who may approve. This file is the answer to "where is the rule that nobody approves their own action?": every review,
 * from every channel, is judged by `checkReview`, and the store takes only what it made. Who is an approver: core/eligible.ts;
 * who may stop and see: core/may-stop.ts; what the reviews amount to: core/counting.ts.
 */
import { requirementsOf, stateOf, type Case, type Channel, type Review, type State } from './case.ts';
import { approvalClosed } from './closed.ts';
import { nameOf } from './conflict.ts';
import { channelFits, countsFor, filled, reasonFits } from './counting.ts';
import { absentOf, areOne } from './delegation.ts';
import { personIn, type Principal } from './directory.ts';
import { conflictOf, tieOf, voicesOf, type MayApprove, type World } from './eligible.ts';
import type { Digest, PersonId, Sha256Hex } from './ids.ts';
import { absentHere, mayRead, mayStop, mayStopAsSelf } from './may-stop.ts';
import { refusesProof, type Signed, type VerifiedProof } from './passkey.ts';
import { refuse, type Refusal } from './refusal.ts';
import { err, ok, type Result } from './result.ts';
import { rfc3339 } from './time.ts';
import type { Requirement } from './verdict.ts';

/** A review as it arrives from a channel. */
export interface Proposed {
  readonly by: Principal;
  readonly decision: 'approve' | 'deny';
  readonly digest: Digest;
  readonly reason: string | null;
  readonly unsafe: boolean;
  readonly channel: Channel;
  /** Whether the channel showed the whole action, escaped and legible. */
  readonly shownWhole: boolean;
  /** SHA-256 of what was shown (core/render); absent where the channel does not say. */
  readonly shown?: Sha256Hex;
  /** A passkey's signature whose cryptography has been verified; what it is over is checked here. */
  readonly proof?: VerifiedProof;
  /** Why what came as a signature is none; then there is no `proof`. */
  readonly unproven?: Refusal;
}

declare const checked: unique symbol;
/** A review that passed every rule: no other file can make one. */
export type CheckedReview = Review & { readonly [checked]: true };

/**
 * Judges one review in the order of design §6; the first that fails answers. A deny checks only who may stop it, that it
 * is open, and that it names what was shown.
 */
export function checkReview(
  held: Case,
  proposed: Proposed,
  now: World & { readonly mayApprove: MayApprove; readonly signed?: Signed },
): Result<CheckedReview, Refusal> {
  // RULE people-only
  if (proposed.by.kind !== 'person')
    return err(refuse('not_a_person', 'Agents cannot review; a person must.', { agent: proposed.by.id }));
  const person = proposed.by.id;
  if (personIn(now.directory, person) === undefined)
    return err(refuse('not_a_person', 'This account belongs to no person of the directory.'));
  const refusal =
    proposed.decision === 'deny'
      ? refusesDeny(held, person, proposed, now)
      : refusesApprove(held, person, { ...proposed, willSign: false }, now);
  if (refusal !== undefined) return err(refusal);
  const { decision, digest, reason, unsafe, channel } = proposed;
  const absent = absentIn(held, person, proposed, now);
  // The cast is the brand: this line is the only maker of a CheckedReview.
  return ok({
    person,
    ...(absent === undefined ? {} : { standingInFor: absent }),
    decision,
    digest,
    reason,
    unsafe: unsafe && decision === 'deny',
    channel,
    atMs: now.nowMs,
    shown: (proposed.proof === undefined ? proposed.shown : now.signed?.shown) ?? null,
    via: proposed.by.way?.via ?? null,
    proof: proposed.proof ?? null,
  } as CheckedReview);
}

function refusesDeny(
  held: Case,
  person: PersonId,
  proposed: Proposed,
  now: World & { readonly signed?: Signed },
): Refusal | undefined {
  if (!mayStop(held, person, now)) return refuse('not_an_approver', 'You may not stop this action.');
  return (
    // An approval that has its people can still be stopped until it runs.
    refusesClosed(held, now.nowMs, ['pending', 'ready']) ??
    refusesDigest(held, proposed) ??
    // Nobody needs a signature to deny; one that is there must hold, because it is kept.
    refusesSignature(held, person, proposed, now)
  );
}

/** What an approve would be refused for by somebody who has yet to sign it: pages say it before anybody signs. */
export const refusesUnsigned = (
  held: Case,
  proposed: Proposed & { readonly by: { readonly kind: 'person' } },
  now: World & { readonly mayApprove: MayApprove },
): Refusal | undefined => refusesApprove(held, proposed.by.id, { ...proposed, willSign: true }, now);

function refusesApprove(
  held: Case,
  person: PersonId,
  proposed: Proposed & { readonly willSign: boolean },
  now: World & { readonly mayApprove: MayApprove; readonly signed?: Signed },
): Refusal | undefined {
  // RULE no-self-approval
  const tie = tieOf(held, person, now);
  if (tie !== undefined && mayRead(held, proposed.by, now)) {
    return refuse(
      'no_self_approval',
      `You cannot approve this: it counts as yours, because this person ${tie}. Someone else must; you may deny it.`,
      { person, why: tie },
    );
  }
  const { way } = proposed.by.kind === 'person' ? proposed.by : {};
  if (way !== undefined && now.nowMs < way.countsFromMs)
    return refuse(
      'not_an_approver',
      `The account that you signed in with is new, and counts for approving from ${rfc3339(way.countsFromMs)}; another person may confirm it before.`,
      { person, countsFrom: rfc3339(way.countsFromMs) },
    );
  const open =
    tie === undefined
      ? requirementsOf(held).filter((one) => voicesOf(held, person, one, now).length > 0)
      : [];
  if (open.length === 0) return refuse('not_an_approver', 'You are not an approver of this action.');
  const here = open.filter((one) => channelFits(one, proposed.channel));
  const forged = refusesSignature(held, person, proposed, now);
  const signed = proposed.willSign || (proposed.proof !== undefined && forged === undefined);
  const strong = here.filter((one) => one.stepUp === null || signed);
  return (
    refusesClosed(held, now.nowMs, ['pending']) ??
    refusesDigest(held, proposed) ??
    refusesRepeat(held, person, now) ??
    refusesChannel(open, here, proposed) ??
    forged ??
    (strong.length > 0
      ? undefined
      : refuse(
          'step_up_required',
          'The policy asks for a passkey: sign this approval with yours, in the web inbox or in the field "proof".',
        )) ??
    // RULE shown-whole
    (proposed.shownWhole
      ? undefined
      : refuse('shown_incomplete', 'The whole action was not shown here; review it in the web inbox.')) ??
    // Of each that they could fill: approving without one now would leave them no way to fill the other, and the gate to wait for it.
    (strong.every((one) => reasonFits(one, proposed.reason))
      ? undefined
      : refuse('reason_required', 'The policy asks for a reason with an approval.'))
  );
}

/** Why a signature that comes with a review is none over this approval by this person; undefined without one. */
function refusesSignature(
  held: Case,
  person: PersonId,
  { proof, unproven, decision }: Proposed,
  now: World & { readonly signed?: Signed },
): Refusal | undefined {
  if (proof === undefined) return unproven;
  if (held.approval === null || now.signed === undefined)
    return refuse('step_up_required', 'A signature is judged only where its challenge can be looked up.');
  const of = { approval: held.approval.id, digest: held.asked.digest, decision, person };
  return refusesProof(proof, of, {
    ...now.signed,
    tied: (other) => conflictOf(held, other, now) !== undefined,
  });
}

/** Whom a review that passed every rule is given for: nobody, where its person's own voice does as much. */
function absentIn(
  held: Case,
  person: PersonId,
  proposed: Proposed,
  now: World & { readonly mayApprove: MayApprove },
): PersonId | undefined {
  if (proposed.decision === 'deny')
    return mayStopAsSelf(held, person, now) ? undefined : absentHere(held, person, now);
  const { decision, digest, reason, unsafe, channel } = proposed;
  const spoken = (absent: PersonId | undefined): Review => ({
    person,
    ...(absent === undefined ? {} : { standingInFor: absent }),
    decision,
    digest,
    reason,
    unsafe,
    channel,
    atMs: now.nowMs,
    shown: null,
    via: null,
    proof: proposed.proof ?? null,
  });
  const requirements = requirementsOf(held);
  // What the review would add: a place that nobody fills yet, else at least a place that it could fill.
  const added = (absent: PersonId | undefined): number => {
    const one = spoken(absent);
    if (!requirements.some((each) => countsFor(held, one, each, now))) return -1;
    const counts = filled({ ...held, reviews: [...held.reviews, one] }, requirements, now).counts;
    return counts.reduce((sum, each) => sum + each.count, 0);
  };
  const voices = [undefined, ...absentOf(person, now)].map((absent) => ({ absent, places: added(absent) }));
  return voices.reduce((best, one) => (one.places > best.places ? one : best)).absent;
}

function refusesClosed(held: Case, nowMs: number, open: readonly State[]): Refusal | undefined {
  const state = stateOf(held, nowMs);
  return held.approval !== null && open.includes(state) ? undefined : approvalClosed(state);
}

// RULE exact-digest
const refusesDigest = (held: Case, proposed: Proposed): Refusal | undefined =>
  proposed.digest === held.asked.digest
    ? undefined
    : refuse(
        'digest_mismatch',
        'The review names another action than this approval holds; look at it again.',
        {
          expected: held.asked.digest,
          got: proposed.digest,
        },
      );

// RULE distinct-people
function refusesRepeat(held: Case, person: PersonId, now: World): Refusal | undefined {
  if (held.reviews.some((review) => review.person === person))
    return refuse('already_reviewed', 'You have reviewed this already; a quorum counts people, not clicks.');
  const other = held.reviews.find((review) => areOne(review.person, person, now));
  return other === undefined
    ? undefined
    : refuse(
        'already_reviewed',
        `${nameOf(now.directory, other.person)} has reviewed this already. While one of you stands in for the other, the two of you count once.`,
        { person, other: other.person },
      );
}

const refusesChannel = (
  open: readonly Requirement[],
  here: readonly Requirement[],
  proposed: Proposed,
): Refusal | undefined =>
  here.length > 0
    ? undefined
    : refuse(
        'wrong_channel',
        `This may be approved only in: ${[...new Set(open.flatMap((one) => one.channels ?? []))].join(', ')}.`,
        { channel: proposed.channel },
      );
