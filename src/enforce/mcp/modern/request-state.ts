/**
 * What the gate hands an agent to bring back: `requestState` of an answer that is not final (2026-07-28, "Multi Round-Trip
 * Requests"), and names of an upstream's tasks. Both pass through the agent, so each carries an HMAC under a key of the
 * store, and says for whom and for what it is.
 *
 * Promises: what was changed, made up, too old, another agent's, or meant for another request is refused; a state is used at
 * most once, which the store enforces, so that a restart changes nothing about it.
 */
import type { Parts } from '../../../app/parts.ts';
import { refusalOf } from '../../../app/review.ts';
import { canonicalize } from '../../../core/canonical.ts';
import type { Chain } from '../../../core/directory.ts';
import type { AgentId } from '../../../core/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../core/json.ts';
import { refuse, type Refusal } from '../../../core/refusal.ts';
import { err, ok, type Result } from '../../../core/result.ts';
import { equalBytes, hmacSha256Hex, sha256Hex } from '../../../core/sha256.ts';

/** Longest text that is looked at: an upstream's own state is inside. */
export const sealedCharsMax = 256 * 1024;

/** Whom and what a sealed text is for. */
export interface SealedFor {
  readonly agent: AgentId;
  readonly server: string;
  /** The method, and a digest of the parameters that may not change; of a task: `tasks` and nothing. */
  readonly method: string;
  readonly digest: string;
}

/** What is told to nobody but the gate itself: which of the two kinds of text it is. */
type Kind = 'state' | 'task';

export interface Unsealed {
  readonly body: JsonObject;
  /** From when on it is refused. */
  readonly expiresAtMs: number;
}

const keyOf = (parts: Parts, kind: Kind): Uint8Array =>
  new TextEncoder().encode(hmacSha256Hex(parts.store.joinKey(), `countersign.mcp.${kind}.v1`));

/** Seals a text for an agent to carry. */
export function seal(parts: Parts, kind: Kind, to: SealedFor, { body, expiresAtMs }: Unsealed): string {
  const nonce = Buffer.from(parts.random.bytes(16)).toString('base64url');
  const text = JSON.stringify({ ...to, body, expiresAtMs, nonce });
  const payload = Buffer.from(text.toWellFormed()).toString('base64url');
  return `${kind}.${payload}.${hmacSha256Hex(keyOf(parts, kind), payload)}`;
}

const invalid = (why: string): Result<never, Refusal> => err(refuse('input_invalid', why));

/** Reads a sealed text. Says as little as it can of what is wrong with one. */
export function unseal(parts: Parts, kind: Kind, to: SealedFor, text: string): Result<Unsealed, Refusal> {
  const [said, payload, mac, ...rest] = text.length > sealedCharsMax ? [] : text.split('.');
  if (said !== kind || payload === undefined || mac === undefined || rest.length > 0)
    return invalid(`This ${kind} is not one of this gate.`);
  const encoder = new TextEncoder();
  const made = encoder.encode(hmacSha256Hex(keyOf(parts, kind), payload.toWellFormed()));
  if (!equalBytes(encoder.encode(mac), made)) return invalid(`This ${kind} is not one of this gate.`);
  // Only the gate makes texts with this HMAC: it is the JSON of `seal`.
  const value = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as JsonObject;
  const { body, expiresAtMs } = value;
  if (!isJsonObject(body) || typeof expiresAtMs !== 'number')
    return invalid(`This ${kind} is not one of this gate.`);
  const same =
    value['agent'] === to.agent &&
    value['server'] === to.server &&
    value['method'] === to.method &&
    value['digest'] === to.digest;
  if (!same) return invalid(`This ${kind} belongs to another request.`);
  if (parts.clock.nowMs() >= expiresAtMs) return invalid(`This ${kind} is too old.`);
  return ok({ body, expiresAtMs });
}

/** Uses a state up; refused where it was used before, or where the store cannot say. */
export async function useUp(
  parts: Parts,
  text: string,
  { expiresAtMs }: Unsealed,
): Promise<Result<null, Refusal>> {
  const done = await parts.store.change({ kind: 'use', hash: sha256Hex(text), expiresAtMs });
  return done.ok ? ok(null) : err(refusalOf(done.error));
}

/** The digest of what a retry of a request has to repeat: all its parameters but those of the retry itself, and for whom it is. */
export function digestOfParams(params: JsonObject, chain: Chain | undefined): string {
  const { _meta, inputResponses: _answers, requestState: _state, ...same } = params;
  // Read strictly at the door, so it has a canonical form.
  const value: JsonValue = same;
  return sha256Hex(canonicalize(value) + (chain === undefined ? '' : JSON.stringify(chain)));
}
