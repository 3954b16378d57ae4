/**
 * The ops database: its schema and every query. One SQLite file, or memory.
 *
 * Promises: several processes may share a file (an MCP gate starts one server per agent connection); a new file is
 * seeded once; a file of another program is refused untouched; the effect of a write and its line in `calls` are stored
 * together or not at all, so `calls` counts what really ran, each with the id of the execution that a gate in front leaves.
 */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import * as z from 'zod';
import { CLUSTERS, CUSTOMER_COUNT, customer, ROLES } from './seed.ts';
import { call, cluster, COLUMNS, customerRow, roleRow, serviceRow } from './shapes.ts';
import type { Column, ExportArgs, GrantArgs, Row, Table, Where } from './shapes.ts';

const BUSY_TIMEOUT_MS = 5000;
/** Marks our files (SQLite's application_id): 'ops', and the version of the schema. */
const APPLICATION_ID = 0x6f707302;
/** Before calls named their execution. */
const APPLICATION_ID_1 = 0x6f707301;
/** `list_calls` shows at most this many, the newest ones. */
export const CALLS_MAX = 200;

const SCHEMA = `
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, phone TEXT NOT NULL,
  country TEXT NOT NULL, plan TEXT NOT NULL, mrr_cents INTEGER NOT NULL, created_at TEXT NOT NULL) STRICT;
CREATE TABLE roles (principal TEXT NOT NULL, role TEXT NOT NULL, scope TEXT NOT NULL, expires TEXT,
  PRIMARY KEY (principal, role, scope)) STRICT;
CREATE TABLE clusters (name TEXT PRIMARY KEY, region TEXT NOT NULL, environment TEXT NOT NULL, nodes INTEGER NOT NULL,
  stateful INTEGER NOT NULL) STRICT;
CREATE TABLE services (cluster TEXT NOT NULL, name TEXT NOT NULL, volume_gb INTEGER, restarts INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (cluster, name)) STRICT;
CREATE TABLE exports (id INTEGER PRIMARY KEY, "table" TEXT NOT NULL, format TEXT NOT NULL, destination TEXT NOT NULL,
  rows INTEGER NOT NULL, bytes INTEGER NOT NULL, body TEXT NOT NULL, at TEXT NOT NULL) STRICT;
CREATE TABLE calls (id INTEGER PRIMARY KEY, tool TEXT NOT NULL, args TEXT NOT NULL, at TEXT NOT NULL, execution TEXT) STRICT;
PRAGMA application_id = ${APPLICATION_ID};`;

// How SQLite stores what the shapes say otherwise.
const clusterRow = cluster
  .omit({ services: true })
  .extend({ stateful: z.int().transform((flag) => flag === 1) });
const callRow = call.extend({
  args: z.string().transform((text) => call.shape.args.parse(JSON.parse(text))),
});
const counted = z.object({ n: z.int() });

/** One write as `calls` keeps it; without an execution nobody was asked. */
interface Write {
  readonly tool: string;
  readonly args: object;
  readonly execution: string | undefined;
}

/** The one way to the data. Every method is synchronous; every write takes effect with its line in `calls`. */
export class OpsDatabase {
  readonly #db: DatabaseSync;

