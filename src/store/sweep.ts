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

/** Checkpoints younger than this are all kept. */
const checkpointsKeptMs = 24 * 3_600_000;
/** What is older than this was swept before. */
const checkpointsSweptMs = 30 * checkpointsKeptMs;
/** An hour of a busy log has 18,000 of them. */
const checkpointsMax = 20_000;

/**
 * Of older checkpoints the first and the last of each hour stay, and the first and the last of those that witnesses have
 * cosigned; and all that are stamped. Every entry stays bounded to an hour, by us and by the witnesses. The newest stays too: it
 * is the last of its hour.
 */
const hour = `PARTITION BY origin, at_ms / 3600000, CASE WHEN cosignatures = '[]' THEN 0 ELSE 1 END ORDER BY size`;
const sweepCheckpoints = `DELETE FROM checkpoints WHERE (origin, size) IN (
  SELECT origin, size FROM (
    SELECT origin, size, stamp, ROW_NUMBER() OVER (${hour}) AS nth, ROW_NUMBER() OVER (${hour} DESC) AS nth_last
      FROM checkpoints WHERE at_ms < $1 AND at_ms >= $2) AS old
  WHERE nth > 1 AND nth_last > 1 AND stamp IS NULL LIMIT ${checkpointsMax})`;

/** How soon it is swept again where more was left than one sweep takes. */
export const sweepAgainMs = 1_000;

/** Runs inside the caller's transaction. True: there is more. */
export async function sweep(driver: Driver, nowMs: number): Promise<boolean> {
  let more = false;
  const swept = (rows: number): void => void (more ||= rows >= rowsMax);
  await driver.run(sweepCheckpoints, [nowMs - checkpointsKeptMs, nowMs - checkpointsSweptMs]);
  for (const [table, key, time, afterMs] of sweeps) {
    swept(
      await driver.run(
        `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE ${time} < $1 ORDER BY ${time} LIMIT ${rowsMax})`,
        [nowMs - afterMs],
      ),
    );
  }
  swept(
    await driver.run(
      `DELETE FROM recent WHERE (operation, agent, minute) IN (SELECT operation, agent, minute FROM recent
        WHERE minute < $1 AND minute <> ${everMinute} ORDER BY minute LIMIT ${rowsMax})`,
      [minuteOf(nowMs - recentDayMs)],
    ),
  );
  return more;
}
