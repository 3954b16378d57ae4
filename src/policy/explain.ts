/**
 * Why a verdict is what it is: for people with the clauses that made the difference and the values on both sides, for
 * the agent in one sentence without values or thresholds, since an agent that learns `rows <= 1000` exports 1,000 rows
 * fifty times. Values are masked like everywhere else, and hidden characters shown.
 */
import { asPolicyId } from '../core/ids.ts';
import { mostByGroup } from '../core/places.ts';
import type { Clause, Explanation, Requirement } from '../core/verdict.ts';
import { visibleLine } from '../core/visible.ts';
import type { Condition, Expression } from './expression.ts';
import { holds, type Scene } from './interpret.ts';
import { print, quoted } from './print.ts';
import { shownValue } from './shown.ts';
import type { Statement } from './statement.ts';
import { Unclear } from './value.ts';

/** A clause with the words that a sentence uses for it. */
export interface Reason {
  readonly clause: Clause;
  readonly words: string;
  readonly compares: boolean;
}

const opposites: Readonly<Record<string, '==' | '!=' | '<' | '<=' | '>' | '>='>> = {
  '==': '!=',
  '!=': '==',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};
const methods: ReadonlySet<string> = new Set(['contains', 'containsAll', 'containsAny', 'getTag', 'hasTag']);

/** The explanation of a verdict that these policies determined. */
export function explain(statements: readonly Statement[], scene: Scene): Explanation {
  const all = statements.map((statement) => ({ statement, reasons: reasonsOf(statement, scene) }));
  return {
    text: all.map(({ statement, reasons }) => sentenceOf(statement, reasons)).join(' '),
    policies: statements.map(({ id, title, effect }) => ({ id: asPolicyId(id), title, effect })),
    clauses: all.flatMap(({ reasons }) => reasons.map((reason) => reason.clause)),
    wouldAllow: [],
  };
}

/** An explanation that no policy's clauses are part of. */
export const bareExplanation = (text: string): Explanation => ({
  text,
  policies: [],
  clauses: [],
  wouldAllow: [],
});

function sentenceOf(statement: Statement, reasons: readonly Reason[]): string {
  const does = statement.requirement === null ? `${statement.effect}s this` : 'applies';
  const compared = reasons.filter((reason) => reason.compares);
  const told = compared.length > 0 ? compared : reasons;
  const because = told.length > 0 ? ` because ${told.map((reason) => reason.words).join(' and ')}` : '';
  return `“${visibleLine(statement.title)}” ${does}${because}.`;
}

/** What the agent is told of an action that people must approve. */
export function tellReview(
  requirements: readonly Requirement[],
  statements: readonly Statement[],
  scene: Scene,
): string {
  const wanted = [...mostByGroup(requirements, (one) => one.quorum)].map(
    ([approvers, quorum]) => `${approvers} (${quorum === 1 ? '1 person' : `${quorum} people`})`,
  );
  const told = statements.flatMap((statement) =>
    statement.tellAgent === false ? [] : [toldOf(statement, scene)],
  );
  return [`This action needs approval by ${wanted.join(' and ')}.`, ...told].join(' ');
}

/** What the agent is told of an action that policies forbid. */
export function tellForbidden(statements: readonly Statement[], scene: Scene): string {
  return statements
    .map((statement) => {
      if (statement.tellAgent !== false) return toldOf(statement, scene);
      return statement.titled ? `${statement.title}.` : 'A policy forbids this action.';
    })
    .join(' ');
}

const toldOf = (statement: Statement, scene: Scene): string =>
  typeof statement.tellAgent === 'string'
    ? statement.tellAgent
    : sentenceOf(statement, reasonsOf(statement, scene));

const reasonsOf = (statement: Statement, scene: Scene): readonly Reason[] =>
  statement.conditions.flatMap((condition) => reasonsIn(statement, condition, scene));

/** The smallest parts of one condition that made it true, or false, as they are in this scene. */
export function reasonsIn(statement: Statement, condition: Condition, scene: Scene): readonly Reason[] {
  try {
    return leavesOf(condition.body, scene).flatMap(({ leaf, holds: isTrue }) =>
      reasonOf(statement, leaf, isTrue, scene),
    );
  } catch (error) {
    if (error instanceof Unclear) return [unclear(statement, condition)];
    throw error;
  }
}

