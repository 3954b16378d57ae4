/**
 * Bearer tokens as the store keeps them: the hash of one, whom it speaks for, and until when. A token ends by its time or by
 * being revoked, and never begins again. Pure.
 */
import type { Principal } from './directory.ts';

/** Whom a token speaks for; how they are authenticated later is no part of it. */
export type Bearer = Pick<Principal, 'kind' | 'id'>;

export interface TokenRow {
  /** Public: `tok_` and the start of the hash. Names a token in lists, entries and commands, and opens nothing. */
  readonly id: string;
  readonly hash: string;
  readonly principal: Principal;
  readonly atMs: number;
  /** Null: one from before tokens had an end. */
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
}

/** How long a token is good where nothing is said. */
export const tokenLifeDefaultMs = 90 * 24 * 3_600_000;
/** The longest life that a token may be given: one that leaked and was forgotten ends by itself. */
export const tokenLifeMsMax = 365 * 24 * 3_600_000;
/** The longest that the tokens before a new one may go on: rotation is a change-over, and no second token for good. */
export const tokenGraceMsMax = 7 * 24 * 3_600_000;

/** Characters of the hash in the id: unique enough to name a token, and they lead nowhere. */
const idChars = 16;

export const tokenIdOf = (hash: string): string => `tok_${hash.slice(0, idChars)}`;

export type TokenState = 'good' | 'expired' | 'revoked';

/** What a token is at a time. Revoked wins: it was taken back, whenever it would have ended. */
export function tokenState(token: Pick<TokenRow, 'expiresAtMs' | 'revokedAtMs'>, nowMs: number): TokenState {
  if (token.revokedAtMs !== null) return 'revoked';
  return token.expiresAtMs !== null && token.expiresAtMs <= nowMs ? 'expired' : 'good';
}

/** The same principal, however each was authenticated. */
export const sameBearer = (a: Bearer, b: Bearer): boolean => a.kind === b.kind && a.id === b.id;
