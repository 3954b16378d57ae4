/**
 * The operations that can be judged, and where each is known from (design §5, "Names and schema"): a pinned tool, the
 * configuration, or only a policy's scope. What is none of these is no operation, and is denied even under permit-all.
 */
import { operationOf, splitOperation } from '../core/action.ts';
import { acts } from '../core/acts.ts';
import type { PolicyWorld } from '../ports/policy.ts';
import { emptyRecord, inputTypeOf, type RecordType } from './input-type.ts';
import type { Statement } from './statement.ts';

export interface Operation {
  readonly name: string;
  readonly input: RecordType;
  /** The one type of its resource. */
  readonly resourceType: string;
  /** `waiting`: a tool that no operator has accepted yet; `unpinned`: a policy names a tool that its server does not have. */
  readonly from: 'tool' | 'configuration' | 'policy' | 'waiting' | 'unpinned';
  /** False also for a tool that was disabled because it changed. */
  readonly enabled: boolean;
}

/** Whether its input and resource are known, so that policies on it can be validated. */
export const isTyped = (operation: Operation): boolean =>
  operation.from !== 'waiting' && operation.from !== 'unpinned';

export const serverType = 'Server';

/** The action of who may approve. Its name has no `___`, so it is no operation's. */
export const approveAction = 'approve';

/** Whether a policy is about approving, and so about people and not about agents. */
export const isOnApprove = ({ actions }: Pick<Statement, 'actions'>): boolean =>
  actions?.includes(approveAction) === true;

const actNames: ReadonlySet<string> = new Set(acts);

/** Whether an action's name is that of what people do besides approving: `read_input`, `lift`. None is an operation's. */
export const isActName = (name: string): boolean => actNames.has(name);

/** Whether a policy is about what people read and administer. */
export const isOnActs = ({ actions }: Pick<Statement, 'actions'>): boolean =>
  actions?.some(isActName) === true;

/** Whether people are the principals of a policy, and not agents. */
export const isOnPeople = (statement: Pick<Statement, 'actions'>): boolean =>
  isOnApprove(statement) || isOnActs(statement);

const questionEnd = ':input';

/** The action of an agent's answer to a question that the operation asks while it runs. */
export const questionOf = (operation: string): string => `${operation}${questionEnd}`;

/** The operation whose question this action is, or the action itself. */
export const askedOperation = (action: string): string =>
  action.endsWith(questionEnd) ? action.slice(0, -questionEnd.length) : action;

/** Whether a name can be an operation's: `<target>___<name>`, and not that of a question. */
export const isOperationName = (name: string): boolean =>
  splitOperation(name) !== undefined && !name.endsWith(questionEnd);

/** Tools and configured operations. */
export function declaredOperations(world: PolicyWorld): ReadonlyMap<string, Operation> {
  const operations = new Map<string, Operation>();
  for (const { operation: name, input, resourceType } of world.operations) {
    if (!isOperationName(name)) continue;
    operations.set(name, {
      name,
      input: inputTypeOf(input),
      resourceType: resourceType ?? serverType,
      from: 'configuration',
      enabled: true,
    });
  }
  for (const tool of world.tools) {
    const name = operationOf(tool.server, tool.tool);
    if (!isOperationName(name)) continue;
    operations.set(name, {
      name,
      input: inputTypeOf(tool.definition?.['inputSchema']),
      resourceType: world.resourceTypes[name] ?? serverType,
      from: tool.definition === null ? 'waiting' : 'tool',
      enabled: tool.status === 'enabled' && tool.definition !== null,
    });
  }
  return operations;
}

/** All operations: the declared ones, and those that only a policy's scope names. */
export function allOperations(
  world: PolicyWorld,
  statements: readonly Statement[],
): ReadonlyMap<string, Operation> {
  const operations = new Map(declaredOperations(world));
  for (const action of statements.flatMap((statement) => statement.actions ?? [])) {
    const name = askedOperation(action);
    if (operations.has(name) || !isOperationName(name)) continue;
    const isServers = world.servers.includes(splitOperation(name)?.target ?? '');
    operations.set(name, {
      name,
      input: emptyRecord,
      resourceType: world.resourceTypes[name] ?? serverType,
      from: isServers ? 'unpinned' : 'policy',
      enabled: !isServers,
    });
  }
  return operations;
}
