/** Passkeys, one-time things and notes as rows, both ways. */
import type { Begun } from '../core/begun.ts';
import { asPersonId, type PersonId } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import type { Needs, Write } from '../core/loaded.ts';
import type { Note } from '../core/note.ts';
import type { Passkey } from '../core/passkey.ts';
import type { Clock } from '../ports/clock.ts';
import type { Proofs } from '../ports/proofs.ts';
import { integer, integerOrNull, json, text, textOrNull } from './columns.ts';
import { SqlFault, type Driver, type Queries, type Row } from './driver.ts';

const columns = `id, person_id, public_key, counter, transports, aaguid, name, at_ms, counts_from_ms, cools_until_ms,
  confirmed_by, revoked_at_ms`;

/** Rows that one read answers at most: what one person has, revoked ones too, is less. */
const rowsMax = 1000;

function passkeyOf(row: Row): Passkey {
  const confirmedBy = textOrNull(row, 'confirmed_by');
  return {
    id: text(row, 'id'),
    person: asPersonId(text(row, 'person_id')),
    publicKey: text(row, 'public_key'),
    counter: integer(row, 'counter'),
    // Written from a list of texts.
    transports: json(row, 'transports') as readonly string[],
    aaguid: text(row, 'aaguid'),
    name: text(row, 'name'),
    atMs: integer(row, 'at_ms'),
    countsFromMs: integer(row, 'counts_from_ms'),
    coolsUntilMs: integer(row, 'cools_until_ms'),
    confirmedBy: confirmedBy === null ? null : asPersonId(confirmedBy),
    revokedAtMs: integerOrNull(row, 'revoked_at_ms'),
  };
}

const ordered = `ORDER BY at_ms, id LIMIT ${rowsMax}`;

export const readPasskey = async (from: Queries, id: string): Promise<Passkey | undefined> =>
  (await from.query(`SELECT ${columns} FROM passkeys WHERE id = $1`, [id])).map(passkeyOf)[0];

/** Oldest first, revoked ones too. */
export const readPasskeysOf = async (from: Queries, person: PersonId): Promise<readonly Passkey[]> =>
  (await from.query(`SELECT ${columns} FROM passkeys WHERE person_id = $1 ${ordered}`, [person])).map(
    passkeyOf,
  );

/** What could be confirmed: new ones that do not count yet. */
export const readPasskeysWaiting = async (from: Queries, nowMs: number): Promise<readonly Passkey[]> =>
  (
    await from.query(
      `SELECT ${columns} FROM passkeys WHERE counts_from_ms > $1 AND revoked_at_ms IS NULL ${ordered}`,
      [nowMs],
    )
  ).map(passkeyOf);

export async function readNeededPasskeys(
  from: Queries,
  needs: Needs['passkeys'],
): Promise<readonly Passkey[]> {
  if (needs === undefined) return [];
  const found = new Map<string, Passkey>();
  for (const id of needs.ids) {
    const one = await readPasskey(from, id);
    if (one !== undefined) found.set(one.id, one);
  }
  for (const person of needs.of) for (const one of await readPasskeysOf(from, person)) found.set(one.id, one);
  return [...found.values()].toSorted((a, b) => a.atMs - b.atMs);
}

const begunOf = (row: Row): Begun => {
  const person = textOrNull(row, 'person_id');
  return {
    hash: text(row, 'hash'),
    kind: text(row, 'kind'),
    person: person === null ? null : asPersonId(person),
    body: text(row, 'body'),
    expiresAtMs: integer(row, 'expires_at_ms'),
    usedAtMs: integerOrNull(row, 'used_at_ms'),
  };
};

export const readBegun = async (from: Queries, hash: string): Promise<Begun | undefined> =>
  (
    await from.query(
      'SELECT hash, kind, person_id, body, expires_at_ms, used_at_ms FROM begun WHERE hash = $1',
      [hash],
    )
  ).map(begunOf)[0];

