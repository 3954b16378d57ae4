/** Rows of comparisons with what targets recorded, and of the executions that they are compared with. */
import { asActionId, asAgentId, asExecutionId } from '../core/ids.ts';
import type { ExecutionStatus } from '../core/case.ts';
import { gateAgent } from '../core/gate.ts';
import type { KeptReconciliation, Ran } from '../core/reconcile.ts';
import type { RanPage, Reconciliations } from '../ports/reconciliations.ts';
import { integer, integerOrNull, json, text } from './columns.ts';
import type { Queries, Row } from './driver.ts';
import { indexAt } from './log-search.ts';

/** Comparisons that one read answers. */
const keptMax = 100;
/** Comparisons that it looks through. */
const lookedMax = 1000;
/** Executions of a page. */
const pageMax = 1000;

/** An action's number is the index of its first entry, and nothing runs before it was asked. */
const page = `SELECT e.action_ord, e.id, e.status, e.started_at_ms, e.ended_at_ms, a.id AS action, a.operation, a.agent
  FROM executions e JOIN actions a ON a.ord = e.action_ord
  WHERE e.action_ord > $1 AND e.action_ord < $2 AND e.started_at_ms >= $3 AND e.started_at_ms < $4
  ORDER BY e.action_ord LIMIT ${pageMax}`;

export const readReconciliations = (db: Queries): Reconciliations => ({
  async reconciliations(fromMs, toMs) {
    const found: KeptReconciliation[] = [];
    // A body may be long: one at a time, until there are enough.
    const rows = await db.query('SELECT id FROM reconciliations ORDER BY at_ms DESC, id DESC LIMIT $1', [
      lookedMax,
    ]);
    for (const row of rows) {
      const one = await readOne(db, text(row, 'id'));
      if (one !== undefined && Date.parse(one.from) < toMs && Date.parse(one.to) > fromMs) found.push(one);
      if (found.length >= keptMax) break;
    }
    return found;
  },
  reconciliation: (id) => readOne(db, id),
  async executionsPage({ fromMs, toMs }, place): Promise<RanPage> {
    const { at, end } = place ?? { at: -1, end: await indexAt(db, toMs) };
    const rows = await db.query(page, [at, end, fromMs, toMs]);
    const last = rows.at(-1);
    const over = last === undefined || rows.length < pageMax;
    return {
      // What the gate did for itself it did in its own store.
      rows: rows.map(ranOf).filter((one) => one.agent !== gateAgent),
      next: over ? null : { at: integer(last, 'action_ord'), end },
    };
  },
});

async function readOne(db: Queries, id: string): Promise<KeptReconciliation | undefined> {
  const [row] = await db.query('SELECT body FROM reconciliations WHERE id = $1', [id]);
  // Written from a KeptReconciliation only.
  return row === undefined ? undefined : (json(row, 'body') as KeptReconciliation);
}

const ranOf = (row: Row): Ran => ({
  execution: asExecutionId(text(row, 'id')),
  action: asActionId(text(row, 'action')),
  operation: text(row, 'operation'),
  agent: asAgentId(text(row, 'agent')),
  // CHECKed by the schema.
  status: text(row, 'status') as ExecutionStatus,
  startedAtMs: integer(row, 'started_at_ms'),
  endedAtMs: integerOrNull(row, 'ended_at_ms'),
});
