/**
 * The reads of ports/evidence.ts: entries by range, by type and by action, and accepted versions with their entries. Whoever makes the
 * evidence reads page after page: other work runs between any two.
 */
import { setImmediate as otherWork } from 'node:timers/promises';
import type { Seen } from '../core/case.ts';
import type { Part } from '../core/command-config.ts';
import { asActionId } from '../core/ids.ts';
import type { Profile } from '../core/profile.ts';
import {
  canonicalCharsMax,
  typesSpanMax,
  type AcceptedAt,
  type AskedBytes,
  type EvidenceReads,
  type NumberedEntry,
} from '../ports/evidence.ts';
import { acceptedColumns, acceptedOf } from './accepted-rows.ts';
import { integer, integerOrNull, jsonOrNull, text } from './columns.ts';
import type { Queries, Row } from './driver.ts';
import { indexAt } from './log-search.ts';
import { entryColumns, sealedOf } from './world-rows.ts';

/** The most that one read answers. */
const entriesMax = 1000;
const bytesRowsMax = 200;
/** Versions that are looked at for the one in force at an index: those written at its very millisecond, and more. */
const versionsMax = 50;
/** Entries that were written at the moment of one accepted version, at most: a flush of the writer, and more. */
const flushEntriesMax = 5000;

const numberedOf = (row: Row): NumberedEntry => ({
  ord: integerOrNull(row, 'action_ord'),
  sealed: sealedOf(row),
});

const bytesOf = (row: Row): AskedBytes => ({
  ord: integer(row, 'ord'),
  action: asActionId(text(row, 'id')),
  canonical: text(row, 'canonical'),
  // Both are written from an Asked only (case-writes.ts).
  profile: jsonOrNull(row, 'profile') as Profile | null,
  preview: jsonOrNull(row, 'preview') as Seen | null,
});

export const readEvidence = (db: Queries): EvidenceReads => ({
  async entriesIn(from, to, limit) {
    await otherWork();
    const sql = `SELECT ${entryColumns}, action_ord FROM entries WHERE idx >= $1 AND idx < $2 ORDER BY idx LIMIT $3`;
    return (await db.query(sql, [from, to, Math.min(limit, entriesMax)])).map(numberedOf);
  },

  async entriesOfTypes(types, { from, to }, limit) {
    if (types.length === 0) return [];
    await otherWork();
    const names = types.map((_type, at) => `$${at + 4}`).join(', ');
    const sql = `SELECT ${entryColumns} FROM entries WHERE idx >= $1 AND idx < $2 AND type IN (${names}) ORDER BY idx LIMIT $3`;
    const values = [from, Math.min(to, from + typesSpanMax), Math.min(limit, entriesMax), ...types];
    return (await db.query(sql, values)).map(sealedOf);
  },

  async entriesOfActions({ from, to, below }, after, limit) {
    await otherWork();
    // The index over (action_ord, idx) has them in this very order. No entry is about an action before its first.
    const sql = `SELECT ${entryColumns}, action_ord FROM entries
      WHERE action_ord >= $1 AND action_ord < $2 AND (action_ord > $1 OR idx > $3) AND idx >= $1 AND idx < $4 AND action_ord IS NOT NULL
      ORDER BY action_ord, idx LIMIT $5`;
    const place = after ?? { ord: from, index: -1 };
    const values = [place.ord, to, place.index, below, Math.min(limit, entriesMax)];
    return (await db.query(sql, values)).map(numberedOf);
  },

  async askedBytes(from, to, limit) {
    await otherWork();
    const sql = `SELECT ord, id, profile, preview,
        CASE WHEN length(canonical) <= ${canonicalCharsMax} THEN canonical ELSE '' END AS canonical
      FROM actions WHERE ord >= $1 AND ord < $2 ORDER BY ord LIMIT $3`;
    return (await db.query(sql, [from, to, Math.min(limit, bytesRowsMax)])).map(bytesOf);
  },

  async acceptedVersion(what, version) {
    const sql = `SELECT ${acceptedColumns} FROM accepted WHERE what = $1 AND version = $2`;
    const [row] = await db.query(sql, [what, version]);
    return row === undefined ? undefined : acceptedOf(row);
  },

  acceptedBefore: (what, index) => acceptedBefore(db, what, index),
});

async function acceptedBefore(db: Queries, what: Part, index: number): Promise<AcceptedAt | undefined> {
  if (index <= 0) return undefined;
  const [last] = await db.query('SELECT at_ms FROM entries WHERE idx = $1', [index - 1]);
  if (last === undefined) return undefined;
  const rows = await db.query(
    `SELECT version, at_ms FROM accepted WHERE what = $1 AND at_ms <= $2 ORDER BY version DESC LIMIT ${versionsMax}`,
    [what, integer(last, 'at_ms')],
  );
  for (const row of rows) {
    const [version, atMs] = [integer(row, 'version'), integer(row, 'at_ms')];
    const found = await entryOf(db, what, version, atMs);
    // What was written at the same moment and stands behind the index was not in force there yet.
    if (found !== null && found.index >= index) continue;
    const [body] = await db.query(
      `SELECT ${acceptedColumns} FROM accepted WHERE what = $1 AND version = $2`,
      [what, version],
    );
    return body === undefined ? undefined : { ...acceptedOf(body), entry: found };
  }
  return undefined;
}

/** The entry that accepted a version: written at the same moment. Null where it is not there. */
async function entryOf(db: Queries, what: Part, version: number, atMs: number): Promise<AcceptedAt['entry']> {
  const first = await indexAt(db, atMs);
  const rows = await db.query(
    `SELECT ${entryColumns} FROM entries WHERE idx >= $1 AND idx < $2 AND at_ms = $3 AND type = $4 ORDER BY idx`,
    [first, first + flushEntriesMax, atMs, `${what}.accepted`],
  );
  const entries = rows.map((row) => sealedOf(row).entry);
  return entries.find(({ data }) => data['version'] === version) ?? null;
}
