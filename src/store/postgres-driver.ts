/** The one PostgreSQL connection that writes: transactions whose end is known, or is said to be unknown (postgres-commit.ts). */
import {
  postgresDialect,
  SqlFault,
  type Dialect,
  type Driver,
  type LastEntry,
  type Row,
  type SqlValue,
  type Told,
} from './driver.ts';
import { beginOf, type Answered, type Connection } from './postgres-connection.ts';
import { commit, noStandby, resolveCommit, showStandbys, waitsForNone } from './postgres-commit.ts';
import { lost } from './postgres-fault.ts';
import { hintText } from './postgres-hint.ts';
import type { Hosts } from './postgres-hosts.ts';

/** Statements whose answers are not waited for. */
const putMax = 256;

export interface DriverOptions {
  readonly hosts: Hosts;
  /** Refuses to write where the server waits for no standby. */
  readonly needsStandby: boolean;
  /** Statements may take long: it migrates. */
  readonly patient?: boolean;
  /** False: the machine's clock decides. */
  readonly clock: boolean;
  /** Who is told of commits and by whom; null where the database cannot. */
  readonly tells: { readonly channel: string; readonly from: string } | null;
}

/** Replaced when it breaks, but never in a transaction. */
export class PostgresDriver implements Driver {
  readonly dialect: Dialect;
  readonly #options: DriverOptions;
  #connection: Connection | undefined;
  #closed = false;
  #inTransaction = false;
  #told: Told | undefined;
  /** What was sent without waiting for it, and the first of it that failed. */
  #puts: Promise<void>[] = [];
  #failed: unknown;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.dialect = options.clock ? postgresDialect : { ...postgresDialect, nowMs: 'NULL' };
  }

  /** The rows as they were go with the server's own VACUUM; its write-ahead log and backups are its operator's (docs/storage.md). */
  erased(): void {
    return;
  }

  dataVersion(): null {
    return null;
  }

  async query(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return (await this.#ask(sql, params)).rows;
  }

  async run(sql: string, params: readonly SqlValue[] = []): Promise<number> {
    // What failed without being waited for is undone by this, and must not be thrown later.
    if (sql.startsWith('ROLLBACK TO')) await this.#forgetPuts();
    return (await this.#ask(sql, params)).rowCount ?? 0;
  }

  async put(sql: string, params: readonly SqlValue[], rows?: number): Promise<void> {
    if (!this.#inTransaction) throw new Error('what is not waited for belongs in a transaction');
    if (this.#puts.length >= putMax) await this.settle();
    const connection = await this.#connected();
    this.#puts.push(
      connection.query(sql, params).then(
        (answer) => {
          if (rows === undefined || answer.rowCount === rows) return;
          this.#failed ??= new SqlFault(`${answer.rowCount ?? 0} rows changed instead of ${rows}`, 'command');
        },
        (error: unknown) => void (this.#failed ??= error),
      ),
    );
  }

  async settle(): Promise<void> {
    const puts = this.#puts;
    this.#puts = [];
    await Promise.all(puts);
    if (this.#failed !== undefined) throw this.#failed;
  }

  tell(told: Told): void {
    if (told.changed === 'everything' || told.changed.length > 0 || told.notices) this.#told = told;
  }

  async transaction<T>(work: () => Promise<T>, last?: () => LastEntry | null): Promise<T> {
    const { hosts, needsStandby } = this.#options;
    const connection = await this.#connected();
    this.#inTransaction = true;
    try {
      const begin = beginOf(hosts, 'write');
      const answers = await this.#caught(
        connection.script(needsStandby ? `${begin} ${showStandbys}` : begin),
      );
      if (needsStandby && waitsForNone(answers)) throw noStandby();
      const { done, entry } = await this.#caught(this.#worked(work, last));
      const committed = await commit(connection, needsStandby);
      if (committed.kind === 'not') throw committed.error;
      if (committed.kind === 'unknown') {
        this.#drop();
        await resolveCommit(this.#options, entry, committed.error);
      }
      return done;
    } finally {
      this.#inTransaction = false;
      this.#told = undefined;
      await this.#forgetPuts();
      if (connection.broken) this.#drop();
    }
  }

  /** Whatever goes on is a fault, and is not tried again: no connection is opened that nobody would close. */
  async close(): Promise<void> {
    this.#closed = true;
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.end();
  }

  /** All of a transaction but its ends. */
  async #worked<T>(
    work: () => Promise<T>,
    last: (() => LastEntry | null) | undefined,
  ): Promise<{ readonly done: T; readonly entry: LastEntry | null }> {
    const done = await work();
    const entry = last?.() ?? null;
    const { tells } = this.#options;
    if (tells !== null && this.#told !== undefined) {
      const text = hintText({ ...this.#told, from: tells.from, size: entry === null ? 0 : entry.index + 1 });
      await this.put('SELECT pg_notify($1, $2)', [tells.channel, text]);
    }
    await this.settle();
    return { done, entry };
  }

  /** What fails before COMMIT is rolled back, where the server can be told so. */
  async #caught<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      await this.#forgetPuts();
      const connection = this.#connection;
      const alive = connection !== undefined && !connection.broken;
      if (!alive || !(await rolledBack(connection))) this.#drop();
      throw error;
    }
  }

  async #forgetPuts(): Promise<void> {
    const puts = this.#puts;
    this.#puts = [];
    await Promise.all(puts);
    this.#failed = undefined;
  }

  async #ask(sql: string, params: readonly SqlValue[]): Promise<Answered> {
    const connection = await this.#connected();
    try {
      return await connection.query(sql, params);
    } catch (error) {
      // It failed because of what failed before it.
      throw this.#failed ?? error;
    }
  }

  /** The server rolls back when it notices. */
  #drop(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  async #connected(): Promise<Connection> {
    const known = this.#connection;
    if (known !== undefined && !known.broken) return known;
    // A new connection would go on outside the transaction that the old one took with it.
    if (this.#inTransaction) throw lost('the connection was lost in a transaction');
    if (this.#closed) throw new SqlFault('The store is closed.', 'database');
    this.#connection = await this.#options.hosts.connect({
      pipeline: true,
      patient: this.#options.patient === true,
    });
    return this.#connection;
  }
}

const rolledBack = (connection: Connection): Promise<boolean> =>
  connection.script('ROLLBACK').then(
    () => !connection.broken,
    () => false,
  );
