/**
 * Searching the log, backwards and forwards. The database narrows (so that a million entries do not cross to the gate), and what it finds is
 * checked again as people see it, secrets masked: nobody can guess a masked value by searching for its beginning.
 *
 * Promises: one call looks at no more than `searchMax` entries, in pieces between which other work runs, and answers where
 * it stopped. Times are found by halving, because no entry has an earlier time than the one before it.
 */
import { setImmediate as otherWork } from 'node:timers/promises';
import type { Action } from '../core/action.ts';
import type { Sealed } from '../core/entry.ts';
import type { ActionId } from '../core/ids.ts';
import { actionHolds, asWritten, entryHolds, isResource } from '../core/log-match.ts';
import type { LogFilter, LogFound, LogQuery, LogScan, LogScanned } from '../ports/overview.ts';
import { integer, text } from './columns.ts';
import type { Queries, Row, SqlValue } from './driver.ts';
import { readHead } from './head-rows.ts';
import { entryColumns, sealedOf } from './world-rows.ts';

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

/** Conditions of the query as SQL, with their values; numbered from `$4`. What they let through is checked again (`fitting`). */
function narrowed(filter: LogFilter): { readonly sql: string; readonly values: readonly SqlValue[] } {
  const values: SqlValue[] = [];
  const put = (value: SqlValue): string => `$${values.push(value) + 3}`;
  const isLike = (what: string, pattern: string): string => `${what} LIKE ${put(pattern)} ESCAPE '${escape}'`;
  const like = (part: string): string => isLike('statement', `%${likeText(part)}%`);
  const ofAction = (condition: string): string =>
    `EXISTS (SELECT 1 FROM actions a WHERE a.ord = entries.action_ord AND ${condition})`;
  const any = (...conditions: readonly string[]): string => `(${conditions.join(' OR ')})`;
  const where: string[] = [];
  const { type, agent, operation, person, resource, verdict, policy, text: wanted } = filter;
  if (type !== null) where.push(`type = ${put(type)}`);
  if (agent !== null)
    where.push(any(ofAction(`a.agent = ${put(agent)}`), ...namings(agent, 'agent').map(like)));
  if (operation !== null)
    where.push(
      any(ofAction(`a.operation = ${put(operation)}`), like(`"operation":${JSON.stringify(operation)}`)),
    );
  if (person !== null) where.push(like(JSON.stringify(person)));
  if (resource !== null)
    where.push(ofAction(isLike('a.canonical', `%"resource":{"id":${likeText(JSON.stringify(resource))},%`)));
  if (verdict !== null) where.push(ofAction(isLike('a.verdict', `%"effect":${JSON.stringify(verdict)}%`)));
  if (policy !== null)
    where.push(
      any(
        ofAction(isLike('a.verdict', `%"id":${likeText(JSON.stringify(policy))}%`)),
        like(`"policy":${JSON.stringify(policy)}`),
      ),
    );
  if (wanted !== null) {
    const pattern = broadPattern(wanted);
    where.push(any(isLike('lower(statement)', pattern), ofAction(isLike('lower(a.canonical)', pattern))));
  }
  return { sql: where.map((one) => ` AND ${one}`).join(''), values };
}

/** How entries name an agent: as who did it, as whom it is for, or by a field of that name. Keys of statements are sorted. */
const namings = (id: string, kind: 'agent'): readonly string[] => [
  `{"id":${JSON.stringify(id)},"kind":"${kind}"}`,
  `"${kind}":${JSON.stringify(id)}`,
];

