/**
 * Which counterfactuals an agent may hear. A range ends where any policy of the action begins, so that one policy's `@tell_agent`
 * would tell the threshold of another one that keeps it. Promise: nothing of a value that a policy compares which does not say a
 * bare `@tell_agent`.
 */
import { asked, overlaps, type Place } from './atoms.ts';
import { isFrom } from './change.ts';
import type { Scene } from './interpret.ts';
import type { Slice } from './slice.ts';

/** One counterfactual in words, and the value that it is about. */
export interface Stated {
  readonly words: string;
  /** Null: a membership, which no agent can change. */
  readonly place: Place | null;
}

/** @param sum the template of the input field that `context.recent` adds up, if any. */
export function openToAgent(
  found: readonly Stated[],
  { slice, scene }: { readonly slice: Slice; readonly scene: Scene },
  sum: string | undefined,
): readonly Stated[] {
  const silent = [...slice.statements.values()].filter((statement) => statement.tellAgent !== true);
  const conditions = silent.flatMap((statement) => [...statement.head, ...statement.conditions]);
  const kept = [...asked(conditions, scene).reads.values()].map((read) => read.place);
  return found.filter(
    ({ place }) =>
      place !== null &&
      !kept.some(
        (other) =>
          overlaps(other, place) ||
          // A field that is added up is compared wherever its sums are.
          (other.root === 'recent' && place.root === 'input' && isFrom(sum, place.names)),
      ),
  );
}