function unclear(statement: Statement, condition: Condition): Reason {
  const text = visibleLine(
    `${condition.kind === 'unless' ? 'not ' : ''}${print(condition.body, condition.kind === 'unless' ? unaryStrength : 0)}`,
  );
  return {
    clause: { policy: asPolicyId(statement.id), text, left: null, right: null },
    words: text,
    compares: false,
  };
}

/** Binds tighter than any operator: what is looser gets parentheses. */
export const unaryStrength = 6;

interface Leaf {
  readonly leaf: Expression;
  readonly holds: boolean;
}

/** The smallest expressions that made the whole true, or false: both sides of a true `&&`, the true side of an `||`. */
function leavesOf(expression: Expression, scene: Scene): readonly Leaf[] {
  const below = (inner: Expression): readonly Leaf[] => leavesOf(inner, scene);
  if (expression.op === 'unary' && expression.name === '!') return below(expression.arg);
  if (expression.op === 'if') {
    return [
      ...below(expression.test),
      ...below(holds(expression.test, scene) ? expression.yes : expression.no),
    ];
  }
  if (expression.op === 'binary' && (expression.name === '&&' || expression.name === '||')) {
    // A false `&&` and a true `||` are decided by one side, and never look at the other where that is the left one.
    const decisive = expression.name === '||';
    if (holds(expression.left, scene) === decisive) return below(expression.left);
    if (holds(expression.right, scene) === decisive) return below(expression.right);
    return [...below(expression.left), ...below(expression.right)];
  }
  if (expression.op === 'literal') return [];
  return [{ leaf: expression, holds: holds(expression, scene) }];
}

function reasonOf(statement: Statement, leaf: Expression, isTrue: boolean, scene: Scene): Reason {
  const operator = leaf.op === 'binary' ? leaf.name : '';
  const opposite = opposites[operator];
  const shown =
    !isTrue && leaf.op === 'binary' && opposite !== undefined ? { ...leaf, name: opposite } : leaf;
  const text = visibleLine(isTrue || shown !== leaf ? print(shown) : `!${print(leaf, unaryStrength)}`);
  const sides = sidesOf(leaf).map((side) => ({
    side,
    value: side === null ? null : shownValue(side, scene),
  }));
  const [left, right] = sides;
  const clause = {
    policy: asPolicyId(statement.id),
    text,
    left: left?.value ?? null,
    right: right?.value ?? rightOf(leaf),
  };
  const isRelation = shown.op === 'binary' && !methods.has(shown.name);
  const values =
    isRelation && clause.left !== null && clause.right !== null
      ? relationText(shown.name, clause.left, clause.right)
      : sides.flatMap(({ side, value }) =>
          side === null || value === null || isLiteral(side)
            ? []
            : [`${visibleLine(print(side))} is ${value}`],
        );
  return {
    clause,
    words: values.length > 0 ? `${text} (${values.join(', ')})` : text,
    compares: values.length > 0 || isRelation,
  };
}

/** An equality that holds has one value, and the clause says it. */
const relationText = (name: string, left: string, right: string): readonly string[] =>
  name === '==' ? [] : [`${left} ${name} ${right}`];

/** The two things that a leaf compares. */
function sidesOf(leaf: Expression): readonly (Expression | null)[] {
  if (leaf.op === 'binary') return [leaf.left, leaf.right];
  if (leaf.op === 'like' || leaf.op === 'is') return [leaf.left, leaf.op === 'is' ? leaf.within : null];
  if (leaf.op === 'unary') return [leaf.arg, null];
  if (leaf.op === 'call') return [leaf.args[0] ?? null, leaf.args[1] ?? null];
  return leaf.op === 'attribute' ? [leaf, null] : [null, null];
}

function rightOf(leaf: Expression): string | null {
  if (leaf.op === 'is') return leaf.type;
  if (leaf.op !== 'like') return null;
  return visibleLine(quoted(leaf.pattern.map((part) => part ?? '*').join('')));
}

const isLiteral = (expression: Expression): boolean =>
  expression.op === 'literal' ||
  expression.op === 'entity' ||
  (expression.op === 'set' && expression.items.every(isLiteral));