export async function readNeededBegun(from: Queries, needs: Needs['begun']): Promise<readonly Begun[]> {
  const rows = await Promise.all([...new Set(needs)].map((hash) => readBegun(from, hash)));
  return rows.filter((row) => row !== undefined);
}

const noteOf = (row: Row): Note => ({
  id: text(row, 'id'),
  person: asPersonId(text(row, 'person_id')),
  kind: text(row, 'kind'),
  // Written from a JsonObject.
  body: json(row, 'body') as JsonObject,
  atMs: integer(row, 'at_ms'),
  seenAtMs: integerOrNull(row, 'seen_at_ms'),
});

/** Newest first. */
export const readNotesOf = async (from: Queries, person: PersonId, limit: number): Promise<readonly Note[]> =>
  (
    await from.query(
      'SELECT id, person_id, kind, body, at_ms, seen_at_ms FROM notes WHERE person_id = $1 ORDER BY at_ms DESC, id LIMIT $2',
      [person, Math.min(limit, rowsMax)],
    )
  ).map(noteOf);

/** The reads of the port. */
export const readProofs = (db: Queries, clock: Clock): Proofs => ({
  passkey: (id) => readPasskey(db, id),
  passkeysOf: (person) => readPasskeysOf(db, person),
  passkeysWaiting: () => readPasskeysWaiting(db, clock.nowMs()),
  begun: (hash) => readBegun(db, hash),
  notesOf: (person, limit) => readNotesOf(db, person, limit),
});

type PasskeyWrite = Extract<Write, { row: 'begun' | 'passkey' | 'note' }>;

export async function writePasskey(driver: Driver, write: PasskeyWrite): Promise<void> {
  switch (write.row) {
    case 'begun':
      return writeBegun(driver, write.begun);
    case 'passkey': {
      const { id, person, publicKey, counter, transports, aaguid, name, atMs } = write.passkey;
      const { countsFromMs, coolsUntilMs, confirmedBy, revokedAtMs } = write.passkey;
      const changed = await driver.run(
        `INSERT INTO passkeys (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
          ON CONFLICT (id) DO UPDATE SET counter = $4, counts_from_ms = $9, confirmed_by = $11, revoked_at_ms = $12
          WHERE passkeys.person_id = $2 AND passkeys.public_key = $3`,
        [
          id,
          person,
          publicKey,
          counter,
          JSON.stringify(transports),
          aaguid,
          name,
          atMs,
          countsFromMs,
          coolsUntilMs,
          confirmedBy,
          revokedAtMs,
        ],
      );
      // A credential belongs to one person and one key, ever.
      if (changed !== 1) throw new SqlFault('a passkey would change its person or key', 'command');
      return;
    }
    case 'note': {
      const { id, person, kind, body, atMs, seenAtMs } = write.note;
      await driver.run(
        `INSERT INTO notes (id, person_id, kind, body, at_ms, seen_at_ms) VALUES ($1, $2, $3, $4, $5, $6)
          ON CONFLICT (id) DO UPDATE SET seen_at_ms = $6`,
        [id, person, kind, JSON.stringify(body), atMs, seenAtMs],
      );
      return;
    }
  }
}

async function writeBegun(driver: Driver, begun: Begun): Promise<void> {
  const { hash, kind, person, body, expiresAtMs, usedAtMs } = begun;
  if (usedAtMs === null) {
    await driver.run(
      'INSERT INTO begun (hash, kind, person_id, body, expires_at_ms, used_at_ms) VALUES ($1, $2, $3, $4, $5, NULL)',
      [hash, kind, person, body, expiresAtMs],
    );
    return;
  }
  // The second guard: a second writer fails here even if the step was wrong.
  const used = await driver.run('UPDATE begun SET used_at_ms = $2 WHERE hash = $1 AND used_at_ms IS NULL', [
    hash,
    usedAtMs,
  ]);
  if (used !== 1) throw new SqlFault('a one-time thing was used twice', 'command');
}
