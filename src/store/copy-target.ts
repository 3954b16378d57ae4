/**
 * The PostgreSQL side of a copy. Promises: rows and how far the copy has come are written in one transaction, so that no row is
 * written twice or left out, whatever stops it; while the copy lasts no gate opens the database, and none that had opened it before
 * writes; what holds anything else is never touched.
 */
import { emptyHead } from '../core/entry.ts';
import {
  mayOpen,
  noWriters,
  ownRows,
  readCopyMark,
  replaceCopyMark,
  writeCopyMark,
  type CopyMark,
} from './copy-marks.ts';
import { keyOf, list, names, quoted, rowText, type Table } from './copy-tables.ts';
import { text, textOrNull } from './columns.ts';
import { SqlFault, type Driver, type Row } from './driver.ts';
import { lockHead, type HeadRow } from './head-rows.ts';
import { makeRoom } from './partitions.ts';
import { migrate, schemaVersion, schemaVersionOf, tables } from './schema.ts';

/** Somebody else has changed how far the copy has come, or an answer was lost: it is read again. */
export class MarkMoved extends Error {}

/** What operators know a database by; never a password. */
export async function describe(driver: Driver): Promise<string> {
  const [row] = await driver.query(
    'SELECT current_database() AS name, current_schema() AS inside, host(inet_server_addr()) AS host, inet_server_port() AS port',
  );
  if (row === undefined || textOrNull(row, 'inside') === null)
    throw new SqlFault('PostgreSQL: the schema that the search_path names is not there', 'database');
  const { host, port } = row;
  return `the PostgreSQL database ${text(row, 'name')}, schema ${text(row, 'inside')}${host === null || host === undefined ? '' : `, at ${host}:${port}`}`;
}

/** Makes the tables where there are none yet. The copy that is there, or none. */
export async function openTarget(driver: Driver, joinKey: string): Promise<CopyMark | undefined> {
  const [there] = await driver.query("SELECT to_regclass('meta') IS NOT NULL AS there");
  // Where a copy is under way its own mark keeps `migrate` out: it was made by then.
  const mark = there?.['there'] ? await readCopyMark(driver) : undefined;
  if (mark === undefined) await migrate(driver, { joinKey, emptyHead });
  if (mark?.state !== 'open' && (await schemaVersionOf(driver)) !== schemaVersion)
    throw new SqlFault(
      'The target was made by another version of Countersign: copy with that one, or drop what is in its schema',
      'database',
    );
  return mark;
}

/**
 * Takes an empty database for a copy; null where it is not empty. The head row is locked: a gate that has opened it meanwhile has
 * written, or will not.
 */
export async function claim(driver: Driver, mark: CopyMark): Promise<CopyMark | null> {
  return driver.transaction(async () => {
    const { head } = await lockHead(driver);
    await mayOpen(driver);
    if (head.size > 0 || (await readCopyMark(driver)) !== undefined) return null;
    for (const table of tables) {
      if (table === 'log_head' || table === 'leases') continue;
      const rows = await driver.query(`SELECT 1 AS one FROM ${quoted(table)} LIMIT 1`);
      if (rows.length > 0) return null;
    }
    await clear(driver);
    await writeCopyMark(driver, mark);
    return mark;
  });
}

/** Begins anew: what an earlier run has written is gone, and so are rows that nobody copied there. */
export async function beginAnew(driver: Driver, was: CopyMark, next: CopyMark): Promise<CopyMark> {
  await driver.transaction(async () => {
    if (!(await replaceCopyMark(driver, was, next))) throw new MarkMoved();
    await clear(driver);
  });
  return next;
}

async function clear(driver: Driver): Promise<void> {
  const emptied = tables.filter((table) => table !== 'log_head');
  await driver.run(`TRUNCATE ${list(emptied)}`);
  await driver.run(
    'UPDATE log_head SET size = 0, head = $1, at_ms = 0, world = 0, writers = $2 WHERE one = 1',
    [emptyHead, noWriters],
  );
}

/** Makes room for as many entries, where their table is cut into ranges of them. Outside a transaction; may be done again. */
export async function makeRoomFor(driver: Driver, size: number): Promise<void> {
  const [cut] = await driver.query(
    "SELECT 1 AS one FROM pg_partitioned_table WHERE partrelid = to_regclass('entries')",
  );
  if (cut !== undefined) await makeRoom(driver, size);
}

