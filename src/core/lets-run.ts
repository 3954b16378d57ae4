/** Which commands let something run: what nobody may do over a log that was altered. */
import type { Command } from './command.ts';

/** Whether a command lets something run, or leads to it. What is denied anyway is recorded as ever. */
export function letsRun(command: Command): boolean {
  // What people approved of the configuration is put in force by a run of the gate's own.
  if (command.kind === 'claim' || command.kind === 'applyChange') return true;
  return (
    command.kind === 'ask' && (command.asked.verdict.effect !== 'deny' || command.asked.mode === 'observe')
  );
}

/** Why it is not decided, for operators. @param what was found altered, in a sentence. */
export const nothingRuns = (what: string): string =>
  `The stored log was altered, so nothing runs: ${what.replace(/\.$/, '')}.`;
