/** What is not a case: the accepted set and directory, tools, changes, access, the log's head and entries. Rows, both ways. */
import type { Change, Directory, Principal } from '../core/directory.ts';
import { emptyDirectory } from '../core/directory.ts';
import type { Entry, Sealed } from '../core/entry.ts';
import { asAgentId, asDigest, asPersonId, asSha256Hex, type Sha256Hex } from '../core/ids.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import type { LinkRow, Write } from '../core/loaded.ts';
import type { PinnedTool } from '../core/tool.ts';
import type { Versions } from '../core/verdict.ts';
import type { Accepted } from '../ports/store.ts';
import { writeBounds } from './bounds-rows.ts';
import { integer, integerOrNull, json, jsonOrNull, text, textOrNull } from './columns.ts';
import { SqlFault, type Driver, type Queries, type Row } from './driver.ts';

/** Entry rows as they are read, in order. */
export const entryColumns = 'statement, pae, head';

/** The entry is a part of its statement: it is never kept twice. */
export function sealedOf(row: Row): Sealed {
  const statement = text(row, 'statement');
  // `seal` (core/entry.ts) made the text from an Entry, its format's version and a salt.
  const { predicate } = JSON.parse(statement) as { predicate: Entry & { v: 1; salt: string } };
  const { v: _v, salt: _salt, ...entry } = predicate;
  return { entry, statement, pae: asSha256Hex(text(row, 'pae')), head: asSha256Hex(text(row, 'head')) };
}

