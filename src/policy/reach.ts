/**
 * Policies that do not do what they look as if they did: they apply to nobody or nothing, another one decides before them, a
 * clause of theirs is always or never true, or what they read is nowhere. All of these are warnings: the set is safe, but not what
 * somebody meant.
 */
import { splitOperation } from '../core/action.ts';
import { acts } from '../core/acts.ts';
import type { PolicyProblem, PolicyWorld } from '../ports/policy.ts';
import type { Place } from './atoms.ts';
import { decided, neverAll, type Known } from './decided.ts';
import type { Entity } from './entities.ts';
import type { Condition } from './expression.ts';
import type { Field, InputType } from './input-type.ts';
import { askedOperation, isOnActs, isOnApprove, isOnPeople, isTyped, type Operation } from './operations.ts';
import { resourceTypesOf } from './roles-schema.ts';
import { print } from './print.ts';
import { pathsOf, readsOf } from './reads.ts';
import type { Statement } from './statement.ts';
import { namedIn, strangersIn } from './strangers.ts';
import type { Types } from './types.ts';

/** A set that Cedar finds valid. */
export interface Valid {
  readonly statements: readonly Statement[];
  readonly operations: ReadonlyMap<string, Operation>;
  readonly types: Types;
  readonly entities: readonly Entity[];
}

/** Names in one message. */
const namesMax = 5;

/** What is worth telling of a valid set. */
export function reachRemarks(set: Valid, world: PolicyWorld): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const named = namedIn(set.entities);
  const plain = set.statements.filter(isUnconditional);
  for (const statement of set.statements) {
    const warn = (message: string): void =>
      void problems.push({ file: statement.file, line: statement.line, message, severity: 'warning' });
    for (const message of [
      ...strangersIn(statement, { types: set.types, named, directory: world.directory }),
      ...onSums(statement, set, world),
    ])
      warn(message);
    const operations = inScope(statement, set.operations);
    const known = knownOf(statement, operations);
    const shadow = plain.find((other) => shadows(other, statement));
    if (shadow !== undefined)
      warn(`it never decides: "${shadow.id}" at ${shadow.file}:${shadow.line} forbids all of it`);
    else if (statement.conditions.length > 0)
      for (const message of onClauses(statement, known)) warn(message);
  }
  return [...problems, ...onUnreached(set)];
}

const inScope = (statement: Statement, operations: ReadonlyMap<string, Operation>): readonly Operation[] =>
  statement.actions === null
    ? [...operations.values()].filter(isTyped)
    : statement.actions.flatMap((action) => operations.get(askedOperation(action)) ?? []);

/** A `sum` that nobody adds up denies whatever is asked. */
function* onSums(statement: Statement, set: Valid, { profiles = {} }: PolicyWorld): Generator<string> {
  const { recent } = readsOf(statement.conditions);
  if (recent === null) return;
  const path = [...pathsOf(recent)].find((steps) => steps.length < 3 || steps[2] === 'sum');
  if (path === undefined) return;
  const without = inScope(statement, set.operations)
    .map((operation) => operation.name)
    .filter((name) => profiles[name]?.sum === undefined);
  if (without.length === 0) return;
  yield `context.recent.${path.join('.')} is read, but no profile says what is added up (sum: input.…) for ${listed(without)}: whoever asks is denied`;
}

const isUnconditional = ({ effect, requirement, conditions }: Statement): boolean =>
  effect === 'forbid' && requirement === null && conditions.length === 0;

/** What decides before a policy is looked at: a plain forbid without conditions, of at least the same scope. */
function shadows(other: Statement, statement: Statement): boolean {
  if (statement.effect === 'forbid' && statement.requirement === null) return false;
  if (isOnPeople(other) !== isOnPeople(statement)) return false;
  const { actions } = statement;
  const covers =
    other.actions === null ||
    (actions !== null && actions.every((action) => other.actions?.includes(action) === true));
  const mine = statement.head.map(({ body }) => print(body));
  return covers && other.head.every(({ body }) => mine.includes(print(body)));
}

