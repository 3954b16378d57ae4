/** Bearer tokens: rows, both ways. */
import { asAgentId, asPersonId } from '../core/ids.ts';
import type { Needs, Write } from '../core/loaded.ts';
import type { TokenRow } from '../core/tokens.ts';
import { integer, integerOrNull, text } from './columns.ts';
import { SqlFault, type Driver, type Queries, type Row } from './driver.ts';

const columns = 'id, hash, kind, principal_id, at_ms, expires_at_ms, revoked_at_ms';

export const selectToken = `SELECT ${columns} FROM tokens WHERE hash = $1`;
/** With the newest version of the directory beside it. @param newest a subquery that reads it. */
export const selectTokenWith = (newest: string): string =>
  `SELECT ${columns}, (${newest}) AS version FROM tokens WHERE hash = $1`;

export function tokenOf(row: Row): TokenRow {
  const id = text(row, 'principal_id');
  return {
    id: text(row, 'id'),
    hash: text(row, 'hash'),
    principal:
      text(row, 'kind') === 'agent'
        ? { kind: 'agent', id: asAgentId(id) }
        : { kind: 'person', id: asPersonId(id) },
    atMs: integer(row, 'at_ms'),
    expiresAtMs: integerOrNull(row, 'expires_at_ms'),
    revokedAtMs: integerOrNull(row, 'revoked_at_ms'),
  };
}

/** Newest first. */
export async function listTokens(db: Queries, limit: number): Promise<readonly TokenRow[]> {
  const sql = `SELECT ${columns} FROM tokens ORDER BY at_ms DESC, id LIMIT $1`;
  return (await db.query(sql, [limit])).map(tokenOf);
}

/** The rows of `Needs.tokens`. */
export async function readTokens(db: Queries, wanted: Needs['tokens']): Promise<readonly TokenRow[]> {
  if (wanted === undefined) return [];
  const rows =
    'id' in wanted
      ? db.query(`SELECT ${columns} FROM tokens WHERE id = $1`, [wanted.id])
      : db.query(`SELECT ${columns} FROM tokens WHERE kind = $1 AND principal_id = $2 ORDER BY at_ms, id`, [
          wanted.of.kind,
          wanted.of.id,
        ]);
  return (await rows).map(tokenOf);
}

export async function writeToken(
  driver: Driver,
  { row, token }: Extract<Write, { row: 'token' | 'tokenEnds' }>,
): Promise<void> {
  switch (row) {
    case 'token': {
      const { id, hash, principal, atMs, expiresAtMs, revokedAtMs } = token;
      await driver.run(`INSERT INTO tokens (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7)`, [
        id,
        hash,
        principal.kind,
        principal.id,
        atMs,
        expiresAtMs,
        revokedAtMs,
      ]);
      return;
    }
    case 'tokenEnds': {
      const changed = await driver.run(
        'UPDATE tokens SET expires_at_ms = $2, revoked_at_ms = $3 WHERE hash = $1',
        [token.hash, token.expiresAtMs, token.revokedAtMs],
      );
      if (changed !== 1) throw new SqlFault('a token that was to end is not there', 'command');
    }
  }
}
