/**
 * A small evaluator of Cedar's expressions, for explanations only: it tells the values on both sides of a comparison,
 * which Cedar does not. It never decides. What it does not know (`ip`, arithmetic that overflows, an attribute that is
 * not there) throws `Unclear`, and the explanation shows the clause without values.
 */
import { keyOf, type Entity } from './entities.ts';
import type { EntityName, Expression } from './expression.ts';
import {
  amountOf,
  bool,
  call,
  entityOf,
  isSame,
  itemsOf,
  long,
  longOf,
  plain,
  stringOf,
  truth,
  Unclear,
  valueOfJson,
  type Value,
} from './value.ts';

/** Agents choose inputs: what would take long to compare is unclear. */
const likeCharactersMax = 10_000;

/** The request that was judged. */
export interface Scene {
  readonly variables: Readonly<Record<'principal' | 'action' | 'resource' | 'context', Value>>;
  readonly entities: ReadonlyMap<string, Entity>;
}

/** The value of an expression in a scene; throws `Unclear`. */
export function valueOf(expression: Expression, scene: Scene): Value {
  const at = (inner: Expression): Value => valueOf(inner, scene);
  switch (expression.op) {
    case 'literal':
      return plain(expression.value);
    case 'entity':
      return { kind: 'entity', name: expression.name };
    case 'variable':
      return scene.variables[expression.name];
    case 'unary':
      if (expression.name === '!') return bool(!truth(at(expression.arg)));
      if (expression.name === 'isEmpty') return bool(itemsOf(at(expression.arg)).length === 0);
      return long(-longOf(at(expression.arg)));
    case 'binary':
      return binary(expression, scene);
    case 'attribute': {
      const value = fieldsOf(at(expression.left), scene).get(expression.name);
      if (value === undefined) throw new Unclear();
      return value;
    }
    case 'has':
      return bool(hasPath(at(expression.left), expression.names, scene));
    case 'like':
      return bool(isLike(stringOf(at(expression.left)), expression.pattern));
    case 'is': {
      const left = entityOf(at(expression.left));
      return bool(
        left.type === expression.type &&
          (expression.within === null || isIn(left, at(expression.within), scene)),
      );
    }
    case 'if':
      return truth(at(expression.test)) ? at(expression.yes) : at(expression.no);
    case 'set':
      return { kind: 'set', items: expression.items.map(at) };
    case 'record':
      return {
        kind: 'record',
        entries: new Map(expression.entries.map(([name, value]) => [name, at(value)])),
      };
    case 'call':
      return call(expression.name, expression.args.map(at));
  }
}

/** Whether an expression holds; throws `Unclear`. */
export const holds = (expression: Expression, scene: Scene): boolean => truth(valueOf(expression, scene));

function binary({ name, left, right }: Expression & { readonly op: 'binary' }, scene: Scene): Value {
  const a = valueOf(left, scene);
  if (name === '&&') return truth(a) ? bool(truth(valueOf(right, scene))) : bool(false);
  if (name === '||') return truth(a) ? bool(true) : bool(truth(valueOf(right, scene)));
  const b = valueOf(right, scene);
  switch (name) {
    case '==':
      return bool(isSame(a, b));
    case '!=':
      return bool(!isSame(a, b));
    case '<':
      return bool(amountOf(a) < amountOf(b));
    case '<=':
      return bool(amountOf(a) <= amountOf(b));
    case '>':
      return bool(amountOf(a) > amountOf(b));
    case '>=':
      return bool(amountOf(a) >= amountOf(b));
    case 'in':
      return bool(isIn(entityOf(a), b, scene));
    case 'contains':
      return bool(itemsOf(a).some((item) => isSame(item, b)));
    case 'containsAll':
      return bool(itemsOf(b).every((each) => itemsOf(a).some((item) => isSame(item, each))));
    case 'containsAny':
      return bool(itemsOf(b).some((each) => itemsOf(a).some((item) => isSame(item, each))));
    case '+':
      return long(longOf(a) + longOf(b));
    case '-':
      return long(longOf(a) - longOf(b));
    case '*':
      return long(longOf(a) * longOf(b));
    case 'getTag':
    case 'hasTag':
      throw new Unclear();
  }
}

function fieldsOf(value: Value, scene: Scene): ReadonlyMap<string, Value> {
  if (value.kind === 'record') return value.entries;
  const attributes = scene.entities.get(keyOf(entityOf(value)))?.attrs ?? {};
  return new Map(Object.entries(attributes).map(([name, json]) => [name, valueOfJson(json)]));
}

function hasPath(value: Value, names: readonly string[], scene: Scene): boolean {
  let here: Value | undefined = value;
  for (const name of names) {
    here = fieldsOf(here, scene).get(name);
    if (here === undefined) return false;
  }
  return true;
}

function isIn(name: EntityName, within: Value, scene: Scene): boolean {
  if (within.kind === 'set') return within.items.some((item) => isIn(name, item, scene));
  const wanted = keyOf(entityOf(within));
  const seen = new Set([keyOf(name)]);
  for (const key of seen) {
    if (key === wanted) return true;
    for (const parent of scene.entities.get(key)?.parents ?? []) seen.add(keyOf(parent));
  }
  return false;
}

/** Whether a text matches; wildcards match any characters. Linear in text times parts; throws `Unclear` for long texts. */
export function isLike(text: string, pattern: readonly (string | null)[]): boolean {
  if (text.length > likeCharactersMax) throw new Unclear();
  // One step for each character of a literal, null for a wildcard.
  const steps = pattern.flatMap((part): readonly (string | null)[] =>
    part === null ? [null] : Array.from(part),
  );
  const characters = Array.from(text);
  let [at, step, star, mark] = [0, 0, -1, 0];
  while (at < characters.length) {
    if (steps[step] === null) [star, mark, step] = [step, at, step + 1];
    else if (step < steps.length && steps[step] === characters[at]) [at, step] = [at + 1, step + 1];
    else if (star >= 0) [mark, at, step] = [mark + 1, mark + 1, star + 1];
    else return false;
  }
  while (steps[step] === null) step += 1;
  return step === steps.length;
}
