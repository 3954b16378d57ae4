/** Bearer tokens: issuing one, ending those before it, taking one back. */
import type { RevokeTokenCommand, TokenCommand } from '../command-access.ts';
import { aboutNothing, type EntryDraft } from '../entry.ts';
import type { Loaded, Step, Write } from '../loaded.ts';
import { refuse } from '../refusal.ts';
import { rfc3339 } from '../time.ts';
import {
  sameBearer,
  tokenGraceMsMax,
  tokenIdOf,
  tokenLifeDefaultMs,
  tokenLifeMsMax,
  tokenState,
  type TokenRow,
} from '../tokens.ts';
import { data, done, refused } from './common.ts';

/**
 * Works on an empty store too: an unknown person or agent gets a token that opens nothing until the directory names them.
 * With `rotateMs` the principal's other tokens end after that long, or when they would have anyway.
 */
export function token(command: TokenCommand, loaded: Loaded): Step {
  const { nowMs } = loaded;
  const expiresAtMs = command.expiresAtMs ?? nowMs + tokenLifeDefaultMs;
  if (expiresAtMs <= nowMs || expiresAtMs > nowMs + tokenLifeMsMax)
    return refused(refuse('input_invalid', 'A token is good for at least a moment and at most 365 days.'));
  const { rotateMs = null } = command;
  if (rotateMs !== null && (rotateMs < 0 || rotateMs > tokenGraceMsMax))
    return refused(refuse('input_invalid', 'Tokens that are rotated out go on for at most 7 days.'));
  const id = command.principal;
  const principal = { kind: id.kind, id: id.id } as TokenRow['principal']; // kind and id of one principal
  const issued: TokenRow = {
    id: tokenIdOf(command.hash),
    hash: command.hash,
    principal,
    atMs: nowMs,
    expiresAtMs,
    revokedAtMs: null,
  };
  const ending = rotateMs === null ? [] : endingAt(loaded, issued, nowMs + rotateMs);
  const rotated = ending.map((one) => ({ id: one.id, until: rfc3339(one.expiresAtMs ?? nowMs) }));
  return {
    ...done,
    writes: [
      { row: 'token', token: issued },
      ...ending.map((one): Write => ({ row: 'tokenEnds', token: one })),
    ],
    entries: [
      entry('token.issued', {
        for: principal,
        token: issued.id,
        until: rfc3339(expiresAtMs),
        ...(rotateMs === null ? {} : { rotated }),
      }),
    ],
  };
}

/** Whose end comes forward: good ones of the same principal that would go on for longer. */
const endingAt = (loaded: Loaded, issued: TokenRow, untilMs: number): readonly TokenRow[] =>
  loaded.tokens
    .filter(
      (one) =>
        sameBearer(one.principal, issued.principal) &&
        tokenState(one, loaded.nowMs) === 'good' &&
        (one.expiresAtMs === null || one.expiresAtMs > untilMs),
    )
    .map((one) => ({ ...one, expiresAtMs: untilMs }));

/** Takes effect with the next request. A token that has ended or was revoked stays as it is: nothing is left to do. */
export function revokeToken(command: RevokeTokenCommand, loaded: Loaded): Step {
  const row = loaded.tokens.find((one) => one.id === command.token);
  if (row === undefined) return refused(refuse('not_found', 'There is no token of that id.'));
  if (row.revokedAtMs !== null) return done;
  return {
    ...done,
    writes: [{ row: 'tokenEnds', token: { ...row, revokedAtMs: loaded.nowMs } }],
    entries: [entry('token.revoked', { for: row.principal, token: row.id })],
  };
}

const entry = (type: EntryDraft['type'], fields: object): EntryDraft => ({
  type,
  by: { kind: 'operator' },
  about: aboutNothing,
  subject: null,
  data: data(fields),
});
