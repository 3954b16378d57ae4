/**
 * What people do here besides approving: read and administer. Each act has a name that policies use too, and one guard in
 * core, found here by that name. Policies narrow what these answer (src/policy/roles.ts); nothing widens it.
 */
import { splitOperation } from './action.ts';
import { requirementsOf, type Case } from './case.ts';
import { absentOf, type Absences } from './delegation.ts';
import { agentIn, isOperator, personIn, type Directory } from './directory.ts';
import { gateAgent } from './gate.ts';
import type { AgentId, GroupId, PersonId } from './ids.ts';
import { mayReadAgent, mayReadGate, mayReadLog, peopleFor } from './reads.ts';
import { absentHere, mayRead, mayStop } from './may-stop.ts';
import { mayReadInput, standsInHere } from './sight.ts';
import { mayLift, mayStopAgent } from './steps/stops.ts';

/** Every act, as policies name it: `Action::"read_input"`. */
export const acts = [
  'read',
  'read_input',
  'read_log',
  'read_gate',
  'read_agent',
  'read_person',
  'stop',
  'cancel',
  'lift',
  'settle',
  'accept_tool',
] as const;
export type Act = (typeof acts)[number];

/** Those that no policy narrows, by the rule anyone-may-stop: whoever may stop an action may always stop it. */
export const unnarrowed: ReadonlySet<Act> = new Set<Act>(['stop', 'cancel']);

/** What an act is done to. */
export type Subject =
  | { readonly kind: 'case'; readonly held: Case }
  | { readonly kind: 'agent'; readonly agent: AgentId }
  | { readonly kind: 'person'; readonly person: PersonId }
  | { readonly kind: 'server'; readonly server: string }
  | { readonly kind: 'gate' };

export const theGate: Subject = { kind: 'gate' };

/** Whether core lets a person do it: the guard that policies stand beside, and that the transaction asks again. */
export function mayAct(act: Act, person: PersonId, subject: Subject, world: Absences): boolean {
  const { directory } = world;
  if (personIn(directory, person) === undefined) return false;
  switch (subject.kind) {
    case 'case':
      return onCase(act, person, subject.held, world);
    case 'agent':
      return onAgent(act, person, subject.agent, directory);
    case 'person':
      return act === 'read_person' && peopleFor(directory, person).some((one) => one.id === subject.person);
    case 'server':
      return act === 'accept_tool' && isOperator(directory, person);
    case 'gate':
      return (
        (act === 'read_log' && mayReadLog(directory, person)) ||
        (act === 'read_gate' && mayReadGate(directory, person))
      );
  }
}

function onCase(act: Act, person: PersonId, held: Case, world: Absences): boolean {
  const by = { kind: 'person', id: person } as const;
  switch (act) {
    case 'read':
      return mayRead(held, by, world);
    case 'read_input':
      return mayReadInput(held, by, world);
    case 'stop':
    case 'cancel':
      return mayStop(held, person, world);
    case 'settle':
      return isOperator(world.directory, person);
    case 'read_log':
    case 'read_gate':
    case 'read_agent':
    case 'read_person':
    case 'lift':
    case 'accept_tool':
      return false;
  }
}

function onAgent(act: Act, person: PersonId, agent: AgentId, directory: Directory): boolean {
  switch (act) {
    case 'read_agent':
      return mayReadAgent(directory, person, agent);
    case 'stop':
      return mayStopAgent(agent, person, { directory, case: null });
    case 'lift':
      return mayLift(agent, person, { directory });
    case 'read':
    case 'read_input':
    case 'read_log':
    case 'read_gate':
    case 'read_person':
    case 'cancel':
    case 'settle':
    case 'accept_tool':
      return false;
  }
}

/** What policies are told of a subject: whose it is and whom it asks, never what it holds. */
export type Facts =
  | CaseFacts
  | { readonly kind: 'agent'; readonly agent: AgentId }
  | { readonly kind: 'person'; readonly person: PersonId }
  | { readonly kind: 'server'; readonly server: string }
  | { readonly kind: 'gate' };

export interface CaseFacts {
  readonly kind: 'case';
  readonly agent: AgentId;
  readonly operation: string;
  /** What stands before the three underscores; empty where there are none. */
  readonly server: string;
  /** The type of its resource, not its name: that may be the input's. */
  readonly resourceType: string;
  /** The groups that its requirements ask, escalation included. */
  readonly approvers: readonly GroupId[];
  /** Who could approve it when it was asked, and who stands in for one of them. */
  readonly asked: readonly PersonId[];
  /** Who stands in for one of today's approvers. */
  readonly standIns: readonly PersonId[];
  readonly reviewers: readonly PersonId[];
  readonly approvedBy: readonly PersonId[];
}

/** The facts of a subject, now. */
export function factsOf(subject: Subject, world: Absences): Facts {
  if (subject.kind !== 'case') return subject;
  const { held } = subject;
  const { action } = held.asked;
  const requirements = requirementsOf(held);
  const deputies = [...new Set((world.delegations ?? []).map((one) => one.to))].filter(
    (person) => absentOf(person, world).length > 0,
  );
  const then = held.approval?.eligibleThen.flatMap((one) => one.people) ?? [];
  return {
    kind: 'case',
    agent: action.agent,
    operation: action.operation,
    server: splitOperation(action.operation)?.target ?? '',
    resourceType: action.resource.type,
    approvers: [
      ...new Set(
        requirements.flatMap((one) => [
          one.approvers,
          ...(one.escalate === null ? [] : [one.escalate.group]),
        ]),
      ),
    ],
    asked: [
      ...new Set([...then, ...deputies.filter((person) => absentHere(held, person, world) !== undefined)]),
    ],
    standIns: deputies.filter((person) => standsInHere(held, person, world)),
    reviewers: held.reviews.map((one) => one.person),
    approvedBy: held.reviews.filter((one) => one.decision === 'approve').map((one) => one.person),
  };
}

/** What the gate asks for itself is judged without policies, so that a broken folder cannot keep people from mending it. */
export const isOfPolicy = (subject: Subject, directory: Directory): boolean =>
  subject.kind !== 'case' ||
  subject.held.asked.action.agent !== gateAgent ||
  // A configuration cannot give the name away; where one did, nothing is exempt.
  agentIn(directory, gateAgent) !== undefined;
