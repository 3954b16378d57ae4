/**
 * Who is an approver of a held case: found eligible when it was asked and still today, tied to it by nothing, with their own
 * voice or that of somebody they stand in for. Whether one review of theirs is taken: core/review.ts.
 */
import { requirementsOf, type Case } from './case.ts';
import { conflictSet, nameOf, type Conflicted } from './conflict.ts';
import { absentOf, standInsOf, type Delegation } from './delegation.ts';
import { countsIn, isMember, type Change, type Directory } from './directory.ts';
import type { PersonId, PolicyId } from './ids.ts';
import type { Requirement } from './verdict.ts';

/** What Cedar's `approve` policies say today: by person, the requirements that no forbid keeps from them. */
export type MayApprove = ReadonlyMap<PersonId, ReadonlySet<PolicyId>>;

/** The world as the transaction sees it. */
export interface World {
  readonly directory: Directory;
  readonly changes: readonly Change[];
  readonly nowMs: number;
  /** Who stands in for whom, as far as it is not over; absent: nobody for anybody. */
  readonly delegations?: readonly Delegation[];
}

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

// RULE stand-in
/**
 * Whether a person may fill a place of a requirement with a voice: their own, or that of somebody who is away and whom they
 * stand in for. The absent one could fill it, then and now; neither of the two is in the conflict set; no policy keeps either
 * from it. A place that asks for a passkey is for the person themself: nobody needed one to arrange a stand-in.
 */
export function mayFill(
  held: Case,
  { person, voice }: { readonly person: PersonId; readonly voice: PersonId },
  requirement: Requirement,
  now: World & { readonly mayApprove: MayApprove },
): boolean {
  if (conflictOf(held, person, now) !== undefined) return false;
  if (voice === person) return isEligible(held, person, requirement, now);
  return (
    requirement.stepUp === null &&
    absentOf(person, now).includes(voice) &&
    conflictOf(held, voice, now) === undefined &&
    isEligible(held, voice, requirement, now) &&
    now.mayApprove.get(person)?.has(requirement.id) === true
  );
}

/** Whose voices a person could fill a place of a requirement with: their own first. Empty: they are no approver of it. */
export const voicesOf = (
  held: Case,
  person: PersonId,
  requirement: Requirement,
  now: World & { readonly mayApprove: MayApprove },
): readonly PersonId[] =>
  [person, ...absentOf(person, now)].filter((voice) => mayFill(held, { person, voice }, requirement, now));

/**
 * Why a person cannot approve, where a tie is the reason: their own, or that of whoever they stand in for where nothing else
 * would make them an approver. Undefined: there is none.
 */
export function tieOf(
  held: Case,
  person: PersonId,
  now: World & { readonly mayApprove: MayApprove },
): string | undefined {
  const own = conflictOf(held, person, now);
  if (own !== undefined) return own;
  if (requirementsOf(held).some((one) => voicesOf(held, person, one, now).length > 0)) return undefined;
  for (const absent of absentOf(person, now)) {
    const tie = conflictOf(held, absent, now);
    if (tie !== undefined && isAsked(held, absent, now))
      return `stands in for ${nameOf(now.directory, absent)}, who ${tie}`;
  }
  return undefined;
}

/**
 * Everybody who cannot approve because of a tie, as asked and as of today, each once with the first reason: shown before
 * anyone tries. Those who stand in for one of them come last.
 */
export function barredOf(
  held: Case,
  now: World & { readonly mayApprove: MayApprove },
): readonly Conflicted[] {
  const tied = [...(held.approval?.conflict ?? []), ...conflictNow(held, now)];
  const standIns = tied.flatMap(({ person }) => standInsOf(person, now));
  const all = [
    ...tied,
    ...standIns.flatMap((person) => {
      const why = tieOf(held, person, now);
      return why === undefined ? [] : [{ person, why }];
    }),
  ];
  return all.filter((one, index) => all.findIndex((other) => other.person === one.person) === index);
}

/** Whether somebody is one of those whom the requirements ask, conflicted or not: found eligible then, or a member today. */
export const isAsked = (
  held: Case,
  person: PersonId,
  { directory }: { readonly directory: Directory },
): boolean =>
  held.approval?.eligibleThen.some((one) => one.people.includes(person)) === true ||
  requirementsOf(held).some(
    (one) =>
      isMember(directory, person, one.approvers) || isMember(directory, person, one.escalate?.group ?? null),
  );
