/**
 * The part of a policy set that one action is judged with: the policies whose scope can match it, and a schema of only what
 * they read. Judging costs the same with ten policies and with ten thousand.
 */
import type { Compiled } from './compile.ts';
import { followedIn } from './entities.ts';
import type { EntityName } from './expression.ts';
import { emptyRecord, type RecordType } from './input-type.ts';
import { approveAction, askedOperation, isOnApprove, questionOf } from './operations.ts';
import { projectType } from './project.ts';
import { readsOf, type ReadSet } from './reads.ts';
import { actionSchema, approveSchema, type Schema } from './schema.ts';
import type { Statement } from './statement.ts';

export interface Slice {
  readonly action: string;
  readonly statements: ReadonlyMap<string, Statement>;
  /** Text by id, as Cedar takes it. */
  readonly texts: Readonly<Record<string, string>>;
  readonly schema: Schema;
  readonly reads: ReadSet;
  /** The declared input, whole. */
  readonly input: RecordType;
  readonly hasRequirements: boolean;
  /** Entities besides principal and resource that Cedar must know. */
  readonly follows: readonly EntityName[];
}

/** The slice of an operation, or of its question; undefined for what is no operation of the set. */
export function sliceOf(compiled: Compiled, action: string): Slice | undefined {
  const operation = compiled.operations.get(askedOperation(action));
  if (operation === undefined) return undefined;
  const isQuestion = action === questionOf(operation.name);
  const statements = compiled.statements.filter((statement) => {
    if (statement.actions !== null) return statement.actions.includes(action);
    // An answer changes what was approved, so only a policy that names it can permit it; what forbids all forbids it too.
    return !isQuestion || statement.effect === 'forbid';
  });
  const reads = readsOf(statements.flatMap((statement) => statement.conditions));
  const hasRequirements = statements.some((statement) => statement.requirement !== null);
  // A projected record is a record.
  const projected = projectType(operation.input, reads.input) as RecordType;
  const { system, recent } = reads;
  const shape = { input: projected, system, recent, approvals: hasRequirements };
  return {
    ...common(action, statements),
    schema: actionSchema(compiled.types, { name: action, operation, shape }),
    reads,
    input: operation.input,
    hasRequirements,
  };
}

/** The id of the generated permit; no policy can have it (annotations.ts). */
const generated = 'by @approvers';

/**
 * The slice of `approve`: the operator's forbids, and a permit that stands for the approver group, whose members core
 * checks itself. Null where there is no forbid, so that nothing needs to be asked.
 */
export function approveSliceOf(compiled: Compiled): Slice | null {
  const statements = compiled.statements.filter(isOnApprove);
  if (statements.length === 0) return null;
  const slice = common(approveAction, statements);
  return {
    ...slice,
    texts: {
      ...slice.texts,
      [generated]: `permit (principal, action == Action::"${approveAction}", resource);`,
    },
    schema: approveSchema(compiled.types),
    // Of `approve` the context is `system`, whole.
    reads: { ...readsOf([]), now: true },
    input: emptyRecord,
    hasRequirements: false,
  };
}

function common(
  action: string,
  statements: readonly Statement[],
): Pick<Slice, 'action' | 'statements' | 'texts' | 'follows'> {
  return {
    action,
    statements: new Map(statements.map((statement) => [statement.id, statement])),
    texts: Object.fromEntries(statements.map((statement) => [statement.id, statement.text])),
    follows: followedIn(statements.flatMap((statement) => statement.conditions)),
  };
}
