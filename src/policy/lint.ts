/**
 * What Cedar's validator does not check and this product depends on:
 *
 * - `approvals` is read in one shape only, `unless { context.approvals.satisfied.contains("<own id>") }` as a whole
 *   condition of a requirement. So one more evaluation tells what people can lift, and no policy can be written that
 *   an approval *tightens*, or that an approval of something else lifts.
 * - `context` goes nowhere as a whole, or `approvals` could be reached through it.
 * - arithmetic over the input in a forbid is pointed out: an overflow is an evaluation error, and so a denial.
 */
import type { Remark } from './annotations.ts';
import { everyPart, partsOf, type Condition, type Expression } from './expression.ts';

export interface Linted {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  readonly isRequirement: boolean;
  readonly conditions: readonly Condition[];
  /** It is about what people read and administer, so that `context` has their roles and no input. */
  readonly onActs?: boolean;
}

export interface Finding {
  readonly remarks: readonly Remark[];
  /** Whether the policy has its `unless` already (long form). */
  readonly lifted: boolean;
  /** The conditions without that `unless`. */
  readonly conditions: readonly Condition[];
}

const readable: ReadonlySet<string> = new Set(['input', 'system', 'recent']);
const readableOnActs: ReadonlySet<string> = new Set(['system', 'roles']);

/** Lints the conditions of one policy. */
export function lint(policy: Linted): Finding {
  const remarks: Remark[] = [];
  const wrong = (message: string): void => void remarks.push({ message, severity: 'error' });
  const lifts = policy.conditions.filter(
    (condition) => condition.kind === 'unless' && liftedId(condition.body) !== null,
  );
  const conditions = policy.conditions.filter((condition) => !lifts.includes(condition));
  for (const { body } of lifts) {
    const id = liftedId(body);
    if (policy.effect === 'permit') wrong('approvals in a permit: only a forbid can be lifted by people');
    else if (!policy.isRequirement)
      wrong('approvals in a forbid without @approvers: nobody would ever be asked');
    else if (id !== policy.id)
      wrong(`approvals.satisfied.contains("${id}"): a policy may name only its own id, "${policy.id}"`);
  }
  if (lifts.length > 1) wrong('approvals may be named once in a policy');
  for (const message of new Set(
    conditions.flatMap(({ body }) => [...strayContext(body, null, policy.onActs === true)]),
  ))
    wrong(message);
  if (policy.effect === 'forbid' && conditions.some(({ body }) => hasArithmetic(body))) {
    remarks.push({
      message:
        'arithmetic over context.input: where it overflows the action is denied with policy_error; compare without arithmetic',
      severity: 'warning',
    });
  }
  return { remarks, lifted: lifts.length > 0, conditions };
}

/** The id in exactly `context.approvals.satisfied.contains("id")`, else null. */
function liftedId(body: Expression): string | null {
  if (body.op !== 'binary' || body.name !== 'contains') return null;
  const { left, right } = body;
  const isSatisfied =
    left.op === 'attribute' &&
    left.name === 'satisfied' &&
    left.left.op === 'attribute' &&
    left.left.name === 'approvals' &&
    left.left.left.op === 'variable' &&
    left.left.left.name === 'context';
  return isSatisfied && right.op === 'literal' && typeof right.value === 'string' ? right.value : null;
}

const shape = 'approvals may be read only as: unless { context.approvals.satisfied.contains("<own id>") }';

/** Each use of `context` that is not the reading of one of its readable parts. */
function* strayContext(expression: Expression, outer: Expression | null, onActs: boolean): Generator<string> {
  if (expression.op === 'variable' && expression.name === 'context') {
    const name = outer?.op === 'attribute' ? outer.name : outer?.op === 'has' ? outer.names[0] : undefined;
    if (name === 'approvals') yield shape;
    else if (name === undefined) yield `context as a whole cannot be used: read ${partsWords(onActs)}`;
    else if (!(onActs ? readableOnActs : readable).has(name))
      yield `there is no context.${name}: read ${partsWords(onActs)}`;
  }
  for (const part of partsOf(expression)) yield* strayContext(part, expression, onActs);
}

const partsWords = (onActs: boolean): string =>
  onActs ? 'context.system or context.roles' : 'context.input, context.system or context.recent';

function hasArithmetic(body: Expression): boolean {
  return [...everyPart(body)].some((part) => {
    const computes =
      (part.op === 'binary' && (part.name === '+' || part.name === '-' || part.name === '*')) ||
      (part.op === 'unary' && part.name === 'neg');
    return (
      computes && [...everyPart(part)].some((inner) => inner.op === 'attribute' && inner.name === 'input')
    );
  });
}
