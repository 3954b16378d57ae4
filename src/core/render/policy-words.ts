/** A policy's annotations in words, for pages: whom it asks, how many, for how long. */
import { duration } from '../time.ts';
import { requirementDefaults, type Requirement } from '../verdict.ts';
import { line, listed, say, short, type Shown } from './shown.ts';

export type PolicyEffect = 'permit' | 'forbid';

/** What a policy does, in two or three words for a mark. */
export function effectWords(effect: PolicyEffect, requirement: Requirement | null): Shown {
  if (requirement !== null) return line('asks people');
  return line(effect === 'permit' ? 'permits' : 'forbids');
}

/** "1 of data-owners, within 4 h", and what else it wants; nothing for a policy that asks nobody. */
export function requirementLines(requirement: Requirement | null): readonly Shown[] {
  if (requirement === null) return [];
  const { quorum, approvers, ttlMs, grantMs, reasonRequired, stepUp, channels, escalate } = requirement;
  const people =
    quorum === 1
      ? say`1 of ${short(approvers, 80)}, within ${duration(ttlMs)}`
      : say`${quorum} different people of ${short(approvers, 80)}, within ${duration(ttlMs)}`;
  return [
    people,
    ...(escalate === null
      ? []
      : [say`after ${duration(escalate.afterMs)} without them, ${short(escalate.group, 80)} may too`]),
    ...(grantMs === requirementDefaults.grantMs ? [] : [say`then ${duration(grantMs)} to run it`]),
    ...(reasonRequired ? [line('with a reason')] : []),
    ...(stepUp === null ? [] : [line('with a passkey')]),
    ...(channels === null ? [] : [say`only in ${short(listed(channels), 80)}`]),
  ];
}
