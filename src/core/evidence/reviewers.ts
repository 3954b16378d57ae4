/** How people reviewed: how often, how fast; and what each could have approved. */
import { adminsOf, isMember, membersOf, personIn, type Directory } from '../directory.ts';
import { glassGroupOf } from '../glass.ts';
import type { PersonId } from '../ids.ts';
import { short, type Shown } from '../render/shown.ts';
import type { Requirement } from '../verdict.ts';
import type { Approver } from './model-rows.ts';
import { fastMs, type AccessReview, type AccessRow, type ReviewerStatistics } from './model-sections.ts';

/** One review of the period. */
export type Reviewed = Pick<Approver, 'person' | 'decision' | 'atMs' | 'afterMs'>;

export interface ReviewFold {
  add(review: Reviewed): void;
  /** People for whom an approval opened: they were found eligible. */
  asked(people: Iterable<PersonId>): void;
  statistics(nameOf: (person: PersonId) => Shown): readonly ReviewerStatistics[];
  access(of: AccessOf): AccessReview;
}

export interface AccessOf {
  /** At the end of the period; null: it is not known. */
  readonly directory: Directory | null;
  readonly requirements: readonly Requirement[];
  readonly from: AccessReview['from'];
}

interface Work {
  approved: number;
  denied: number;
  asked: number;
  fast: number;
  lastMs: number | null;
  readonly timesMs: number[];
}

export function createReviews(): ReviewFold {
  const work = new Map<PersonId, Work>();
  const of = (person: PersonId): Work => {
    const known = work.get(person);
    if (known !== undefined) return known;
    const fresh: Work = { approved: 0, denied: 0, asked: 0, fast: 0, lastMs: null, timesMs: [] };
    work.set(person, fresh);
    return fresh;
  };
  return {
    add({ person, decision, atMs, afterMs }) {
      const one = of(person);
      if (decision === 'approve') one.approved += 1;
      else one.denied += 1;
      one.lastMs = Math.max(one.lastMs ?? atMs, atMs);
      if (afterMs === null) return;
      one.timesMs.push(afterMs);
      if (decision === 'approve' && afterMs < fastMs) one.fast += 1;
    },
    asked(people) {
      for (const person of people) of(person).asked += 1;
    },
    statistics: (nameOf) =>
      [...work]
        .filter(([, one]) => one.approved + one.denied > 0)
        .map(([person, one]) => ({
          person,
          name: nameOf(person),
          approved: one.approved,
          denied: one.denied,
          timed: one.timesMs.length,
          ...ranksOf(one.timesMs),
          fast: one.fast,
        }))
        .toSorted((a, b) => b.approved + b.denied - (a.approved + a.denied)),
    access: (asked) => accessOf(asked, work),
  };
}

/** Nearest rank: the value at ceil(p n) of the sorted values. */
export function ranksOf(timesMs: readonly number[]): Pick<ReviewerStatistics, 'medianMs' | 'ninetiethMs'> {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const rank = (tenths: number): number | null =>
    sorted[Math.ceil((sorted.length * tenths) / 10) - 1] ?? null;
  return { medianMs: rank(5), ninetiethMs: rank(9) };
}

function accessOf(
  { directory, requirements, from }: AccessOf,
  work: ReadonlyMap<PersonId, Work>,
): AccessReview {
  if (directory === null) return { rows: [], from, thin: [] };
  const rows = directory.people.map(({ id, name }): AccessRow => {
    const could = requirements.flatMap((one) => {
      const groups = [one.approvers, ...(one.escalate === null ? [] : [one.escalate.group])];
      const group = groups.find((each) => isMember(directory, id, each));
      return group === undefined ? [] : [{ id: one.id, title: short(one.title, 200), group }];
    });
    const did = work.get(id);
    const [approved, denied] = [did?.approved ?? 0, did?.denied ?? 0];
    return {
      person: id,
      name: short(name, 120),
      active: personIn(directory, id) !== undefined,
      could,
      operator: isMember(directory, id, directory.roles.operators),
      auditor: isMember(directory, id, directory.roles.auditors),
      admin: isMember(directory, id, adminsOf(directory)),
      glass: isMember(directory, id, glassGroupOf(directory)),
      asked: did?.asked ?? 0,
      approved,
      denied,
      lastMs: did?.lastMs ?? null,
      never: could.length > 0 && approved + denied === 0,
    };
  });
  const thin = requirements
    .map((one) => ({
      id: one.id,
      group: one.approvers,
      people: membersOf(directory, one.approvers).length,
      quorum: one.quorum,
    }))
    .filter(({ people, quorum }) => people < quorum);
  return { rows, from, thin };
}
