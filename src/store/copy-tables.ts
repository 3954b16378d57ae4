/**
 * A table as it is copied: its columns and key, out of the source's own catalogue, so that no list of columns can grow old; its rows
 * in pages by key, bounded in rows and in bytes; and one row as text, the same on both sides. Promises: of a page there are never
 * more bytes in memory than its bound and one row; what PostgreSQL cannot hold is never sent there.
 */
import type { Key } from './copy-marks.ts';
import { integer, text } from './columns.ts';
import { SqlFault, type Queries, type Row, type SqlValue } from './driver.ts';

export interface Column {
  readonly name: string;
  readonly type: 'text' | 'bigint';
}

export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Names of the columns of its primary key, in the key's order. */
  readonly key: readonly string[];
}

/** Bounds of a page, and so of a transaction. */
const pageRowsMax = 2000;
const pageBytesMax = 2 * 1024 * 1024;

/** Names come from our own schema; quoted because some are words of SQL. */
export const quoted = (name: string): string => `"${name}"`;
export const list = (names: readonly string[], prefix = ''): string =>
  names.map((name) => prefix + quoted(name)).join(', ');
export const names = ({ columns }: Table): readonly string[] => columns.map(({ name }) => name);

/** How the source knows it. SQLite only. */
export async function tableOf(source: Queries, name: string): Promise<Table> {
  const rows = await source.query('SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid', [name]);
  const columns = rows.map((row): Column & { readonly pk: number } => {
    const type = text(row, 'type');
    if (type !== 'TEXT' && type !== 'BIGINT' && type !== 'INTEGER')
      throw new SqlFault(`${name}.${text(row, 'name')} is of type ${type}`, 'database');
    return { name: text(row, 'name'), type: type === 'TEXT' ? 'text' : 'bigint', pk: integer(row, 'pk') };
  });
  const key = columns.filter(({ pk }) => pk > 0).toSorted((one, other) => one.pk - other.pk);
  if (key.length === 0) throw new SqlFault(`the table ${name} has no key`, 'database');
  return {
    name,
    columns: columns.map(({ name: column, type }) => ({ name: column, type })),
    key: key.map(({ name: column }) => column),
  };
}

export const keyOf = ({ key }: Pick<Table, 'key'>, row: Row): Key => key.map((name) => row[name] ?? null);

/** `WHERE` behind a key, with its parameters; everything where it is null. Each database compares as it sorts. */
function behind({ key }: Pick<Table, 'key'>, after: Key | null): readonly [string, Key] {
  if (after === null) return ['', []];
  return [` WHERE (${list(key)}) > (${key.map((_name, at) => `$${at + 1}`).join(', ')})`, after];
}

export interface Page {
  readonly rows: readonly Row[];
  /** Nothing comes after them. */
  readonly last: boolean;
}

/** The next rows behind a key, in the order of keys. */
export async function readPage(from: Queries, table: Table, after: Key | null): Promise<Page> {
  const [where, params] = behind(table, after);
  const order = `ORDER BY ${list(table.key)}`;
  const texts = table.columns.filter(({ type }) => type === 'text');
  // The lengths first: they are in the rows' headers, and a page of large rows is cut before it is read.
  const bytes = texts.map(({ name }) => `coalesce(octet_length(${quoted(name)}), 0)`);
  const sizes = await from.query(
    `SELECT ${bytes.length === 0 ? '0' : bytes.join(' + ')} AS bytes FROM ${quoted(table.name)}${where} ${order} LIMIT ${pageRowsMax}`,
    params,
  );
  let rows = 0;
  for (let sum = 0; rows < sizes.length; rows += 1) {
    const row = sizes[rows];
    sum += row === undefined ? 0 : integer(row, 'bytes');
    if (rows > 0 && sum > pageBytesMax) break;
  }
  if (rows === 0) return { rows: [], last: true };
  const read = await from.query(
    `SELECT ${list(names(table))} FROM ${quoted(table.name)}${where} ${order} LIMIT $${params.length + 1}`,
    [...params, rows],
  );
  return { rows: read, last: rows === sizes.length && rows < pageRowsMax };
}

/** How many rows a table has, counted by its keys, so that no single statement takes long. */
export async function countRows(from: Queries, table: Table): Promise<number> {
  let count = 0;
  let after: Key | null = null;
  for (;;) {
    const [where, params] = behind(table, after);
    const rows = await from.query(
      `SELECT ${list(table.key)} FROM ${quoted(table.name)}${where} ORDER BY ${list(table.key)} LIMIT ${countedMax}`,
      params,
    );
    count += rows.length;
    const last = rows.at(-1);
    if (last === undefined || rows.length < countedMax) return count;
    after = keyOf(table, last);
  }
}

const countedMax = 10_000;

/** The canonical form of a row: JSON of its values in the columns' order. Null and '' differ, and no value runs into the next. */
export const rowText = (table: Table, row: Row): string =>
  `${JSON.stringify(table.columns.map(({ name }) => row[name] ?? null))}\n`;

/** Columns that hold what somebody typed and nothing else, so that a character in them may be replaced by its picture. */
const freeTexts: ReadonlySet<string> = new Set([
  'reviews.reason',
  'stops.reason',
  'unsafe.reason',
  'executions.detail',
  'notices.detail',
  'shipping.detail',
  'accounts.display',
  'passkeys.name',
]);

/** What stands for NUL, which PostgreSQL has no room for: its picture, U+2400. The log's entry keeps what was typed, escaped. */
const nulPicture = '\u2400';

/** The row as PostgreSQL can hold it. Throws a SqlFault where it cannot. */
export function holdable(table: Table, row: Row): { readonly row: Row; readonly pictures: number } {
  let changed: Record<string, SqlValue> | undefined;
  let pictures = 0;
  for (const { name, type } of table.columns) {
    const value = row[name] ?? null;
    if (type === 'bigint') {
      if (value !== null && (typeof value !== 'number' || !Number.isSafeInteger(value)))
        throw unholdable(table, row, name, 'no whole number below 2^53');
    } else if (value !== null && typeof value !== 'string') {
      throw unholdable(table, row, name, 'no text');
    } else if (value?.includes('\0') === true) {
      if (!freeTexts.has(`${table.name}.${name}`)) throw unholdable(table, row, name, 'the character NUL');
      changed ??= { ...row };
      changed[name] = value.replaceAll('\0', nulPicture);
      pictures += 1;
    }
  }
  return { row: changed ?? row, pictures };
}

/** Keys name rows, and some are hashes of what signs people in: their beginning is enough to find one. */
export const shownKey = (table: Table, row: Row): string =>
  keyOf(table, row)
    .map((value) => String(value).slice(0, 16))
    .join(', ');

const unholdable = (table: Table, row: Row, column: string, what: string): SqlFault =>
  new SqlFault(
    `${table.name}.${column} of the row ${shownKey(table, row)} holds ${what}; PostgreSQL could not`,
    'command',
  );
