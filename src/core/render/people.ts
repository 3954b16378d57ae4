/**
 * People and an approval: how far it is, who can, who cannot and why, and where the reader stands. Decides nothing: every
 * answer is that of core/review.ts and core/eligible.ts, asked with a review that is never stored.
 */
import { requirementsOf, stateOf, type Case, type Channel } from '../case.ts';
import { nameOf } from '../conflict.ts';
import { areOne, standInsOf } from '../delegation.ts';
import { agentIn, isOperator, membersOf, type Directory, type Principal } from '../directory.ts';
import type { PersonId } from '../ids.ts';
import type { Refusal } from '../refusal.ts';
import { filled, wantsPasskey } from '../counting.ts';
import { barredOf, isEligible, mayFill, tieOf, voicesOf, type MayApprove, type World } from '../eligible.ts';
import { mayStop } from '../may-stop.ts';
import { mostByGroup } from '../places.ts';
import { checkReview, refusesUnsigned } from '../review.ts';
import type { Requirement } from '../verdict.ts';
import { line, say, short, type Shown } from './shown.ts';

/** Everything that judging needs, and where the reader looks. */
export type Now = World & { readonly mayApprove: MayApprove; readonly channel: Channel };

export interface Need {
  readonly id: Shown;
  readonly title: Shown;
  readonly approvers: Shown;
  readonly quorum: number;
  readonly count: number;
  readonly met: boolean;
  readonly reasonRequired: boolean;
  readonly passkey: boolean;
  /** Null: any channel. */
  readonly channels: readonly Shown[] | null;
  /** Who was told besides, and when, because nobody had answered; null until then. They could approve from the start. */
  readonly escalated: { readonly group: Shown; readonly atMs: number } | null;
}

/** The requirements in their order, with the places that reviews fill today; all of them once it was approved. */
export function needsOf(held: Case, now: Now): readonly Need[] {
  const approved = held.approval?.approvedAtMs != null;
  return filled(held, requirementsOf(held), now).counts.map(({ requirement, count, met }) => ({
    id: line(requirement.id),
    title: short(requirement.title, 300),
    approvers: line(requirement.approvers),
    quorum: requirement.quorum,
    count: approved ? requirement.quorum : count,
    met: approved || met,
    reasonRequired: requirement.reasonRequired,
    passkey: requirement.stepUp === 'passkey',
    channels: requirement.channels?.map(line) ?? null,
    escalated: escalatedOf(held, requirement, now.nowMs),
  }));
}

/** How many places there are, and how many of them are filled: requirements of one group share theirs. */
export function tallyOf(needs: readonly Need[]): { readonly count: number; readonly quorum: number } {
  const sum = (of: (need: Need) => number): number =>
    [...mostByGroup(needs, of).values()].reduce((all, one) => all + one, 0);
  // Of a group's requirements the one with the largest quorum is served by all its places.
  return { count: sum((need) => need.count), quorum: sum((need) => need.quorum) };
}

function escalatedOf({ approval }: Case, { escalate }: Requirement, nowMs: number): Need['escalated'] {
  if (approval === null || escalate === null) return null;
  const atMs = approval.createdAtMs + escalate.afterMs;
  // What was decided before its time was told to nobody.
  return atMs <= Math.min(nowMs, approval.approvedAtMs ?? nowMs)
    ? { group: line(escalate.group), atMs }
    : null;
}

export interface Barred {
  readonly name: Shown;
  /** "owns the agent crm-bot". */
  readonly why: Shown;
}

/** Names of those who can still approve, and those who would be expected to and cannot. */
export function peopleOf(
  held: Case,
  now: Now,
): { readonly can: readonly Shown[]; readonly cannot: readonly Barred[] } {
  const requirements = requirementsOf(held);
  const cannot = new Map<PersonId, string>(barredOf(held, now).map(({ person, why }) => [person, why]));
  const can = new Set<PersonId>();
  for (const person of askedPeople(now.directory, requirements)) {
    const reviewed = held.reviews.some(
      (review) => review.person === person || areOne(review.person, person, now),
    );
    if (cannot.has(person) || reviewed) continue;
    if (requirements.some((one) => isEligible(held, person, one, now))) can.add(person);
    else cannot.set(person, whyNot(held, person, requirements));
  }
  const name = (person: PersonId): Shown => line(nameOf(now.directory, person));
  const standIns = [...can].flatMap((absent) =>
    standInsOf(absent, now)
      .filter((person) => !can.has(person))
      .filter((person) => requirements.some((one) => mayFill(held, { person, voice: absent }, one, now)))
      .map((person) => say`${name(person)}, for ${name(absent)}`),
  );
  return {
    can: [...[...can].map(name), ...standIns],
    cannot: [...cannot].map(([person, why]) => ({ name: name(person), why: line(why) })),
  };
}

