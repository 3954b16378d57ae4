/**
 * Searching the log backwards. The database narrows (so that a million entries do not cross to the gate), and what it finds is
 * checked again as people see it, secrets masked: nobody can guess a masked value by searching for its beginning.
 *
 * Promises: one call looks at no more than `searchMax` entries, in pieces between which other work runs, and answers where
 * it stopped. Times are found by halving, because no entry has an earlier time than the one before it.
 */
import { setImmediate as otherWork } from 'node:timers/promises';
import type { Sealed } from '../core/entry.ts';
import { maskSecrets } from '../core/secrets.ts';
import type { LogFound, LogQuery } from '../ports/overview.ts';
import { integer, text } from './columns.ts';
import type { Queries, SqlValue } from './driver.ts';
import { entryColumns, readHead, sealedOf } from './world-rows.ts';

/** Entries that one call looks through. */
export const searchMax = 100_000;
/** Entries of the first piece: what is common is found in it. Each further piece is twice as large, up to `pieceMax`. */
const pieceMin = 200;
const pieceMax = 1000;

/** The character that escapes `%`, `_` and itself in a pattern. */
const escape = '!';

/** Text as a part of a LIKE pattern that means just this text. */
export const likeText = (part: string): string => part.replace(/[!%_]/g, `${escape}$&`);

/**
 * A pattern for the lower-cased statement that every statement with this text fits, and some others too: the databases do
 * not agree on letters beyond ASCII, so the longest run of ASCII stands for the text. One run, because a pattern of many
 * parts can be made to take long. The statement is JSON, so the text is looked for as JSON writes it.
 */
export function broadPattern(wanted: string): string {
  const runs = asWritten(wanted).split(/[^\0-\x7f]+/);
  return `%${likeText(runs.reduce((longest, run) => (run.length > longest.length ? run : longest), ''))}%`;
}

/** In lower case, as it stands inside a JSON string. */
const asWritten = (wanted: string): string => JSON.stringify(wanted).slice(1, -1).toLowerCase();

/** The first entry at or after a time; the log's size where there is none. */
export async function indexAt(db: Queries, atMs: number): Promise<number> {
  const { size } = await readHead(db);
  let [low, high] = [0, size];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [row] = await db.query('SELECT at_ms FROM entries WHERE idx = $1', [middle]);
    if (row !== undefined && integer(row, 'at_ms') < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Conditions of the query as SQL, with their values; numbered from `$4`. */
function narrowed(query: LogQuery): { readonly sql: string; readonly values: readonly SqlValue[] } {
  const values: SqlValue[] = [];
  const put = (value: SqlValue): string => `$${values.push(value) + 3}`;
  const like = (part: string): string => `statement LIKE ${put(`%${likeText(part)}%`)} ESCAPE '${escape}'`;
  const ofAction = (column: string, value: string): string =>
    `EXISTS (SELECT 1 FROM actions a WHERE a.ord = entries.action_ord AND a.${column} = ${put(value)})`;
  const where: string[] = [];
  if (query.type !== null) where.push(`type = ${put(query.type)}`);
  if (query.agent !== null)
    where.push(
      `(${[ofAction('agent', query.agent), ...namings(query.agent, 'agent').map(like)].join(' OR ')})`,
    );
  if (query.operation !== null)
    where.push(
      `(${ofAction('operation', query.operation)} OR ${like(`"operation":${JSON.stringify(query.operation)}`)})`,
    );
  if (query.person !== null) where.push(like(JSON.stringify(query.person)));
  if (query.text !== null)
    where.push(`lower(statement) LIKE ${put(broadPattern(query.text))} ESCAPE '${escape}'`);
  return { sql: where.map((one) => ` AND ${one}`).join(''), values };
}

/** How entries name an agent: as who did it, as whom it is for, or by a field of that name. Keys of statements are sorted. */
const namings = (id: string, kind: 'agent'): readonly string[] => [
  `{"id":${JSON.stringify(id)},"kind":"${kind}"}`,
  `"${kind}":${JSON.stringify(id)}`,
];

/** Whether an entry, as people see it, holds the text; `lowered` is the text as `asWritten` makes it. */
function holds({ entry }: Sealed, lowered: string): boolean {
  const { type, by, about, data } = entry;
  return JSON.stringify([type, by, about, maskSecrets(data)])
    .toLowerCase()
    .includes(lowered);
}

/** @param max entries that are looked through. */
export async function searchLog(db: Queries, query: LogQuery, max = searchMax): Promise<LogFound> {
  const { size } = await readHead(db);
  const low = query.fromMs === null ? 0 : await indexAt(db, query.fromMs);
  const until = query.toMs === null ? size : await indexAt(db, query.toMs);
  let high = Math.max(low, Math.min(query.before ?? size, until, size));
  const stop = Math.max(low, high - max);
  const { sql, values } = narrowed(query);
  const lowered = query.text === null ? null : asWritten(query.text);
  const statement = `SELECT ${entryColumns} FROM entries WHERE idx >= $1 AND idx < $2${sql} ORDER BY idx DESC LIMIT $3`;
  const entries: Sealed[] = [];
  for (let piece = pieceMin; high > stop; piece = Math.min(pieceMax, piece * 2)) {
    const from = Math.max(stop, high - piece);
    const rows = await db.query(statement, [from, high, piece, ...values]);
    for (const row of rows) {
      // Cheaper than reading the entry, and rules out nearly all that the pattern let through.
      if (lowered !== null && !text(row, 'statement').toLowerCase().includes(lowered)) continue;
      const sealed = sealedOf(row);
      if (lowered !== null && !holds(sealed, lowered)) continue;
      entries.push(sealed);
      if (entries.length >= query.limit)
        return { entries, searchedTo: sealed.entry.index, more: sealed.entry.index > low };
    }
    high = from;
    await otherWork();
  }
  return { entries, searchedTo: high, more: high > low };
}
