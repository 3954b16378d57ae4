/**
 * The small port that both databases keep, so that there is one set of SQL and one writer. Promises of every driver:
 *
 * - Placeholders are `$1`, `$2`, …; the same one may be named twice.
 * - What a transaction wrote is durable when `transaction` resolves, and gone when it rejects before COMMIT was sent. If
 *   COMMIT itself fails, nobody knows: callers answer a fault and do not act.
 * - Failures are `SqlFault`s that say whether one statement was wrong or the database is.
 */

import type { ActionId } from '../core/ids.ts';

export type SqlValue = string | number | null;

/** BIGINT arrives as a number: times and counters stay below 2^53. */
export type Row = Readonly<Record<string, SqlValue>>;

export interface Queries {
  query(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]> | readonly Row[];
}

/** The few words in which the databases differ. */
export interface Dialect {
  readonly kind: 'sqlite' | 'postgres';
  /** Behind a SELECT: locks its rows until the end of the transaction. Empty where BEGIN has locked everything. */
  readonly forUpdate: string;
  /** Type of a dense integer key: SQLite wants this very word to keep the row under its number. */
  readonly ordinal: 'INTEGER' | 'BIGINT';
  /** An expression of the database's own time, in milliseconds; `NULL` where the machine's decides. */
  readonly nowMs: string;
}

/** What other processes are told of a commit: a hint, never the truth. */
export interface Told {
  /** Held actions that changed; `everything` where the world that actions are judged in did. */
  readonly changed: readonly ActionId[] | 'everything';
  readonly notices: boolean;
}

/** The last entry that a transaction wrote: its digest names it, so that one can look whether a COMMIT happened. */
export interface LastEntry {
  readonly index: number;
  readonly head: string;
}

export interface Driver extends Queries {
  readonly dialect: Dialect;
  /** Runs a statement that answers no rows; the number of rows that it changed. */
  run(sql: string, params?: readonly SqlValue[]): Promise<number> | number;
  /**
   * As `run`, without waiting for the answer where the database is far away: what comes next in the transaction sees it, and
   * what fails is thrown by `settle`, or else by `transaction` before COMMIT. @param rows it is a fault to change another number.
   */
  put?(sql: string, params: readonly SqlValue[], rows?: number): Promise<void> | void;
  /** Resolves when all that was `put` is done. */
  settle?(): Promise<void>;
  /**
   * Differs from before exactly when another connection has committed what this one sees by now; null where the database does
   * not tell. What it says inside a transaction holds until its end.
   */
  dataVersion(): number | null;
  /** Called after a transaction that erased: leaves nothing of it in files beside the database. Outside a transaction only. */
  erased(): Promise<void> | void;
  /** Called last in a transaction: other processes are told once it is committed. */
  tell(told: Told): Promise<void> | void;
  /**
   * One at a time: a second call waits for no one and is a bug.
   * @param last asked for after `work`: what to look for where nobody answers whether COMMIT happened. With it such a
   * transaction resolves where it did happen, and rejects with a fault that may be tried again where it did not.
   */
  transaction<T>(work: () => Promise<T>, last?: () => LastEntry | null): Promise<T>;
}

export const sqliteDialect: Dialect = {
  kind: 'sqlite',
  forUpdate: '',
  ordinal: 'INTEGER',
  nowMs: 'NULL',
};
export const postgresDialect: Dialect = {
  kind: 'postgres',
  forUpdate: ' FOR UPDATE',
  ordinal: 'BIGINT',
  nowMs: 'CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)',
};

/** The database said no. */
export class SqlFault extends Error {
  /** `command`: this statement's values break a rule of the schema; others may go on. `database`: nothing can. */
  readonly scope: 'command' | 'database';
  /** Nothing was written, and the same may work in a moment: a conflict with another writer, a connection that broke. */
  readonly again: boolean;

  constructor(message: string, scope: SqlFault['scope'], cause?: unknown, again = false) {
    super(message, { cause });
    this.name = 'SqlFault';
    this.scope = scope;
    this.again = again;
  }
}

/** What failed, for operators. */
export const detailOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Writes without waiting for the answer, where the driver can. @param what names what must change exactly one row. */
export async function put(
  driver: Driver,
  sql: string,
  params: readonly SqlValue[],
  what?: string,
): Promise<void> {
  if (driver.put !== undefined) return driver.put(sql, params, what === undefined ? undefined : 1);
  const rows = await driver.run(sql, params);
  if (what !== undefined && rows !== 1)
    throw new SqlFault(`${what}: ${rows} rows changed instead of one`, 'command');
}
