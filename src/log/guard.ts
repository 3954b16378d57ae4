/**
 * The store as everybody but the publisher has it: while the stored log is known to be altered, nothing is let run over it. What
 * denies, reviews, ends or reports goes on, and so do reads.
 */
import { letsRun, nothingRuns } from '../core/lets-run.ts';
import { err } from '../core/result.ts';
import type { Store } from '../ports/store.ts';

/** @param damage what was found altered, in a sentence; null: nothing was. */
export const whileWhole = (store: Store, damage: () => string | null): Store => ({
  ...store,
  change: async (command, idempotency, haste) => {
    const what = letsRun(command) ? damage() : null;
    return what === null
      ? store.change(command, idempotency, haste)
      : err({ kind: 'fault', detail: nothingRuns(what) });
  },
});
