/**
 * Texts and world to a policy set that can judge. Runs in the worker, because parsing a hostile text can leave Cedar
 * unusable. All problems are found at once; where one is an error there is no set.
 *
 * A problem that concerns one operation only, since a tool's input is not what the policies expect, is *contained* when a
 * set that was accepted is loaded again: that operation is denied and the others go on. Else a server could stop the gate by the
 * definition of one tool.
 */
import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicyProblem, PolicyTexts, PolicyWorld } from '../ports/policy.ts';
import { isTrap, type Cedar } from './cedar.ts';
import { readEntities, forCedar, type Entity } from './entities.ts';
import {
  allOperations,
  askedOperation,
  isOnActs,
  isOnApprove,
  isOnPeople,
  type Operation,
} from './operations.ts';
import { rolesSchema } from './roles-schema.ts';
import { approveSchema, validationSchema, type Schema } from './schema.ts';
import { lineAtByte, splitPolicies, type PolicyText } from './split.ts';
import { statementOf, type Statement } from './statement.ts';
import { hasEntityType, readTypes, type Types } from './types.ts';
import { reachRemarks } from './reach.ts';
import { remarksOn } from './remarks.ts';

/** A policy set, ready to be evaluated; plain data, so that it crosses from the worker. */
export interface Compiled {
  readonly statements: readonly Statement[];
  readonly types: Types;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly entities: readonly Entity[];
  /** Operations that cannot be judged, and why, naming file and line. */
  readonly contained: ReadonlyMap<string, string>;
}

export interface Compilation {
  readonly compiled: Compiled | null;
  readonly problems: readonly PolicyProblem[];
}

/** Compiles a set. `contain`: problems of single operations do not refuse it. */
export function compile(
  start: () => Cedar,
  texts: PolicyTexts,
  world: PolicyWorld,
  contain: boolean,
): Compilation {
  const problems: PolicyProblem[] = [];
  const statements = readPolicies(start, texts, problems);
  const cedar = start();
  const operations = allOperations(world, statements);
  const implicit = new Set([...operations.values()].map((operation) => operation.resourceType));
  const { types, problems: typeProblems } = readTypes(cedar, texts.schemas, implicit);
  const { entities, problems: entityProblems } = readEntities(texts.entities);
  problems.push(...typeProblems, ...entityProblems);
  if (types === null) return { compiled: null, problems };
  if (entityProblems.length === 0) problems.push(...entitiesFit(cedar, types, entities));
  const [contained, found] = validated(cedar, { statements, types, operations }, contain);
  problems.push(...found, ...remarksOn(statements, operations, world));
  for (const { name, resourceType } of operations.values()) {
    if (!hasEntityType(types, resourceType)) {
      problems.push({
        file: '',
        line: 0,
        message: `${name}: "${resourceType}" cannot be a type of resources`,
        severity: 'error',
      });
    }
  }
  const failed = problems.some((problem) => problem.severity === 'error');
  // Of what is not valid there is nothing to tell.
  if (!failed)
    problems.push(...unsaid(reachRemarks({ statements, types, operations, entities }, world), problems));
  return { compiled: failed ? null : { statements, types, operations, entities, contained }, problems };
}

/** What Cedar has said of a policy already need not be said again. */
const unsaid = (
  remarks: readonly PolicyProblem[],
  said: readonly PolicyProblem[],
): readonly PolicyProblem[] =>
  remarks.filter(
    ({ file, line, severity }) =>
      severity === 'info' ||
      !said.some((one) => one.file === file && one.line === line && one.message.includes('impossible')),
  );

function readPolicies(
  start: () => Cedar,
  texts: PolicyTexts,
  problems: PolicyProblem[],
): readonly Statement[] {
  const statements = new Map<string, Statement>();
  let cedar = start();
  const read = (source: PolicyText): ReturnType<typeof statementOf> => {
    try {
      return statementOf(cedar, source);
    } catch (error) {
      if (!isTrap(error)) throw error;
      cedar = start();
      const message = 'Cedar cannot read this policy: it is too long, or nested too deep; split it';
      return {
        statement: null,
        problems: [{ file: source.file, line: source.line, message, severity: 'error' }],
      };
    }
  };
  let count = 0;
  for (const { file, text } of texts.policies) {
    const split = splitPolicies(file, text);
    problems.push(...split.problems.map((problem): PolicyProblem => ({ ...problem, severity: 'error' })));
    count += split.policies.length + split.problems.length;
    for (const source of split.policies) {
      const { statement, problems: found } = read(source);
      problems.push(...found);
      if (statement === null) continue;
      const other = statements.get(statement.id);
      if (other === undefined) statements.set(statement.id, statement);
      else
        problems.push({
          file,
          line: statement.line,
          message: `@id("${statement.id}") is already at ${other.file}:${other.line}`,
          severity: 'error',
        });
    }
  }
  if (count === 0) {
    problems.push({
      file: texts.policies[0]?.file ?? '',
      line: 0,
      message: 'the policy folder is empty: nothing is permitted',
      severity: 'error',
    });
  }
  return [...statements.values()];
}

