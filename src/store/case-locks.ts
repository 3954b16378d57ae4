/**
 * The rows of the cases that a flush is about, locked before the head row and read in bulk. Where BEGIN locks everything
 * (SQLite) nothing is locked and nothing is read ahead.
 *
 * Every writer locks in this order: rows of `actions` by `ord`, then the head row. Who holds the head and wants a case that it
 * has not locked does not wait for it (its holder may wait for the head): it begins anew, with that case among the first.
 */
import type { Case } from '../core/case.ts';
import type { Command } from '../core/command.ts';
import type { ActionId } from '../core/ids.ts';
import type { Needs } from '../core/loaded.ts';
import { asActionId } from '../core/ids.ts';
import { casesOf, selectCases } from './case-rows.ts';
import { integer, text, textOrNull } from './columns.ts';
import { SqlFault, type Driver } from './driver.ts';
import type { Job } from './job.ts';

/** Another writer holds the row of a case that this flush did not lock first. */
export class RowTaken extends Error {
  readonly action: ActionId;

  constructor(action: ActionId) {
    super('another writer holds this row');
    this.action = action;
  }
}

/** What names the cases of a flush. */
export interface Named {
  readonly actions: ReadonlySet<string>;
  readonly approvals: ReadonlySet<string>;
  readonly executions: ReadonlySet<string>;
}

/** The cases that jobs name by their ids; those of a join key are found later. */
export function namedBy(
  jobs: readonly Job[],
  needsOf: (command: Command) => Needs,
  also: readonly ActionId[],
): Named {
  const named = {
    actions: new Set<string>(also),
    approvals: new Set<string>(),
    executions: new Set<string>(),
  };
  for (const job of jobs) {
    if (job.kind !== 'change') continue;
    const needs = needsOf(job.command);
    if (needs.rows !== 'case') continue;
    switch (needs.by) {
      case 'action':
        named.actions.add(needs.id);
        break;
      case 'approval':
        named.approvals.add(needs.id);
        break;
      case 'execution':
        named.executions.add(needs.id);
        break;
      case 'joinKey':
        break;
    }
  }
  return named;
}

// Ids hold no space, and one text with all of them keeps the statement the same however many they are.
const idsOf = (ids: ReadonlySet<string>): string => [...ids].join(' ');
const list = (parameter: number): string => `(SELECT unnest(string_to_array($${parameter}, ' ')))`;

const lockRows = `SELECT ord, id FROM actions WHERE ord IN (
    SELECT ord FROM actions WHERE id IN ${list(1)}
    UNION SELECT ord FROM actions WHERE approval_id IN ${list(2)}
    UNION SELECT action_ord FROM executions WHERE id IN ${list(3)})
  ORDER BY ord`;

const readRows = selectCases(`a.ord IN (SELECT CAST(unnest(string_to_array($1, ' ')) AS BIGINT))`);

/** Cases that this transaction has locked, and those of them that it has read and not written since. */
export class LockedCases {
  readonly #driver: Driver;
  /** Locked before the head row; with those locked later, which a savepoint may give back. */
  readonly #first = new Set<ActionId>();
  readonly #locked = new Set<ActionId>();
  readonly #ords = new Map<ActionId, number>();
  readonly #cases = new Map<ActionId, Case>();
  readonly #named = new Map<string, ActionId>();

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** Before the head row. */
  async lock(named: Named): Promise<void> {
    const { forUpdate } = this.#driver.dialect;
    const { actions, approvals, executions } = named;
    if (forUpdate === '' || actions.size + approvals.size + executions.size === 0) return;
    const ids = [idsOf(actions), idsOf(approvals), idsOf(executions)];
    const rows = await this.#driver.query(`${lockRows}${forUpdate}`, ids);
    if (rows.length === 0) return;
    for (const row of rows) {
      const id = asActionId(text(row, 'id'));
      this.#first.add(id);
      this.#locked.add(id);
      this.#ords.set(id, integer(row, 'ord'));
    }
    // A statement of its own: it sees what was committed while the rows were waited for.
    const read = await this.#driver.query(readRows, [rows.map((row) => integer(row, 'ord')).join(' ')]);
    for (const row of read) {
      const id = asActionId(text(row, 'id'));
      const execution = textOrNull(row, 'execution_id');
      if (execution !== null) this.#named.set(execution, id);
    }
    for (const held of casesOf(read)) {
      this.#cases.set(held.asked.id, held);
      if (held.approval !== null) this.#named.set(held.approval.id, held.asked.id);
    }
  }

  /** The case as it was locked; undefined where it has to be read. @param id of an action, an approval or an execution. */
  read(id: string): Case | undefined {
    // Ids of the three kinds begin differently: what is no action's is in no key.
    return this.#cases.get(this.#named.get(id) ?? (id as ActionId));
  }

  ordOf(action: ActionId): number | undefined {
    return this.#ords.get(action);
  }

  /** A case that this transaction has stored: nobody else can hold it. */
  made(action: ActionId): void {
    this.#locked.add(action);
  }

  /** Before a case is changed: locked now, if it was not first. From here on it is read anew. */
  async toWrite(action: ActionId): Promise<void> {
    this.#cases.delete(action);
    const { forUpdate } = this.#driver.dialect;
    if (forUpdate === '' || this.#locked.has(action)) return;
    try {
      await this.#driver.query(`SELECT ord FROM actions WHERE id = $1${forUpdate} NOWAIT`, [action]);
    } catch (error) {
      throw error instanceof SqlFault && isTaken(error) ? new RowTaken(action) : error;
    }
    this.#locked.add(action);
  }

  /** A savepoint was rolled back: what was locked after it is free, and what was read may have been written since. */
  forget(): void {
    this.#cases.clear();
    this.#locked.clear();
    for (const action of this.#first) this.#locked.add(action);
  }
}

/** SQLSTATE 55P03, lock_not_available. */
const isTaken = ({ cause }: SqlFault): boolean =>
  cause instanceof Error && 'code' in cause && cause.code === '55P03';
