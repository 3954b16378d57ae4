/**
 * The only file that knows node:sqlite. One connection, its statements prepared once.
 *
 * Promises: what is committed has been fsynced (`synchronous=FULL` in WAL mode); a database file that
 * was deleted or replaced under us is a fault before COMMIT, because a commit into an unlinked file is kept by nobody.
 */
import { closeSync, existsSync, fdatasyncSync, openSync, statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { SqlFault, sqliteDialect, type Driver, type Row, type SqlValue } from './driver.ts';

/** How long a connection waits for another process's write. */
export const busyMsMax = 5_000;

/**
 * A lone call changes a dozen pages a little, so small ones are less to write and to sync; of many calls at once larger ones
 * would be a few per cent quicker. A late checkpoint writes a page that changed often only once. The write-ahead log is then
 * about 16 MiB at rest (32 for a file that was made with pages of 8192 bytes, which keeps them). What is deleted or made shorter
 * is overwritten, so that what was erased is in no free page.
 */
const pragmas = `PRAGMA secure_delete = ON; PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -32768;`;

/** While room is made: pages beyond go to the write-ahead log before any COMMIT. */
const smallCache = 'PRAGMA cache_size = -512';
const wholeCache = 'PRAGMA cache_size = -32768';
/** How much room is made at a time, and how large the log may be made so: the most that it has at rest. */
const roomBytes = 4 * 1024 * 1024;
const roomBytesMax = 32 * 1024 * 1024;

/** Result codes (sqlite.org/rescode.html) that say "this statement's values are wrong", not "the database is". */
const commandCodes: ReadonlySet<number> = new Set([
  18, // TOOBIG
  19, // CONSTRAINT
  20, // MISMATCH
  25, // RANGE
]);

/** A node:sqlite error has SQLite's extended code in `errcode`; all else is a bug of ours in binding values. */
function faultOf(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  const scope = commandCodes.has(error.errcode & 0xff) ? 'command' : 'database';
  const meaning = 'errstr' in error && error.errstr !== error.message ? ` (${String(error.errstr)})` : '';
  return new SqlFault(`${file}: ${error.message}${meaning}`, scope, error);
}

/** `$1` is `?1` here. No text of ours holds a dollar sign but as a placeholder. */
const sqliteText = (sql: string): string => sql.replace(/\$(\d+)/g, '?$1');

interface Identity {
  readonly dev: number;
  readonly ino: number;
}

function identityOf(file: string): Identity | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? undefined : { dev: stats.dev, ino: stats.ino };
}

export class SqliteDriver implements Driver {
  readonly dialect = sqliteDialect;
  readonly file: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #identity: Identity | undefined;
  /** The write-ahead log, when room was last made in it. */
  #logBytes = 0;

  /** Opens or, unless read only, makes the file. `lock`: only to be locked, never written. Throws a SqlFault. */
  constructor(file: string, mode: 'write' | 'read' | 'lock') {
    this.file = file;
    let db: DatabaseSync | undefined;
    try {
      // Made by us first, so that it is never readable by others, not for a moment.
      if (mode !== 'read' && !existsSync(file)) closeSync(openSync(file, 'a', 0o600));
      db = new DatabaseSync(file, { readOnly: mode === 'read', timeout: mode === 'lock' ? 0 : busyMsMax });
      if (mode === 'write') db.exec(pragmas);
      this.#db = db;
      this.#identity = identityOf(file);
    } catch (error) {
      db?.close();
      throw error instanceof Error && !('errcode' in error)
        ? new SqlFault(`${file}: ${error.message}`, 'database', error)
        : faultOf(error, file);
    }
  }

  query(sql: string, params: readonly SqlValue[] = []): readonly Row[] {
    try {
      // node:sqlite gives null, numbers and strings for the types that the schema has: no BLOBs, no 64-bit integers.
      return this.#prepared(sql).all(...params) as unknown as readonly Row[];
    } catch (error) {
      throw faultOf(error, this.file);
    }
  }

  run(sql: string, params: readonly SqlValue[] = []): number {
    try {
      return Number(this.#prepared(sql).run(...params).changes);
    } catch (error) {
      throw faultOf(error, this.file);
    }
  }

  /** Readers of this database look for themselves whether it has changed. */
  tell(): void {
    return;
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    // Left open by a ROLLBACK that failed.
    if (this.#db.isTransaction) this.run('ROLLBACK');
    this.run('BEGIN IMMEDIATE');
    try {
      const answer = await work();
      this.#checkFile();
      this.run('COMMIT');
      return answer;
    } catch (error) {
      // Some failures roll back by themselves.
      if (this.#db.isTransaction) this.run('ROLLBACK');
      throw error;
    }
  }

  dataVersion(): number {
    return Number(this.query('PRAGMA data_version')[0]?.['data_version']);
  }

  /**
   * Moves what is committed into the database and cuts the write-ahead log to nothing: it holds pages as they were. A reader may be
   * in the way, so that it is tried again after the next erasure, and whenever the store is opened.
   */
  erased(): void {
    try {
      this.query('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // A full disk shows where somebody can be told.
    }
    this.#logBytes = 0;
  }

  /**
   * Lets the write-ahead log grow before it is full: a file that grows takes nearly twice the time to sync. Leaves nothing in
   * the database, and does nothing until the log has grown by itself since the last time. Outside a transaction only.
   */
  makeRoom(): void {
    const log = `${this.file}-wal`;
    const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
    if (size === 0 || size === this.#logBytes || size >= roomBytesMax) return;
    try {
      this.#db.exec(smallCache);
      this.run('BEGIN IMMEDIATE');
      this.run("INSERT INTO meta (key, value) VALUES ('room', zeroblob($1))", [roomBytes]);
      this.run('ROLLBACK');
      const file = openSync(log, 'r+');
      fdatasyncSync(file);
      closeSync(file);
    } catch {
      // A full disk shows where somebody can be told.
      if (this.#db.isTransaction) this.run('ROLLBACK');
    }
    this.#db.exec(wholeCache);
    this.#logBytes = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  }

  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  #checkFile(): void {
    const now = identityOf(this.file);
    if (now === undefined)
      throw new SqlFault(`${this.file}: the database file was deleted or moved away`, 'database');
    if (now.dev !== this.#identity?.dev || now.ino !== this.#identity.ino) {
      throw new SqlFault(
        `${this.file}: the database file was replaced; restart to use the new one`,
        'database',
      );
    }
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sqliteText(sql));
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