function entitiesFit(cedar: Cedar, types: Types, entities: readonly Entity[]): readonly PolicyProblem[] {
  const answer = cedar.checkParseEntities({ entities: forCedar(entities), schema: types });
  if (answer.type === 'success') return [];
  return answer.errors.map((error) => ({
    file: 'entities.json',
    line: 0,
    message: error.message,
    severity: 'error',
  }));
}

interface Proposed {
  readonly statements: readonly Statement[];
  readonly types: Types;
  readonly operations: ReadonlyMap<string, Operation>;
}

/** Cedar's strict validation: of what agents do, and of what people may do, apart (they differ in principal and context). */
function validated(
  cedar: Cedar,
  set: Proposed,
  contain: boolean,
): readonly [ReadonlyMap<string, string>, readonly PolicyProblem[]] {
  const onApprove = set.statements.filter(isOnApprove);
  const onActs = set.statements.filter((statement) => isOnActs(statement) && !isOnApprove(statement));
  const onOperations = set.statements.filter((statement) => !isOnPeople(statement));
  // A forbid on people that can never apply, such as one for agents, promises what it does not keep: an error.
  const problems = [
    ...validate(cedar, approveSchema(set.types), onApprove),
    ...validate(cedar, rolesSchema(set.types), onActs),
  ].map((problem): PolicyProblem => ({ ...problem, severity: 'error' }));
  const whole = validate(
    cedar,
    validationSchema(set.types, set.operations.values(), set.statements),
    onOperations,
  );
  if (!contain || !whole.some((problem) => problem.severity === 'error'))
    return [new Map(), [...problems, ...whole]];
  // Held against no operation, what is wrong with a policy itself is left; held against one, what is wrong with that one.
  const bare = [...set.operations.values()].map((operation) => ({ ...operation, from: 'waiting' as const }));
  problems.push(
    ...validate(cedar, validationSchema(set.types, bare, set.statements), onOperations).filter(
      (problem) => problem.severity === 'error',
    ),
  );
  const contained = new Map<string, string>();
  for (const operation of set.operations.values()) {
    const others = bare.filter((other) => other.name !== operation.name);
    const schema = validationSchema(set.types, [operation, ...others], set.statements);
    const onThis = onOperations.filter(
      ({ actions }) =>
        actions === null || actions.some((action) => askedOperation(action) === operation.name),
    );
    const first = validate(cedar, schema, onThis).find((problem) => problem.severity === 'error');
    if (first === undefined) continue;
    contained.set(operation.name, `${first.file}:${first.line}: ${first.message}`);
    problems.push({
      ...first,
      message: `${operation.name} cannot be judged, and is denied: ${first.message}`,
      severity: 'warning',
    });
  }
  return [contained, problems];
}

function validate(cedar: Cedar, schema: Schema, statements: readonly Statement[]): readonly PolicyProblem[] {
  if (statements.length === 0) return [];
  const byId = new Map(statements.map((statement) => [statement.id, statement]));
  const staticPolicies = Object.fromEntries(statements.map((statement) => [statement.id, statement.text]));
  const answer = cedar.validate({
    schema,
    policies: { staticPolicies },
    validationSettings: { mode: 'strict' },
  });
  if (answer.type === 'failure') {
    return answer.errors.map((error) => ({ file: '', line: 0, message: error.message, severity: 'error' }));
  }
  const placed = (
    policyId: string,
    error: DetailedError,
    severity: PolicyProblem['severity'],
  ): PolicyProblem => {
    const statement = byId.get(policyId);
    const at = error.sourceLocations?.[0]?.start ?? 0;
    const below = statement === undefined ? 0 : lineAtByte(statement.text, at) - 1;
    const tidy = (text: string): string => text.replace(`for policy \`${policyId}\`, `, '');
    const help = error.help === null ? '' : ` (${tidy(error.help)})`;
    return {
      file: statement?.file ?? '',
      line: (statement?.line ?? 0) + below,
      message: tidy(error.message) + help,
      severity,
    };
  };
  return [
    ...answer.validationErrors.map(({ policyId, error }) => placed(policyId, error, 'error')),
    // Of a policy on actions that apply to nothing yet Cedar says that it is impossible; remarks.ts says why.
    ...answer.validationWarnings
      .filter(({ policyId }) => !isUnpinned(schema, byId.get(policyId)))
      .map(({ policyId, error }) => placed(policyId, error, 'warning')),
  ];
}

const isUnpinned = (schema: Schema, statement: Statement | undefined): boolean =>
  statement?.actions?.every((action) => schema['']?.actions[action]?.appliesTo === undefined) === true;
