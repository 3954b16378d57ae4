/**
 * Cedar schemas: one of everything to validate a policy set with, and one per action to evaluate with, which holds
 * only what that action's policies read.
 */
import type { ActionType, NamespaceDefinition, SchemaJson, Type } from '@cedar-policy/cedar-wasm/nodejs';
import { recentTypeOf, systemTypeOf } from './context.ts';
import type { RecordType } from './input-type.ts';
import { approveAction, isTyped, questionOf, type Operation } from './operations.ts';
import { cedarTypeOf } from './project.ts';
import type { Reads } from './reads.ts';
import type { Statement } from './statement.ts';
import type { Types } from './types.ts';

export type Schema = SchemaJson<string>;

const all: Reads = { whole: true, fields: new Map() };

type Actions = Readonly<Record<string, ActionType<string>>>;

/** Which parts of the context an evaluation passes. */
export interface ContextShape {
  readonly input: RecordType;
  /** What is read of it; null: it is not passed. */
  readonly system: Reads | null;
  readonly recent: Reads | null;
  readonly approvals: boolean;
}

function contextOf({ input, system, recent, approvals }: ContextShape): Type<string> {
  return {
    type: 'Record',
    attributes: {
      input: cedarTypeOf(input),
      ...(system === null ? {} : { system: systemTypeOf(system) }),
      ...(recent === null ? {} : { recent: recentTypeOf(recent) }),
      ...(approvals ? { approvals: { type: 'Approvals' } } : {}),
    },
  };
}

function withActions(types: Types, actions: Actions): Schema {
  const own: NamespaceDefinition<string> = types[''] ?? { entityTypes: {}, actions: {} };
  return { ...types, '': { ...own, actions } };
}

const operationAction = (operation: Operation, shape: ContextShape): ActionType<string> => ({
  appliesTo: {
    principalTypes: ['Agent'],
    resourceTypes: [operation.resourceType],
    context: contextOf(shape),
  },
});

/** The schema that the slice of one action is evaluated with; `shape.input` is projected. */
export const actionSchema = (
  types: Types,
  action: { readonly name: string; readonly operation: Operation; readonly shape: ContextShape },
): Schema => withActions(types, { [action.name]: operationAction(action.operation, action.shape) });

/** The schema of `approve`: only people can be its principal, so a policy that lets an agent approve does not validate. */
export const approveSchema = (types: Types): Schema =>
  withActions(types, {
    [approveAction]: {
      appliesTo: {
        principalTypes: ['Person'],
        resourceTypes: ['Approval'],
        context: { type: 'Record', attributes: { system: { type: 'System' } } },
      },
    },
  });

/**
 * The schema of these operations with their whole input, as policies are validated against it. Questions are declared
 * where a policy names them. An operation without a type is known by name only: it applies to nothing yet.
 */
export function validationSchema(
  types: Types,
  operations: Iterable<Operation>,
  statements: readonly Statement[],
): Schema {
  const named = new Set(statements.flatMap((statement) => statement.actions ?? []));
  const actions: Record<string, ActionType<string>> = { [approveAction]: {} };
  for (const operation of operations) {
    const action = isTyped(operation)
      ? operationAction(operation, { input: operation.input, system: all, recent: all, approvals: true })
      : {};
    actions[operation.name] = action;
    const question = questionOf(operation.name);
    if (named.has(question)) actions[question] = action;
  }
  return withActions(types, actions);
}
