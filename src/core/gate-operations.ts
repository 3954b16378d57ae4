/**
 * What the gate asks people about itself, as actions (names: core/gate.ts). Each is a case of the agent `gate`, started by the
 * person who asked, with a verdict that the gate makes: Cedar is not asked, so that a broken policy folder can neither let one
 * pass nor keep it from being decided. What is done in the transaction of its last approval: core/steps/gate-operations.ts.
 */
import { identify, type Action, type Delegate, type Identified, type Resource } from './action.ts';
import { canonicalize } from './canonical.ts';
import type { MayApproveRows } from './judged.ts';
import { agentIn, type Directory } from './directory.ts';
import { gateAgent, gateName, gateOperation, isGates } from './gate.ts';
import {
  asAgentId,
  asExecutionId,
  asSha256Hex,
  type ActionId,
  type AgentId,
  type ExecutionId,
  type PersonId,
} from './ids.ts';
import type { JsonObject } from './json.ts';
import { profileHash, type Profile } from './profile.ts';
import { sha256Hex } from './sha256.ts';
import type { Requirement, Verdict, Versions } from './verdict.ts';

/** Whether an action is the gate's own. Both must be: neither name alone makes one. */
export const isGateAction = (action: Pick<Action, 'agent' | 'operation'>): boolean =>
  action.agent === gateAgent && isGates(action.operation);

/** The agent that a gate's own action is about; null where it is about none. Its owners are tied to it as to the agent's own. */
export function agentAbout(action: Pick<Action, 'agent' | 'operation' | 'resource'>): AgentId | null {
  return isGateAction(action) && action.resource.type === 'Agent' ? asAgentId(action.resource.id) : null;
}

/** Whether somebody may read and withdraw it because it is theirs: they asked, or it is about an agent that they own. */
export const isTheirs = (action: Action, person: PersonId, directory: Directory): boolean => {
  if (!isGateAction(action)) return false;
  const about = agentAbout(action);
  return (
    action.startedBy === person ||
    (about !== null && agentIn(directory, about)?.owners.includes(person) === true)
  );
};

/** One action of the gate, with its names. `salt`: 32 random bytes, hexadecimal. */
export function gateAction(of: {
  readonly id: ActionId;
  readonly name: string;
  readonly startedBy: PersonId | null;
  /** Who said that they started it; absent: they did. */
  readonly delegation?: readonly Delegate[];
  readonly resource: Resource;
  readonly input: JsonObject;
  readonly profile: Profile;
  readonly salt: string;
}): Identified {
  const operation = gateOperation(of.name);
  return identify(of.id, {
    v: 1,
    agent: gateAgent,
    session: null,
    startedBy: of.startedBy,
    delegation: of.delegation ?? [],
    operation,
    resource: of.resource,
    input: of.input,
    target: {
      kind: 'http',
      profile: profileHash(of.profile),
      declaration: asSha256Hex(sha256Hex(canonicalize({ operation, by: gateName }))),
    },
    enforcement: 'mediated',
    reason: null,
    salt: of.salt,
  });
}

/** The verdict of the gate itself: people, always. @param text why, for people. */
export const gateVerdict = (
  requirement: Requirement,
  text: string,
  versions: Versions,
): Verdict & { readonly effect: 'review' } => ({
  effect: 'review',
  requirements: [requirement],
  versions,
  recent: null,
  policyDigest: null,
  explanation: {
    text,
    policies: [{ id: requirement.id, title: requirement.title, effect: 'forbid' }],
    clauses: [],
    wouldAllow: [],
  },
  toldAgent: text,
});

/** No policy says who may approve what the gate asks: its requirement's group and the conflict set do. */
export const everybodyMay = (
  people: readonly PersonId[],
  requirements: readonly Requirement[],
): MayApproveRows => people.map((person) => ({ person, requirements: requirements.map((one) => one.id) }));

/** The run of a gate's own action: it has one at most, and is named by it. */
export const gateExecutionId = (action: ActionId): ExecutionId => asExecutionId(`exe_${action.slice(4)}`);