export const insertEntry = `INSERT INTO entries (idx, at_ms, type, action_ord, stray_action, statement, pae, head)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;

export interface HeadRow {
  readonly size: number;
  readonly head: Sha256Hex;
  /** When the last entry was written: no later entry has an earlier time. */
  readonly atMs: number;
}

export async function readHead(from: Queries, lock = ''): Promise<HeadRow> {
  const [row] = await from.query(`SELECT size, head, at_ms FROM log_head WHERE one = 1${lock}`);
  if (row === undefined) throw new SqlFault('the log has no head', 'database');
  return { size: integer(row, 'size'), head: asSha256Hex(text(row, 'head')), atMs: integer(row, 'at_ms') };
}

export const updateHead = 'UPDATE log_head SET size = $1, head = $2, at_ms = $3 WHERE one = 1';

export async function readVersions(from: Queries): Promise<Versions> {
  const rows = await from.query(
    "SELECT key, value FROM meta WHERE key IN ('policySet', 'directory', 'tools')",
  );
  const values = new Map(rows.map((row) => [text(row, 'key'), Number(text(row, 'value'))]));
  const of = (key: keyof Versions): number => {
    const value = values.get(key);
    if (value === undefined || !Number.isSafeInteger(value))
      throw new SqlFault(`the version ${key} is missing`, 'database');
    return value;
  };
  return { policySet: of('policySet'), directory: of('directory'), tools: of('tools') };
}

export const setMeta = 'UPDATE meta SET value = $2 WHERE key = $1';

export const selectAccepted =
  'SELECT version, digest, body FROM accepted WHERE what = $1 ORDER BY version DESC LIMIT 1';

export const acceptedOf = (row: Row): Accepted => ({
  version: integer(row, 'version'),
  // Written from a JsonValue.
  body: json(row, 'body') as JsonValue,
  digest: asDigest(text(row, 'digest')),
});

/** The directory in force; the empty one where none was ever accepted. */
export async function readDirectory(from: Queries): Promise<Directory> {
  const [row] = await from.query(selectAccepted, ['directory']);
  // Only a Directory is accepted as one (AcceptCommand).
  return row === undefined ? emptyDirectory : (json(row, 'body') as Directory);
}

export const selectChanges =
  'SELECT what, subject, person_id, at_ms, accepted_by FROM changes WHERE at_ms > $1 ORDER BY at_ms, what, subject';

export const changeOf = (row: Row): Change => {
  const acceptedBy = textOrNull(row, 'accepted_by');
  return {
    // Written from a Change only.
    what: text(row, 'what') as Change['what'],
    id: text(row, 'subject'),
    by: asPersonId(text(row, 'person_id')),
    acceptedBy: acceptedBy === null ? null : asPersonId(acceptedBy),
    atMs: integer(row, 'at_ms'),
  };
};

const toolColumns = 'server, tool, status, hash, seen_hash, at_ms, definition, seen';
export const selectTools = `SELECT ${toolColumns} FROM tools ORDER BY server, tool`;
export const selectToolsOf = `SELECT ${toolColumns} FROM tools WHERE server = $1 ORDER BY tool`;

export function toolOf(row: Row): PinnedTool {
  const hash = textOrNull(row, 'hash');
  const seenHash = textOrNull(row, 'seen_hash');
  return {
    server: text(row, 'server'),
    tool: text(row, 'tool'),
    // CHECKed by the schema.
    status: text(row, 'status') as PinnedTool['status'],
    // Both are written from a JsonObject.
    definition: jsonOrNull(row, 'definition') as JsonObject | null,
    hash: hash === null ? null : asSha256Hex(hash),
    seen: jsonOrNull(row, 'seen') as JsonObject | null,
    seenHash: seenHash === null ? null : asSha256Hex(seenHash),
    atMs: integer(row, 'at_ms'),
  };
}

export const selectLink = 'SELECT hash, person_id, expires_at_ms, used_at_ms FROM links WHERE hash = $1';

export const linkOf = (row: Row): LinkRow => ({
  hash: text(row, 'hash'),
  person: asPersonId(text(row, 'person_id')),
  expiresAtMs: integer(row, 'expires_at_ms'),
  usedAtMs: integerOrNull(row, 'used_at_ms'),
});

export function principalOf(row: Row): Principal {
  const id = text(row, 'principal_id');
  return text(row, 'kind') === 'agent'
    ? { kind: 'agent', id: asAgentId(id) }
    : { kind: 'person', id: asPersonId(id) };
}

const insertTool = `INSERT INTO tools (server, tool, status, hash, seen_hash, at_ms, definition, seen)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (server, tool) DO UPDATE SET status = $3, hash = $4, seen_hash = $5, at_ms = $6, definition = $7, seen = $8`;

const objectJson = (value: JsonObject | null): string | null =>
  value === null ? null : JSON.stringify(value);

/** Any write but a case. True where the world that actions are judged in is another one now. */
export async function writeRow(
  driver: Driver,
  write: Exclude<Write, { row: 'case' }>,
  nowMs: number,
): Promise<boolean> {
  switch (write.row) {
    case 'accepted': {
      const { what, version, digest, body } = write;
      await driver.run(
        'INSERT INTO accepted (what, version, digest, at_ms, body) VALUES ($1, $2, $3, $4, $5)',
        [what, version, digest, nowMs, JSON.stringify(body)],
      );
      await driver.run(setMeta, [what === 'policies' ? 'policySet' : 'directory', String(version)]);
      return true;
    }
    case 'tool': {
      const { server, tool, status, hash, seenHash, atMs, definition, seen } = write.tool;
      const values = [server, tool, status, hash, seenHash, atMs, objectJson(definition), objectJson(seen)];
      await driver.run(insertTool, values);
      return true;
    }
    case 'toolsVersion':
      await driver.run(setMeta, ['tools', String(write.version)]);
      return true;
    case 'change': {
      const { what, id, by, atMs, acceptedBy } = write.change;
      await driver.run(
        `INSERT INTO changes (what, subject, person_id, at_ms, accepted_by) VALUES ($1, $2, $3, $4, $5)
          ON CONFLICT (what, subject, person_id, at_ms) DO UPDATE SET accepted_by = $5`,
        [what, id, by, atMs, acceptedBy],
      );
      return true;
    }
    case 'recent':
    case 'used':
      await writeBounds(driver, write);
      return false;
    case 'stop':
    case 'lifted':
    case 'unsafe':
      await writeBounds(driver, write);
      return true;
    case 'token':
    case 'link':
    case 'session':
    case 'sessionEnded':
      await writeAccess(driver, write, nowMs);
      return false;
  }
}

type AccessWrite = Extract<Write, { row: 'token' | 'link' | 'session' | 'sessionEnded' }>;

async function writeAccess(driver: Driver, write: AccessWrite, nowMs: number): Promise<void> {
  switch (write.row) {
    case 'token':
      await driver.run(
        'INSERT INTO tokens (hash, kind, principal_id, at_ms, id) VALUES ($1, $2, $3, $4, $5)',
        [write.hash, write.principal.kind, write.principal.id, nowMs, `tok_${write.hash.slice(0, 16)}`],
      );
      return;
    case 'link': {
      const { hash, person, expiresAtMs, usedAtMs } = write.link;
      if (usedAtMs === null) {
        await driver.run(
          'INSERT INTO links (hash, person_id, expires_at_ms, used_at_ms) VALUES ($1, $2, $3, NULL)',
          [hash, person, expiresAtMs],
        );
        return;
      }
      const used = await driver.run(
        'UPDATE links SET used_at_ms = $2 WHERE hash = $1 AND used_at_ms IS NULL',
        [hash, usedAtMs],
      );
      if (used !== 1) throw new SqlFault('a sign-in link was used twice', 'command');
      return;
    }
    case 'session':
      await driver.run('INSERT INTO sessions (hash, person_id, expires_at_ms) VALUES ($1, $2, $3)', [
        write.hash,
        write.person,
        write.expiresAtMs,
      ]);
      return;
    case 'sessionEnded':
      await driver.run('DELETE FROM sessions WHERE hash = $1', [write.hash]);
      return;
  }
}
