/**
 * The store as everybody but the publisher has it: while the stored log is known to be altered, nothing is let run over it. What
 * denies, reviews, ends or reports goes on, and so do reads.
 */
import type { Command } from '../core/command.ts';
import { err } from '../core/result.ts';
import type { Store } from '../ports/store.ts';

/** Whether a command lets something run, or leads to it. What is denied anyway is recorded as ever. */
function letsRun(command: Command): boolean {
  // What people approved of the configuration is put in force by a run of the gate's own.
  if (command.kind === 'claim' || command.kind === 'applyChange') return true;
  return (
    command.kind === 'ask' && (command.asked.verdict.effect !== 'deny' || command.asked.mode === 'observe')
  );
}

/** @param damage what was found altered, in a sentence; null: nothing was. */
export const whileWhole = (store: Store, damage: () => string | null): Store => ({
  ...store,
  change: async (command, idempotency, haste) => {
    const what = letsRun(command) ? damage() : null;
    return what === null
      ? store.change(command, idempotency, haste)
      : err({ kind: 'fault', detail: `The stored log was altered, so nothing runs: ${what}.` });
  },
});
