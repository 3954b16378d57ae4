/**
 * From a question to a request that Cedar can be asked: the operation is known and enabled, the agent registered, the resource of its
 * type, and everything that policies read fits its type. What is not so is a failure, and a denial with its own code.
 */
import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Digest } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import type { Profile } from '../core/profile.ts';
import type { Recent } from '../core/recent.ts';
import type { Code } from '../core/refusal.ts';
import type { Versions } from '../core/verdict.ts';
import type { Judgeable } from '../ports/policy.ts';
import type { Compiled } from './compile.ts';
import { recentFields, systemFields, type LocalTime } from './context.ts';
import { keyOf, type Entity, type EntityStore } from './entities.ts';
import type { Scene } from './interpret.ts';
import { memoKey, type Memo } from './memo.ts';
import { projectInput } from './project.ts';
import type { Reads } from './reads.ts';
import type { Slice } from './slice.ts';
import { requiredAttributes } from './types.ts';
import { valueOfJson } from './value.ts';

/** A live policy set. */
export interface Live {
  readonly compiled: Compiled;
  readonly store: EntityStore;
  readonly versions: Versions;
  readonly digest: Digest;
  /** Where the gate's clock hangs: `context.system.local`. */
  readonly zone: LocalTime;
  /** By operation: which field of the input is added up, and which one names the resource. */
  readonly profiles: Readonly<Record<string, Pick<Profile, 'sum' | 'resource'>>>;
  /** Verdicts of this set, and of no other. */
  readonly memo: Memo;
  /** The slice of an action, made when it is first needed. */
  slice(action: string): Slice | undefined;
}

/** What an agent is told where policies cannot be evaluated. */
export const tellBroken = 'The policy set cannot be evaluated; nothing runs until an operator mends it.';

type Context = Record<string, CedarValueJson>;

/** What is judged, and when. */
export interface Question {
  readonly action: Judgeable;
  readonly nowMs: number;
  /** Null: nobody counted. An operation whose policies read counts is then denied. */
  readonly recent: Recent | null;
  /** Entities that are taken to be otherwise than they are, by `keyOf`; for counterfactuals only. */
  readonly instead?: ReadonlyMap<string, Entity>;
}

/** A request without its context's `approvals`, which differ between the two evaluations. */
export interface Prepared {
  readonly slice: Slice;
  /** Under which its verdict is remembered; null: not at all. */
  readonly key: string | null;
  readonly principal: Entity;
  readonly resource: Judgeable['resource'];
  readonly context: Context;
  readonly entities: readonly Entity[];
}

/** Why nothing can be evaluated: what people read, and what the agent is told. */
export interface Failure {
  readonly code: Code;
  readonly text: string;
  readonly told: string;
}

/** A failure; by default it is the operator's to mend. */
export const failure = (text: string, told = tellBroken, code: Code = 'policy_error'): Failure => ({
  code,
  text,
  told,
});

/** The request of a question, for one of its operation's actions. */
export function prepare(live: Live, question: Question, action: string): Prepared | Failure {
  const { compiled, store } = live;
  const { action: asked, instead } = question;
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
  for (const [key, entity] of instead ?? []) if (entities.has(key)) entities.set(key, entity);
  // A projected input is plain JSON without Cedar's escapes; Cedar does not write to it.
  const context: Context = { input: input.value as unknown as Context };
  const { system, recent } = slice.reads;
  if (system !== null) context['system'] = systemFields(question.nowMs, live.zone, system);
  if (recent !== null) {
    const counts = countsOf(live, question, recent);
    if ('code' in counts) return counts;
    context['recent'] = counts.fields as unknown as Context; // as the input
  }
  const { type, id } = asked.resource;
  // What is only supposed is not remembered.
  const key = instead === undefined ? memoKey(slice, asked, input.value) : null;
  return { slice, key, principal, resource: { type, id }, context, entities: [...entities.values()] };
}

/** `context.recent`, or why these counts cannot be read: nobody counted, or this action has no number to add up. */
function countsOf(
  live: Live,
  { action, recent }: Question,
  reads: Reads,
): { readonly fields: JsonObject } | Failure {
  if (recent === null)
    return failure(`The policies of ${action.operation} read context.recent, and nobody counted.`);
  const fields = recentFields(recent, reads);
  if (fields.ok) return { fields: fields.value };
  const field = live.profiles[action.operation]?.sum;
  const read = `The policies read ${fields.error.path}`;
  return field === undefined
    ? failure(`${read}, and the profile of ${action.operation} names no field to add up (sum: input.…).`)
    : failure(
        `${read}, and ${field}, which the profile of ${action.operation} adds up, is no whole number here.`,
        `The input does not fit: ${field} must be a whole number.`,
      );
}

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

/** The values of a request, as explanations look at them. */
export function sceneOf({ slice, principal, resource, context, entities }: Prepared): Scene {
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

/** What explanations look at: the policies of a question, and its values. Null where it cannot be evaluated. */
export function sceneFor(
  live: Live,
  question: Question,
): { readonly slice: Slice; readonly scene: Scene } | null {
  const prepared = prepare(live, question, question.action.operation);
  return 'code' in prepared ? null : { slice: prepared.slice, scene: sceneOf(prepared) };
}
