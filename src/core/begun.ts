/**
 * One-time things: what was begun and must be finished once, in time, and by whoever began it. A code, a challenge to a passkey,
 * a request to a provider. The store knows them by a SHA-256; what finishes one is never kept.
 */
import type { PersonId } from './ids.ts';

export interface Begun {
  /** SHA-256 of what finishes it, hexadecimal. */
  readonly hash: string;
  /** What it may finish: `oidc`, `chat`, `passkey.sign` … */
  readonly kind: string;
  /** Who began it; null for somebody who is still to sign in. */
  readonly person: PersonId | null;
  /** Text that the kind gives its meaning; holds no secret. */
  readonly body: string;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | null;
}

/** Begun things of one kind that may be open at a time; more are refused until some are over. */
export const begunMax = 10_000;

/** Why a begun thing does not finish this; undefined where it does. */
export function spentFor(
  begun: Begun | null | undefined,
  kind: string,
  now: { readonly person: PersonId | null; readonly nowMs: number },
): 'unknown' | 'used' | 'too late' | undefined {
  // Somebody else's is as good as none: it says nothing of theirs.
  if (begun == null || begun.kind !== kind || begun.person !== now.person) return 'unknown';
  if (begun.usedAtMs !== null) return 'used';
  return now.nowMs < begun.expiresAtMs ? undefined : 'too late';
}
