/**
 * A tool's profile: the facts that people and policies need and that a tool's name does not give. Part of the
 * configuration; its hash is pinned into every action, so that a changed profile is another action.
 */
import { canonicalize } from './canonical.ts';
import type { Sha256Hex } from './ids.ts';
import { asSha256Hex } from './ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { sha256Hex } from './sha256.ts';

export const effects = ['read', 'write', 'export', 'delete', 'grant', 'execute'] as const;
export type Effect = (typeof effects)[number];

/** A read-only upstream call whose answer informs the reviewer; its strings `input.PATH` stand for the action's input. */
export interface Look {
  readonly tool: string;
  readonly input: JsonObject;
  /** Path in the answer to the number that the headline shows ("5,204 rows"), for instance `rows`. */
  readonly count?: string;
}

export interface Profile {
  /** A verb in the imperative: Export, Grant, Delete. */
  readonly verb: string;
  readonly effect: Effect;
  readonly environment?: string;
  /** The Cedar entity that the action is about; `id` is a literal or `input.PATH`. */
  readonly resource?: { readonly type: string; readonly id: string };
  /** What the headline names, a literal or `input.PATH`; default: the resource's id, else the operation. */
  readonly object?: string;
  readonly reversible?: boolean;
  /** One sentence: what happens, for people. */
  readonly consequence?: string;
  /** `input.PATH` of the whole number that `context.recent` adds up: rows, cents, megabytes. */
  readonly sum?: string;
  /** The state before the action, for a diff. */
  readonly before?: Look;
  /** What the action would do: rows, names. */
  readonly preview?: Look;
}

/** What stands for a profile where the operator gave none: nothing is assumed, and people are told so. */
export const unknownProfile: Profile = { verb: 'Run', effect: 'execute' };

/** The pin of a profile; `null` and a missing profile have the hash of `unknownProfile`. */
export const profileHash = (profile: Profile): Sha256Hex =>
  // A profile is plain JSON by construction: the configuration's schema admits nothing else.
  asSha256Hex(sha256Hex(canonicalize(profile as unknown as JsonValue)));

/** The value at a dotted path below `input`, or undefined. Array steps are decimal indices. */
export function atPath(value: JsonValue, path: string): JsonValue | undefined {
  let here: JsonValue | undefined = value;
  for (const step of path.split('.')) {
    if (Array.isArray(here))
      here = /^(0|[1-9]\d*)$/.test(step) ? (here as readonly JsonValue[])[Number(step)] : undefined;
    else if (isJsonObject(here) && Object.hasOwn(here, step)) here = here[step];
    else return undefined;
  }
  return here;
}

/** A template's value: `input.PATH` is looked up in the input, all else is literal. Undefined where the path is absent. */
export function fill(template: JsonValue, input: JsonValue): JsonValue | undefined {
  if (typeof template === 'string')
    return template.startsWith('input.') ? atPath(input, template.slice(6)) : template;
  if (Array.isArray(template)) return template.map((item: JsonValue) => fill(item, input) ?? null);
  if (!isJsonObject(template)) return template;
  const filled: Record<string, JsonValue> = {};
  for (const [key, item] of Object.entries(template)) {
    const value = fill(item, input);
    if (value !== undefined) filled[key] = value;
  }
  return filled;
}
