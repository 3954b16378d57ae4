/**
 * Who may approve. This file is the answer to "where is the rule that nobody approves their own action?": every review,
 * from every channel, is judged by `checkReview`, and the store takes only what it made.
 */
import { stateOf, type Case, type Channel, type Review, type State } from './case.ts';
import { conflictSet } from './conflict.ts';
import {
  agentIn,
  isAuditor,
  countsIn,
  isMember,
  isOperator,
  personIn,
  type Change,
  type Directory,
  type Principal,
} from './directory.ts';
import type { Digest, PersonId, PolicyId, Sha256Hex } from './ids.ts';
import type { Proof } from './passkey.ts';
import { refuse, type Refusal } from './refusal.ts';
import { fillPlaces, type Eligible, type Filling } from './places.ts';
import { err, ok, type Result } from './result.ts';
import { rfc3339 } from './time.ts';
import type { Requirement } from './verdict.ts';

/** What Cedar's `approve` policies say today: by person, the requirements that no forbid keeps from them. */
export type MayApprove = ReadonlyMap<PersonId, ReadonlySet<PolicyId>>;

/** The world as the transaction sees it. */
export interface World {
  readonly directory: Directory;
  readonly changes: readonly Change[];
  readonly nowMs: number;
}

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
  readonly proof?: Proof;
}

declare const checked: unique symbol;
/** A review that passed every rule: no other file can make one. */
export type CheckedReview = Review & { readonly [checked]: true };

export const requirementsOf = (held: Case): readonly Requirement[] =>
  held.asked.verdict.effect === 'review' ? held.asked.verdict.requirements : [];

const conflictNow = (held: Case, world: World) => conflictSet(held.asked.action, requirementsOf(held), world);

/** Conflict as it was when asked and as it is today: leaving a group does not wash an action clean. */
export function conflictOf(held: Case, person: PersonId, world: World): string | undefined {
  const both = [...(held.approval?.conflict ?? []), ...conflictNow(held, world)];
  return both.find((one) => one.person === person)?.why;
}

// RULE eligible-then-and-now
/** Whether a person may fill a place of a requirement: when it was asked, and today. */
export function isEligible(
  held: Case,
  person: PersonId,
  requirement: Requirement,
  now: World & { readonly mayApprove: MayApprove },
): boolean {
  const then = held.approval?.eligibleThen.find((one) => one.requirement === requirement.id)?.people ?? [];
  return then.includes(person) && isEligibleNow(person, requirement, now);
}

/** Today's half of eligibility: a member of the approvers or the escalation group whom no policy forbids. */
export function isEligibleNow(
  person: PersonId,
  requirement: Requirement,
  now: { readonly directory: Directory; readonly mayApprove: MayApprove; readonly nowMs: number },
): boolean {
  const member =
    countsIn(now.directory, person, requirement.approvers, now.nowMs) ||
    countsIn(now.directory, person, requirement.escalate?.group ?? null, now.nowMs);
  return member && now.mayApprove.get(person)?.has(requirement.id) === true;
}

// RULE anyone-may-stop
/** Approvers, the agent's owners and operators may stop an action, conflicted or not; auditors only read. */
export function mayStop(held: Case, person: PersonId, world: { readonly directory: Directory }): boolean {
  if (personIn(world.directory, person) === undefined) return false;
  if (isOperator(world.directory, person)) return true;
  if (agentIn(world.directory, held.asked.action.agent)?.owners.includes(person) === true) return true;
  const asked = held.approval?.eligibleThen.some((one) => one.people.includes(person)) === true;
  return (
    asked ||
    requirementsOf(held).some(
      (one) =>
        isMember(world.directory, person, one.approvers) ||
        isMember(world.directory, person, one.escalate?.group ?? null),
    )
  );
}

/** Whether a person may see a case at all: those who may stop it, whoever reviewed it, and auditors. */
export function mayRead(held: Case, by: Principal, world: { readonly directory: Directory }): boolean {
  if (by.kind === 'agent') return held.asked.action.agent === by.id;
  return (
    mayStop(held, by.id, world) ||
    isAuditor(world.directory, by.id) ||
    held.reviews.some((review) => review.person === by.id)
  );
}

