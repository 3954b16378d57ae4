/**
 * The people and agents of one organisation, as accepted by the store. A directory is a value with a version: whoever
 * judged with one version is told when another has been accepted since.
 */
import type { AgentId, GroupId, PersonId, PolicyId } from './ids.ts';

export interface Person {
  readonly id: PersonId;
  readonly name: string;
  readonly groups: readonly GroupId[];
}

export interface Agent {
  readonly id: AgentId;
  /** People; the first is accountable. Never empty. */
  readonly owners: readonly PersonId[];
  readonly groups: readonly GroupId[];
}

export interface Roles {
  /** Pins tools, lifts pauses, settles unknown outcomes. */
  readonly operators: GroupId | null;
  /** Reads the log and all approvals. */
  readonly auditors: GroupId | null;
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

export const personIn = (directory: Directory, id: PersonId): Person | undefined =>
  directory.people.find((person) => person.id === id);

export const agentIn = (directory: Directory, id: AgentId): Agent | undefined =>
  directory.agents.find((agent) => agent.id === id);

export const membersOf = (directory: Directory, group: GroupId): readonly Person[] =>
  directory.people.filter((person) => person.groups.includes(group));

/** Whether the person is in the group today; false for a group that is null or a person who has left. */
export function isMember(directory: Directory, person: PersonId, group: GroupId | null): boolean {
  return group !== null && personIn(directory, person)?.groups.includes(group) === true;
}

/** Who is speaking to the gate, once authenticated. */
export type Principal =
  { readonly kind: 'agent'; readonly id: AgentId } | { readonly kind: 'person'; readonly id: PersonId };
