/** What keeps agents in bounds, as rows: recent grants, stops, unsafe denials, what waits, what was used once. Both ways. */
import type { By } from '../core/case.ts';
import { asAgentId, asApprovalId, asPersonId } from '../core/ids.ts';
import type { Needs, Write } from '../core/loaded.ts';
import { everMinute, minuteOf, recentDayMs, type RecentRow } from '../core/recent.ts';
import { creationsMs, unsafeKeptMs, type Crowd, type Stop, type Unsafe } from '../core/stops.ts';
import { integer, json, text, textOrNull } from './columns.ts';
import type { Driver, Queries, Row } from './driver.ts';
import { waitingNames } from './inbox-rows.ts';

const selectRecent = `SELECT agent, minute, count, sum FROM recent
  WHERE operation = $1 AND (minute >= $2 OR minute = ${everMinute})`;

export async function readRecent(
  from: Queries,
  operation: string,
  nowMs: number,
): Promise<readonly RecentRow[]> {
  const rows = await from.query(selectRecent, [operation, minuteOf(nowMs - recentDayMs)]);
  return rows.map((row) => ({
    agent: asAgentId(text(row, 'agent')),
    minute: integer(row, 'minute'),
    count: integer(row, 'count'),
    sum: integer(row, 'sum'),
  }));
}

const stopsOf = (row: Row): Stop => {
  const operation = text(row, 'operation');
  return {
    agent: asAgentId(text(row, 'agent')),
    operation: operation === '' ? null : operation,
    kind: operation === '' ? 'stopped' : 'paused',
    // Written from a By.
    by: json(row, 'stopped_by') as By,
    reason: textOrNull(row, 'reason'),
    atMs: integer(row, 'at_ms'),
  };
};

export const readStops = async (from: Queries): Promise<readonly Stop[]> =>
  (
    await from.query(
      'SELECT agent, operation, stopped_by, reason, at_ms FROM stops ORDER BY agent, operation',
    )
  ).map(stopsOf);

const unsafeOf = (row: Row): Unsafe => ({
  agent: asAgentId(text(row, 'agent')),
  operation: text(row, 'operation'),
  likeKey: text(row, 'like_key'),
  approval: asApprovalId(text(row, 'approval_id')),
  person: asPersonId(text(row, 'person_id')),
  reason: textOrNull(row, 'reason'),
  atMs: integer(row, 'at_ms'),
});

export const readUnsafe = async (from: Queries, nowMs: number): Promise<readonly Unsafe[]> =>
  (
    await from.query(
      'SELECT approval_id, agent, operation, like_key, person_id, reason, at_ms FROM unsafe WHERE at_ms > $1 ORDER BY at_ms',
      [nowMs - unsafeKeptMs],
    )
  ).map(unsafeOf);

/** No more of what one agent opened within a minute are counted, where nobody says how many matter. */
const openedMax = 1_000;

/**
 * Each costs the same however much waits; `opened` no more than is asked for.
 * @param waiting how much waits for these names.
 */
export async function readCrowd(
  from: Queries,
  { agent, people, openedMax: most = openedMax }: NonNullable<Needs['crowd']>,
  nowMs: number,
  waiting: (names: readonly string[]) => Promise<ReadonlyMap<string, number>>,
): Promise<Crowd> {
  const counts = await waiting([waitingNames.agent(agent), ...people.map(waitingNames.person)]);
  const [opened] = await from.query(
    `SELECT count(*) AS n FROM (SELECT 1 AS one FROM actions
      WHERE agent = $1 AND approval_id IS NOT NULL AND asked_at_ms > $2 LIMIT $3) AS lately`,
    [agent, nowMs - creationsMs, most],
  );
  return {
    pending: counts.get(waitingNames.agent(agent)) ?? 0,
    opened: opened === undefined ? 0 : integer(opened, 'n'),
    inbox: people.map((person) => ({ person, pending: counts.get(waitingNames.person(person)) ?? 0 })),
  };
}

export const selectUsed = 'SELECT hash FROM used WHERE hash = $1';

type BoundsWrite = Extract<Write, { row: 'stop' | 'lifted' | 'unsafe' | 'used' }>;

export async function writeBounds(driver: Driver, write: BoundsWrite): Promise<void> {
  switch (write.row) {
    case 'stop': {
      const { agent, operation, by, reason, atMs } = write.stop;
      await driver.run(
        `INSERT INTO stops (agent, operation, stopped_by, reason, at_ms) VALUES ($1, $2, $3, $4, $5)
          ON CONFLICT (agent, operation) DO NOTHING`,
        [agent, operation ?? '', JSON.stringify(by), reason, atMs],
      );
      return;
    }
    case 'lifted': {
      const { agent, operation } = write;
      await driver.run('DELETE FROM stops WHERE agent = $1 AND operation = $2', [agent, operation ?? '']);
      if (operation !== null)
        await driver.run('DELETE FROM unsafe WHERE agent = $1 AND operation = $2', [agent, operation]);
      return;
    }
    case 'unsafe': {
      const { approval, agent, operation, likeKey, person, reason, atMs } = write.unsafe;
      await driver.run(
        `INSERT INTO unsafe (approval_id, agent, operation, like_key, person_id, reason, at_ms)
          VALUES ($1, $2, $3, $4, $5, $6, $7)`,
        [approval, agent, operation, likeKey, person, reason, atMs],
      );
      return;
    }
    case 'used':
      // A second writer fails here even if the step was wrong.
      await driver.run('INSERT INTO used (hash, expires_at_ms) VALUES ($1, $2)', [
        write.hash,
        write.expiresAtMs,
      ]);
      return;
  }
}
