/**
 * Who reads what (design §5): auditors read everything and change nothing, operators read everything but the log, an owner
 * reads their own agents, and everybody who is signed in reads the policies, because a reviewer must be able to read the
 * rule that they are asked by. Pure; the pages and the API ask here and nowhere else.
 */
import {
  agentIn,
  isAuditor,
  isMember,
  isOperator,
  personIn,
  type Agent,
  type Directory,
  type Person,
} from './directory.ts';
import type { AgentId, PersonId } from './ids.ts';
import type { Requirement } from './verdict.ts';

/** The whole log, and the search in it: auditors only. */
export const mayReadLog = isAuditor;

/** How the gate itself stands: servers, pinned tools, limits, channels. Operators and auditors. */
export const mayReadGate = (directory: Directory, person: PersonId): boolean =>
  isOperator(directory, person) || isAuditor(directory, person);

/** The policies in force: everybody in the directory. */
export const mayReadPolicies = (directory: Directory, person: PersonId): boolean =>
  personIn(directory, person) !== undefined;

/** One agent: its owners, operators and auditors. */
export const mayReadAgent = (directory: Directory, person: PersonId, agent: AgentId): boolean =>
  mayReadGate(directory, person) || ownsAgent(directory, person, agent);

export const ownsAgent = (directory: Directory, person: PersonId, agent: AgentId): boolean =>
  personIn(directory, person) !== undefined && agentIn(directory, agent)?.owners.includes(person) === true;

/** The agents that somebody may read, in the order of the directory. */
export const agentsFor = (directory: Directory, person: PersonId): readonly Agent[] =>
  directory.agents.filter((agent) => mayReadAgent(directory, person, agent.id));

/** The people that somebody may read: operators and auditors all, everybody else themselves. */
export const peopleFor = (directory: Directory, person: PersonId): readonly Person[] =>
  directory.people.filter((one) => one.id === person || mayReadGate(directory, person));

/** What of an action decides who may be led to it: whose it is, and whom it asks. */
export interface Sighted {
  readonly agent: AgentId;
  readonly requirements: readonly Pick<Requirement, 'approvers' | 'escalate'>[];
}

/**
 * Whether a list may name an action to somebody: never wider than `mayRead` (core/may-stop.ts), which judges the page that it
 * leads to.
 */
export const mayGlance = (directory: Directory, person: PersonId, one: Sighted): boolean =>
  mayReadAgent(directory, person, one.agent) ||
  one.requirements.some(
    (requirement) =>
      isMember(directory, person, requirement.approvers) ||
      isMember(directory, person, requirement.escalate?.group ?? null),
  );
