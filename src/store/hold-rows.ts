/** Legal holds as rows, both ways. */
import { holdsMax, releaserMs, type Hold } from '../core/retention.ts';
import { json } from './columns.ts';
import type { Driver, Queries, Row } from './driver.ts';

// Written from a Hold only.
export const holdOf = (row: Row): Hold => json(row, 'body') as Hold;

/** Those in force, oldest first, and those that were released so lately that it still counts who did. */
export async function readHolds(from: Queries, nowMs: number): Promise<readonly Hold[]> {
  // None in force is ever left out: there are no more of those than `holdsMax`, and a restore brings no more than two stores had.
  const sql = `SELECT body FROM holds WHERE released_at_ms IS NULL OR released_at_ms > $1
    ORDER BY CASE WHEN released_at_ms IS NULL THEN 0 ELSE 1 END, placed_at_ms, id LIMIT ${4 * holdsMax}`;
  return (await from.query(sql, [nowMs - releaserMs])).map(holdOf);
}

export async function writeHold(driver: Driver, hold: Hold): Promise<void> {
  await driver.run(
    `INSERT INTO holds (id, placed_at_ms, released_at_ms, body) VALUES ($1, $2, $3, $4)
      ON CONFLICT (id) DO UPDATE SET released_at_ms = $3, body = $4 WHERE holds.released_at_ms IS NULL`,
    [hold.id, hold.placedAtMs, hold.released?.atMs ?? null, JSON.stringify(hold)],
  );
}

/** Rows that a list answers. */
const listMax = 1000;

/** All that there were: those in force first, then those released, the newest first. */
export async function listHolds(from: Queries): Promise<readonly Hold[]> {
  const sql = `SELECT body FROM holds ORDER BY CASE WHEN released_at_ms IS NULL THEN 0 ELSE 1 END, placed_at_ms DESC, id LIMIT ${listMax}`;
  return (await from.query(sql)).map(holdOf);
}
