/** Rows of the transparency log: leaves, tiles, checkpoints, keys, cursors; and their reads (ports/log-store.ts). */
import { emptyHead, type EntryType } from '../core/entry.ts';
import { asSha256Hex } from '../core/ids.ts';
import type { LogKey } from '../core/log-key.ts';
import type {
  Cosignature,
  Cursor,
  Leaf,
  LogStore,
  Published,
  RawEntry,
  StoredCheckpoint,
} from '../ports/log-store.ts';
import { integer, integerOrNull, json, text, textOrNull } from './columns.ts';
import type { Queries, Row } from './driver.ts';
import { readEraseLater } from './erase-later.ts';
import { listHolds } from './hold-rows.ts';
import { indexAt } from './log-search.ts';

/** The most that one read answers. */
const entriesMax = 1000;
const leavesMax = 4096;
/** Entries that are looked through for one whose payload is there. */
const payloadsSearched = 5000;

/** Rows of `meta` that begin so name an origin which a restore has burnt; their value is when, in milliseconds. */
export const burntKey = 'burnt_origin:';

export type LogReads = Omit<
  LogStore,
  'takeTree' | 'publish' | 'confirm' | 'addCosignature' | 'addStamp' | 'setCursor'
>;

const checkpointColumns = 'origin, size, root, note, at_ms, cosignatures, stamp, stamped_at_ms';

export function readTree(db: Queries): LogReads {
  const oneCheckpoint = async (rest: string, values: readonly (string | number)[]) => {
    const [row] = await db.query(`SELECT ${checkpointColumns} FROM checkpoints ${rest} LIMIT 1`, values);
    return row === undefined ? undefined : checkpointOf(row);
  };
  return {
    async rawEntries(from, limit) {
      const sql = `SELECT idx, at_ms, type, statement, pae, head FROM entries WHERE idx >= $1 ORDER BY idx LIMIT $2`;
      return (await db.query(sql, [from, Math.min(limit, entriesMax)])).map(rawOf);
    },
    indexAt: (atMs) => indexAt(db, atMs),
    published: () => readPublished(db),
    async leaves(from, limit) {
      const sql = `SELECT l.idx, e.pae, l.key_id, l.signature FROM leaves l JOIN entries e ON e.idx = l.idx
        WHERE l.idx >= $1 ORDER BY l.idx LIMIT $2`;
      return (await db.query(sql, [from, Math.min(limit, leavesMax)])).map(leafOf);
    },
    async tile(level, n) {
      const [row] = await db.query('SELECT hashes FROM tiles WHERE level = $1 AND n = $2', [level, n]);
      return row === undefined ? undefined : new Uint8Array(Buffer.from(text(row, 'hashes'), 'base64'));
    },
    newestCheckpoint: (origin) =>
      origin === undefined
        ? oneCheckpoint('ORDER BY at_ms DESC, size DESC', [])
        : oneCheckpoint('WHERE origin = $1 ORDER BY size DESC', [origin]),
    checkpoint: (origin, size) => oneCheckpoint('WHERE origin = $1 AND size = $2', [origin, size]),
    checkpointCovering: (size, origin) =>
      origin === undefined
        ? oneCheckpoint('WHERE size >= $1 ORDER BY at_ms, size', [size])
        : oneCheckpoint('WHERE size >= $1 AND origin = $2 ORDER BY size', [size, origin]),
    async checkpoints(limit) {
      const sql = `SELECT ${checkpointColumns} FROM checkpoints ORDER BY at_ms DESC, size DESC LIMIT $1`;
      return (await db.query(sql, [Math.min(limit, entriesMax)])).map(checkpointOf);
    },
    async burntOrigins() {
      const rows = await db.query('SELECT key FROM meta WHERE key LIKE $1', [`${burntKey}%`]);
      return rows.map((row) => text(row, 'key').slice(burntKey.length));
    },
    logKeys: () => readLogKeys(db),
    holds: () => listHolds(db),
    erasesLater: async () => (await readEraseLater(db)).length > 0,
    async nextPayload(from, below) {
      const to = Math.min(below, from + payloadsSearched);
      const sql = `SELECT idx FROM entries WHERE idx >= $1 AND idx < $2 AND statement <> '' ORDER BY idx LIMIT 1`;
      const [row] = await db.query(sql, [from, to]);
      return row === undefined ? { index: to, found: false } : { index: integer(row, 'idx'), found: true };
    },
    async cursors() {
      return (await db.query('SELECT name, next, at_ms, detail FROM shipping ORDER BY name')).map(cursorOf);
    },
  };
}

export async function readPublished(db: Queries, lock = ''): Promise<Published> {
  const [row] = await db.query(`SELECT size, head, epoch FROM log_published WHERE one = 1${lock}`);
  return row === undefined
    ? { size: 0, head: emptyHead, epoch: 0 }
    : { size: integer(row, 'size'), head: asSha256Hex(text(row, 'head')), epoch: integer(row, 'epoch') };
}

export async function readLogKeys(db: Queries): Promise<readonly LogKey[]> {
  const rows = await db.query('SELECT body, ended_at_ms FROM log_keys ORDER BY begun_at_ms, id');
  // Written from a LogKey only.
  return rows.map((row) => ({
    ...(json(row, 'body') as LogKey),
    endedAtMs: integerOrNull(row, 'ended_at_ms'),
  }));
}

/**
 * A row as it is, whoever wrote it: SQLite takes any value in any column. What does not fit becomes what no entry has, so that
 * whoever checks the log finds that row altered and names it, instead of failing to read.
 */
const rawOf = (row: Row): RawEntry => ({
  index: integer(row, 'idx'),
  atMs: typeof row['at_ms'] === 'number' ? row['at_ms'] : -1,
  // Written from an EntryDraft only; what is not is found by whoever checks it.
  type: looseText(row, 'type') as EntryType,
  statement: looseText(row, 'statement'),
  pae: asSha256Hex(looseText(row, 'pae')),
  head: asSha256Hex(looseText(row, 'head')),
});

const looseText = (row: Row, column: string): string => {
  const value = row[column];
  return typeof value === 'string' ? value : '\0';
};

const leafOf = (row: Row): Leaf => ({
  index: integer(row, 'idx'),
  pae: asSha256Hex(text(row, 'pae')),
  keyId: text(row, 'key_id'),
  signature: text(row, 'signature'),
});

const checkpointOf = (row: Row): StoredCheckpoint => ({
  origin: text(row, 'origin'),
  size: integer(row, 'size'),
  root: text(row, 'root'),
  note: text(row, 'note'),
  atMs: integer(row, 'at_ms'),
  // Written from Cosignatures only.
  cosignatures: json(row, 'cosignatures') as readonly Cosignature[],
  stamp: textOrNull(row, 'stamp'),
  stampedAtMs: integerOrNull(row, 'stamped_at_ms'),
});

const cursorOf = (row: Row): Cursor => ({
  name: text(row, 'name'),
  next: integer(row, 'next'),
  atMs: integer(row, 'at_ms'),
  detail: textOrNull(row, 'detail'),
});
