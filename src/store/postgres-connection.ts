/** One connection to PostgreSQL, how it is made and asked. The only file that knows `pg`. */
import { Socket } from 'node:net';
import pg from 'pg';
import type { SqlValue } from './driver.ts';
import { faultOf, lost } from './postgres-fault.ts';
import type { Host } from './postgres-url.ts';

export const connectionLimits = {
  connectMsMax: 5_000,
  /** Where there is another host to try. */
  connectMsEach: 2_000,
  /** What the server gives a statement; we wait a little longer, in case it is the network that hangs. */
  statementMsMax: 7_000,
  answerMsMax: 8_000,
  lockMsMax: 5_000,
  /** A gate that vanished in a transaction holds its rows no longer than this: less than others wait for a lock. */
  idleMsMax: 4_000,
  /** What one statement of a migration may take. */
  patientMsMax: 3_600_000,
} as const;

export interface How {
  /** Behind a pooler that gives a server to each transaction: nothing may be left in a session. */
  readonly pooled: boolean;
  /** Statements are sent without waiting for the answers of those before. */
  readonly pipeline: boolean;
  readonly connectMsMax: number;
  /** Its statements may take long. */
  readonly patient?: boolean;
}

/** BIGINT as a number: times and counters stay below 2^53. */
const bigintOid = pg.types.builtins.INT8;
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === bigintOid && format !== 'binary' ? Number : (pg.types.getTypeParser(oid, format) as unknown),
};

/** What a session has, and behind a pooler each transaction that writes, whatever the role's and the server's defaults are. */
const session = [
  'synchronous_commit = on',
  // Statements are small; one that the planner takes for large would be compiled for longer than it runs.
  'jit = off',
  // A COMMIT whose standby was not waited for says so in a warning.
  'client_min_messages = warning',
] as const;
const timeouts = [
  `statement_timeout = ${connectionLimits.statementMsMax}`,
  `lock_timeout = ${connectionLimits.lockMsMax}`,
  `idle_in_transaction_session_timeout = ${connectionLimits.idleMsMax}`,
] as const;
const locals = [...session, ...timeouts].map((one) => `SET LOCAL ${one};`).join(' ');

/** What begins a transaction that writes, or that reads behind a pooler. */
export const beginOf = (how: Pick<How, 'pooled'>, mode: 'write' | 'read'): string =>
  `BEGIN ISOLATION LEVEL READ COMMITTED${mode === 'read' ? ' READ ONLY' : ''};${how.pooled ? ` ${locals}` : ''}`;

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

/**
 * PostgreSQL's TEXT holds every character but NUL. JSON writes it as an escape; in what people write it is shown for what it is
 * (U+2400), so that nobody's "no" is lost for it.
 */
const storable = (value: SqlValue): SqlValue =>
  typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\u2400') : value;

export type Answered = pg.QueryResult<Record<string, SqlValue>>;

export class Connection {
  readonly host: Host;
  readonly #client: pg.Client;
  readonly #socket: Socket;
  readonly #pooled: boolean;
  #broken = false;
  /** Codes of notices that nobody has looked at. */
  #warned: string[] = [];

  private constructor(host: Host, how: How) {
    this.host = host;
    this.#pooled = how.pooled;
    const socket = new Socket();
    this.#socket = socket;
    this.#client = new pg.Client({
      connectionString: host.url,
      types,
      keepAlive: true,
      application_name: 'countersign',
      connectionTimeoutMillis: how.connectMsMax,
      query_timeout: how.patient === true ? connectionLimits.patientMsMax : connectionLimits.answerMsMax,
      pipeline: how.pipeline,
      stream: () => socket,
      ...(!how.pooled && {
        statement_timeout:
          how.patient === true ? connectionLimits.patientMsMax : connectionLimits.statementMsMax,
        lock_timeout: connectionLimits.lockMsMax,
        idle_in_transaction_session_timeout: connectionLimits.idleMsMax,
      }),
    });
    const broken = (): void => void (this.#broken = true);
    this.#client.on('error', broken);
    this.#client.on('end', broken);
    this.#client.on('notice', ({ code }) => {
      // Nobody may ever look at them: a few are enough.
      if (this.#warned.length < 16) this.#warned.push(code ?? '');
    });
  }

  /** Connects to a host that takes writes; throws a fault that says why it cannot. */
  static async open(host: Host, how: How): Promise<Connection> {
    const connection = new Connection(host, how);
    try {
      await connection.#client.connect();
      const set = how.pooled ? [] : session.map((one) => `SET ${one}`);
      const [answer] = (await connection.script([...set, 'SHOW transaction_read_only'].join('; '))).slice(-1);
      if (answer?.rows[0]?.['transaction_read_only'] !== 'off')
        throw lost('this server is a standby, or read-only');
      return connection;
    } catch (error) {
      connection.destroy();
      throw faultOf(error);
    }
  }

  get broken(): boolean {
    return this.#broken;
  }

  async query(sql: string, params: readonly SqlValue[] = []): Promise<Answered> {
    const asked = { text: sql, values: params.map(storable), ...(!this.#pooled && { name: nameOf(sql) }) };
    return this.#answered(this.#client.query<Record<string, SqlValue>>(asked));
  }

  /** Statements without parameters in one message; an answer for each. */
  async script(sql: string): Promise<readonly Answered[]> {
    // `pg` answers a list where there are several, which its types do not say.
    const answer = (await this.#answered(this.#client.query<Record<string, SqlValue>>(sql))) as
      Answered | readonly Answered[];
    return Array.isArray(answer) ? answer : [answer as Answered];
  }

  /** Whether the server warned since this was asked last: a notice that is no mere information. */
  warned(): boolean {
    const codes = this.#warned;
    this.#warned = [];
    return codes.some((code) => !code.startsWith('00'));
  }

  onNotification(listener: (channel: string, payload: string) => void): void {
    this.#client.on('notification', ({ channel, payload }) => listener(channel, payload ?? ''));
  }

  onEnd(listener: () => void): void {
    this.#client.once('end', listener);
  }

  /** At once, whatever it is doing: the server rolls back when it notices. */
  destroy(): void {
    this.#broken = true;
    this.#socket.destroy();
  }

  /** Says goodbye; resolves when it is closed, or was given up on. */
  async end(): Promise<void> {
    const late = setTimeout(() => this.destroy(), connectionLimits.answerMsMax);
    await this.#client.end().catch(() => undefined);
    clearTimeout(late);
  }

  async #answered<T>(asked: Promise<T>): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      throw faultOf(error);
    }
  }
}
