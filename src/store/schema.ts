/**
 * The versions of the tables, and how a store comes to the last of them. Each version is a file of its own (schema-v1.ts …), in
 * the SQL that SQLite and PostgreSQL both take: times are BIGINT milliseconds, JSON is TEXT, and nothing relies on triggers,
 * sequences or foreign keys. What is queried is a column; the rest is JSON.
 *
 * Promise: a database is never opened half migrated, nor by an older program than the one that migrated it.
 * docs/storage.md shows a row of each table.
 */
import { SqlFault, type Driver } from './driver.ts';
import type { Migration } from './migration.ts';
import { version1 } from './schema-v1.ts';
import { version2 } from './schema-v2.ts';
import { version3 } from './schema-v3.ts';
import { version4 } from './schema-v4.ts';
import { version5 } from './schema-v5.ts';
import { version6 } from './schema-v6.ts';

/** In their order. A new version is one more here; all else follows from it. */
const migrations: readonly Migration[] = [version1, version2, version3, version4, version5, version6];

/** What this program writes. */
export const schemaVersion = Math.max(...migrations.map((one) => one.version));

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
  if (version > schemaVersion) {
    throw new SqlFault(
      `${by} was written by a newer Countersign (schema ${version}, this one knows ${schemaVersion}).`,
      'database',
    );
  }
}

/**
 * Brings a database to this program's schema, in one transaction. A new one gets `first`: rows of `meta` and the head of
 * the empty log. @param to an earlier version, for tests of what comes from it.
 */
export async function migrate(
  driver: Driver,
  first: { readonly joinKey: string; readonly emptyHead: string },
  to: number = schemaVersion,
): Promise<void> {
  await driver.transaction(async () => {
    await driver.run('CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)');
    const from = await schemaVersionOf(driver);
    checkVersion(from, 'This store');
    for (const { version, statements, fill } of migrations) {
      if (version <= from || version > to) continue;
      for (const statement of statements(driver.dialect)) await driver.run(statement);
      if (from > 0) await fill?.(driver);
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
