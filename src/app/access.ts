/**
 * Where the app asks whether a person may read or administer: core's guard and the policies, both. Promise: a case, an entry or
 * a list that passed through here holds nothing that its reader may not see; agents are asked nothing, their own is theirs.
 *
 * Policies are asked only where the set forbids somebody something: the defaults answer what core answers (test/policy/roles.test.ts).
 */
import { factsOf, isOfPolicy, mayAct, type Act, type Subject } from '../core/acts.ts';
import type { Case } from '../core/case.ts';
import type { Absences } from '../core/delegation.ts';
import type { Principal } from '../core/directory.ts';
import type { PersonId } from '../core/ids.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { mayRead } from '../core/may-stop.ts';
import { veiled } from '../core/sight.ts';
import type { Parts } from './parts.ts';

/** What deciding needs of the gate. */
export type Deciding = Pick<Parts, 'policy' | 'clock'>;

/** Whether a person may do this to that, now. */
export function allows(
  { policy, clock }: Deciding,
  world: Absences,
  { person, act, subject }: { readonly person: PersonId; readonly act: Act; readonly subject: Subject },
): boolean {
  if (!mayAct(act, person, subject, world)) return false;
  if (!policy.narrows(act) || !isOfPolicy(subject, world.directory)) return true;
  return policy.mayDo(person, act, factsOf(subject, world), clock.nowMs());
}

/** Refuses what a policy keeps from a person whom core would let; what core refuses, the transaction says in its own words. */
export function refusesByPolicy(
  parts: Deciding,
  world: Absences,
  asked: { readonly person: PersonId; readonly act: Act; readonly subject: Subject },
): Refusal | undefined {
  return !mayAct(asked.act, asked.person, asked.subject, world) || allows(parts, world, asked)
    ? undefined
    : refuse('not_permitted', 'A policy of this gate keeps you from it.', { act: asked.act });
}

/** The case as this reader may see it: whole, without what it holds, or not at all. */
export function seenBy(parts: Deciding, world: Absences, by: Principal, held: Case): Case | undefined {
  if (by.kind === 'agent') return mayRead(held, by, world) ? held : undefined;
  const subject = { kind: 'case', held } as const;
  if (!allows(parts, world, { person: by.id, act: 'read', subject })) return undefined;
  return allows(parts, world, { person: by.id, act: 'read_input', subject }) ? held : veiled(held);
}

/** Whether somebody sees all of it: nobody approves what they were not shown. */
export function seesWhole(parts: Deciding, world: Absences, by: Principal, held: Case): boolean {
  const seen = seenBy(parts, world, by, held);
  return seen !== undefined && seen.asked.veiled === undefined;
}

/** What becomes of a case in the hands of whoever has just changed it: they may stop what they may not read. */
export const afterwards = (parts: Deciding, world: Absences, by: Principal, held: Case): Case =>
  seenBy(parts, world, by, held) ?? veiled(held);

/** Whether everybody whom core lets see what a case holds does see it: else it is not told where nobody knows who reads. */
export function isOpenToItsReaders(parts: Deciding, world: Absences, held: Case): boolean {
  if (!parts.policy.narrows('read') && !parts.policy.narrows('read_input')) return true;
  const subject = { kind: 'case', held } as const;
  return world.directory.people.every(
    ({ id: person }) =>
      !mayAct('read_input', person, subject, world) ||
      (allows(parts, world, { person, act: 'read', subject }) &&
        allows(parts, world, { person, act: 'read_input', subject })),
  );
}
