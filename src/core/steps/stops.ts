/** Stopping an agent, and letting it go on: one person may stop it, only an operator who is not its owner may lift that. */
import type { UseCommand } from '../command-access.ts';
import type { LiftCommand, StopCommand } from '../command-gate.ts';
import type { Absences } from '../delegation.ts';
import { agentIn, isOperator, personIn } from '../directory.ts';
import { aboutNothing, type EntryDraft } from '../entry.ts';
import { gateAgent } from '../gate.ts';
import type { AgentId, PersonId } from '../ids.ts';
import type { Loaded, Step } from '../loaded.ts';
import { ok } from '../result.ts';
import { refuse } from '../refusal.ts';
import { mayStop } from '../may-stop.ts';
import type { Stop } from '../stops.ts';
import { data, done, refused } from './common.ts';
import { endingsOfStopped } from './glass-ends.ts';

const entry = (type: 'agent.stopped' | 'stop.lifted', by: PersonId, fields: object): EntryDraft => ({
  type,
  by: { kind: 'person', id: by },
  about: aboutNothing,
  subject: null,
  data: data(fields),
});

/** Its owners and operators may, and whoever may stop an action of it that they looked at. */
export function mayStopAgent(
  agent: AgentId,
  person: PersonId,
  world: Pick<Loaded, 'directory' | 'case'> & Absences,
): boolean {
  const { directory, case: held } = world;
  if (personIn(directory, person) === undefined) return false;
  // What the gate asks for itself can be denied; the gate is no agent that could be stopped.
  if (agent === gateAgent) return false;
  if (isOperator(directory, person)) return true;
  if (agentIn(directory, agent)?.owners.includes(person) === true) return true;
  return held !== null && held.asked.action.agent === agent && mayStop(held, person, world);
}

/** Operators may, but not those who own the agent: nobody lifts what others imposed on what is theirs. */
export const mayLift = (
  agent: AgentId,
  person: PersonId,
  { directory }: Pick<Loaded, 'directory'>,
): boolean => isOperator(directory, person) && agentIn(directory, agent)?.owners.includes(person) !== true;

export function stop(command: StopCommand, loaded: Loaded): Step {
  const { agent, by, reason } = command;
  if (!mayStopAgent(agent, by, loaded))
    return refused(
      refuse(
        'not_permitted',
        'Only its owners, operators and those who review its actions may stop an agent.',
      ),
    );
  if (agentIn(loaded.directory, agent) === undefined)
    return refused(refuse('not_found', 'There is no such agent.'));
  if (loaded.stops.some((one) => one.agent === agent && one.operation === null)) return done;
  const row: Stop = {
    agent,
    operation: null,
    kind: 'stopped',
    by: { kind: 'person', id: by },
    reason,
    atMs: loaded.nowMs,
  };
  // What lets it pass without people ends with it.
  const glass = endingsOfStopped(agent, loaded, row.by);
  return {
    answer: ok({ kind: 'done' }),
    writes: [{ row: 'stop', stop: row }, ...glass.writes],
    entries: [entry('agent.stopped', by, { agent, reason }), ...glass.entries],
    notices: glass.notices,
  };
}

/** Whoever is told no learns whether anybody else could. */
const nobodyLifts = (agent: AgentId, { directory }: Pick<Loaded, 'directory'>): boolean =>
  !directory.people.some(({ id }) => mayLift(agent, id, { directory }));

export function lift(command: LiftCommand, loaded: Loaded): Step {
  const { agent, operation, by, reason } = command;
  if (!mayLift(agent, by, loaded))
    return refused(
      refuse(
        'not_permitted',
        `Only an operator who does not own the agent may let it go on${nobodyLifts(agent, loaded) ? ', and there is none: put somebody else into the group of roles.operators, or give the work to another agent' : ''}.`,
      ),
    );
  if (!loaded.stops.some((one) => one.agent === agent && one.operation === operation))
    return refused(
      refuse('not_found', operation === null ? 'This agent is not stopped.' : `${operation} is not paused.`),
    );
  return {
    answer: ok({ kind: 'done' }),
    writes: [{ row: 'lifted', agent, operation }],
    entries: [entry('stop.lifted', by, { agent, operation, reason })],
    notices: [],
  };
}

/** Used up by being asked about: the second time it is refused. */
export function use(command: UseCommand, loaded: Loaded): Step {
  if (loaded.used || command.expiresAtMs <= loaded.nowMs)
    return refused(refuse('input_invalid', 'This was used before, or it is too old.'));
  return {
    answer: ok({ kind: 'done' }),
    writes: [{ row: 'used', hash: command.hash, expiresAtMs: command.expiresAtMs }],
    entries: [],
    notices: [],
  };
}
