/** A SQLite store in a folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteDriver } from '../../src/store/sqlite-driver.ts';
import { databaseFile } from '../../src/store/sqlite-protocol.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { channels, type Bench } from './bench.ts';

export interface SqliteBench extends Bench {
  readonly directory: string;
}

export function sqliteBench(
  directory = mkdtempSync(join(tmpdir(), 'countersign-store-')),
): Promise<SqliteBench> {
  return Promise.resolve({
    directory,
    open: (options) => openSqlite({ directory, channels, ...options }),
    raw: (sql, params) =>
      new Promise((resolve) => {
        const driver = new SqliteDriver(databaseFile(directory), 'write');
        try {
          resolve(driver.query(sql, params));
        } finally {
          driver.close();
        }
      }),
    remove: () => Promise.resolve(rmSync(directory, { recursive: true, force: true })),
  });
}
