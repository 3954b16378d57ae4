/**
 * The versions of the tables, and how a store comes to the last of them. Each version is a file of its own (schema-v1.ts …), in
 * the SQL that SQLite and PostgreSQL both take: times are BIGINT milliseconds, JSON is TEXT, and nothing relies on triggers,
 * sequences or foreign keys. What is queried is a column; the rest is JSON.
 *
 * Promise: a database is never opened half migrated, nor by an older program than the newest schema admits to it.
 * docs/storage.md shows a row of each table.
 */
import { mayOpen } from './copy-marks.ts';
import { integer } from './columns.ts';
import { SqlFault, type Driver, type Queries } from './driver.ts';
import type { Migration } from './migration.ts';
import { checkNoEarlier, EarlierGate, sharedFrom } from './postgres-earlier.ts';
import { version1 } from './schema-v1.ts';
import { version2 } from './schema-v2.ts';
import { version3 } from './schema-v3.ts';
import { version4 } from './schema-v4.ts';
import { version5 } from './schema-v5.ts';
import { version6 } from './schema-v6.ts';

/** In their order. A new version is one more here; all else follows from it. */
export const migrations: readonly Migration[] = [version1, version2, version3, version4, version5, version6];

function newestOf(versions: readonly Migration[]): number {
  return Math.max(...versions.map((one) => one.version));
}

/** What this program writes. */
export const schemaVersion = newestOf(migrations);

/** Every table whose rows a restore takes from the backup; `meta`'s rows are decided one by one. */
export const tables: readonly string[] = migrations.flatMap((one) => one.tables);

/** The schema of a database that has a table `meta`; 0 where it has no version yet. */
export async function schemaVersionOf(driver: Driver): Promise<number> {
  const rows = await driver.query(
    `SELECT value FROM meta WHERE key = 'schema_version'${driver.dialect.forUpdate}`,
  );
  return Number(rows[0]?.['value'] ?? 0);
}

/** Refuses a database of a newer program: `by` names it for the operator. */
export function checkVersion(version: number, by: string): void {
  if (version > schemaVersion) throw newer(by, version);
}

const newer = (by: string, version: number): SqlFault =>
  new SqlFault(
    `${by} was written by a newer Countersign (schema ${version}, this one knows ${schemaVersion}).`,
    'database',
  );

/** A newer schema that still lets this program write: it only added what this one does not know (docs/storage.md, Versions). */
async function checkWritable(driver: Queries, version: number): Promise<void> {
  const [row] = await driver.query('SELECT writers FROM log_head WHERE one = 1');
  if (row === undefined || integer(row, 'writers') > schemaVersion) throw newer('This store', version);
}

export interface First {
  readonly joinKey: string;
  readonly emptyHead: string;
}

/** How it is gone about. */
export interface Migrating {
  /** To an earlier version, for tests of what comes from it. */
  readonly to?: number;
  /** Others than this program's, for tests of versions to come. */
  readonly versions?: readonly Migration[];
  /** Told what an operator should read: that it is waited for another gate. */
  readonly say?: (line: string) => void;
}

/** How long one gate waits while another brings the database to a newer schema. */
const waitMsMax = 6 * 3_600_000;
const waitPauseMs = 250;
/** How long a gate of an earlier version may take to stop. */
const earlierMsMax = 15_000;
/** How often it is begun anew where it met writers (a deadlock), or another that made the first table. */
const triesMax = 20;

/**
 * Brings a database to this program's schema, in one transaction: of those that start at once one does it and the others wait, and
 * whoever dies on the way leaves nothing of it. A new one gets `first`: rows of `meta` and the head of the empty log.
 */
export async function migrate(driver: Driver, first: First, how: Migrating = {}): Promise<void> {
  const begunAtMs = performance.now();
  const said = new Set<string>();
  for (let tries = 1; ; tries += 1) {
    try {
      return await migrateOnce(driver, first, how);
    } catch (error) {
      const waits = waitsFor(error);
      const goesOn =
        waits === null ? isMet(error) && tries < triesMax : performance.now() - begunAtMs < waits.msMax;
      if (!goesOn) throw error;
      if (waits !== null && !said.has(waits.says)) how.say?.(waits.says);
      if (waits !== null) said.add(waits.says);
      await new Promise((resolve) => setTimeout(resolve, waitPauseMs));
    }
  }
}

