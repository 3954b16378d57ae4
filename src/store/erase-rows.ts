/**
 * Reading what an erasure would erase, inside the transaction that decides on it. A piece is bounded: an action with very many
 * entries, and the retention of a whole log, are erased in several pieces, each with an entry of its own, so that a crash between
 * two leaves neither a claim of what is still there nor a gap that nothing names.
 */
import type { Case } from '../core/case.ts';
import type { Directory } from '../core/directory.ts';
import { glassOperation, type Glass } from '../core/glass.ts';
import type { Sealed } from '../core/entry.ts';
import type { ActionId } from '../core/ids.ts';
import type { Range } from '../core/erased.ts';
import { entriesRangeMax, type Erasable, type ErasureScope, type Erasing } from '../core/retention.ts';
import { caseBy, casesOf, selectCases } from './case-rows.ts';
import { integer, json } from './columns.ts';
import { readEraseLater } from './erase-later.ts';
import type { Queries } from './driver.ts';
import { glassBy } from './glass-rows.ts';
import { readHolds } from './hold-rows.ts';
import { readPublished } from './log-rows.ts';
import { entryColumns, sealedOf } from './world-rows.ts';

/** Indexes that one piece of the retention looks at. */
export const pieceIndexes = 256;
/** Entries that one piece erases at most. */
export const pieceEntries = 4000;

type Found = Pick<Erasing, 'units' | 'next' | 'later'>;

export async function readErasing(from: Queries, scope: ErasureScope, nowMs: number): Promise<Erasing> {
  const { size } = await readPublished(from);
  const holds = await readHolds(from, nowMs);
  const found = await readUnits(from, scope, size);
  return { published: size, holds, ...found };
}

async function readUnits(from: Queries, scope: ErasureScope, published: number): Promise<Found> {
  switch (scope.kind) {
    case 'action':
      return ofAction(from, scope.action);
    case 'entries': {
      const to = Math.min(scope.to, scope.from + entriesRangeMax - 1);
      const directoryAt = directories(from);
      const units: Erasable[] = [];
      for (const one of await aboutNone(from, scope.from, to))
        units.push({ ...one, directoryThen: await directoryAt(one.entries[0]) });
      return { units, next: null };
    }
    case 'before':
      return piece(from, scope.from, Math.min(scope.index, published));
    case 'restored':
      return restored(from, published);
  }
}

/** What is in the tree by now of what a restore left to be erased: as many as one piece takes. */
async function restored(from: Queries, published: number): Promise<Found> {
  const units: Erasable[] = [];
  const later: Range[] = [];
  let left = pieceEntries;
  for (const [first, last] of await readEraseLater(from)) {
    const to = Math.min(last, published - 1, first + left - 1);
    if (to < last) later.push([Math.max(first, to + 1), last]);
    if (to < first) continue;
    left -= to - first + 1;
    const sql = `SELECT ${entryColumns} FROM entries WHERE idx >= $1 AND idx <= $2 AND statement <> '' ORDER BY idx`;
    for (const row of await from.query(sql, [first, to]))
      units.push({ held: null, glass: null, entries: [sealedOf(row)] });
  }
  return { units, later, next: later.some(([first]) => first < published) ? 0 : null };
}

/** An action's entries are about its row, or about its id where they were written before there was a row. */
async function ofAction(from: Queries, action: ActionId): Promise<Found> {
  const [held] = casesOf(await from.query(caseBy.action, [action]));
  if (held === undefined) return { units: [], next: null };
  const sql = `SELECT ${entryColumns} FROM entries
    WHERE idx IN (
        SELECT idx FROM entries
          WHERE action_ord = (SELECT ord FROM actions WHERE id = $1) AND idx >= (SELECT ord FROM actions WHERE id = $1)
        UNION ALL SELECT idx FROM entries WHERE stray_action = $1) AND statement <> ''
    ORDER BY idx LIMIT ${pieceEntries + 1}`;
  const entries = (await from.query(sql, [action])).map(sealedOf);
  const unit = await unitOf(from, held, entries.slice(0, pieceEntries));
  const directoryThen = await directoryOf(from, held.asked.verdict.versions.directory);
  return {
    units: [{ ...unit, directoryThen }],
    next: entries.length > pieceEntries ? 0 : null,
  };
}

