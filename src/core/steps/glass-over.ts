/** Which break-glass lets an action pass, asked in the transactions that ask and that run. */
import type { Action } from '../action.ts';
import { conflictSet } from '../conflict.ts';
import { glassFor, type Glass } from '../glass.ts';
import type { Loaded } from '../loaded.ts';
import { worldOf } from './common.ts';

/**
 * The open one for this agent and operation; undefined where one of those who opened it has a part in this very action. They
 * opened it for others: what they started themself, or what an agent of theirs asks through this one, is held as ever.
 */
export function glassOver(action: Action, loaded: Loaded): Glass | undefined {
  const glass = glassFor(loaded.glasses, action, loaded.nowMs);
  if (glass === undefined) return undefined;
  const tied = conflictSet(action, [], { ...worldOf(loaded), changes: [] });
  return tied.some((one) => glass.approvers.includes(one.person)) ? undefined : glass;
}
