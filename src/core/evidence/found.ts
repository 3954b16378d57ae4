/** What one check found. */
import type { Shown } from '../render/shown.ts';
import type { Check, CheckResult } from './model-rows.ts';
import type { Seen } from './read.ts';

export type Found = Omit<Check, 'name'>;

/** @param entries those that it rests on; what is not there is left out */
export const found = (result: CheckResult, why: Shown, entries: readonly (Seen | undefined)[]): Found => ({
  result,
  why,
  entries: entries.filter((one) => one !== undefined).map(({ entry }) => entry.index),
});
