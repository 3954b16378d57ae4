/**
 * The verdict of a policy set on an action (design §5, "Verdict"): evaluated with nothing satisfied, and where only
 * requirements stand in the way once more with those satisfied, so that people are never asked in vain.
 */
import type { Code } from '../core/refusal.ts';
import type { Explanation, Requirement, Verdict } from '../core/verdict.ts';
import type { Evaluated, Evaluator } from './evaluator.ts';
import { bareExplanation, explain, tellForbidden, tellReview } from './explain.ts';
import { questionOf } from './operations.ts';
import {
  failure,
  prepare,
  sceneOf,
  type Failure,
  type Live,
  type Prepared,
  type Question,
} from './prepare.ts';
import type { Slice } from './slice.ts';
import type { Statement } from './statement.ts';

/** Judges an action. Does not throw unless there is a bug; the engine denies then as well. */
export function judgeWith(live: Live, evaluator: Evaluator, question: Question): Verdict {
  const prepared = prepare(live, question, question.action.operation);
  if ('code' in prepared) return verdictOf(live, evaluator, question, prepared);
  return (
    live.memo.get(prepared.key) ??
    live.memo.keep(prepared.key, verdictOf(live, evaluator, question, prepared))
  );
}

function verdictOf(
  live: Live,
  evaluator: Evaluator,
  question: Question,
  prepared: Prepared | Failure,
): Verdict {
  const { action } = question;
  // What no policy reads is not part of what was judged: its change makes nothing stale.
  const recent = 'code' in prepared || prepared.slice.reads.recent === null ? null : question.recent;
  const judged = (
    explanation: Explanation,
    toldAgent: string,
  ): Omit<Verdict, 'effect' | 'code' | 'requirements'> => ({
    versions: live.versions,
    recent,
    policyDigest: live.digest,
    explanation,
    toldAgent,
  });
  const deny = (code: Code, explanation: Explanation, toldAgent: string): Verdict => ({
    effect: 'deny',
    code,
    ...judged(explanation, toldAgent),
  });
  const fail = ({ code, text, told }: Failure): Verdict => deny(code, bareExplanation(text), told);

  if ('code' in prepared) return fail(prepared);
  const { slice } = prepared;
  const first = evaluate(evaluator, prepared, []);
  const scene = sceneOf(prepared);
  if (first.kind === 'allow')
    return { effect: 'allow', ...judged(explain(named(slice, first), scene), 'Permitted.') };

  const noPermit = (text: string): Verdict =>
    deny('no_permit', bareExplanation(text), 'No policy permits this action.');
  const satisfied = new Map<string, Requirement>();
  let answer: Evaluated = first;
  while (answer.kind === 'deny' && answer.determining.length > 0) {
    const forbids = named(slice, answer);
    const final = forbids.filter((statement) => statement.requirement === null);
    if (final.length > 0) return deny('forbidden', explain(final, scene), tellForbidden(final, scene));
    const before = satisfied.size;
    for (const { id, requirement } of forbids) if (requirement !== null) satisfied.set(id, requirement);
    // Each pass adds one of finitely many; a requirement that its approval does not lift is a bug of ours, and a denial.
    if (satisfied.size === before) return fail(failure('A requirement is not lifted by its own approval.'));
    answer = evaluate(evaluator, prepared, [...satisfied.keys()]);
  }
  if (answer.kind === 'failed') return fail(failure(`The policies could not be evaluated: ${answer.why}`));
  if (satisfied.size === 0) return noPermit(`No policy permits ${action.operation} for ${action.agent}.`);
  if (answer.kind === 'deny')
    return noPermit(`No policy permits ${action.operation} for ${action.agent}, even with every approval.`);
  const ids = [...satisfied.keys()].toSorted();
  const requirements = ids.flatMap((id) => satisfied.get(id) ?? []);
  const statements = ids.flatMap((id) => slice.statements.get(id) ?? []);
  return {
    effect: 'review',
    requirements,
    ...judged(explain(statements, scene), tellReview(requirements, statements, scene)),
  };
}

/** Whether policies permit the answer to a question of an operation. Nothing is satisfied: what was approved was another thing. */
export function permitsQuestionWith(live: Live, evaluator: Evaluator, question: Question): boolean {
  const prepared = prepare(live, question, questionOf(question.action.operation));
  return !('code' in prepared) && evaluate(evaluator, prepared, []).kind === 'allow';
}

const named = (slice: Slice, answer: Evaluated & { readonly kind: 'allow' | 'deny' }): readonly Statement[] =>
  answer.determining.map((id) => {
    const statement = slice.statements.get(id);
    if (statement === undefined) throw new TypeError(`Cedar named a policy that is not in the slice: ${id}`); // a bug of ours
    return statement;
  });

function evaluate(evaluator: Evaluator, prepared: Prepared, satisfied: readonly string[]): Evaluated {
  const { slice, principal, resource, context, entities } = prepared;
  const approvals = slice.hasRequirements ? { approvals: { satisfied: [...satisfied] } } : {};
  return evaluator.evaluate(slice, {
    principal: principal.uid,
    resource,
    context: { ...context, ...approvals },
    entities,
  });
}
