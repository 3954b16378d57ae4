/**
 * Cedar's schema of what people do besides approving. Only a Person can be a principal of it, so that no policy about an agent
 * validates; `Case` and `Gate` exist here alone, so that operators may have types of these names of their own.
 */
import type { ActionType, EntityType, Type } from '@cedar-policy/cedar-wasm/nodejs';
import { acts, type Act, type Facts } from '../core/acts.ts';
import type { Schema } from './schema.ts';
import type { Types } from './types.ts';

const text: Type<string> = { type: 'String' };
const entity = (name: string): Type<string> => ({ type: 'Entity', name });
const setOf = (name: string): Type<string> => ({ type: 'Set', element: entity(name) });

const caseType: EntityType<string> = {
  shape: {
    type: 'Record',
    attributes: {
      agent: entity('Agent'),
      operation: text,
      server: text,
      resource_type: text,
      approvers: setOf('Group'),
      asked: setOf('Person'),
      stand_ins: setOf('Person'),
      reviewers: setOf('Person'),
      approved_by: setOf('Person'),
    },
  },
};

/** The type of the entity that stands for what is read or administered. */
export const entityTypeOf: Readonly<Record<Facts['kind'], string>> = {
  case: 'Case',
  agent: 'Agent',
  person: 'Person',
  server: 'Server',
  gate: 'Gate',
};

const resources: Readonly<Record<Act, readonly Facts['kind'][]>> = {
  read: ['case'],
  read_input: ['case'],
  read_log: ['gate'],
  read_gate: ['gate'],
  read_agent: ['agent'],
  read_person: ['person'],
  stop: ['case', 'agent'],
  cancel: ['case'],
  lift: ['agent'],
  settle: ['case'],
  accept_tool: ['server'],
};

/** The types of what an act is done to. */
export const resourceTypesOf = (act: Act): readonly string[] =>
  resources[act].map((kind) => entityTypeOf[kind]);

const actionOf = (act: Act): ActionType<string> => ({
  appliesTo: {
    principalTypes: ['Person'],
    resourceTypes: [...resourceTypesOf(act)],
    context: {
      type: 'Record',
      attributes: {
        system: { type: 'System' },
        // The groups that the configuration gives these roles; one that names none has nobody in it.
        roles: {
          type: 'Record',
          attributes: { operators: entity('Group'), auditors: entity('Group'), admins: entity('Group') },
        },
      },
    },
  },
});

/** The schema of these acts over the operator's types. */
export function rolesSchema(types: Types, of: readonly Act[] = acts): Schema {
  const own = types[''] ?? { entityTypes: {}, actions: {} };
  return {
    ...types,
    '': {
      ...own,
      entityTypes: { ...own.entityTypes, Case: caseType, Gate: {} },
      actions: Object.fromEntries(of.map((act) => [act, actionOf(act)])),
    },
  };
}
