/** The reads of ports/overview.ts: each over an index and with a limit, newest first. */
import { setImmediate as otherWork } from 'node:timers/promises';
import type { Mode, Review, State } from '../core/case.ts';
import { asActionId, asAgentId, asApprovalId, asDigest, type AgentId, type ApprovalId } from '../core/ids.ts';
import type { Verdict } from '../core/verdict.ts';
import type { Clock } from '../ports/clock.ts';
import {
  casesMax,
  type AcceptedVersion,
  type Failed,
  type Glance,
  type Overview,
  type Used,
} from '../ports/overview.ts';
import { casesOf, glassIn, selectCases } from './case-rows.ts';
import { integer, json, text, textOrNull } from './columns.ts';
import type { Queries, Row, SqlValue } from './driver.ts';
import { indexAt, scanLog, searchLog } from './log-search.ts';
import { entryColumns, sealedOf } from './world-rows.ts';

/** Rows that any of these reads answers, whatever its caller asks for. */
const rowsMax = 1000;
/** Rows of one piece, between which other work runs: each has a verdict to parse. */
const pieceRows = 200;
/** Operations of one agent that are looked at. */
const operationsMax = 200;
/** Held actions that a person's reviews are looked for in. */
const heldMax = 1000;
/** Failures to tell of one approval. */
const failuresMax = 100;
/** Entries that were written at the moment of one accepted version, at most: a flush of the writer, and more. */
const flushEntriesMax = 5000;

export const readOverview = (db: Queries, clock: Clock): Overview => ({
  recentActions: ({ limit, sinceMs, agent }) =>
    agent === undefined
      ? recentOfAll(db, clock, { limit: Math.min(limit, rowsMax), sinceMs })
      : recentOf(db, clock, { agent, limit: Math.min(limit, rowsMax), sinceMs }),
  usedOperations: (agent) => usedOperations(db, agent),
  async waitingNotices(channel, max) {
    // What was due once waits, also for its next try; what will be due later does not yet.
    const sql = `SELECT count(*) AS many FROM
      (SELECT 1 AS one FROM notices WHERE channel = $1 AND since_ms <= $3 ORDER BY since_ms LIMIT $2) AS found`;
    const [row] = await db.query(sql, [channel, max, clock.nowMs()]);
    return row === undefined ? 0 : integer(row, 'many');
  },
  async pendingApprovals() {
    // Counted as they open and close (inbox-rows.ts): a row for each agent.
    const sql = "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) AS many FROM waiting WHERE who LIKE 'agent:%'";
    const [row] = await db.query(sql);
    return row === undefined ? 0 : integer(row, 'many');
  },
  async oldestPendingMs() {
    const [row] = await db.query(
      "SELECT asked_at_ms FROM actions WHERE state = 'pending' ORDER BY ord LIMIT 1",
    );
    return row === undefined ? null : integer(row, 'asked_at_ms');
  },
  failuresOf: (approval) => failuresOf(db, approval),
  async reviewsBy(person, limit) {
    const sql = `SELECT a.approval_id, a.agent, a.operation, r.decision, r.unsafe, r.channel, r.at_ms
      FROM (SELECT ord, approval_id, agent, operation FROM actions WHERE approval_id IS NOT NULL ORDER BY ord DESC LIMIT $2) AS a
      JOIN reviews r ON r.approval_id = a.approval_id AND r.person_id = $1 AND r.decision <> 'barred'
      ORDER BY r.at_ms DESC, a.ord DESC LIMIT $3`;
    return (await db.query(sql, [person, heldMax, Math.min(limit, rowsMax)])).map((row) => ({
      approval: asApprovalId(text(row, 'approval_id')),
      agent: asAgentId(text(row, 'agent')),
      operation: text(row, 'operation'),
      review: {
        // CHECKed by the schema, `barred` is not selected; the channel is written from a Review only.
        decision: text(row, 'decision') as Review['decision'],
        unsafe: integer(row, 'unsafe') === 1,
        channel: text(row, 'channel') as Review['channel'],
        atMs: integer(row, 'at_ms'),
      },
    }));
  },
  acceptedVersions: (what, limit) => acceptedVersions(db, what, Math.min(limit, rowsMax)),
  searchLog: (query) => searchLog(db, { ...query, limit: Math.min(query.limit, rowsMax) }),
  scanLog: (query) => scanLog(db, { ...query, limit: Math.min(query.limit, rowsMax) }),
  async casesOf(actions) {
    const ids = actions.slice(0, casesMax);
    if (ids.length === 0) return [];
    return casesOf(
      await db.query(selectCases(`a.id IN (${ids.map((_, at) => `$${at + 1}`).join(', ')})`), ids),
    );
  },
  async entry(index) {
    const [row] = await db.query(`SELECT ${entryColumns} FROM entries WHERE idx = $1`, [index]);
    return row === undefined ? undefined : sealedOf(row);
  },
});

/** As `stateOf` (core/case.ts): what waits for a time that is over is expired. `$1` is now. */
const glanceColumns = `ord, id, approval_id, agent, operation, asked_at_ms, mode, glass, verdict,
  CASE WHEN state IN ('pending', 'ready') AND due_at_ms <= $1 THEN 'expired' ELSE state END AS now_state`;