  /** Opens and, where it is new, seeds the database at this path (`:memory:` for none). Throws for another program's file. */
  constructor(path: string) {
    this.#db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    // One process seeds; the others wait at BEGIN IMMEDIATE and then find the mark.
    this.#transaction(() => {
      const id = this.#one(z.object({ application_id: z.int() }), 'PRAGMA application_id')?.application_id;
      if (id === APPLICATION_ID) return;
      if (id === APPLICATION_ID_1) {
        this.#db.exec(
          `ALTER TABLE calls ADD COLUMN execution TEXT; PRAGMA application_id = ${APPLICATION_ID}`,
        );
        return;
      }
      const tables = this.#one(counted, 'SELECT count(*) AS n FROM sqlite_schema')?.n;
      if (id !== 0 || tables !== 0) throw new Error(`${path} is not a database of this ops-server`);
      this.#db.exec(SCHEMA);
      this.#seed();
    });
  }

  customers(limit: number, country?: string): z.infer<typeof customerRow>[] {
    return country === undefined
      ? this.#all(customerRow, 'SELECT * FROM customers ORDER BY id LIMIT ?', limit)
      : this.#all(
          customerRow,
          'SELECT * FROM customers WHERE country = ? ORDER BY id LIMIT ?',
          country,
          limit,
        );
  }

  customer(id: number): z.infer<typeof customerRow> {
    const row = this.#one(customerRow, 'SELECT * FROM customers WHERE id = ?', id);
    if (row === undefined) throw new Error(`no customer ${id}`);
    return row;
  }

  columns(of: Table): Column[] {
    return Object.entries(COLUMNS[of]).map(([name, dataClassOfColumn]) => ({
      name,
      dataClass: dataClassOfColumn,
    }));
  }

  count(of: Table, where?: Where): number {
    const { sql, values } = filter(of, where);
    return this.#one(counted, `SELECT count(*) AS n FROM ${of}${sql}`, ...values)?.n ?? 0;
  }

  rows(of: Table, where?: Where): readonly Row[] {
    const { sql, values } = filter(of, where);
    return this.#db
      .prepare(`SELECT ${Object.keys(COLUMNS[of]).join(', ')} FROM ${of}${sql} ORDER BY 1`)
      .all(...values);
  }

  /** Keeps an export that `export_rows` has written out; answers its number. */
  recordExport(
    args: ExportArgs,
    rows: number,
    body: string,
    execution?: string,
  ): Readonly<{ exportId: number; rows: number; bytes: number }> {
    const bytes = Buffer.byteLength(body);
    return this.#write({ tool: 'export_rows', args, execution }, (at) => {
      const { lastInsertRowid } = this.#db
        .prepare(
          'INSERT INTO exports ("table", format, destination, rows, bytes, body, at) VALUES (?, ?, ?, ?, ?, ?, ?)',
        )
        .run(args.table, args.format, args.destination, rows, bytes, body, at);
      return { exportId: Number(lastInsertRowid), rows, bytes };
    });
  }

  /** The roles that hold now: an expired one is gone. */
  roles(principal?: string): z.infer<typeof roleRow>[] {
    const rows = this.#all(roleRow, 'SELECT * FROM roles ORDER BY principal, scope, role');
    return rows.filter(
      (row) =>
        (principal === undefined || row.principal === principal) &&
        (row.expires === undefined || Date.parse(row.expires) > Date.now()),
    );
  }

  /** Adds a role, or changes the expiry of one that is held already. */
  grantRole(args: GrantArgs, execution?: string): void {
    if (args.expires !== undefined && Date.parse(args.expires) <= Date.now())
      throw new Error('expires is in the past');
    this.#write({ tool: 'grant_role', args, execution }, () =>
      this.#db
        .prepare(
          'INSERT INTO roles (principal, role, scope, expires) VALUES (?, ?, ?, ?) ' +
            'ON CONFLICT (principal, role, scope) DO UPDATE SET expires = excluded.expires',
        )
        .run(args.principal, args.role, args.scope, args.expires ?? null),
    );
  }

  clusters(region?: string): z.infer<typeof cluster>[] {
    return this.#all(clusterRow, 'SELECT * FROM clusters ORDER BY name')
      .filter((row) => region === undefined || row.region === region)
      .map((row) => ({ ...row, services: this.#services(row.name) }));
  }

  restartService(
    args: Readonly<{ cluster: string; service: string }>,
    execution?: string,
  ): Readonly<{ restarts: number; at: string }> {
    return this.#write({ tool: 'restart_service', args, execution }, (at) => {
      const sql =
        'UPDATE services SET restarts = restarts + 1 WHERE cluster = ? AND name = ? RETURNING restarts AS n';
      const row = this.#one(counted, sql, args.cluster, args.service);
      if (row === undefined) throw new Error(`no service ${args.service} on a cluster ${args.cluster}`);
      return { restarts: row.n, at };
    });
  }

  /** Deletes every cluster of a region with its services and volumes; answers what is gone. */
  deleteRegion(
    args: Readonly<{ region: string; confirm: string }>,
    execution?: string,
  ): z.infer<typeof cluster>[] {
    return this.#write({ tool: 'delete_region', args, execution }, () => {
      const gone = this.clusters(args.region);
      if (gone.length === 0) throw new Error(`region ${args.region} has no clusters`);
      this.#db
        .prepare('DELETE FROM services WHERE cluster IN (SELECT name FROM clusters WHERE region = ?)')
        .run(args.region);
      this.#db.prepare('DELETE FROM clusters WHERE region = ?').run(args.region);
      return gone;
    });
  }

  /** How often each write really ran: the newest CALLS_MAX, oldest first, and how many there are in all. */
  calls(tool?: string): { total: number; calls: z.infer<typeof call>[] } {
    const where = 'WHERE ?1 IS NULL OR tool = ?1';
    const total = this.#one(counted, `SELECT count(*) AS n FROM calls ${where}`, tool ?? null)?.n ?? 0;
    const newest = this.#all(
      callRow,
      `SELECT * FROM calls ${where} ORDER BY id DESC LIMIT ?2`,
      tool ?? null,
      CALLS_MAX,
    );
    return { total, calls: newest.toReversed() };
  }

  #services(of: string): z.infer<typeof serviceRow>[] {
    return this.#all(
      serviceRow,
      'SELECT name, volume_gb AS volumeGb, restarts FROM services WHERE cluster = ? ORDER BY name',
      of,
    );
  }

  #seed(): void {
    const customers = this.#db.prepare(
      'INSERT INTO customers VALUES (:id, :name, :email, :phone, :country, :plan, :mrr_cents, :created_at)',
    );
    for (let id = 1; id <= CUSTOMER_COUNT; id += 1) customers.run({ ...customer(id) });
    const roles = this.#db.prepare('INSERT INTO roles (principal, role, scope) VALUES (?, ?, ?)');
    for (const { principal, role, scope } of ROLES) roles.run(principal, role, scope);
    const clusters = this.#db.prepare('INSERT INTO clusters VALUES (?, ?, ?, ?, ?)');
    const services = this.#db.prepare('INSERT INTO services (cluster, name, volume_gb) VALUES (?, ?, ?)');
    for (const { name, region, environment, nodes, services: running } of CLUSTERS) {
      clusters.run(
        name,
        region,
        environment,
        nodes,
        running.some((service) => service.volumeGb !== undefined) ? 1 : 0,
      );
      for (const service of running) services.run(name, service.name, service.volumeGb ?? null);
    }
  }

  #write<T>({ tool, args, execution }: Write, effect: (at: string) => T): T {
    return this.#transaction(() => {
      const at = new Date().toISOString();
      const result = effect(at);
      this.#db
        .prepare('INSERT INTO calls (tool, args, at, execution) VALUES (?, ?, ?, ?)')
        .run(tool, JSON.stringify(args), at, execution ?? null);
      return result;
    });
  }

  #transaction<T>(body: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = body();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #all<S extends z.ZodType>(shape: S, sql: string, ...values: SQLInputValue[]): z.infer<S>[] {
    return this.#db
      .prepare(sql)
      .all(...values)
      .map((row) => shape.parse(withoutNulls(row)));
  }

  #one<S extends z.ZodType>(shape: S, sql: string, ...values: SQLInputValue[]): z.infer<S> | undefined {
    const row = this.#db.prepare(sql).get(...values);
    return row === undefined ? undefined : shape.parse(withoutNulls(row));
  }
}

/** SQL's NULL is an absent field in every answer. */
function withoutNulls(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}

// The column becomes part of the SQL text, so it has to be one of ours; the value is always bound.
function filter(of: Table, where: Where | undefined): Readonly<{ sql: string; values: string[] }> {
  if (where === undefined) return { sql: '', values: [] };
  if (!Object.hasOwn(COLUMNS[of], where.column)) {
    throw new Error(
      `${of} has no column ${JSON.stringify(where.column)}; it has ${Object.keys(COLUMNS[of]).join(', ')}`,
    );
  }
  return { sql: ` WHERE ${where.column} = ?`, values: [where.equals] };
}
