/** Commands about secrets that let somebody in or prove who they are: tokens, passkeys, links, sessions, what may be used once. */
import type { Way } from './accounts.ts';
import type { Begun } from './begun.ts';
import type { By } from './case.ts';
import type { Principal } from './directory.ts';
import type { PersonId } from './ids.ts';
import type { Passkey, VerifiedProof } from './passkey.ts';

/** Uses something up that may be used once: refused `input_invalid` where it was used before. */
export interface UseCommand {
  readonly kind: 'use';
  /** SHA-256 of what is used. */
  readonly hash: string;
  /** After this it need not be remembered, because it is too old anyway. */
  readonly expiresAtMs: number;
}

export interface TokenCommand {
  readonly kind: 'token';
  readonly principal: Principal;
  /** SHA-256 of the token; the token itself is never kept. */
  readonly hash: string;
  /** Absent: after `tokenLifeDefaultMs` (core/tokens.ts). */
  readonly expiresAtMs?: number;
  /** The principal's other tokens end after this long; absent: they go on. */
  readonly rotateMs?: number;
}

/** Takes a token back, with the next request that it makes. */
export interface RevokeTokenCommand {
  readonly kind: 'revokeToken';
  /** Its public id: `tok_…`. */
  readonly token: string;
}

/** Begins something that the same person must finish, once and in time. */
export interface BeginCommand {
  readonly kind: 'begin';
  readonly begun: Omit<Begun, 'usedAtMs'>;
}

/** Lets a person enrol one passkey; the secret that redeems it is for that person only. */
export interface GrantPasskeyCommand {
  readonly kind: 'grantPasskey';
  readonly person: PersonId;
  /** A person who administers, or somebody with the configuration's file system rights. */
  readonly by: Extract<By, { readonly kind: 'person' | 'operator' }>;
  /** How the person proved who they are; absent for the operator, and where a part of the gate speaks for them. */
  readonly way?: Way | undefined;
  /** SHA-256 of the secret. */
  readonly hash: string;
  readonly expiresAtMs: number;
}

/** Adds a passkey to a person, who is granted it or signs with one that they have. */
export interface EnrolPasskeyCommand {
  readonly kind: 'enrolPasskey';
  readonly person: PersonId;
  /** That its authenticator signed over, hexadecimal. */
  readonly challenge: string;
  /** SHA-256 of the secret of a grant; null where an existing passkey vouches. */
  readonly grant: string | null;
  readonly proof: VerifiedProof | null;
  readonly passkey: Pick<Passkey, 'id' | 'publicKey' | 'counter' | 'transports' | 'aaguid' | 'name'>;
  /** How long it does not count where nobody else granted it. */
  readonly coolOffMs: number;
}

/** A second person says that a new passkey is its person's: it counts at once. */
export interface ConfirmPasskeyCommand {
  readonly kind: 'confirmPasskey';
  readonly passkey: string;
  readonly by: PersonId;
  /** How that person proved who they are. */
  readonly way?: Way | undefined;
}

/** Ends a passkey; its person and whoever administers may. */
export interface RevokePasskeyCommand {
  readonly kind: 'revokePasskey';
  readonly passkey: string;
  readonly by: Extract<By, { readonly kind: 'person' | 'operator' }>;
}

/** A one-time sign-in link. */
export interface LinkCommand {
  readonly kind: 'link';
  readonly person: PersonId;
  readonly hash: string;
  readonly expiresAtMs: number;
}

/** Consumes a link, once, and opens a session. */
export interface SignInCommand {
  readonly kind: 'signIn';
  readonly linkHash: string;
  readonly sessionHash: string;
  readonly expiresAtMs: number;
}

export interface SignOutCommand {
  readonly kind: 'signOut';
  /** Whose session it is. */
  readonly person: PersonId;
  readonly sessionHash: string;
}

export type AccessCommand =
  | UseCommand
  | TokenCommand
  | RevokeTokenCommand
  | BeginCommand
  | GrantPasskeyCommand
  | EnrolPasskeyCommand
  | ConfirmPasskeyCommand
  | RevokePasskeyCommand
  | LinkCommand
  | SignInCommand
  | SignOutCommand;
