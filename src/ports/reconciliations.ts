/** Reads about what targets themselves recorded: what was compared, and the executions that it is compared with. */
import type { KeptReconciliation, Ran } from '../core/reconcile.ts';

/** Where a page of executions ended: given back to read the next. */
export interface RanPlace {
  readonly at: number;
  readonly end: number;
}

export interface RanPage {
  readonly rows: readonly Ran[];
  /** Null: this was the last. */
  readonly next: RanPlace | null;
}

export interface Reconciliations {
  /** Those whose period has something of this one (`fromMs` inclusive, `toMs` exclusive), the newest first; at most 100. */
  reconciliations(fromMs: number, toMs: number): Promise<readonly KeptReconciliation[]>;
  reconciliation(id: string): Promise<KeptReconciliation | undefined>;
  /** Executions that began in a time, in the order in which their actions were asked. @param place null: from the beginning. */
  executionsPage(
    range: { readonly fromMs: number; readonly toMs: number },
    place: RanPlace | null,
  ): Promise<RanPage>;
}
