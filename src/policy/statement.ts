/**
 * One policy, parsed: its scope, conditions, annotations, and the text that Cedar evaluates. A requirement in short form
 * is completed here with its `unless`; from then on short and long form are the same.
 */
import type {
  ActionConstraint,
  Clause,
  PolicyJson,
  PrincipalConstraint,
  ResourceConstraint,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { JsonValue } from '../core/json.ts';
import type { PolicyProblem } from '../ports/policy.ts';
import { readAnnotations, type Annotated, type Remark } from './annotations.ts';
import type { Cedar } from './cedar.ts';
import {
  entityNameOf,
  expressionOf,
  type Condition,
  type EntityName,
  type Expression,
} from './expression.ts';
import { lint } from './lint.ts';
import { isOnActs } from './operations.ts';
import { lineAtByte, type PolicyText } from './split.ts';

export interface Statement extends Annotated {
  readonly file: string;
  readonly line: number;
  readonly effect: 'permit' | 'forbid';
  /** What Cedar evaluates: the completed text, with its semicolon. */
  readonly text: string;
  /** The names of the actions in its scope; null: any. */
  readonly actions: readonly string[] | null;
  /** What the scope asks of principal and resource, as conditions. */
  readonly head: readonly Condition[];
  /** Without the `unless` that an approval lifts. */
  readonly conditions: readonly Condition[];
  /** Entities that its scope names, besides actions. */
  readonly scope: readonly EntityName[];
}

/** The `unless` that the loader completes a short form with. Ids are plain (annotations.ts), so nothing needs an escape. */
export const liftedBy = (id: string): string => ` unless { context.approvals.satisfied.contains("${id}") }`;

/** Parses and lints one policy's text. The statement is null where a problem is an error. */
export function statementOf(
  cedar: Cedar,
  source: PolicyText,
): { readonly statement: Statement | null; readonly problems: readonly PolicyProblem[] } {
  const { file, line } = source;
  const answer = cedar.policyToJson(`${source.text};`);
  if (answer.type === 'failure') {
    const problems = answer.errors.map((error): PolicyProblem => {
      const [at] = error.sourceLocations ?? [];
      const message =
        error.message.replace('failed to parse policy from string: ', '') +
        (at?.label ? `, ${at.label}` : '');
      const below = at === undefined ? 1 : lineAtByte(source.text, at.start);
      return { file, line: line + below - 1, message, severity: 'error' };
    });
    return { statement: null, problems };
  }
  const policy = answer.json;
  const { annotated, remarks } = readAnnotations(policy.annotations ?? {}, policy.effect);
  const all: Remark[] = [...remarks];
  const conditions = conditionsOf(policy.conditions, all);
  const actions = actionsOf(policy.action);
  const finding = lint({
    id: policy.annotations?.['id'] ?? '',
    effect: policy.effect,
    isRequirement: annotated?.requirement != null,
    conditions,
    onActs: isOnActs({ actions }),
  });
  // What is said of the shape of an approval only confuses where @approvers itself is wrong.
  if (annotated !== null) all.push(...finding.remarks);
  const problems = all.map((remark): PolicyProblem => ({ file, line, ...remark }));
  if (annotated === null || problems.some((problem) => problem.severity === 'error'))
    return { statement: null, problems };
  const completes = annotated.requirement !== null && !finding.lifted;
  const statement: Statement = {
    ...annotated,
    file,
    line,
    effect: policy.effect,
    text: `${source.text}${completes ? liftedBy(annotated.id) : ''};`,
    actions,
    head: [...headOf('principal', policy.principal), ...headOf('resource', policy.resource)],
    conditions: finding.conditions,
    scope: [...namesIn(policy.principal), ...namesIn(policy.resource)],
  };
  return { statement, problems };
}

function conditionsOf(clauses: readonly Clause[], remarks: Remark[]): readonly Condition[] {
  const conditions: Condition[] = [];
  for (const { kind, body } of clauses) {
    const parsed = expressionOf(body);
    if (parsed.ok) conditions.push({ kind, body: parsed.value });
    else remarks.push({ message: parsed.error, severity: 'error' });
  }
  return conditions;
}

/** The names in an action scope; there are no groups of actions, so `in` one action is that action. */
function actionsOf(scope: ActionConstraint): readonly string[] | null {
  if (scope.op === 'All') return null;
  if ('entities' in scope) return scope.entities.map((entity) => nameOf(entity).id);
  return 'entity' in scope ? [nameOf(scope.entity).id] : [];
}

function namesIn(scope: PrincipalConstraint | ResourceConstraint): readonly EntityName[] {
  if ('entity' in scope) return [nameOf(scope.entity)];
  return 'in' in scope && scope.in !== undefined && 'entity' in scope.in ? [nameOf(scope.in.entity)] : [];
}

/** The scope of one variable as a condition; none where it asks nothing. */
function headOf(
  name: 'principal' | 'resource',
  scope: PrincipalConstraint | ResourceConstraint,
): readonly Condition[] {
  const left: Expression = { op: 'variable', name };
  const when = (body: Expression): readonly Condition[] => [{ kind: 'when', body }];
  const [entity] = namesIn(scope);
  const right: Expression | null = entity === undefined ? null : { op: 'entity', name: entity };
  if (scope.op === 'is') return when({ op: 'is', left, type: scope.entity_type, within: right });
  if (right === null) return [];
  return when({ op: 'binary', name: scope.op === '==' ? '==' : 'in', left, right });
}

// Cedar writes the entities of a scope as `{type, id}`; the type admits the other form too.
const nameOf = (entity: PolicyJson['principal'] | object): EntityName =>
  entityNameOf(('__entity' in entity ? entity.__entity : entity) as JsonValue);