/**
 * Judges one review in the order of design §6; the first that fails answers. A deny checks only who may stop it, that it
 * is open, and that it names what was shown.
 */
export function checkReview(
  held: Case,
  proposed: Proposed,
  now: World & { readonly mayApprove: MayApprove },
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
      : refusesApprove(held, person, proposed, now);
  if (refusal !== undefined) return err(refusal);
  const { decision, digest, reason, unsafe, channel } = proposed;
  // The cast is the brand: this line is the only maker of a CheckedReview.
  return ok({
    person,
    decision,
    digest,
    reason,
    unsafe: unsafe && decision === 'deny',
    channel,
    atMs: now.nowMs,
    shown: proposed.shown ?? null,
    via: proposed.by.way?.via ?? null,
    proof: proposed.proof ?? null,
  } as CheckedReview);
}

function refusesDeny(held: Case, person: PersonId, proposed: Proposed, now: World): Refusal | undefined {
  if (!mayStop(held, person, now)) return refuse('not_an_approver', 'You may not stop this action.');
  // An approval that has its people can still be stopped until it runs.
  return refusesClosed(held, now.nowMs, ['pending', 'ready']) ?? refusesDigest(held, proposed);
}

function refusesApprove(
  held: Case,
  person: PersonId,
  proposed: Proposed,
  now: World & { readonly mayApprove: MayApprove },
): Refusal | undefined {
  // RULE no-self-approval
  const tie = conflictOf(held, person, now);
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
    tie === undefined ? requirementsOf(held).filter((one) => isEligible(held, person, one, now)) : [];
  if (open.length === 0) return refuse('not_an_approver', 'You are not an approver of this action.');
  const here = open.filter((one) => channelFits(one, proposed.channel));
  const strong = here.filter((one) => one.stepUp === null);
  return (
    refusesClosed(held, now.nowMs, ['pending']) ??
    refusesDigest(held, proposed) ??
    refusesRepeat(held, person) ??
    refusesChannel(open, here, proposed) ??
    (strong.length > 0
      ? undefined
      : refuse(
          'step_up_required',
          'A passkey is required to approve this, and this gate has no passkeys yet.',
        )) ??
    // RULE shown-whole
    (proposed.shownWhole
      ? undefined
      : refuse('shown_incomplete', 'The whole action was not shown here; review it in the web inbox.')) ??
    (strong.some((one) => reasonFits(one, proposed.reason))
      ? undefined
      : refuse('reason_required', 'The policy asks for a reason with an approval.'))
  );
}

const channelFits = (requirement: Requirement, channel: Channel): boolean =>
  requirement.channels?.includes(channel) ?? true;
const reasonFits = (requirement: Requirement, reason: string | null): boolean =>
  !requirement.reasonRequired || (reason ?? '').trim() !== '';

// RULE step-up
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
    conflictOf(held, review.person, now) === undefined &&
    isEligible(held, review.person, requirement, now) &&
    channelFits(requirement, review.channel) &&
    reasonFits(requirement, review.reason) &&
    requirement.stepUp === null // until passkeys exist, no review carries a fresh signature
  );
}

/** How far the recorded reviews fill the requirements, with today's people and policies. */
export function filled(
  held: Case,
  requirements: readonly Requirement[],
  now: World & { readonly mayApprove: MayApprove },
): Filling {
  const approves = held.reviews.filter((review) => review.decision === 'approve');
  const counts: Eligible = (person, requirement) =>
    approves.some((review) => review.person === person && countsFor(held, review, requirement, now));
  return fillPlaces(
    requirements,
    approves.map((review) => review.person),
    counts,
  );
}

function refusesClosed(held: Case, nowMs: number, open: readonly State[]): Refusal | undefined {
  const state = stateOf(held, nowMs);
  return held.approval !== null && open.includes(state)
    ? undefined
    : refuse('approval_closed', `This approval is closed: ${state}.`, { state });
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
const refusesRepeat = (held: Case, person: PersonId): Refusal | undefined =>
  held.reviews.some((review) => review.person === person)
    ? refuse('already_reviewed', 'You have reviewed this already; a quorum counts people, not clicks.')
    : undefined;

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
