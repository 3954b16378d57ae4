/**
 * Which groups of people a policy reads so that taking somebody out of one could loosen it: a forbid that applies to members, a
 * permit that reads them in any way. A forbid that only spares members does not: without them it applies to more.
 */
import type { ReadGroups } from '../core/config-change.ts';
import { splitOperation } from '../core/action.ts';
import { everyPart, partsOf, type Expression } from './expression.ts';
import type { Statement } from './statement.ts';

/** Which way the truth of an expression moves the policy: it then applies, it then does not, or that cannot be told. */
type Way = 'applies' | 'spares' | 'unclear';

const other: Readonly<Record<Way, Way>> = { applies: 'spares', spares: 'applies', unclear: 'unclear' };

type Said = Pick<Statement, 'actions' | 'effect' | 'head' | 'conditions'>;

/** The ids of these groups; `any` where the policy does not name them. */
export function groupsRead({ actions, effect, head, conditions }: Said): ReadGroups {
  const all = [...head, ...conditions];
  // Of an operation the principal is an agent, and nobody moves agents between groups here.
  const byAgents = actions === null || actions.every((action) => splitOperation(action) !== undefined);
  // Where something may fail, whether it is reached at all matters as well.
  const clear = effect === 'forbid' && !all.some(({ body }) => mayFail(body));
  const groups = new Set<string>();
  let any = false;
  const visit = (expression: Expression, way: Way): void => {
    const member = memberOf(expression);
    if (member !== null && way !== 'spares' && mayBePerson(member.who, byAgents)) {
      const named = groupNames(member.group);
      if (named === null) any = true;
      for (const name of named ?? []) groups.add(name);
    }
    for (const [part, its] of within(expression, way)) visit(part, its);
  };
  for (const { kind, body } of all) visit(body, !clear ? 'unclear' : kind === 'when' ? 'applies' : 'spares');
  return any ? 'any' : [...groups].toSorted();
}

/** The parts of an expression, and which way each moves the policy. */
function within(expression: Expression, way: Way): readonly (readonly [Expression, Way])[] {
  if (expression.op === 'unary' && expression.name === '!') return [[expression.arg, other[way]]];
  if (expression.op === 'binary' && (expression.name === '&&' || expression.name === '||'))
    return [
      [expression.left, way],
      [expression.right, way],
    ];
  if (expression.op === 'if')
    return [
      [expression.test, 'unclear'],
      [expression.yes, way],
      [expression.no, way],
    ];
  return partsOf(expression).map((part) => [part, 'unclear']);
}

function memberOf(expression: Expression): { readonly who: Expression; readonly group: Expression } | null {
  if (expression.op === 'binary' && expression.name === 'in')
    return { who: expression.left, group: expression.right };
  return expression.op === 'is' && expression.within !== null
    ? { who: expression.left, group: expression.within }
    : null;
}

function mayBePerson(who: Expression, byAgents: boolean): boolean {
  if (who.op === 'variable') return who.name === 'resource' || (who.name === 'principal' && !byAgents);
  return who.op !== 'entity' || who.name.type === 'Person';
}

/** The groups that are named; null where it may be any. */
function groupNames(group: Expression): readonly string[] | null {
  if (group.op === 'entity') return group.name.type === 'Group' ? [group.name.id] : [];
  if (group.op !== 'set') return null;
  const names = group.items.map(groupNames);
  return names.includes(null) ? null : names.flatMap((one) => one ?? []);
}

/** Arithmetic can overflow, an extension function can be given what it cannot read, a tag can be missing. */
const mayFail = (body: Expression): boolean =>
  [...everyPart(body)].some(
    (part) =>
      part.op === 'call' ||
      (part.op === 'unary' && part.name === 'neg') ||
      (part.op === 'binary' && ['+', '-', '*', 'getTag'].includes(part.name)),
  );