function* onClauses(statement: Statement, known: Known): Generator<string> {
  for (const { kind, body } of statement.conditions) {
    const answer = decided(body, known);
    if (answer === null) continue;
    const text = clauseText({ kind, body });
    if (answer === (kind === 'unless')) {
      yield `${text} can never be met: this policy never applies`;
      return;
    }
    yield kind === 'when'
      ? `${text} is always true: it asks for nothing`
      : `${text} is never true: it excepts nothing`;
  }
  if (statement.conditions.length > 1 && neverAll(statement.conditions, known))
    yield 'its clauses contradict each other: this policy never applies';
}

const clauseCharsMax = 100;

function clauseText({ kind, body }: Condition): string {
  const text = print(body);
  return `${kind} { ${text.length > clauseCharsMax ? `${text.slice(0, clauseCharsMax).toWellFormed()}…` : text} }`;
}

const counts = { from: 1, to: Number.MAX_SAFE_INTEGER };
const ranges: Readonly<Record<string, { readonly from: number; readonly to: number }>> = {
  weekday: { from: 1, to: 7 },
  hour: { from: 0, to: 23 },
  minute: { from: 0, to: 59 },
  count: counts,
  sum: { from: 0, to: Number.MAX_SAFE_INTEGER },
};

/** What is known of the requests that a policy is for. */
function knownOf(statement: Statement, operations: readonly Operation[]): Known {
  return {
    isRequired: (place) => {
      if (place.root === 'system' || place.root === 'recent') return true;
      if (place.root !== 'input' || operations.length === 0) return false;
      return operations.every((operation) => fieldOf(operation, place)?.isRequired === true);
    },
    range: (place) => {
      if (place.root === 'system' || place.root === 'recent') return ranges[place.names.at(-1) ?? ''] ?? null;
      if (place.root !== 'input') return null;
      const isLong = operations.every((operation) => fieldOf(operation, place)?.type.kind === 'long');
      return isLong ? { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER } : null;
    },
    types: (variable) =>
      new Set(
        variable === 'principal'
          ? [isOnPeople(statement) ? 'Person' : 'Agent']
          : isOnApprove(statement)
            ? ['Approval']
            : isOnActs(statement)
              ? acts.filter((act) => statement.actions?.includes(act) === true).flatMap(resourceTypesOf)
              : operations.map((operation) => operation.resourceType),
      ),
  };
}

function fieldOf(
  operation: Operation,
  place: Place,
): { readonly type: InputType; readonly isRequired: boolean } | null {
  let type: InputType = operation.input;
  let isRequired = true;
  for (const name of place.names) {
    const field: Field | undefined = type.kind === 'record' ? type.fields.get(name) : undefined;
    if (field === undefined) return null;
    ({ type } = field);
    isRequired &&= field.required;
  }
  return { type, isRequired };
}

/** Operations of which no permit speaks: nobody can do them, which may well be meant. */
function onUnreached({ statements, operations }: Valid): readonly PolicyProblem[] {
  const permits = statements.filter((statement) => statement.effect === 'permit');
  if (permits.some((permit) => permit.actions === null)) return [];
  const permitted = new Set(permits.flatMap((permit) => permit.actions ?? []));
  const names = [...operations.values()]
    .filter((operation) => isTyped(operation) && !permitted.has(operation.name))
    .map((operation) => operation.name);
  return [...Map.groupBy(names, (name) => splitOperation(name)?.target ?? '')].map(([target, some]) => ({
    file: '',
    line: 0,
    message: `no policy permits ${listed(some)} of ${target}: whoever asks is denied`,
    severity: 'info',
  }));
}

const listed = (names: readonly string[]): string =>
  names.length <= namesMax
    ? names.join(', ')
    : `${names.slice(0, namesMax).join(', ')} and ${names.length - namesMax} more`;
