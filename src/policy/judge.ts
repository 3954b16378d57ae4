/**
 * The verdict of a policy set on an action (design §5, "Verdict"): evaluated with nothing satisfied, and where only
 * requirements stand in the way once more with those satisfied, so that people are never asked in vain.
 */
import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Digest } from '../core/ids.ts';
import type { Code } from '../core/refusal.ts';
import { rfc3339 } from '../core/time.ts';
import type { Explanation, Requirement, Verdict, Versions } from '../core/verdict.ts';
import type { Judgeable } from '../ports/policy.ts';
import type { Compiled } from './compile.ts';
import { keyOf, type Entity, type EntityStore } from './entities.ts';
import type { Evaluated, Evaluator } from './evaluator.ts';
import { bareExplanation, explain, tellForbidden, tellReview } from './explain.ts';
import type { Scene } from './interpret.ts';
import { projectInput } from './project.ts';
import type { Slice } from './slice.ts';
import type { Statement } from './statement.ts';
import { requiredAttributes } from './types.ts';
import { valueOfJson } from './value.ts';

/** A live policy set. */
export interface Live {
  readonly compiled: Compiled;
  readonly store: EntityStore;
  readonly versions: Versions;
  readonly digest: Digest;
  /** The slice of an action, made when it is first needed. */
  slice(action: string): Slice | undefined;
}

export const tellBroken = 'The policy set cannot be evaluated; nothing runs until an operator mends it.';

type Context = Record<string, CedarValueJson>;

/** A request without its context's `approvals`, which differ between the two evaluations. */
interface Prepared {
  readonly slice: Slice;
  readonly principal: Entity;
  readonly resource: Judgeable['resource'];
  readonly context: Context;
  readonly entities: readonly Entity[];
}

/** Why nothing can be evaluated: what people read, and what the agent is told. */
interface Failure {
  readonly code: Code;
  readonly text: string;
  readonly told: string;
}

const failure = (text: string, told = tellBroken, code: Code = 'policy_error'): Failure => ({
  code,
  text,
  told,
});

/** Judges an action. Does not throw unless there is a bug; the engine denies then as well. */
export function judgeWith(live: Live, evaluator: Evaluator, action: Judgeable, nowMs: number): Verdict {
  const judged = (
    explanation: Explanation,
    toldAgent: string,
  ): Omit<Verdict, 'effect' | 'code' | 'requirements'> => ({
    versions: live.versions,
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

  const prepared = prepare(live, action, action.operation, nowMs);
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
export function permitsQuestionWith(
  live: Live,
  evaluator: Evaluator,
  question: Judgeable & { readonly action: string },
  nowMs: number,
): boolean {
  const prepared = prepare(live, question, question.action, nowMs);
  return !('code' in prepared) && evaluate(evaluator, prepared, []).kind === 'allow';
}

const named = (slice: Slice, answer: Evaluated & { readonly kind: 'allow' | 'deny' }): readonly Statement[] =>
  answer.determining.map((id) => {
    const statement = slice.statements.get(id);
    if (statement === undefined) throw new TypeError(`Cedar named a policy that is not in the slice: ${id}`); // a bug of ours
    return statement;
  });

function prepare(live: Live, asked: Judgeable, action: string, nowMs: number): Prepared | Failure {
  const { compiled, store } = live;
  const operation = compiled.operations.get(asked.operation);
  if (operation === undefined || operation.from === 'unpinned') {
    return failure(
      `No policy permits ${asked.operation}: it is no tool, no configured operation, and no policy names it.`,
      'No policy permits this action.',
      'no_permit',
    );
  }
  if (!operation.enabled) {
    return failure(
      `${asked.operation} is disabled until an operator accepts its definition.`,
      'This tool is disabled until an operator accepts it.',
      'tool_disabled',
    );
  }
  const contained = compiled.contained.get(asked.operation);
  if (contained !== undefined)
    return failure(
      `${asked.operation} cannot be judged: ${contained}`,
      'The policies cannot judge this operation; an operator must mend them.',
    );
  const principal = store.agent(asked.agent);
  if (principal === undefined)
    return failure(
      `The agent ${asked.agent} is not in the directory.`,
      'This agent is not registered.',
      'not_an_agent',
    );
  const slice = live.slice(action);
  if (slice === undefined) throw new TypeError(`no slice for ${action}`); // a bug: its operation is known
  const resource = resourceOf(live, asked, operation.resourceType);
  if ('code' in resource) return resource;
  const input = projectInput(asked.input, slice.input, slice.reads.input);
  if (!input.ok) {
    const { path, why } = input.error;
    const text = `${path} ${why}`;
    return failure(
      `The policies read the input, and it does not fit: ${text}.`,
      `The input does not fit: ${text.replace('context.', '')}.`,
    );
  }
  const entities = new Map([principal, ...resource.reach].map((entity) => [keyOf(entity.uid), entity]));
  for (const name of slice.follows)
    for (const entity of store.reach(name)) entities.set(keyOf(entity.uid), entity);
  // A projected input is plain JSON without Cedar's escapes; Cedar does not write to it.
  const context: Context = { input: input.value as unknown as Context };
  if (slice.reads.now) context['system'] = systemOf(nowMs);
  const { type, id } = asked.resource;
  return { slice, principal, resource: { type, id }, context, entities: [...entities.values()] };
}

/** `context.system`. */
export const systemOf = (nowMs: number): Context => ({
  now: { __extn: { fn: 'datetime', arg: rfc3339(nowMs) } },
});

function resourceOf(
  live: Live,
  { operation, resource }: Judgeable,
  type: string,
): { readonly reach: readonly Entity[] } | Failure {
  const shown = keyOf(resource);
  if (resource.type !== type) {
    return failure(
      `${operation} is about a resource of type ${type}, not about ${shown}.`,
      `The resource of this operation is of type ${type}.`,
    );
  }
  const reach = live.store.reach(resource);
  if (reach.length > 0) return { reach };
  const missing = requiredAttributes(live.compiled.types, type);
  if (missing.length === 0) return { reach: [{ uid: { type, id: resource.id }, attrs: {}, parents: [] }] };
  return failure(
    `${shown} is not in entities.json, and every ${type} needs ${missing.join(', ')}.`,
    'The policies know nothing of this resource.',
  );
}

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

function sceneOf({ slice, principal, resource, context, entities }: Prepared): Scene {
  return {
    variables: {
      principal: { kind: 'entity', name: principal.uid },
      action: { kind: 'entity', name: { type: 'Action', id: slice.action } },
      resource: { kind: 'entity', name: resource },
      context: valueOfJson(context),
    },
    entities: new Map(entities.map((entity) => [keyOf(entity.uid), entity])),
  };
}
