/** Why nothing can be decided of an approval any more, in the words of people: the refusal of whoever comes too late. */
import type { State } from './case.ts';
import { refuse, type Refusal } from './refusal.ts';

const words: Readonly<Record<State, string>> = {
  pending: 'it still waits',
  ready: 'it is approved already',
  denied: 'it is denied already',
  expired: 'its time is over',
  cancelled: 'it was withdrawn',
  started: 'it is approved, and running',
  succeeded: 'it was approved, and has run',
  failed: 'it was approved, and has run; it failed',
  unknown: 'it was approved, and was run; how that ended is not known',
};

/** Code `approval_closed`; the state is its evidence, for programs. */
export const approvalClosed = (state: State): Refusal =>
  refuse('approval_closed', `This approval is closed: ${words[state]}.`, { state });