/** The directory that was in force when an entry was written; each version is read once. */
function directories(from: Queries): (one: Sealed | undefined) => Promise<Directory | undefined> {
  const read = new Map<number, Directory | undefined>();
  return async (one) => {
    if (one === undefined) return undefined;
    const sql = `SELECT version FROM accepted WHERE what = 'directory' AND at_ms <= $1 ORDER BY version DESC LIMIT 1`;
    const [row] = await from.query(sql, [Date.parse(one.entry.at)]);
    if (row === undefined) return undefined;
    const version = integer(row, 'version');
    if (!read.has(version)) read.set(version, await directoryOf(from, version));
    return read.get(version);
  };
}

async function directoryOf(from: Queries, version: number): Promise<Directory | undefined> {
  const sql = `SELECT body FROM accepted WHERE what = 'directory' AND version = $1`;
  const [row] = await from.query(sql, [version]);
  // Only a Directory is accepted as one (AcceptCommand).
  return row === undefined ? undefined : ((json(row, 'body') as Directory | null) ?? undefined);
}

async function unitOf(from: Queries, held: Case, entries: readonly Sealed[]): Promise<Erasable> {
  return { held, glass: await glassOf(from, held), entries };
}

const glassOf = async (from: Queries, { asked, approval }: Case): Promise<Glass | null> => {
  if (asked.glass !== undefined) return (await glassBy(from, { id: asked.glass })) ?? null;
  if (approval === null || asked.action.operation !== glassOperation) return null;
  return (await glassBy(from, { approval: approval.id })) ?? null;
};

/** Entries about no action that is kept, each by itself. */
async function aboutNone(from: Queries, first: number, last: number): Promise<readonly Erasable[]> {
  const sql = `SELECT ${entryColumns} FROM entries WHERE idx >= $1 AND idx <= $2 AND action_ord IS NULL AND statement <> ''
      AND (stray_action IS NULL OR NOT EXISTS (SELECT 1 FROM actions WHERE id = stray_action))
    ORDER BY idx`;
  return (await from.query(sql, [first, last])).map((row) => ({
    held: null,
    glass: null,
    entries: [sealedOf(row)],
  }));
}

/** Actions that were asked in the next indexes, each with all entries about it; and what is about none. @param end exclusive */
async function piece(from: Queries, first: number, end: number): Promise<Found> {
  if (first >= end) return { units: [], next: null };
  const to = Math.min(first + pieceIndexes, end);
  const rows = await from.query(
    `SELECT action_ord, ${entryColumns} FROM entries
      WHERE action_ord >= $1 AND action_ord < $2 AND statement <> '' ORDER BY action_ord, idx LIMIT ${pieceEntries}`,
    [first, to],
  );
  const groups = [...Map.groupBy(rows, (row) => integer(row, 'action_ord'))];
  // The last one may have more entries than were read: it is the next piece's, unless it alone fills this one.
  const cut = rows.length < pieceEntries ? undefined : groups.at(-1)?.[0];
  const whole = cut === undefined ? groups : groups.slice(0, Math.max(1, groups.length - 1));
  const stop = cut === undefined ? to : groups.length === 1 ? cut + 1 : cut;
  const units: Erasable[] = [];
  for (const [ord, some] of whole) {
    if (ord === cut && (await newestOf(from, ord)) >= end) continue;
    const [held] = casesOf(await from.query(caseAt, [ord]));
    if (held !== undefined) units.push(await unitOf(from, held, some.map(sealedOf)));
  }
  units.push(...(await stragglers(from, first, stop - 1)), ...(await aboutNone(from, first, stop - 1)));
  return { units, next: stop < end ? stop : null };
}

/** What was written later about actions that were asked before this piece, and erased before it was written. */
async function stragglers(from: Queries, first: number, last: number): Promise<readonly Erasable[]> {
  const rows = await from.query(
    `SELECT DISTINCT action_ord FROM entries WHERE idx >= $1 AND idx <= $2 AND action_ord < $1 AND statement <> ''
      AND EXISTS (SELECT 1 FROM entries a WHERE a.idx = entries.action_ord AND a.statement = '')`,
    [first, last],
  );
  const units: Erasable[] = [];
  for (const row of rows) {
    const [held] = casesOf(await from.query(caseAt, [integer(row, 'action_ord')]));
    if (held !== undefined) units.push(...(await ofAction(from, held.asked.id)).units);
  }
  return units;
}

const caseAt = selectCases('a.ord = $1');

async function newestOf(from: Queries, ord: number): Promise<number> {
  const [row] = await from.query(
    'SELECT max(idx) AS newest FROM entries WHERE action_ord = $1 AND idx >= $1',
    [ord],
  );
  return row === undefined ? 0 : integer(row, 'newest');
}