/** What the patterns of SQL let through and people do not see so is none. Each action is read once for all its entries in a row. */
function fitting(
  db: Queries,
  { text: wanted, resource }: LogFilter,
): (row: Row) => Promise<Sealed | undefined> {
  const lowered = wanted === null ? null : asWritten(wanted);
  let last: { readonly id: ActionId; readonly holds: boolean; readonly is: boolean } | undefined;
  const actionOf = async (id: ActionId) => {
    if (last?.id === id) return last;
    const [found] = await db.query('SELECT canonical FROM actions WHERE id = $1', [id]);
    const canonical = found === undefined ? '' : text(found, 'canonical');
    // Nothing is left of one that was erased. Else the canonical text was made of an Action.
    const action = canonical === '' ? null : (JSON.parse(canonical) as Action);
    last = {
      id,
      holds: action !== null && lowered !== null && actionHolds(action, lowered),
      is: action !== null && resource !== null && isResource(action, resource),
    };
    return last;
  };
  return async (row) => {
    // Cheaper than reading the entry, and rules out nearly all that the pattern let through.
    const inStatement = lowered === null || text(row, 'statement').toLowerCase().includes(lowered);
    const sealed = sealedOf(row);
    const { action } = sealed.entry.about;
    if (resource !== null && (action === null || !(await actionOf(action)).is)) return undefined;
    if (lowered === null || (inStatement && entryHolds(sealed.entry, lowered))) return sealed;
    return action !== null && (await actionOf(action)).holds ? sealed : undefined;
  };
}

/** The indexes between the two times. */
async function bounds(
  db: Queries,
  { fromMs, toMs }: LogFilter,
): Promise<{ readonly low: number; readonly high: number }> {
  const { size } = await readHead(db);
  const low = fromMs === null ? 0 : await indexAt(db, fromMs);
  const until = toMs === null ? size : await indexAt(db, toMs);
  return { low, high: Math.max(low, Math.min(until, size)) };
}

/** @param max entries that are looked through. */
export async function searchLog(db: Queries, query: LogQuery, max = searchMax): Promise<LogFound> {
  const { low, high: newest } = await bounds(db, query);
  let high = Math.max(low, Math.min(query.before ?? newest, newest));
  const stop = Math.max(low, high - max);
  const { sql, values } = narrowed(query);
  const fits = fitting(db, query);
  const statement = `SELECT ${entryColumns} FROM entries WHERE idx >= $1 AND idx < $2${sql} ORDER BY idx DESC LIMIT $3`;
  const entries: Sealed[] = [];
  for (let piece = pieceMin; high > stop; piece = Math.min(pieceMax, piece * 2)) {
    const from = Math.max(stop, high - piece);
    const rows = await db.query(statement, [from, high, piece, ...values]);
    for (const row of rows) {
      const sealed = await fits(row);
      if (sealed === undefined) continue;
      entries.push(sealed);
      if (entries.length >= query.limit)
        return { entries, searchedTo: sealed.entry.index, more: sealed.entry.index > low };
    }
    high = from;
    await otherWork();
  }
  return { entries, searchedTo: high, more: high > low };
}

/** As `searchLog`, in the order of the log. @param max entries that are looked through. */
export async function scanLog(db: Queries, query: LogScan, max = searchMax): Promise<LogScanned> {
  const { low: first, high: last } = await bounds(db, query);
  const until = Math.min(query.until ?? last, last);
  let low = Math.max(first, query.first);
  const stop = Math.min(until, low + max);
  const { sql, values } = narrowed(query);
  const fits = fitting(db, query);
  const statement = `SELECT ${entryColumns} FROM entries WHERE idx >= $1 AND idx < $2${sql} ORDER BY idx LIMIT $3`;
  const entries: Sealed[] = [];
  for (let piece = pieceMin; low < stop; piece = Math.min(pieceMax, piece * 2)) {
    const to = Math.min(stop, low + piece);
    const wanted = query.limit - entries.length;
    const rows = await db.query(statement, [low, to, wanted, ...values]);
    for (const row of rows) {
      const sealed = await fits(row);
      if (sealed !== undefined) entries.push(sealed);
    }
    const end = rows.at(-1);
    low = rows.length === wanted && end !== undefined ? integer(end, 'idx') + 1 : to;
    if (entries.length >= query.limit) break;
    await otherWork();
  }
  return { entries, searchedTo: Math.max(low, query.first), more: low < until };
}
