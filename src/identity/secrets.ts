/**
 * Secrets that prove who speaks: bearer tokens, sign-in links, sessions. Each is a prefix that says what it is (so that
 * scanners find a leaked one) and 32 random bytes; only its SHA-256 is kept, so a reader of the store cannot use it.
 */
import { sha256Hex } from '../core/sha256.ts';
import type { Random } from '../ports/random.ts';

/** What a secret is for. One made for one use is nothing in another: the prefix is part of what is hashed. */
export type SecretKind = 'agent' | 'person' | 'link' | 'session' | 'enrolment' | 'begun';

export interface Secret {
  /** For whoever it is for; never kept, never logged. */
  readonly token: string;
  /** SHA-256 of the token, hexadecimal: what the store keeps. */
  readonly hash: string;
}

/** 32 bytes in base64url, without padding (RFC 4648 §5). */
const secretBytes = 32;
const secretForm = /^cs_(agent|person|link|session|enrolment|begun)_[A-Za-z0-9_-]{43}$/;

/** Makes a secret of 256 random bits: `cs_KIND_…`. */
export function newSecret(random: Random, kind: SecretKind): Secret {
  const token = `cs_${kind}_${Buffer.from(random.bytes(secretBytes)).toString('base64url')}`;
  return { token, hash: sha256Hex(token) };
}

/** The hash to look a secret up by; undefined where the text is not the form of such a secret, so nothing need be looked up. */
export function hashOf(kind: SecretKind, text: string): string | undefined {
  return secretForm.exec(text)?.[1] === kind ? sha256Hex(text) : undefined;
}
