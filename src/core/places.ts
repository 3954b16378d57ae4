/**
 * Places: a requirement of quorum n is n places, and different people fill different places. Whether a set of people can
 * fill them all is a bipartite matching, not a count: one person in two groups fills one place of all.
 */
import type { PersonId } from './ids.ts';
import type { Requirement } from './verdict.ts';

/** Who may fill a place of a requirement. */
export type Eligible = (person: PersonId, requirement: Requirement) => boolean;

interface Place {
  /** Requirements that this place stands for: those with the same approvers share their places. */
  readonly serves: readonly Requirement[];
}

/** The most that requirements of one group say, by group in the order given: they share their places. */
export function mostByGroup<One extends { readonly approvers: string }>(
  requirements: readonly One[],
  of: (one: One) => number,
): ReadonlyMap<One['approvers'], number> {
  const most = new Map<One['approvers'], number>();
  for (const one of requirements) most.set(one.approvers, Math.max(of(one), most.get(one.approvers) ?? 0));
  return most;
}

/** Requirements with the same approvers merge to the larger quorum; a place then serves each of them up to its quorum. */
function placesOf(requirements: readonly Requirement[]): readonly Place[] {
  const places: Place[] = [];
  for (const [group, most] of mostByGroup(requirements, (one) => one.quorum))
    for (let place = 1; place <= most; place += 1)
      places.push({ serves: requirements.filter((one) => one.approvers === group && one.quorum >= place) });
  return places;
}

export interface Filling {
  /** True when every place is filled by a person of its own. */
  readonly met: boolean;
  /** Filled places by requirement, in the order given; never above its quorum. */
  readonly counts: readonly {
    readonly requirement: Requirement;
    readonly count: number;
    readonly met: boolean;
  }[];
}

/** Fills as many places as can be filled at once (augmenting paths); deterministic for the same order of people. */
export function fillPlaces(
  requirements: readonly Requirement[],
  people: readonly PersonId[],
  eligible: Eligible,
): Filling {
  const places = placesOf(requirements);
  const holder = new Map<Place, PersonId>();
  const distinct = [...new Set(people)];
  // To hold a place is to be eligible for each requirement that it serves.
  const fits = (person: PersonId, place: Place): boolean =>
    place.serves.every((one) => eligible(person, one));
  const seat = (person: PersonId, tried: Set<Place>): boolean => {
    for (const place of places) {
      if (tried.has(place) || !fits(person, place)) continue;
      tried.add(place);
      const sitting = holder.get(place);
      if (sitting === undefined || seat(sitting, tried)) {
        holder.set(place, person);
        return true;
      }
    }
    return false;
  };
  for (const person of distinct) seat(person, new Set());
  const counts = requirements.map((requirement) => {
    const count = places.filter((place) => holder.has(place) && place.serves.includes(requirement)).length;
    return { requirement, count, met: count >= requirement.quorum };
  });
  return { met: holder.size === places.length, counts };
}
