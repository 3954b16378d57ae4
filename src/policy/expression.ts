/**
 * Cedar's expressions as a tagged union. Cedar hands out a policy as JSON (its "EST"); it is parsed here once, and the
 * lint, the reads, the printer and the explanation work on this. Evaluation never does: Cedar gets the policy's own text.
 *
 * Promises: an expression that is deeper or longer than the limits, or of a kind that we do not know, is refused with a
 * sentence. Measured: Cedar's wasm traps, and stays unusable, on chains of 400 and nesting of 150.
 */
import type { Expr as CedarExpression } from '@cedar-policy/cedar-wasm/nodejs';
import type { JsonValue } from '../core/json.ts';
import { isJsonObject } from '../core/json.ts';
import { err, ok, type Result } from '../core/result.ts';

export type Variable = 'principal' | 'action' | 'resource' | 'context';

/** The name of an entity: `Person::"rosa"`. */
export interface EntityName {
  readonly type: string;
  readonly id: string;
}

export const binaryOperators = [
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  'in',
  '&&',
  '||',
  '+',
  '-',
  '*',
  'contains',
  'containsAll',
  'containsAny',
  'getTag',
  'hasTag',
] as const;
export type BinaryOperator = (typeof binaryOperators)[number];

export type Expression =
  | { readonly op: 'literal'; readonly value: boolean | number | string }
  | { readonly op: 'entity'; readonly name: EntityName }
  | { readonly op: 'variable'; readonly name: Variable }
  | { readonly op: 'unary'; readonly name: '!' | 'neg' | 'isEmpty'; readonly arg: Expression }
  | {
      readonly op: 'binary';
      readonly name: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly op: 'attribute'; readonly left: Expression; readonly name: string }
  | { readonly op: 'has'; readonly left: Expression; readonly names: readonly string[] }
  | { readonly op: 'like'; readonly left: Expression; readonly pattern: readonly (string | null)[] }
  | {
      readonly op: 'is';
      readonly left: Expression;
      readonly type: string;
      readonly within: Expression | null;
    }
  | { readonly op: 'if'; readonly test: Expression; readonly yes: Expression; readonly no: Expression }
  | { readonly op: 'set'; readonly items: readonly Expression[] }
  | { readonly op: 'record'; readonly entries: readonly (readonly [name: string, value: Expression])[] }
  | { readonly op: 'call'; readonly name: string; readonly args: readonly Expression[] };

/** One `when` or `unless` of a policy. */
export interface Condition {
  readonly kind: 'when' | 'unless';
  readonly body: Expression;
}

/** Levels inside each other, where a chain of one operator (`a && b && c`) is one level. */
export const nestingMax = 64;
/** Links of a chain of one operator. */
export const chainMax = 100;
/** Levels inside each other, chains counted link by link. */
const depthMax = 160;

class Refused extends Error {}

/** Parses one expression of Cedar's JSON; the error is a sentence for the operator. */
export function expressionOf(json: CedarExpression): Result<Expression, string> {
  try {
    // Cedar answers in plain JSON; the vendor's type lists what it may be, and is checked node by node below.
    return ok(parse(json as JsonValue, { operator: '', depth: 1, nesting: 1, chain: 1 }));
  } catch (error) {
    if (error instanceof Refused) return err(error.message);
    throw error;
  }
}

/** Where in the tree we are. */
interface Place {
  readonly operator: string;
  readonly depth: number;
  readonly nesting: number;
  readonly chain: number;
}

function below(place: Place, operator: string): Place {
  const links = operator === place.operator;
  const next = {
    operator,
    depth: place.depth + 1,
    nesting: place.nesting + (links ? 0 : 1),
    chain: links ? place.chain + 1 : 1,
  };
  if (next.chain > chainMax)
    throw new Refused(`a chain of more than ${chainMax} "${operator}" in a row: split the policy`);
  if (next.nesting > nestingMax || next.depth > depthMax)
    throw new Refused(`nested more than ${nestingMax} levels deep: split the policy`);
  return next;
}

const isBinary = (name: string): name is BinaryOperator =>
  (binaryOperators as readonly string[]).includes(name);