const glanceOf = (row: Row): Glance => {
  const approval = textOrNull(row, 'approval_id');
  return {
    action: asActionId(text(row, 'id')),
    approval: approval === null ? null : asApprovalId(approval),
    agent: asAgentId(text(row, 'agent')),
    operation: text(row, 'operation'),
    atMs: integer(row, 'asked_at_ms'),
    // Written from what `stateOf` answered, from an Asked's mode and from a Verdict.
    state: text(row, 'now_state') as State,
    mode: text(row, 'mode') as Mode,
    ...glassIn(row),
    verdict: json(row, 'verdict') as Verdict,
  };
};

interface RecentQuery {
  readonly limit: number;
  readonly sinceMs: number;
}

async function recentOfAll(db: Queries, clock: Clock, { limit, sinceMs }: RecentQuery): Promise<Glance[]> {
  const found: Glance[] = [];
  let before = Number.MAX_SAFE_INTEGER;
  while (found.length < limit) {
    const rows = await db.query(
      `SELECT ${glanceColumns} FROM actions WHERE ord < $2 ORDER BY ord DESC LIMIT $3`,
      [clock.nowMs(), before, Math.min(pieceRows, limit - found.length)],
    );
    const fresh = rows.filter((row) => integer(row, 'asked_at_ms') >= sinceMs);
    found.push(...fresh.map(glanceOf));
    const last = rows.at(-1);
    if (last === undefined || fresh.length < rows.length || rows.length < pieceRows) break;
    before = integer(last, 'ord');
    await otherWork();
  }
  return found;
}

/** An agent's newest, over the index of each operation that it has used: no table has its actions in order. */
async function recentOf(
  db: Queries,
  clock: Clock,
  { agent, limit, sinceMs }: RecentQuery & { readonly agent: AgentId },
): Promise<Glance[]> {
  const rows: Row[] = [];
  for (const { operation, lastMs } of await usedOperations(db, agent)) {
    const least =
      rows.length < limit ? sinceMs : Math.max(sinceMs, integer(rows.at(-1) ?? {}, 'asked_at_ms'));
    // The last used come first, so all that follow are older still.
    if (lastMs < least) break;
    const values: readonly SqlValue[] = [clock.nowMs(), agent, operation, least, limit];
    const sql = `SELECT ${glanceColumns} FROM actions WHERE agent = $2 AND operation = $3 AND asked_at_ms >= $4
      ORDER BY asked_at_ms DESC LIMIT $5`;
    rows.push(...(await db.query(sql, values)));
    rows.sort(
      (a, b) =>
        integer(b, 'asked_at_ms') - integer(a, 'asked_at_ms') || integer(b, 'ord') - integer(a, 'ord'),
    );
    rows.splice(limit);
  }
  return rows.map(glanceOf);
}

/** Jumps from one operation to the next in the index: as many steps as operations, however many actions there are. */
async function usedOperations(db: Queries, agent: AgentId): Promise<readonly Used[]> {
  const used: Used[] = [];
  for (let operation = ''; used.length < operationsMax;) {
    const [next] = await db.query(
      'SELECT operation FROM actions WHERE agent = $1 AND operation > $2 ORDER BY operation LIMIT 1',
      [agent, operation],
    );
    if (next === undefined) break;
    operation = text(next, 'operation');
    const [last] = await db.query(
      'SELECT asked_at_ms FROM actions WHERE agent = $1 AND operation = $2 ORDER BY asked_at_ms DESC LIMIT 1',
      [agent, operation],
    );
    if (last !== undefined) used.push({ operation, lastMs: integer(last, 'asked_at_ms') });
  }
  return used.toSorted((a, b) => b.lastMs - a.lastMs);
}

async function acceptedVersions(
  db: Queries,
  what: 'policies' | 'directory',
  limit: number,
): Promise<readonly AcceptedVersion[]> {
  const sql = 'SELECT version, digest, at_ms FROM accepted WHERE what = $1 ORDER BY version DESC LIMIT $2';
  const found: AcceptedVersion[] = [];
  for (const row of await db.query(sql, [what, limit])) {
    const [version, atMs] = [integer(row, 'version'), integer(row, 'at_ms')];
    const first = await indexAt(db, atMs);
    const entries = await db.query(
      `SELECT ${entryColumns} FROM entries WHERE idx >= $1 AND idx < $2 AND at_ms = $3 AND type = $4 ORDER BY idx`,
      [first, first + flushEntriesMax, atMs, `${what}.accepted`],
    );
    const entry = entries.map((one) => sealedOf(one).entry).find((one) => versionIn(one.data) === version);
    found.push({ version, digest: asDigest(text(row, 'digest')), atMs, entry: entry ?? null });
  }
  return found;
}

const versionIn = (data: object): unknown => ('version' in data ? data.version : undefined);

async function failuresOf(db: Queries, approval: ApprovalId): Promise<readonly Failed[]> {
  const rows = await db.query(
    `SELECT ${entryColumns} FROM entries
        WHERE action_ord = (SELECT ord FROM actions WHERE approval_id = $1)
          AND idx >= (SELECT ord FROM actions WHERE approval_id = $1) AND type = 'notice.failed'
        ORDER BY idx LIMIT ${failuresMax}`,
    [approval],
  );
  return rows.map(failedOf);
}

/** Written by `fallBack` (core/steps/chat.ts) and where a notice is given up (app/notices.ts). */
function failedOf(row: Row): Failed {
  const { at, data } = sealedOf(row).entry;
  // Entries of this type are written with these alone; one that was given up has no `next`.
  const { channel, kind, attempts, detail, next } = data as unknown as Partial<Pick<Failed, 'next'>> &
    Omit<Failed, 'next' | 'atMs'>;
  return { channel, kind, attempts, detail, next: next ?? null, atMs: Date.parse(at) };
}
