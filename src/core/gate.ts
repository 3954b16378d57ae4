/**
 * What the gate asks people for itself: its operations are `gate___…`, and its agent is `gate`. The names are reserved: a
 * configuration that uses one is refused, and whoever else asks for such an operation is refused before anything is judged.
 */
import { operationOf, splitOperation } from './action.ts';
import { asAgentId } from './ids.ts';
import { refuse, type Refusal } from './refusal.ts';

/** The agent, the target of its operations, and a name that no server may have. */
export const gateName = 'gate';
export const gateAgent = asAgentId(gateName);

/** The full name of one of the gate's own operations. */
export const gateOperation = (name: string): string => operationOf(gateName, name);

/** A change of who may do what (core/config-change.ts). */
export const changeOperation = gateOperation('change_config');

/** Whether an operation is the gate's own. */
export const isGates = (operation: string): boolean => splitOperation(operation)?.target === gateName;

/** For agents that ask for it, by whatever way, and for whoever says to be that agent. */
export function refusesGates(agent: string, operation: string): Refusal | undefined {
  return agent === gateName || isGates(operation)
    ? refuse('not_permitted', 'Operations named gate___… are the gate’s own; no agent asks for them.')
    : undefined;
}
