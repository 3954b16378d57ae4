/** Who may stop a held case, and who may see it at all: more people than may approve it (core/eligible.ts). */
import type { Action } from './action.ts';
import type { Case } from './case.ts';
import { absentOf, type Absences } from './delegation.ts';
import {
  agentIn,
  isAuditor,
  isOperator,
  personIn,
  sameChain,
  type AgentPrincipal,
  type Directory,
  type Principal,
} from './directory.ts';
import { isAsked } from './eligible.ts';
import { isTheirs } from './gate-operations.ts';
import type { PersonId } from './ids.ts';

/** Whom a person stands in for who is asked; only while it is open, because whoever stands in sees what waits and no more. */
export const absentHere = (held: Case, person: PersonId, world: Absences): PersonId | undefined =>
  held.ending === null && held.execution === null
    ? absentOf(person, world).find((absent) => isAsked(held, absent, world))
    : undefined;

// RULE anyone-may-stop
/** Approvers, those who stand in for one, the agent's owners and operators may stop an action, conflicted or not; auditors only read. */
export const mayStop = (held: Case, person: PersonId, world: Absences): boolean =>
  mayStopAsSelf(held, person, world) || absentHere(held, person, world) !== undefined;

/** The same without the voice of anybody who is away. */
export function mayStopAsSelf(
  held: Case,
  person: PersonId,
  world: { readonly directory: Directory },
): boolean {
  if (personIn(world.directory, person) === undefined) return false;
  if (isOperator(world.directory, person)) return true;
  if (isTheirs(held.asked.action, person, world.directory)) return true;
  if (agentIn(world.directory, held.asked.action.agent)?.owners.includes(person) === true) return true;
  return isAsked(held, person, world);
}

/**
 * What an agent asked: with its own credential all of it, and with a token for somebody only what it asked for them. Many
 * people may hold a token of one agent, and what it did for one of them is not another's to see, run or withdraw.
 */
export const isOwn = (action: Action, { id, chain }: Pick<AgentPrincipal, 'id' | 'chain'>): boolean =>
  action.agent === id && (chain === undefined || sameChain(action, chain));

/** Whether a person may see a case at all: those who may stop it, whoever reviewed it, and auditors. */
export function mayRead(held: Case, by: Principal, world: Absences): boolean {
  if (by.kind === 'agent') return isOwn(held.asked.action, by);
  return (
    mayStop(held, by.id, world) ||
    isAuditor(world.directory, by.id) ||
    held.reviews.some((review) => review.person === by.id)
  );
}
