/** Two questions about cases that one WHERE does not answer: which are in a list of held ones, and how an agent has done so far. */
import type { AgentId, PersonId } from '../core/ids.ts';
import type { Past, Store } from '../ports/store.ts';
import { integer, text } from './columns.ts';
import type { Queries, SqlValue } from './driver.ts';

/** The numbers of the newest held cases that a query asks for: from one index, or from a person's and some agents' merged. */
export function ordsOf(
  { status, agent, after, limit, for: person, alsoFor = [], orOf = [] }: Parameters<Store['held']>[0],
  nowMs: number,
): { readonly sql: string; readonly values: SqlValue[] } {
  const values: SqlValue[] = [limit];
  const where = ['a.approval_id IS NOT NULL'];
  // What is over but not yet ended by the timer, for less than a second, is in neither list.
  if (status === 'pending') where.push(`a.state = 'pending' AND a.due_at_ms > $${values.push(nowMs)}`);
  if (status === 'closed') where.push("a.state <> 'pending'");
  if (agent !== undefined) where.push(`a.agent = $${values.push(agent)}`);
  const afterAt = after === undefined ? null : `$${values.push(after)}`;
  const before = (table: string): string =>
    afterAt === null ? '' : ` AND ${table}.ord < (SELECT ord FROM actions WHERE approval_id = ${afterAt})`;
  const newest = (more: string): string =>
    `SELECT a.ord FROM actions a WHERE ${where.join(' AND ')}${more}${before('a')} ORDER BY a.ord DESC LIMIT $1`;
  if (person === undefined) return { sql: newest(''), values };
  // Each row of the inbox is looked at by itself, the newest first: joined, the planner would rather read everything that waits.
  const inboxOf = (one: PersonId): string =>
    `SELECT i.ord FROM inbox i WHERE i.person_id = $${values.push(one)}${before('i')}
      AND (SELECT ${where.join(' AND ')} FROM actions a WHERE a.ord = i.ord) ORDER BY i.ord DESC LIMIT $1`;
  if (alsoFor.length === 0 && orOf.length === 0) return { sql: inboxOf(person), values };
  const inboxes = [person, ...alsoFor].map(
    (one, index) => `SELECT ord FROM (${inboxOf(one)}) AS inbox_${index}`,
  );
  const inbox = inboxes.join(' UNION ');
  const merged = (sql: string): string => `SELECT ord FROM (${sql}) AS both_of ORDER BY ord DESC LIMIT $1`;
  if (orOf.length === 0) return { sql: merged(inbox), values };
  const agents = orOf.map((one) => `$${values.push(one)}`).join(', ');
  const own = newest(` AND a.agent IN (${agents})`);
  return { sql: merged(`${inbox} UNION SELECT ord FROM (${own}) AS of_agents`), values };
}

const dayMs = 24 * 3_600_000;

/** The state that `stateOf` gives, from the columns: a pending or ready case whose time is over is expired. */
const stateNow = "CASE WHEN state IN ('pending', 'ready') AND due_at_ms <= $4 THEN 'expired' ELSE state END";

const pastCounts = `SELECT ${stateNow} AS now_state, count(*) AS total,
  sum(CASE WHEN asked_at_ms >= $5 THEN 1 ELSE 0 END) AS today
  FROM actions WHERE agent = $1 AND operation = $2 AND asked_at_ms < $3 GROUP BY now_state`;
const pastLast = `SELECT asked_at_ms, ${stateNow} AS now_state FROM actions
  WHERE agent = $1 AND operation = $2 AND asked_at_ms < $3 ORDER BY asked_at_ms DESC LIMIT 1`;

interface PastQuery {
  readonly agent: AgentId;
  readonly operation: string;
  readonly beforeMs: number;
  readonly nowMs: number;
}

/** "Today" begins at the last midnight UTC before the given time. */
export async function readPast(db: Queries, { agent, operation, beforeMs, nowMs }: PastQuery): Promise<Past> {
  const midnightMs = Math.floor(beforeMs / dayMs) * dayMs;
  const values = [agent, operation, beforeMs, nowMs, midnightMs];
  const counts = await db.query(pastCounts, values);
  const [last] = await db.query(pastLast, values.slice(0, 4));
  const sum = (column: string): number => counts.reduce((total, row) => total + integer(row, column), 0);
  return {
    operation,
    total: sum('total'),
    byState: Object.fromEntries(counts.map((row) => [text(row, 'now_state'), integer(row, 'total')])),
    sinceMidnight: sum('today'),
    last: last === undefined ? null : { atMs: integer(last, 'asked_at_ms'), state: text(last, 'now_state') },
  };
}
