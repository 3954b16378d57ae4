/** What is not a case: the accepted set and directory, tools, changes, access, the log's head and entries. Rows, both ways. */
import type { Change } from '../core/directory.ts';
import { aboutNothing, type Entry, type EntryType, type Sealed } from '../core/entry.ts';
import { asPersonId, asSha256Hex } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import type { LinkRow, Write } from '../core/loaded.ts';
import type { PinnedTool } from '../core/tool.ts';
import { rfc3339 } from '../core/time.ts';
import type { Versions } from '../core/verdict.ts';
import { writeAccepted } from './accepted-rows.ts';
import { writeBounds } from './bounds-rows.ts';
import { integer, integerOrNull, jsonOrNull, text, textOrNull } from './columns.ts';
import { writeChat } from './chat-rows.ts';
import { writeDelegation } from './delegation-rows.ts';
import { SqlFault, type Driver, type Queries, type Row } from './driver.ts';
import { writeGlass } from './glass-rows.ts';
import { isLogWrite, writeLog } from './log-writes.ts';
import { writeGone } from './gone-rows.ts';
import { writePasskey } from './passkey-rows.ts';
import { writePeople } from './people-writes.ts';
import { writeToken } from './token-rows.ts';

/** Entry rows as they are read, in order. */
export const entryColumns = 'idx, at_ms, type, statement, pae, head';

/** The entry is a part of its statement: it is never kept twice. */
export function sealedOf(row: Row): Sealed {
  const statement = text(row, 'statement');
  if (statement === '') return erasedOf(row);
  // `seal` (core/entry.ts) made the text from an Entry, its format's version and a salt.
  const { predicate } = JSON.parse(statement) as { predicate: Entry & { v: 1; salt: string } };
  const { v: _v, salt: _salt, ...entry } = predicate;
  return { entry, statement, pae: asSha256Hex(text(row, 'pae')), head: asSha256Hex(text(row, 'head')) };
}

/** What is left of an entry whose payload was erased. */
const erasedOf = (row: Row): Sealed => ({
  entry: {
    index: integer(row, 'idx'),
    at: rfc3339(integer(row, 'at_ms')),
    // Written from an EntryDraft only.
    type: text(row, 'type') as EntryType,
    by: { kind: 'gate' },
    about: aboutNothing,
    data: {},
    erased: true,
  },
  statement: '',
  pae: asSha256Hex(text(row, 'pae')),
  head: asSha256Hex(text(row, 'head')),
});

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

const insertTool = `INSERT INTO tools (server, tool, status, hash, seen_hash, at_ms, definition, seen)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (server, tool) DO UPDATE SET status = $3, hash = $4, seen_hash = $5, at_ms = $6, definition = $7, seen = $8`;

const objectJson = (value: JsonObject | null): string | null =>
  value === null ? null : JSON.stringify(value);

/** Any write but a case and a count. True where the world that actions are judged in is another one now. */
export async function writeRow(
  driver: Driver,
  write: Exclude<Write, { row: 'case' | 'recent' }>,
  nowMs: number,
): Promise<boolean> {
  if (isLogWrite(write)) return writeLog(driver, write, nowMs);
  switch (write.row) {
    case 'accepted':
    case 'candidate':
      await writeAccepted(driver, write, nowMs);
      return write.row === 'accepted';
    case 'tool': {
      const { server, tool, status, hash, seenHash, atMs, definition, seen } = write.tool;
      const values = [server, tool, status, hash, seenHash, atMs, objectJson(definition), objectJson(seen)];
      await driver.run(insertTool, values);
      return true;
    }
    case 'toolsVersion':
      await driver.run(setMeta, ['tools', String(write.version)]);
      return true;
    case 'change':
      await writeChange(driver, write.change);
      return true;
    case 'gone':
      return writeGone(driver, write, nowMs);
    case 'delegation':
      await writeDelegation(driver, write.delegation);
      return true;
    case 'glass':
      await writeGlass(driver, write.glass);
      return true;
    case 'used':
      await writeBounds(driver, write);
      return false;
    case 'stop':
    case 'lifted':
    case 'unsafe':
      await writeBounds(driver, write);
      return true;
    case 'token':
    case 'tokenEnds':
      await writeToken(driver, write);
      return false;
    case 'begun':
    case 'passkey':
    case 'note':
      await writePasskey(driver, write);
      return false;
    case 'directoryVersion':
    case 'membership':
    case 'membershipEnded':
    case 'session':
    case 'sessionEnded':
    case 'sessionSeen':
    case 'sessionsEnded':
    case 'account':
    case 'chatCode':
    case 'notesSeen':
      return writePeople(driver, write, nowMs);
    case 'post':
    case 'showing':
    case 'click':
      await writeChat(driver, write, nowMs);
      return false;
    case 'link':
      await writeLink(driver, write.link);
      return false;
  }
}

async function writeChange(driver: Driver, { what, id, by, atMs, acceptedBy }: Change): Promise<void> {
  await driver.run(
    `INSERT INTO changes (what, subject, person_id, at_ms, accepted_by) VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (what, subject, person_id, at_ms) DO UPDATE SET accepted_by = $5`,
    [what, id, by, atMs, acceptedBy],
  );
}

async function writeLink(driver: Driver, link: LinkRow): Promise<void> {
  const { hash, person, expiresAtMs, usedAtMs } = link;
  if (usedAtMs === null) {
    await driver.run(
      'INSERT INTO links (hash, person_id, expires_at_ms, used_at_ms) VALUES ($1, $2, $3, NULL)',
      [hash, person, expiresAtMs],
    );
    return;
  }
  const used = await driver.run('UPDATE links SET used_at_ms = $2 WHERE hash = $1 AND used_at_ms IS NULL', [
    hash,
    usedAtMs,
  ]);
  if (used !== 1) throw new SqlFault('a sign-in link was used twice', 'command');
}