async function migrateOnce(
  driver: Driver,
  first: First,
  { versions = migrations, to = newestOf(versions) }: Migrating,
): Promise<void> {
  const isShared = driver.dialect.kind === 'postgres';
  // By itself: two that make it at once in transactions of their own would both fail.
  if (isShared) await driver.run(makeMeta);
  if (isShared) await prepare(driver, versions, to);
  await driver.transaction(async () => {
    if (isShared) await takeTurn(driver);
    else await driver.run(makeMeta);
    const from = await schemaVersionOf(driver);
    await mayOpen(driver);
    if (from > schemaVersion) return checkWritable(driver, from);
    if (isShared && from > 0 && from < sharedFrom && from < to) await checkNoEarlier(driver);
    for (const { version, statements, fill, arrange } of versions) {
      if (version <= from || version > to) continue;
      for (const statement of statements(driver.dialect)) await driver.run(statement);
      if (from > 0) await fill?.(driver);
      await arrange?.(driver);
      await driver.run(
        "INSERT INTO meta (key, value) VALUES ('schema_version', $1) ON CONFLICT (key) DO UPDATE SET value = $1",
        [String(version)],
      );
    }
    if (from > 0) return;
    const rows = [
      ['join_key', first.joinKey],
      ['policySet', '0'],
      ['directory', '0'],
      ['tools', '0'],
    ] as const;
    for (const row of rows) await driver.run('INSERT INTO meta (key, value) VALUES ($1, $2)', row);
    await driver.run('INSERT INTO log_head (one, size, head, at_ms) VALUES (1, 0, $1, 0)', [first.emptyHead]);
  });
}

/** What takes long, while gates of the earlier version may go on. Whoever does it at the same time does the same. */
async function prepare(driver: Driver, versions: readonly Migration[], to: number): Promise<void> {
  const from = await schemaVersionOf(driver);
  if (from === 0 || from >= to) return;
  await mayOpen(driver);
  for (const { version, prepare: prepares } of versions)
    if (version > from && version <= to) await prepares?.(driver);
}

const makeMeta = 'CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)';

/** A server that knows how (14 and later) ends a long statement whose gate has died, and does not let the others wait for its end. */
const lookWhetherWeLive =
  "SELECT set_config(name, '2000', true) AS done FROM pg_settings WHERE name = 'client_connection_check_interval'";

/** The row of the version is the lock: whoever has it migrates. What it does then takes as long as it takes. */
async function takeTurn(driver: Driver): Promise<void> {
  await driver.run('SET LOCAL statement_timeout = 0');
  await driver.run('SET LOCAL idle_in_transaction_session_timeout = 0');
  await driver.query(lookWhetherWeLive);
  await driver.run("SET LOCAL lock_timeout = '500ms'");
  await driver.run(
    "INSERT INTO meta (key, value) VALUES ('schema_version', '0') ON CONFLICT (key) DO NOTHING",
  );
  await schemaVersionOf(driver);
  await driver.run("SET LOCAL lock_timeout = '5s'");
}

/** SQLSTATE lock_not_available. */
const lockNotAvailable = '55P03';

const causeCode = (error: unknown): string =>
  error instanceof SqlFault && error.cause instanceof Error && 'code' in error.cause
    ? String(error.cause.code)
    : '';

/** Whom it is waited for; null: nobody. */
function waitsFor(error: unknown): { readonly says: string; readonly msMax: number } | null {
  if (error instanceof EarlierGate)
    return {
      says: 'A gate of an earlier version is running on this database; this one waits a moment for it to stop.',
      msMax: earlierMsMax,
    };
  return causeCode(error) === lockNotAvailable
    ? {
        says: 'Another gate is changing the tables of the database; this one waits for it.',
        msMax: waitMsMax,
      }
    : null;
}

/** Others were in the way for a moment: writers of this schema, or somebody who made the first table just now. */
const isMet = (error: unknown): boolean =>
  (error instanceof SqlFault && error.again) ||
  ['23505', '42P07', '42710', '40P01'].includes(causeCode(error));
