/**
 * An action: exactly what an agent wants to do. One immutable value, from which policy, people, the digest, the log and
 * the execution all read; nothing downstream parses the agent's text again.
 */
import { canonicalize } from './canonical.ts';
import type { ActionId, AgentId, Digest, PersonId, Sha256Hex } from './ids.ts';
import { asDigest, asSha256Hex } from './ids.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { hmacSha256Hex, sha256Hex } from './sha256.ts';

/** `mediated`: the gate runs it. `cooperative`: the agent's process runs it and reports. Never blurred (design §2). */
export type Enforcement = 'mediated' | 'cooperative';

/** Everything besides the input that could change the effect, by enforcement point. */
export type Target =
  | {
      readonly kind: 'mcp';
      readonly server: string;
      readonly tool: string;
      /** Hash of the pinned definition: name, description, schemas, annotations. */
      readonly definition: Sha256Hex;
      /** Hash of the tool's profile. */
      readonly profile: Sha256Hex;
      /** HMAC of the command or URL behind the server's name, with variables and headers; it gives away none of them. */
      readonly upstream: Sha256Hex;
    }
  | { readonly kind: 'http'; readonly profile: Sha256Hex; readonly declaration: Sha256Hex };

/** One link of a delegation chain, nearest to the agent last (RFC 8693 `act`). */
export type Delegate =
  { readonly kind: 'agent'; readonly id: AgentId } | { readonly kind: 'person'; readonly id: PersonId };

/** A Cedar entity's name. */
export interface Resource {
  readonly type: string;
  readonly id: string;
}

export interface Action {
  readonly v: 1;
  readonly agent: AgentId;
  /** What the agent names its run or conversation; never the transport's session. */
  readonly session: string | null;
  readonly startedBy: PersonId | null;
  readonly delegation: readonly Delegate[];
  /** Always `<target>___<name>`. */
  readonly operation: string;
  readonly resource: Resource;
  readonly input: JsonObject;
  readonly target: Target;
  readonly enforcement: Enforcement;
  /** The agent's own words: unverified. */
  readonly reason: string | null;
  /** 32 random bytes, hexadecimal: keeps a reader of the log from guessing short secrets. */
  readonly salt: string;
}

/** Domain separator of the action digest. Changing it is a new format. */
const domain = 'countersign.action.v1\0';

/** RFC 8785 bytes of every field. */
export const canonicalAction = (action: Action): string =>
  // An Action is JSON by construction: strings, nulls, arrays and a JsonObject.
  canonicalize(action as unknown as JsonValue);

/** The digest that reviews name: SHA-256 over the domain separator and the canonical bytes. */
export const digestOf = (canonical: string): Digest => asDigest(`sha256:${sha256Hex(domain + canonical)}`);

/** The plain SHA-256 of the canonical bytes: a receipt's subject (in-toto Statement v1). */
export const subjectOf = (canonical: string): Sha256Hex => asSha256Hex(sha256Hex(canonical));

/**
 * "The same action" (design §4): an HMAC under the server's key over every canonical field but salt and reason, and the
 * agent's idempotency key. A reader of the store cannot test guesses against it without the key.
 */
export function joinKeyOf(key: Uint8Array, action: Action, run: string | null): string {
  const { salt: _salt, reason: _reason, ...same } = action;
  return hmacSha256Hex(key, canonicalize({ ...(same as unknown as JsonObject), run }));
}

/**
 * "The same thing asked": over agent, operation, resource, input and target alone, so that another session, run or reason
 * does not make an action that was denied as unsafe a new one.
 */
export function likeKeyOf(key: Uint8Array, action: Action): string {
  const { agent, operation, resource, input, target } = action;
  const same = { agent, operation, resource, input, target } as unknown as JsonObject; // JSON by construction
  return hmacSha256Hex(key, canonicalize(same));
}

/** The name that operations go by everywhere: three underscores, as in AWS AgentCore. */
export const operationOf = (target: string, name: string): string => `${target}___${name}`;

/** Splits a full operation name at its first three underscores; undefined where there are none. */
export function splitOperation(
  operation: string,
): { readonly target: string; readonly name: string } | undefined {
  const at = operation.indexOf('___');
  return at > 0 && at + 3 < operation.length
    ? { target: operation.slice(0, at), name: operation.slice(at + 3) }
    : undefined;
}

/** An action with its names: what the store keeps. */
export interface Identified {
  readonly id: ActionId;
  readonly action: Action;
  readonly canonical: string;
  readonly digest: Digest;
  readonly subject: Sha256Hex;
}

export function identify(id: ActionId, action: Action): Identified {
  const canonical = canonicalAction(action);
  return { id, action, canonical, digest: digestOf(canonical), subject: subjectOf(canonical) };
}

/** An action with its names and both keys: as {@link identify}, {@link joinKeyOf} and {@link likeKeyOf}, at the price of one. */
export interface Keyed {
  readonly identified: Identified;
  readonly joinKey: string;
  readonly likeKey: string;
}

const notJoined: ReadonlySet<string> = new Set(['salt', 'reason']);
const likened: ReadonlySet<string> = new Set(['agent', 'operation', 'resource', 'input', 'target']);

/** @param key of the store. @param run the agent's idempotency key. */
export function identifyKeyed(key: Uint8Array, id: ActionId, action: Action, run: string | null): Keyed {
  // JSON by construction; what is not, and so has no canonical text, throws in `canonicalize`.
  const fields = Object.entries({ ...action, run } as unknown as JsonObject);
  // RFC 8785 §3.2.3 sorts by code units, and so does `<`. Names of fields of ours need no escapes.
  fields.sort(([one], [other]) => (one < other ? -1 : 1));
  let [canonical, joined, liked] = ['', '', ''];
  for (const [name, value] of fields) {
    const text = `,"${name}":${canonicalize(value)}`;
    if (name !== 'run') canonical += text;
    if (!notJoined.has(name)) joined += text;
    if (likened.has(name)) liked += text;
  }
  const object = (texts: string): string => `{${texts.slice(1)}}`;
  const whole = object(canonical);
  return {
    identified: { id, action, canonical: whole, digest: digestOf(whole), subject: subjectOf(whole) },
    joinKey: hmacSha256Hex(key, object(joined)),
    likeKey: hmacSha256Hex(key, object(liked)),
  };
}
