/** Rows that mean nothing any more: their time is over by more than a day, and no answer depends on them. */
import { everMinute, minuteOf, recentDayMs } from '../core/recent.ts';
import { unsafeKeptMs } from '../core/stops.ts';
import type { Driver } from './driver.ts';
import { idempotencyMs } from './idempotency.ts';

/** How often a writer sweeps. */
export const sweepMs = 3_600_000;

/** Rows of a table in one sweep, so that none makes a flush late. */
const rowsMax = 1000;

/** A day after its end nobody asks about a session or a link in good faith. */
const keptMs = 24 * 3_600_000;

const sweeps = [
  ['sessions', 'hash', 'expires_at_ms', keptMs],
  ['links', 'hash', 'expires_at_ms', keptMs],
  ['idempotency', 'principal, key', 'at_ms', idempotencyMs],
  ['begun', 'hash', 'expires_at_ms', keptMs],
  ['used', 'hash', 'expires_at_ms', 0],
  ['unsafe', 'approval_id', 'at_ms', unsafeKeptMs],
  // A platform that sends a press again does so within minutes.
  ['clicks', 'id', 'at_ms', 7 * keptMs],
] as const;

/** Runs inside the caller's transaction. */
export async function sweep(driver: Driver, nowMs: number): Promise<void> {
  for (const [table, key, time, afterMs] of sweeps) {
    await driver.run(
      `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE ${time} < $1 LIMIT ${rowsMax})`,
      [nowMs - afterMs],
    );
  }
  await driver.run(
    `DELETE FROM recent WHERE (operation, agent, minute) IN (SELECT operation, agent, minute FROM recent
      WHERE minute < $1 AND minute <> ${everMinute} LIMIT ${rowsMax})`,
    [minuteOf(nowMs - recentDayMs)],
  );
}
