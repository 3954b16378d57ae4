/**
 * Matching, row after row (core/reconcile.ts says what each outcome means). Pure but for what it adds up: whoever reads rows and
 * looks ids up calls it in turn. What it keeps is bounded, however many rows and ids a file holds.
 */
import {
  gateOnlyKept,
  idIn,
  isOf,
  misfit,
  reconcileTextMax,
  targetOnlyKept,
  type Compared,
  type GateOnly,
  type Known,
  type Ran,
  type ReconcileRules,
  type TargetOnly,
  type TargetOnlyWhy,
  type TargetRow,
} from './reconcile.ts';
import { maskText } from './secrets.ts';
import { rfc3339 } from './time.ts';

/** Executions of a period that are held in memory; whoever has more compares a shorter period. */
export const executionsMax = 500_000;
/** How much of a text is looked at for secrets. */
const maskCharsMax = 4000;
/** Ids of other times that are remembered: a file may hold any number of them. */
const othersMax = 50_000;

interface OfPeriod {
  readonly ran: Ran;
  /** Rows that name it, of whatever time. */
  seen: number;
  /** Rows of it that matched. */
  used: number;
}

export class Matching {
  readonly #rules: ReconcileRules;
  /** By execution and by action: the same object under both. */
  readonly #period = new Map<string, OfPeriod>();
  readonly #others = new Map<string, { readonly known: Known; used: number }>();
  readonly #targetOnly: TargetOnly[] = [];
  #targetOnlyCount = 0;
  #rows = 0;
  #outside = 0;
  #matched = 0;
  #executions = 0;

  constructor(rules: ReconcileRules) {
    this.#rules = rules;
  }

  /** An execution that began in the period. All of them come before the first row. False where there are too many. */
  ran(ran: Ran): boolean {
    if (this.#executions >= executionsMax) return false;
    if (!isOf(ran.operation, this.#rules.targets)) return true;
    const one: OfPeriod = { ran, seen: 0, used: 0 };
    this.#period.set(ran.execution, one);
    this.#period.set(ran.action, one);
    this.#executions += 1;
    return true;
  }

  /** The id that has to be looked up before this row is judged; null: none. */
  wants(row: TargetRow): string | null {
    const id = idIn(row.named);
    return id === null || !this.#inPeriod(row) || this.#period.has(id) || this.#others.has(id) ? null : id;
  }

  /** What looking an id up has found. */
  knows(id: string, known: Known): void {
    if (this.#others.size >= othersMax) this.#others.clear();
    this.#others.set(id, { known, used: 0 });
  }

  row(row: TargetRow): void {
    const id = idIn(row.named);
    const ofPeriod = id === null ? undefined : this.#period.get(id);
    if (ofPeriod !== undefined) ofPeriod.seen += 1;
    if (!this.#inPeriod(row)) {
      this.#outside += 1;
      return;
    }
    this.#rows += 1;
    const other = id === null ? undefined : this.#others.get(id);
    const known = ofPeriod?.ran ?? other?.known ?? 'unknown';
    const why = this.#whyNot(row, id, known, ofPeriod ?? other);
    if (why === null) {
      this.#matched += 1;
      const used = ofPeriod ?? other;
      if (used !== undefined) used.used += 1;
    } else this.#isTargetOnly(row, why, known);
  }

  compared(): Compared {
    const missing: GateOnly[] = [];
    let count = 0;
    for (const [id, { ran, seen }] of this.#period) {
      // Each is there by its action too.
      if (seen > 0 || id !== ran.execution) continue;
      count += 1;
      if (missing.length < gateOnlyKept) missing.push(gateOnlyOf(ran));
    }
    return {
      rows: this.#rows,
      outside: this.#outside,
      matched: this.#matched,
      targetOnly: { count: this.#targetOnlyCount, rows: this.#targetOnly },
      executions: this.#executions,
      gateOnly: { count, rows: missing },
    };
  }

  /** What has no time is never left out. */
  #inPeriod({ atMs }: TargetRow): boolean {
    return atMs === null || (atMs >= this.#rules.fromMs && atMs < this.#rules.toMs);
  }

  #whyNot(
    row: TargetRow,
    id: string | null,
    known: Known,
    used: { readonly used: number } | undefined,
  ): TargetOnlyWhy | null {
    if (row.atMs === null) return 'unreadable';
    if (id === null) return 'no_id';
    const wrong = misfit(row.atMs, known, this.#rules);
    if (wrong !== null) return wrong;
    return used !== undefined && used.used >= this.#rules.rowsPerExecution ? 'used_again' : null;
  }

  #isTargetOnly({ file, place, atMs, what, who, named }: TargetRow, why: TargetOnlyWhy, known: Known): void {
    this.#targetOnlyCount += 1;
    if (this.#targetOnly.length >= targetOnlyKept) return;
    this.#targetOnly.push({
      file,
      place,
      at: atMs === null ? null : rfc3339(atMs),
      what: cut(what),
      who: who === null ? null : cut(who),
      named: named === null ? null : cut(named),
      why,
      execution: typeof known === 'object' ? known.execution : null,
    });
  }
}

const gateOnlyOf = ({ execution, action, operation, agent, status, startedAtMs }: Ran): GateOnly => ({
  execution,
  action,
  operation,
  agent,
  status,
  startedAt: rfc3339(startedAtMs),
});

/** A target's own record is full of secrets. Half a surrogate pair at the cut would be no text. */
const cut = (text: string): string =>
  maskText(text.slice(0, maskCharsMax)).slice(0, reconcileTextMax).toWellFormed();
