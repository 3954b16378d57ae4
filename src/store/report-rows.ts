/** Actions as a report counts them: their verdicts and endings, and nothing of what they were about. */
import type { Approval, Ending, Mode } from '../core/case.ts';
import { gateAgent } from '../core/gate.ts';
import { asAgentId } from '../core/ids.ts';
import type { ReportRow } from '../core/report.ts';
import type { Verdict } from '../core/verdict.ts';
import type { ReportPage, ReportPlace, Reports } from '../ports/reports.ts';
import { integer, jsonOrNull, text } from './columns.ts';
import type { Queries, Row } from './driver.ts';
import { indexAt } from './log-search.ts';

/** Rows of a page. */
export const reportPageMax = 1000;
/** How long after it was judged an action is recorded, at most, for it to be found: a gate that waits for its disk. */
const slackMs = 60_000;

/** What was allowed and enforced has nothing to read: it only counts. */
const page = `SELECT ord, agent, operation, mode, glass, asked_at_ms, approval, ending, grant_expires_at_ms,
    CASE WHEN mode = 'observe' OR glass IS NOT NULL OR approval_id IS NOT NULL OR ending IS NOT NULL THEN verdict ELSE NULL END AS verdict
  FROM actions WHERE ord > $1 AND ord < $2 ORDER BY ord LIMIT ${reportPageMax}`;

const rowOf = (row: Row): ReportRow => ({
  agent: asAgentId(text(row, 'agent')),
  operation: text(row, 'operation'),
  // CHECKed by the schema.
  mode: text(row, 'mode') as Mode,
  ...(row['glass'] === null ? {} : { glass: true as const }),
  atMs: integer(row, 'asked_at_ms'),
  // Written from a Verdict, an Approval and an Ending (case-writes.ts).
  verdict: jsonOrNull(row, 'verdict') as Verdict | null,
  approval: jsonOrNull(row, 'approval') as Approval | null,
  ending: jsonOrNull(row, 'ending') as Ending | null,
  passed: row['approval'] === null && row['grant_expires_at_ms'] !== null,
});

export const readReports = (db: Queries): Reports => ({
  async reportPage({ fromMs, toMs }, place): Promise<ReportPage> {
    const { from, at, end } = place ?? (await begin(db, fromMs, toMs));
    const rows = await db.query(page, [at, end]);
    const last = rows.at(-1);
    // What the gate asks for itself no policy asked for, and no agent did.
    const found = rows
      .map(rowOf)
      .filter((row) => row.atMs >= fromMs && row.atMs < toMs && row.agent !== gateAgent);
    const over = last === undefined || rows.length < reportPageMax;
    return { rows: found, next: over ? null : { from, at: integer(last, 'ord'), end } };
  },
});

/** An action's number is the index of its first entry, and entries are in the order of their times. */
async function begin(db: Queries, fromMs: number, toMs: number): Promise<ReportPlace> {
  const first = await indexAt(db, fromMs);
  return { from: first, at: first - 1, end: await indexAt(db, toMs + slackMs) };
}
