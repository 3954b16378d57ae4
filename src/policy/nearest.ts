/**
 * Which permits come nearest to an action that none permits, and what each of them still wants: the ones with the fewest failing
 * clauses first. For people: an agent that learns what a permit wants says just that.
 */
import type { Clause } from '../core/verdict.ts';
import { visibleLine } from '../core/visible.ts';
import { reasonsIn, unaryStrength, type Reason } from './explain.ts';
import type { Condition, Expression } from './expression.ts';
import { holds, type Scene } from './interpret.ts';
import { print, printName } from './print.ts';
import { shownText } from './shown.ts';
import type { Statement } from './statement.ts';
import { Unclear } from './value.ts';

/** Permits that are told of. */
const nearestMax = 3;
const conditionCharsMax = 200;

export interface Nearest {
  readonly statement: Statement;
  /** A sentence. */
  readonly text: string;
  readonly clauses: readonly Clause[];
  /** What fails. */
  readonly conditions: readonly Condition[];
}

/** The permits among these that come nearest, and what fails in each. */
export function nearestPermits(
  statements: Iterable<Statement>,
  scene: Scene,
  who: { readonly agent: string },
): readonly Nearest[] {
  const found = [...statements]
    .filter((statement) => statement.effect === 'permit')
    .map((statement) => nearestOf(statement, scene, who.agent))
    .filter((one) => one.conditions.length > 0);
  return found.toSorted((a, b) => a.failing - b.failing || compare(a, b)).slice(0, nearestMax);
}

const compare = (a: Nearest, b: Nearest): number => (a.statement.id < b.statement.id ? -1 : 1);

function nearestOf(
  statement: Statement,
  scene: Scene,
  agent: string,
): Nearest & { readonly failing: number } {
  const inHead = statement.head.filter((condition) => !isMet(condition, scene));
  const inBody = statement.conditions.filter((condition) => !isMet(condition, scene));
  const reasons = inBody.map((condition) => reasonsIn(statement, condition, scene));
  const wants = [
    ...inHead.map(({ body }) => headWords(body, scene, agent)),
    ...inBody.map((condition, index) => conditionWords(condition, reasons[index] ?? [])),
  ];
  return {
    statement,
    text: `Permit ${statement.id} ${wants.join('; and it ')}.`,
    clauses: reasons.flat().map((reason) => reason.clause),
    conditions: [...inHead, ...inBody],
    failing: inHead.length + reasons.flat().length,
  };
}

function isMet({ kind, body }: Condition, scene: Scene): boolean {
  try {
    return holds(body, scene) === (kind === 'when');
  } catch (error) {
    if (error instanceof Unclear) return false;
    throw error;
  }
}

/** What a scope wants: "applies to agents in support-agents; crm-bot is not". */
function headWords(body: Expression, scene: Scene, agent: string): string {
  const isPrincipal =
    (body.op === 'is' || body.op === 'binary') &&
    body.left.op === 'variable' &&
    body.left.name === 'principal';
  const here = isPrincipal ? agent : shownText(scene.variables.resource, null);
  const kind = isPrincipal ? 'agents' : 'resources';
  if (body.op === 'is') return `applies to ${kind} of another type, or elsewhere; ${here} is not`;
  if (body.op !== 'binary' || body.right.op !== 'entity') return `does not apply to ${here}`;
  const { type, id } = body.right.name;
  const name = visibleLine(type === 'Group' || type === 'Agent' ? id : printName(body.right.name));
  return body.name === 'in'
    ? `applies to ${kind} in ${name}; ${here} is not`
    : `applies to ${name} only; this is ${here}`;
}

/** What a condition wants, and the values that fail it. */
function conditionWords({ kind, body }: Condition, reasons: readonly Reason[]): string {
  const text = visibleLine(kind === 'when' ? print(body) : `!${print(body, unaryStrength)}`);
  const cut = text.length > conditionCharsMax ? `${text.slice(0, conditionCharsMax).toWellFormed()}…` : text;
  const values = [
    ...new Set(
      reasons.flatMap(({ clause, compares }) => (compares && clause.left !== null ? [clause.left] : [])),
    ),
  ];
  return values.length === 0 ? `wants ${cut}` : `wants ${cut} (here ${values.join(' and ')})`;
}
