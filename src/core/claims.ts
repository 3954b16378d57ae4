/**
 * Groups that a provider claims for a person who signs in with it: merged into the accepted directory, so that every rule
 * judges one set of people. A new claim counts for approving after its time only; one that is gone is gone at once.
 */
import { adminsOf, countsIn, personIn, type Directory, type Person } from './directory.ts';
import type { GroupId, PersonId } from './ids.ts';
import { refuse, type Refusal } from './refusal.ts';

/** A membership that a provider claims. Deleted when it is claimed no more. */
export interface Membership {
  readonly person: PersonId;
  readonly group: GroupId;
  /** The issuer that claims it. */
  readonly provider: string;
  readonly atMs: number;
  /** From when it counts for approving. */
  readonly countsFromMs: number;
  readonly confirmedBy: PersonId | null;
}

/** The accepted directory with what providers claim: the one that everything is judged with. Without claims it is the same value. */
export function withMemberships(
  accepted: Directory,
  memberships: readonly Omit<Membership, 'atMs' | 'confirmedBy'>[],
): Directory {
  if (memberships.length === 0) return accepted;
  return {
    ...accepted,
    people: accepted.people.map((person) =>
      withClaims(
        person,
        memberships.filter((one) => one.person === person.id),
      ),
    ),
  };
}

function withClaims(person: Person, claims: readonly Pick<Membership, 'group' | 'countsFromMs'>[]): Person {
  // From when each counts: the earliest, where two providers claim it.
  const from = new Map<GroupId, number>();
  for (const { group, countsFromMs } of claims) {
    if (person.groups.includes(group)) continue;
    from.set(group, Math.min(from.get(group) ?? countsFromMs, countsFromMs));
  }
  if (from.size === 0) return person;
  const sorted = [...from].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...person,
    groups: [...person.groups, ...sorted.map(([group]) => group)],
    fresh: sorted.map(([group, countsFromMs]) => ({ group, countsFromMs })),
  };
}

/**
 * Why somebody may not confirm what another person added before its time; undefined where they may: an admin whose own
 * membership counts, never oneself. @param countsFromMs from when what the confirmer does counts: a new account confirms none.
 */
export function refusesConfirming(
  by: PersonId,
  countsFromMs: number,
  whose: PersonId,
  { directory, nowMs }: { readonly directory: Directory; readonly nowMs: number },
): Refusal | undefined {
  const may =
    by !== whose &&
    personIn(directory, by) !== undefined &&
    countsIn(directory, by, adminsOf(directory), nowMs) &&
    countsFromMs <= nowMs;
  return may
    ? undefined
    : refuse(
        'not_permitted',
        'Another person must confirm this: one of the administrators, whose own account counts.',
        { by, whose },
      );
}

/** Those whose account an unknown one may be by its verified e-mail address: compared as it is written. */
export const peopleOfEmail = (directory: Directory, email: string): readonly Person[] =>
  directory.people.filter((person) => person.active !== false && person.email === email);
