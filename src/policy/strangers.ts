/**
 * Names in policies that nobody and nothing has: groups without members, agents and people that are not in the directory, places that
 * entities.json leaves empty. In a scope such a name makes a policy apply to nothing; in a condition a comparison that is never true.
 */
import type { Directory } from '../core/directory.ts';
import { keyOf, type Entity } from './entities.ts';
import { everyPart, type EntityName, type Expression } from './expression.ts';
import { isOnPeople } from './operations.ts';
import { print, printName } from './print.ts';
import type { Statement } from './statement.ts';
import { requiredAttributes, type Types } from './types.ts';

/** What entities.json names. */
export interface Named {
  readonly entities: ReadonlySet<string>;
  readonly parents: ReadonlySet<string>;
}

export const namedIn = (entities: readonly Entity[]): Named => ({
  entities: new Set(entities.map((entity) => keyOf(entity.uid))),
  parents: new Set(entities.flatMap((entity) => entity.parents.map(keyOf))),
});

/** Where names are looked up. */
interface Among {
  readonly types: Types;
  readonly named: Named;
  readonly directory: Directory;
}

/** A sentence for each of them. */
export function* strangersIn(statement: Statement, among: Among): Generator<string> {
  const isPeople = isOnPeople(statement);
  for (const { body } of statement.head) {
    for (const [who, what] of strangersOf(body, isPeople, among))
      yield `${what}: this policy applies to ${who}`;
  }
  const said = new Set<string>();
  for (const { body } of statement.conditions)
    for (const part of everyPart(body))
      for (const [, what] of strangersOf(part, isPeople, among))
        said.add(`${what}: ${print(part)} is never true`);
  yield* said;
}

type Stranger = readonly [who: 'nobody' | 'nothing', what: string];

/** What one comparison names that is not there; of its parts nothing is said. */
function* strangersOf(expression: Expression, isPeople: boolean, among: Among): Generator<Stranger> {
  if (expression.op !== 'binary' && expression.op !== 'is') return;
  const { left } = expression;
  const right = expression.op === 'binary' ? expression.right : expression.within;
  if (right?.op !== 'entity') return;
  const isIn = expression.op === 'is' || expression.name === 'in';
  if (!isIn && expression.op === 'binary' && expression.name !== '==' && expression.name !== 'contains')
    return;
  if (left.op === 'variable' && left.name === 'principal')
    yield* onPrincipal(right.name, isIn, isPeople, among.directory);
  else if (left.op === 'variable' && left.name === 'resource') yield* onResource(right.name, isIn, among);
  else if (left.op === 'attribute') yield* onPerson(right.name, among.directory);
}

function* onPrincipal(
  name: EntityName,
  isIn: boolean,
  isPeople: boolean,
  directory: Directory,
): Generator<Stranger> {
  const who: readonly { readonly id: string; readonly groups: readonly string[] }[] = isPeople
    ? directory.people
    : directory.agents;
  const kind = isPeople ? 'person' : 'agent';
  if (isIn && name.type === 'Group') {
    if (!who.some((one) => one.groups.includes(name.id)))
      yield ['nobody', `no ${kind} is in the group "${name.id}"`];
  } else if (name.type === (isPeople ? 'Person' : 'Agent') && !who.some((one) => one.id === name.id))
    yield ['nobody', `there is no ${kind} "${name.id}"`];
}

function* onResource(name: EntityName, isIn: boolean, { types, named }: Among): Generator<Stranger> {
  const key = keyOf(name);
  if (named.entities.has(key)) return;
  if (!isIn && requiredAttributes(types, name.type).length > 0)
    yield ['nothing', `${printName(name)} is not in entities.json`];
  if (isIn && !named.parents.has(key)) yield ['nothing', `nothing in entities.json is in ${printName(name)}`];
}

/** `principal.owners.contains(Person::"rosa")`, and the like. */
function* onPerson({ type, id }: EntityName, { people }: Directory): Generator<Stranger> {
  if (type === 'Person' && !people.some((one) => one.id === id))
    yield ['nobody', `there is no person "${id}"`];
}
