/**
 * The people and agents of one organisation, as accepted by the store. A directory is a value with a version: whoever
 * judged with one version is told when another has been accepted since.
 */
import type { Way } from './accounts.ts';
import type { Delegate } from './action.ts';
import { asGroupId, type AgentId, type GroupId, type PersonId, type PolicyId } from './ids.ts';

export interface Person {
  readonly id: PersonId;
  readonly name: string;
  readonly groups: readonly GroupId[];
  /** For `linkByEmail` alone (docs/people.md): it identifies nobody anywhere else. */
  readonly email?: string;
  /** False: deactivated. Keeps the name and the ties of the past, and may do nothing. Absent: active. */
  readonly active?: false;
  /** Those of `groups` that count for approving only from a time, because a provider claimed them lately. */
  readonly fresh?: readonly { readonly group: GroupId; readonly countsFromMs: number }[];
}

export interface Agent {
  readonly id: AgentId;
  /** People; the first is accountable. Never empty. */
  readonly owners: readonly PersonId[];
  readonly groups: readonly GroupId[];
  /** False: deactivated; its owners stay tied to what it asked. Absent: active. */
  readonly active?: false;
}

export interface Roles {
  /** Pins tools, lifts pauses, settles unknown outcomes. */
  readonly operators: GroupId | null;
  /** Reads the log and all approvals. */
  readonly auditors: GroupId | null;
  /** Accepts changes of who may do what; absent: the group `admins`. */
  readonly admins?: GroupId;
  /** How many of them a change needs, from 1; absent: 2. */
  readonly adminsQuorum?: number;
  /** Agents that may name the author of a change: the identity of a CI system. */
  readonly proposers?: readonly AgentId[];
  /** Opens break-glass (core/glass.ts); absent: the admins. */
  readonly breakGlass?: GroupId;
}

export interface Directory {
  readonly people: readonly Person[];
  readonly agents: readonly Agent[];
  readonly roles: Roles;
}

/** A change that could loosen what holds an action: its maker may not approve what depends on it for 7 days. */
export interface Change {
  readonly what: 'policy' | 'group' | 'agent' | 'tool';
  /** The policy's, group's or agent's id; for a tool its full operation name. */
  readonly id: PolicyId | GroupId | AgentId | string;
  readonly by: PersonId;
  /** A second person who accepted the change; then its maker is not conflicted. */
  readonly acceptedBy: PersonId | null;
  readonly atMs: number;
}

export const emptyDirectory: Directory = {
  people: [],
  agents: [],
  roles: { operators: null, auditors: null },
};

/** Lists of a directory by id: a list never changes, so each is gone through once and not at every question. */
const peopleById = new WeakMap<readonly Person[], ReadonlyMap<PersonId, Person>>();
const agentsById = new WeakMap<readonly Agent[], ReadonlyMap<AgentId, Agent>>();

function byId<Id, T extends { readonly id: Id }>(
  known: WeakMap<readonly T[], ReadonlyMap<Id, T>>,
  list: readonly T[],
): ReadonlyMap<Id, T> {
  let found = known.get(list);
  if (found === undefined) {
    // Of two with one id the first counts.
    found = new Map(list.toReversed().map((one) => [one.id, one]));
    known.set(list, found);
  }
  return found;
}

/** An active person: whoever may do anything at all. */
export const personIn = (directory: Directory, id: PersonId): Person | undefined => {
  const person = anybodyIn(directory, id);
  return person?.active === false ? undefined : person;
};

/** A person, deactivated or not: for names and ties, never for what somebody may do. */
export const anybodyIn = (directory: Directory, id: PersonId): Person | undefined =>
  byId(peopleById, directory.people).get(id);

/** An agent, deactivated or not: whose it is does not end with it. */
export const agentIn = (directory: Directory, id: AgentId): Agent | undefined =>
  byId(agentsById, directory.agents).get(id);

/** Whether an agent may speak at all. */
export const isActiveAgent = (directory: Directory, id: AgentId): boolean => {
  const agent = agentIn(directory, id);
  return agent !== undefined && agent.active !== false;
};

/** Active people of a group. */
export const membersOf = (directory: Directory, group: GroupId): readonly Person[] =>
  directory.people.filter((person) => person.active !== false && person.groups.includes(group));

/** Whether the person is in the group today; false for a group that is null or a person who has left. */
export function isMember(directory: Directory, person: PersonId, group: GroupId | null): boolean {
  return group !== null && personIn(directory, person)?.groups.includes(group) === true;
}

/** Whether the membership counts for approving at this time: one that a provider claimed lately does not yet. */
export const countsIn = (
  directory: Directory,
  person: PersonId,
  group: GroupId | null,
  nowMs: number,
): boolean =>
  isMember(directory, person, group) &&
  personIn(directory, person)?.fresh?.some((one) => one.group === group && nowMs < one.countsFromMs) !== true;

/** The group whose people accept changes of who may do what. */
export const adminsOf = ({ roles }: Directory): GroupId => roles.admins ?? asGroupId('admins');

/** In that group today. */
export const isAdmin = (directory: Directory, person: PersonId): boolean =>
  isMember(directory, person, adminsOf(directory));

/** An active agent that may name the author of a change. */
export const isProposer = (directory: Directory, agent: AgentId): boolean =>
  isActiveAgent(directory, agent) && directory.roles.proposers?.includes(agent) === true;

/** In the group of `roles.operators` today. */
export const isOperator = (directory: Directory, person: PersonId): boolean =>
  isMember(directory, person, directory.roles.operators);

/** In the group of `roles.auditors` today. */
export const isAuditor = (directory: Directory, person: PersonId): boolean =>
  isMember(directory, person, directory.roles.auditors);

/** What a verified token says of whom an agent acts for (RFC 8693 §4.1, `sub` and `act`); never what a request body says. */
export interface Chain {
  readonly startedBy: PersonId | null;
  /** Nearest to the agent last, without the agent itself. */
  readonly delegation: readonly Delegate[];
}

/** An agent that acts for nobody but its owners. */
export const noChain: Chain = { startedBy: null, delegation: [] };

export const sameChain = (a: Chain, b: Chain): boolean =>
  a.startedBy === b.startedBy &&
  a.delegation.length === b.delegation.length &&
  a.delegation.every((link, at) => link.kind === b.delegation[at]?.kind && link.id === b.delegation[at].id);

/** How an agent was authenticated; holds no secret. */
export type Credential =
  /** A bearer token of the gate's own, by its public id. */
  | { readonly kind: 'token'; readonly id: string }
  /** A workload token: whose it is at its issuer. */
  | { readonly kind: 'workload'; readonly issuer: string; readonly subject: string | null };

/** An agent that speaks. */
export interface AgentPrincipal {
  readonly kind: 'agent';
  readonly id: AgentId;
  /** Absent: it acts for nobody but its owners. */
  readonly chain?: Chain;
  /** Absent where a test or a part of the gate speaks for it. */
  readonly via?: Credential;
}

/** Who is speaking to the gate, once authenticated. */
export type Principal =
  | AgentPrincipal
  /** `way`: how they proved it; absent where a test or a part of the gate speaks for them. */
  | { readonly kind: 'person'; readonly id: PersonId; readonly way?: Way };
