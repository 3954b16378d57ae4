/**
 * The conflict set: the people who cannot approve an action because it is, in some way, theirs (design §6). Computed from
 * the action and the accepted directory; nothing in it is claimed by the agent.
 */
import type { Action } from './action.ts';
import { agentIn, anybodyIn, type Change, type Directory } from './directory.ts';
import { agentAbout, isGateAction } from './gate-operations.ts';
import type { AgentId, PersonId } from './ids.ts';
import type { Requirement } from './verdict.ts';

export interface Conflicted {
  readonly person: PersonId;
  /** One sentence that names the tie, for the page: "owns the agent crm-bot". */
  readonly why: string;
}

/** How long a change keeps its maker from approving what depends on it. */
export const changeConflictMs = 7 * 24 * 3_600_000;

/** Everyone who may not approve, each once, with the first reason found. Ordered: owner, starter, chain, changes. */
export function conflictSet(
  action: Action,
  requirements: readonly Requirement[],
  world: { readonly directory: Directory; readonly changes: readonly Change[]; readonly nowMs: number },
): readonly Conflicted[] {
  const found = new Map<PersonId, string>();
  const add = (person: PersonId | undefined, why: string): void => {
    if (person !== undefined && !found.has(person)) found.set(person, why);
  };
  // A team's agent names its accountable owner first; if every owner were barred, a team could never be asked.
  add(agentIn(world.directory, action.agent)?.owners[0], `owns the agent ${action.agent}`);
  const about = agentAbout(action);
  // What the gate asks about an agent is its owners' own, each of them: they are more than it takes for one action.
  if (about !== null)
    for (const owner of ownersOf(world.directory, about)) add(owner, `owns the agent ${about}`);
  if (action.startedBy !== null)
    add(action.startedBy, isGateAction(action) ? 'asked for this' : 'started the session');
  for (const link of action.delegation) {
    if (link.kind === 'person') add(link.id, 'is in the delegation chain');
    else
      for (const owner of ownersOf(world.directory, link.id))
        add(owner, `owns the delegating agent ${link.id}`);
  }
  for (const change of world.changes) {
    if (
      world.nowMs - change.atMs < changeConflictMs &&
      concerns(change, action, requirements) &&
      !seconded(change)
    ) {
      add(change.by, `changed the ${change.what} ${change.id} within 7 days`);
    }
  }
  return [...found].map(([person, why]) => ({ person, why }));
}

const ownersOf = (directory: Directory, agent: AgentId): readonly PersonId[] =>
  agentIn(directory, agent)?.owners ?? [];

/** A second person is another person: nobody accepts their own change. */
const seconded = (change: Change): boolean => change.acceptedBy !== null && change.acceptedBy !== change.by;

function concerns(change: Change, action: Action, requirements: readonly Requirement[]): boolean {
  switch (change.what) {
    case 'policy':
      return requirements.some((one) => one.id === change.id);
    case 'group':
      return requirements.some((one) => one.approvers === change.id || one.escalate?.group === change.id);
    case 'agent':
      return (
        change.id === action.agent ||
        change.id === agentAbout(action) ||
        action.delegation.some((link) => link.kind === 'agent' && link.id === change.id)
      );
    case 'tool':
      return change.id === action.operation;
  }
}

/** For the page: the conflicted who are otherwise approvers, with their names. */
export const nameOf = (directory: Directory, id: PersonId): string => anybodyIn(directory, id)?.name ?? id;
