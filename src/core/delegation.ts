/**
 * Out of office: somebody who is away lets another person fill the places that they could fill themself. Self-service, for
 * at most 30 days, over at once when it is ended.
 *
 * Promises: it is never passed on (whoever stands in hands on nothing but their own places); it is void while either of the
 * two is deactivated; and the two are one for any approval while it holds, so that nobody is counted twice by being away.
 * What it may fill is judged in core/eligible.ts.
 */
import { personIn, type Directory } from './directory.ts';
import type { DelegationId, PersonId } from './ids.ts';

export interface Delegation {
  readonly id: DelegationId;
  /** Who is away. */
  readonly from: PersonId;
  /** Who stands in. */
  readonly to: PersonId;
  /** When it was arranged. */
  readonly atMs: number;
  /** Inclusive. */
  readonly fromMs: number;
  /** Exclusive. */
  readonly untilMs: number;
  readonly endedAtMs: number | null;
}

/** The longest that somebody may be away for. */
export const delegationMaxMs = 30 * 24 * 3_600_000;
/** How far ahead it may be arranged. */
export const delegationAheadMs = 90 * 24 * 3_600_000;
/** Of one person that are not over: the next holidays, and no list that grows. */
export const delegationsMax = 10;

/** What standing in is judged in. Without delegations or a time, nobody stands in for anybody. */
export interface Absences {
  readonly directory: Directory;
  readonly delegations?: readonly Delegation[];
  readonly nowMs?: number;
}

/** Whether it holds at this moment, between two active people. */
export const holdsNow = (one: Delegation, { directory, nowMs }: Absences): boolean =>
  nowMs !== undefined &&
  one.endedAtMs === null &&
  one.fromMs <= nowMs &&
  nowMs < one.untilMs &&
  one.from !== one.to &&
  personIn(directory, one.from) !== undefined &&
  personIn(directory, one.to) !== undefined;

/** Those whom a person stands in for now, each once, in the order given. Not those whom these stand in for. */
export const absentOf = (person: PersonId, world: Absences): readonly PersonId[] => [
  ...new Set(
    (world.delegations ?? [])
      .filter((one) => one.to === person && holdsNow(one, world))
      .map((one) => one.from),
  ),
];

/** Those who stand in for a person now, each once. */
export const standInsOf = (person: PersonId, world: Absences): readonly PersonId[] => [
  ...new Set(
    (world.delegations ?? [])
      .filter((one) => one.from === person && holdsNow(one, world))
      .map((one) => one.to),
  ),
];

/** Whether one of the two stands in for the other now: then only one of them counts for an approval. */
export const areOne = (a: PersonId, b: PersonId, world: Absences): boolean =>
  absentOf(a, world).includes(b) || absentOf(b, world).includes(a);
