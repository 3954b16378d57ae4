/**
 * Compares what a target itself recorded with the executions of the log, and keeps the outcome. Rows come one after another, out of
 * files or a request; nothing of them is kept but what core/reconcile.ts lists.
 */
import type { By } from '../core/case.ts';
import { asActionId, asExecutionId, reconciliationIdOf } from '../core/ids.ts';
import { Matching, executionsMax } from '../core/reconcile-match.ts';
import type {
  Compared,
  KeptReconciliation,
  Known,
  ReconcileRules,
  Source,
  SourceFile,
  TargetRow,
} from '../core/reconcile.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { rfc3339 } from '../core/time.ts';
import { auditUnavailable } from './unwritten.ts';
import type { Parts } from './parts.ts';

type Comparing = Pick<Parts, 'store' | 'random'>;

/** What is compared. */
export interface ReconcileAsk extends ReconcileRules {
  readonly by: By;
  readonly source: Source;
  readonly rows: AsyncIterable<TargetRow> | Iterable<TargetRow>;
  /** Asked once all rows were read: what they were read from. */
  readonly files: () => readonly SourceFile[];
}

/** Compares, and keeps it with an entry. Rejects where the rows or the store cannot be read. */
export async function reconcile(
  parts: Comparing,
  ask: ReconcileAsk,
): Promise<Result<KeptReconciliation, Refusal>> {
  const compared = await compare(parts, ask);
  if (!compared.ok) return compared;
  const { source, targets, fromMs, toMs, skewMs, rowsPerExecution, by } = ask;
  const id = reconciliationIdOf(parts.random.bytes(16));
  const found = {
    id,
    source,
    targets,
    from: rfc3339(fromMs),
    to: rfc3339(toMs),
    skewMs,
    rowsPerExecution,
    files: ask.files(),
    ...compared.value,
  };
  const written = await parts.store.change({ kind: 'reconcile', by, found });
  if (!written.ok) {
    if (written.error.kind === 'refused') return err(written.error.refusal);
    return err(
      auditUnavailable(written.error.kind === 'fault' ? written.error.detail : 'it changed meanwhile'),
    );
  }
  const kept = await parts.store.reconciliation(id);
  return kept === undefined ? err(auditUnavailable('what was written cannot be read')) : ok(kept);
}

async function compare(
  { store }: Comparing,
  { rows, ...rules }: ReconcileAsk,
): Promise<Result<Compared, Refusal>> {
  const matching = new Matching(rules);
  const { fromMs, toMs } = rules;
  let place = null;
  do {
    const page = await store.executionsPage({ fromMs, toMs }, place);
    for (const ran of page.rows)
      if (!matching.ran(ran))
        return err(
          refuse(
            'too_large',
            `More than ${executionsMax} executions began in this time: compare a shorter one.`,
          ),
        );
    place = page.next;
  } while (place !== null);
  for await (const row of rows) {
    const wanted = matching.wants(row);
    if (wanted !== null) matching.knows(wanted, await knownOf(store, wanted));
    matching.row(row);
  }
  return ok(matching.compared());
}

/** An id that is not one of the period's executions: of another time or target, or of nothing. */
async function knownOf(store: Comparing['store'], id: string): Promise<Known> {
  const held = await store.caseBy(
    id.startsWith('exe_') ? { execution: asExecutionId(id) } : { action: asActionId(id) },
  );
  if (held === undefined) return 'unknown';
  const { asked, execution } = held;
  if (execution === null) return 'not_run';
  const { operation, agent } = asked.action;
  const { status, startedAtMs, endedAtMs } = execution;
  return { execution: execution.id, action: asked.id, operation, agent, status, startedAtMs, endedAtMs };
}