function parse(json: JsonValue | undefined, outer: Place): Expression {
  const [operator, body] = only(json);
  const place = below(outer, operator);
  const at = (name: string): Expression => parse(field(body, name), place);
  if (isBinary(operator)) return { op: 'binary', name: operator, left: at('left'), right: at('right') };
  switch (operator) {
    case 'Value':
      return literal(body);
    case 'Var':
      return { op: 'variable', name: variable(body) };
    case '!':
    case 'neg':
    case 'isEmpty':
      return { op: 'unary', name: operator, arg: at('arg') };
    case '.':
      return { op: 'attribute', left: at('left'), name: text(field(body, 'attr')) };
    case 'has': {
      const names = field(body, 'attr');
      return { op: 'has', left: at('left'), names: Array.isArray(names) ? names.map(text) : [text(names)] };
    }
    case 'like':
      return { op: 'like', left: at('left'), pattern: list(field(body, 'pattern')).map(patternPart) };
    case 'is': {
      const within = isJsonObject(body) && body['in'] !== undefined ? at('in') : null;
      return { op: 'is', left: at('left'), type: text(field(body, 'entity_type')), within };
    }
    case 'if-then-else':
      return { op: 'if', test: at('if'), yes: at('then'), no: at('else') };
    case 'Set':
      return { op: 'set', items: list(body).map((item) => parse(item, place)) };
    case 'Record':
      if (!isJsonObject(body)) throw new Refused('a record that we cannot read');
      return {
        op: 'record',
        entries: Object.entries(body).map(([name, value]) => [name, parse(value, place)]),
      };
    case 'Slot':
      throw new Refused('templates are not supported: write a policy for each case');
    default:
      // Extension functions are `{name: [arguments]}`; what is not a list there is no expression that we know.
      return { op: 'call', name: operator, args: list(body).map((item) => parse(item, place)) };
  }
}

/** The one entry of an expression's object. */
function only(json: JsonValue | undefined): readonly [string, JsonValue] {
  const entries = isJsonObject(json) ? Object.entries(json) : [];
  const [first] = entries;
  if (first === undefined || entries.length !== 1) throw new Refused('an expression that we cannot read');
  return first;
}

function field(body: JsonValue, name: string): JsonValue {
  const value = isJsonObject(body) ? body[name] : undefined;
  if (value === undefined) throw new Refused('an expression that we cannot read');
  return value;
}

function text(value: JsonValue): string {
  if (typeof value !== 'string') throw new Refused('an expression that we cannot read');
  return value;
}

function list(value: JsonValue): readonly JsonValue[] {
  if (!Array.isArray(value)) throw new Refused('an expression that we cannot read');
  return value as readonly JsonValue[]; // narrowed by isArray, which does not know readonly arrays
}

function variable(value: JsonValue): Variable {
  if (value === 'principal' || value === 'action' || value === 'resource' || value === 'context')
    return value;
  throw new Refused('an expression that we cannot read');
}

const patternPart = (part: JsonValue): string | null =>
  part === 'Wildcard' ? null : text(field(part, 'Literal'));

function literal(value: JsonValue): Expression {
  if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string')
    return { op: 'literal', value };
  return { op: 'entity', name: entityNameOf(field(value, '__entity')) };
}

/** `{type, id}` of Cedar's JSON as an entity's name. */
export function entityNameOf(value: JsonValue): EntityName {
  return { type: text(field(value, 'type')), id: text(field(value, 'id')) };
}

/** The expressions directly inside one. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.op) {
    case 'literal':
    case 'entity':
    case 'variable':
      return [];
    case 'unary':
      return [expression.arg];
    case 'binary':
      return [expression.left, expression.right];
    case 'attribute':
    case 'has':
    case 'like':
      return [expression.left];
    case 'is':
      return expression.within === null ? [expression.left] : [expression.left, expression.within];
    case 'if':
      return [expression.test, expression.yes, expression.no];
    case 'set':
      return expression.items;
    case 'record':
      return expression.entries.map(([, value]) => value);
    case 'call':
      return expression.args;
  }
}

/** The expression and everything inside it, outermost first. */
export function* everyPart(expression: Expression): Generator<Expression> {
  yield expression;
  for (const part of partsOf(expression)) yield* everyPart(part);
}
