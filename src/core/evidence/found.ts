/** What one check found. */
import type { Shown } from '../render/shown.ts';
import type { Check, CheckResult } from './model-rows.ts';
import type { Seen } from './read.ts';

export type Found = Omit<Check, 'name'>;

/** @param entries those that it rests on, in any order; what is not there is left out */
export const found = (result: CheckResult, why: Shown, entries: readonly (Seen | undefined)[]): Found => ({
  result,
  why,
  entries: [...new Set(entries.flatMap((one) => (one === undefined ? [] : [one.entry.index])))].toSorted(
    (a, b) => a - b,
  ),
});
