/**
 * The small port that both databases keep, so that there is one set of SQL and one writer. Promises of every driver:
 *
 * - Placeholders are `$1`, `$2`, …; the same one may be named twice.
 * - What a transaction wrote is durable when `transaction` resolves, and gone when it rejects before COMMIT was sent. If
 *   COMMIT itself fails, nobody knows: callers answer a fault and do not act.
 * - Failures are `SqlFault`s that say whether one statement was wrong or the database is.
 */

export type SqlValue = string | number | null;

/** BIGINT arrives as a number: times and counters stay below 2^53. */
export type Row = Readonly<Record<string, SqlValue>>;

export interface Queries {
  query(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]> | readonly Row[];
}

/** The few words in which the databases differ. */
export interface Dialect {
  /** Behind a SELECT: locks its rows until the end of the transaction. Empty where BEGIN has locked everything. */
  readonly forUpdate: string;
  /** Type of a dense integer key: SQLite wants this very word to keep the row under its number. */
  readonly ordinal: 'INTEGER' | 'BIGINT';
}

export interface Driver extends Queries {
  readonly dialect: Dialect;
  /** Runs a statement that answers no rows; the number of rows that it changed. */
  run(sql: string, params?: readonly SqlValue[]): Promise<number> | number;
  /**
   * Differs from before exactly when another connection has committed what this one sees by now; null where the database does
   * not tell. What it says inside a transaction holds until its end.
   */
  dataVersion(): number | null;
  /** Called after a transaction that erased: leaves nothing of it in files beside the database. Outside a transaction only. */
  erased(): Promise<void> | void;
  /** One at a time: a second call waits for no one and is a bug. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
}

export const sqliteDialect: Dialect = { forUpdate: '', ordinal: 'INTEGER' };
export const postgresDialect: Dialect = { forUpdate: ' FOR UPDATE', ordinal: 'BIGINT' };

/** The database said no. */
export class SqlFault extends Error {
  /** `command`: this statement's values break a rule of the schema; others may go on. `database`: nothing can. */
  readonly scope: 'command' | 'database';

  constructor(message: string, scope: SqlFault['scope'], cause?: unknown) {
    super(message, { cause });
    this.name = 'SqlFault';
    this.scope = scope;
  }
}

/** What failed, for operators. */
export const detailOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