/** One page, and how far that is. */
export async function writePage(
  driver: Driver,
  table: Table,
  rows: readonly Row[],
  mark: readonly [was: CopyMark, next: CopyMark],
): Promise<void> {
  const columns = names(table);
  const sql = `INSERT INTO ${quoted(table.name)} (${list(columns)})
    SELECT ${list(columns)} FROM json_to_recordset(CAST($1 AS json)) AS r(${typed(table)})`;
  await driver.transaction(async () => {
    if (!(await replaceCopyMark(driver, ...mark))) throw new MarkMoved();
    if (rows.length > 0 && (await driver.run(sql, [JSON.stringify(rows)])) !== rows.length)
      throw new SqlFault(`${table.name}: not all rows were written`, 'database');
  });
}

const typed = ({ columns }: Pick<Table, 'columns'>): string =>
  columns.map(({ name, type }) => `${quoted(name)} ${type}`).join(', ');

/** The same rows here, as text by their key's text. */
export async function rowsLike(
  driver: Driver,
  table: Table,
  rows: readonly Row[],
): Promise<ReadonlyMap<string, string>> {
  const key = table.columns.filter(({ name }) => table.key.includes(name));
  const on = table.key.map((name) => `t.${quoted(name)} = k.${quoted(name)}`).join(' AND ');
  // By their keys and not by a range of them: the databases sort texts differently.
  const found = await driver.query(
    `SELECT ${list(names(table), 't.')} FROM json_to_recordset(CAST($1 AS json)) AS k(${typed({ columns: key })})
      JOIN ${quoted(table.name)} t ON ${on}`,
    [
      JSON.stringify(
        rows.map((row) => Object.fromEntries(table.key.map((name) => [name, row[name] ?? null]))),
      ),
    ],
  );
  return new Map(found.map((row) => [JSON.stringify(keyOf(table, row)), rowText(table, row)]));
}

/** What is not a table: rows of `meta` but for those of its own, and the log's head. Nobody may write yet. */
export async function writeRest(
  driver: Driver,
  rest: { readonly meta: readonly (readonly [key: string, value: string])[]; readonly log: HeadRow },
  [was, next]: readonly [CopyMark, CopyMark],
): Promise<CopyMark> {
  const { size, head, atMs, world } = rest.log;
  await driver.transaction(async () => {
    if (!(await replaceCopyMark(driver, was, next))) throw new MarkMoved();
    const kept = ownRows.map((_key, at) => `$${at + 1}`).join(', ');
    await driver.run(`DELETE FROM meta WHERE key NOT IN (${kept})`, ownRows);
    for (const row of rest.meta) await driver.run('INSERT INTO meta (key, value) VALUES ($1, $2)', row);
    await driver.run('UPDATE log_head SET size = $1, head = $2, at_ms = $3, world = $4 WHERE one = 1', [
      size,
      head,
      atMs,
      world,
    ]);
  });
  return next;
}

/** Rows of `meta` that are copied. */
export async function metaOf(from: Driver): Promise<readonly (readonly [string, string])[]> {
  const rows = await from.query('SELECT key, value FROM meta');
  return rows
    .map((row) => [text(row, 'key'), text(row, 'value')] as const)
    .filter(([key]) => !ownRows.includes(key))
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
}

/** Gates may use it from now on; the source is closed by then. */
export async function openForGates(
  driver: Driver,
  [was, next]: readonly [CopyMark, CopyMark],
  writers: number,
): Promise<void> {
  await driver.transaction(async () => {
    if (!(await replaceCopyMark(driver, was, next))) throw new MarkMoved();
    await driver.run('UPDATE log_head SET writers = $1 WHERE one = 1', [writers]);
  });
}

/** Closes it again, unless a gate has written; true: it is closed. */
export async function closeAgain(driver: Driver, mark: CopyMark): Promise<boolean> {
  return driver.transaction(async () => {
    const { head } = await lockHead(driver);
    const untouched = mark.head === null || (mark.head.size === head.size && mark.head.head === head.head);
    if (mark.state === 'open' && !untouched) return false;
    if (!(await replaceCopyMark(driver, mark, { ...mark, state: 'begin' }))) throw new MarkMoved();
    await clear(driver);
    return true;
  });
}

/** The planner knows nothing of rows that were just written. What fails here the server does by itself later. */
export async function analyze(driver: Driver, table: Table): Promise<void> {
  try {
    await driver.run(`ANALYZE ${quoted(table.name)}`);
  } catch (error) {
    if (!(error instanceof SqlFault)) throw error;
  }
}
