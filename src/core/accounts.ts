/**
 * How people prove who they are: accounts at providers, attached to a person by immutable keys and never by e-mail, and what
 * a session or a request was opened with. An account belongs to one person, ever: taken away, it is not given to another.
 */
import type { PersonId } from './ids.ts';

/** `oidc`: (iss, sub). `slack`: (enterprise or team, user). `teams`: (tenant, aadObjectId). Compared byte by byte. */
export interface AccountKey {
  readonly kind: 'oidc' | 'slack' | 'teams';
  readonly issuer: string;
  readonly subject: string;
}

export interface Account extends AccountKey {
  readonly person: PersonId;
  /** For people to recognise it by; identifies nobody. */
  readonly display: string;
  readonly atMs: number;
  /** From when what is done with it counts as an approval. */
  readonly countsFromMs: number;
  /** The second person who confirmed it before its time. */
  readonly confirmedBy: PersonId | null;
  readonly endedAtMs: number | null;
}

export const sameAccount = (a: AccountKey, b: AccountKey): boolean =>
  a.kind === b.kind && a.issuer === b.issuer && a.subject === b.subject;

/** What a session or request was opened with. */
export type Via =
  /** A one-time link: the demo and the first set-up. */
  | { readonly kind: 'link' }
  /** A person's bearer token, by its public id. */
  | { readonly kind: 'token'; readonly id: string }
  | { readonly kind: 'account'; readonly account: AccountKey };

/** How somebody proved themself, and since when that counts. */
export interface Way {
  readonly via: Via;
  /** Before this nothing done this way is an approval: a new account cools off. */
  readonly countsFromMs: number;
  /** When they last proved it to whoever vouches for them (OpenID Connect `auth_time`). */
  readonly authAtMs: number;
}

/** How long a second account, a new passkey or a claimed group does not count (threat: a hijacked session adds its own). */
export const coolOffDefaultMs = 24 * 3_600_000;

/** How long after somebody proved themself a session may attach accounts. */
export const freshMs = 5 * 60_000;

/** Whether this was proven lately enough to change what one can be proven with. */
export const isFresh = (way: Way, nowMs: number): boolean => nowMs - way.authAtMs <= freshMs;

/** A session of a person in a browser. */
export interface SessionRow {
  /** SHA-256 of its token. */
  readonly hash: string;
  readonly person: PersonId;
  readonly openedAtMs: number;
  /** When the person last did something in it, to within a minute. */
  readonly seenAtMs: number;
  readonly expiresAtMs: number;
  readonly via: Via;
  readonly authAtMs: number;
}

/** What a session is called in lists and forms: the start of its hash, which leads nowhere. */
export const sessionIdOf = (hash: string): string => `ses_${hash.slice(0, 16)}`;
