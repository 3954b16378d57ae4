/** What is arranged when an approval opens: whom it asks besides its approvers, and what channels are told and when. */
import type { Approval, EligibleThen } from '../case.ts';
import { standInsOf } from '../delegation.ts';
import type { PersonId } from '../ids.ts';
import type { Notice } from '../loaded.ts';
import type { MayApprove, World } from '../eligible.ts';
import type { Requirement } from '../verdict.ts';

/**
 * Those who stand in now for somebody who can approve. They are asked too, and make no more people than there are: each
 * fills a place that the absent one could fill.
 */
export function standInsFor(
  one: Requirement,
  able: readonly PersonId[],
  now: World & { readonly mayApprove: MayApprove; readonly barred: ReadonlySet<PersonId> },
): Pick<EligibleThen, 'standIns'> {
  if (one.stepUp !== null) return {};
  const standIns = [...new Set(able.flatMap((person) => standInsOf(person, now)))].filter(
    (person) =>
      !able.includes(person) && !now.barred.has(person) && now.mayApprove.get(person)?.has(one.id) === true,
  );
  return standIns.length === 0 ? {} : { standIns };
}

/** At once that it opened; later, while it is still pending, a reminder at half the time, and each escalation at its own. */
export function openingNotices(
  { id, createdAtMs, expiresAtMs }: Approval,
  requirements: readonly Requirement[],
): readonly Notice[] {
  const one = (kind: Notice['kind']): Notice => ({ kind, approval: id, callback: false });
  const halfMs = Math.floor((createdAtMs + expiresAtMs) / 2);
  const escalated = [
    ...new Set(requirements.flatMap((each) => (each.escalate === null ? [] : [each.escalate.afterMs]))),
  ]
    .map((afterMs) => createdAtMs + afterMs)
    // What is over by then is told to nobody.
    .filter((dueAtMs) => dueAtMs < expiresAtMs);
  return [
    one('approval.opened'),
    { ...one('approval.reminded'), dueAtMs: halfMs },
    ...escalated.map((dueAtMs) => ({ ...one('approval.escalated'), dueAtMs })),
  ];
}