const askedPeople = (directory: Directory, requirements: readonly Requirement[]): readonly PersonId[] => [
  ...new Set(
    requirements.flatMap((one) =>
      [one.approvers, ...(one.escalate === null ? [] : [one.escalate.group])].flatMap((group) =>
        membersOf(directory, group).map((person) => person.id),
      ),
    ),
  ),
];

/** Why a member of the approvers is not eligible: the group changed since, or a policy says so. */
function whyNot(held: Case, person: PersonId, requirements: readonly Requirement[]): string {
  const then =
    held.approval?.eligibleThen.filter((one) => requirements.some((each) => each.id === one.requirement)) ??
    [];
  return then.some((one) => one.people.includes(person))
    ? 'is kept from it by today’s policies'
    : 'could not approve it when it was asked';
}

/** A "no" in words, with its code. */
export interface No {
  readonly code: Refusal['code'];
  readonly words: Shown;
}

export interface Reader {
  readonly name: Shown;
  /** Null where approving is open to the reader; else why not. */
  readonly cannotApprove: No | null;
  /** The policy asks for a reason with an approval. */
  readonly reasonRequired: boolean;
  /** A policy asks this reader to sign an approval with a passkey. */
  readonly passkey: boolean;
  readonly cannotDeny: No | null;
  /** May take it back as one of the agent's owners or an operator. */
  readonly canCancel: boolean;
  /** An operator, and the outcome is unknown. */
  readonly canSettle: boolean;
}

/** Where the reader stands; null for agents and for nobody. */
export function readerOf(held: Case, by: Principal | null, now: Now, shownWhole: boolean): Reader | null {
  if (by?.kind !== 'person') return null;
  const ask = (decision: 'approve' | 'deny', reason: string | null): Refusal | null => {
    const proposed = {
      by,
      decision,
      digest: held.asked.digest,
      reason,
      unsafe: false,
      channel: now.channel,
      shownWhole,
    };
    const result = checkReview(held, proposed, now);
    if (result.ok) return null;
    // What a passkey would not mend is said before anybody signs.
    return result.error.code === 'step_up_required'
      ? (refusesUnsigned(held, proposed, now) ?? null)
      : result.error;
  };
  const state = stateOf(held, now.nowMs);
  const approve = ask('approve', null);
  const without = approve?.code === 'reason_required';
  // Without one it would fill only the other places, and nobody reviews the same approval twice.
  const reasonRequired =
    without ||
    (approve === null &&
      requirementsOf(held).some((one) => one.reasonRequired && voicesOf(held, by.id, one, now).length > 0));
  const owns = agentIn(now.directory, held.asked.action.agent)?.owners.includes(by.id) === true;
  const operates = isOperator(now.directory, by.id);
  return {
    name: line(nameOf(now.directory, by.id)),
    cannotApprove: without ? null : noOf(approve, held, by.id, now),
    reasonRequired,
    passkey: wantsPasskey(held, by.id, now.channel, now),
    cannotDeny: noOf(ask('deny', null), held, by.id, now),
    canCancel: (state === 'pending' || state === 'ready') && (owns || operates) && mayStop(held, by.id, now),
    canSettle: state === 'unknown' && operates,
  };
}

/** A conflict is told to its person as "you": the tie is the useful part. */
function noOf(refusal: Refusal | null, held: Case, person: PersonId, now: Now): No | null {
  if (refusal === null) return null;
  if (refusal.code === 'shown_incomplete' && now.channel === 'web') {
    return {
      code: refusal.code,
      words: line(
        'This action is larger than a person can be shown and read, so it cannot be approved. Deny it, and say how it could be smaller.',
      ),
    };
  }
  if (refusal.code !== 'no_self_approval') return { code: refusal.code, words: line(refusal.detail) };
  const tie = tieOf(held, person, now) ?? '';
  return {
    code: refusal.code,
    words: say`You cannot approve this, because it counts as your own action: ${line(nameOf(now.directory, person))} ${tie}. Somebody else must. You may still deny it.`,
  };
}
