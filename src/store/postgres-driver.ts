/** One PostgreSQL connection that writes, and how any connection is made and asked. With postgres.ts the only user of `pg`. */
import { Socket } from 'node:net';
import pg from 'pg';
import { detailOf, postgresDialect, SqlFault, type Driver, type Row, type SqlValue } from './driver.ts';

const limits = {
  connectMsMax: 5_000,
  /** What the server gives a statement; we wait a little longer, in case it is the network that hangs. */
  statementMsMax: 7_000,
  answerMsMax: 8_000,
  lockMsMax: 5_000,
  /** A gate that vanished in a transaction holds the head row no longer than this. */
  idleMsMax: 15_000,
} as const;

/** BIGINT as a number: times and counters stay below 2^53. */
const bigintOid = pg.types.builtins.INT8;
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === bigintOid && format !== 'binary' ? Number : (pg.types.getTypeParser(oid, format) as unknown),
};

/** How every connection is made. */
export const connection = (url: string): pg.ClientConfig => ({
  connectionString: url,
  types,
  keepAlive: true,
  application_name: 'countersign',
  connectionTimeoutMillis: limits.connectMsMax,
  statement_timeout: limits.statementMsMax,
  query_timeout: limits.answerMsMax,
  lock_timeout: limits.lockMsMax,
  idle_in_transaction_session_timeout: limits.idleMsMax,
});

/** Names of prepared statements, the same on every connection: there are as many as texts in this folder. */
const names = new Map<string, string>();

function nameOf(sql: string): string {
  let name = names.get(sql);
  if (name === undefined) {
    name = `countersign_${names.size}`;
    names.set(sql, name);
  }
  return name;
}

/** SQLSTATE classes 22 (data exception) and 23 (constraint): this statement's values are wrong. All else: the database is. */
function faultOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const scope = /^2[23]/.test(code) ? 'command' : 'database';
  return new SqlFault(`PostgreSQL: ${error.message}`, scope, error);
}

/** Whether the server said so itself, or a bug of ours did; the connection is then as good as before. */
const isAnswered = (error: unknown): boolean =>
  !(error instanceof SqlFault) || (error.cause instanceof Error && 'severity' in error.cause);

async function answer(
  to: pg.Client | pg.Pool,
  sql: string,
  params: readonly SqlValue[],
): Promise<pg.QueryResult<Record<string, SqlValue>>> {
  try {
    return await to.query<Record<string, SqlValue>>({ name: nameOf(sql), text: sql, values: [...params] });
  } catch (error) {
    throw faultOf(error);
  }
}

/** Asks one statement outside a transaction. */
export const send = async (
  to: pg.Client | pg.Pool,
  sql: string,
  params: readonly SqlValue[],
): Promise<readonly Row[]> => (await answer(to, sql, params)).rows;

/** The connection that writes; replaced when it breaks, but never in a transaction. */
export class PostgresDriver implements Driver {
  readonly dialect = postgresDialect;
  readonly #url: string;
  readonly #exclusive: boolean;
  #client: pg.Client | undefined;
  #socket: Socket | undefined;
  #inTransaction = false;

  constructor(url: string, exclusive: boolean) {
    this.#url = url;
    this.#exclusive = exclusive;
  }

  /** The rows as they were go with the server's own VACUUM; its write-ahead log and backups are its operator's (docs/storage.md). */
  erased(): void {
    return;
  }

  tell(): void {
    return;
  }

  dataVersion(): null {
    return null;
  }

  async query(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return send(await this.#connected(), sql, params);
  }

  async run(sql: string, params: readonly SqlValue[] = []): Promise<number> {
    return (await answer(await this.#connected(), sql, params)).rowCount ?? 0;
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.run('BEGIN ISOLATION LEVEL READ COMMITTED');
    this.#inTransaction = true;
    try {
      const done = await work();
      await this.run('COMMIT');
      return done;
    } catch (error) {
      // The server answered, and so it can roll back. Otherwise nobody knows what the connection is waiting for.
      if (isAnswered(error)) await this.run('ROLLBACK').catch(() => this.#drop());
      else this.#drop();
      throw error;
    } finally {
      this.#inTransaction = false;
    }
  }

  async close(): Promise<void> {
    const client = this.#client;
    const late = setTimeout(() => this.#socket?.destroy(), limits.answerMsMax);
    this.#client = undefined;
    await client?.end().catch(() => undefined);
    clearTimeout(late);
  }

  /** The server rolls back when it notices. */
  #drop(): void {
    this.#client = undefined;
    this.#socket?.destroy();
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client !== undefined) return this.#client;
    // A new connection would go on outside the transaction that the old one took with it.
    if (this.#inTransaction)
      throw new SqlFault('PostgreSQL: the connection was lost in a transaction', 'database');
    const socket = new Socket();
    const client = new pg.Client({ ...connection(this.#url), stream: () => socket });
    const forget = (): void => {
      if (this.#client === client) this.#client = undefined;
    };
    client.on('error', forget);
    client.on('end', forget);
    try {
      await client.connect();
      await client.query('SET synchronous_commit = on');
      if (this.#exclusive) await lockSchema(client);
    } catch (error) {
      socket.destroy();
      throw error instanceof SqlFault
        ? error
        : new SqlFault(`PostgreSQL: ${detailOf(error)}`, 'database', error);
    }
    this.#client = client;
    this.#socket = socket;
    return client;
  }
}

/** Held by the connection, and so gone with the gate. The number is ours: "csgn". */
async function lockSchema(client: pg.Client): Promise<void> {
  const sql = 'SELECT pg_try_advisory_lock(1668507502, hashtext(current_schema())) AS locked';
  const { rows } = await client.query<{ locked: boolean }>(sql);
  if (rows[0]?.locked !== true) {
    throw new SqlFault(
      'Another gate is running on this database; two would both run what is approved.',
      'database',
    );
  }
}
