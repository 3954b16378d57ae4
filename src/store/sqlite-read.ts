/**
 * The log of an embedded store, read and nothing else: for whoever verifies it beside a running gate, or a copy of the file that
 * they were given. Makes no file, no table and no thread.
 */
import { existsSync } from 'node:fs';
import { SqlFault } from './driver.ts';
import { readTree, type LogReads } from './log-rows.ts';
import { schemaVersion, schemaVersionOf } from './schema.ts';
import { SqliteDriver } from './sqlite-driver.ts';
import { databaseFile } from './sqlite-protocol.ts';
import { readHead, type HeadRow } from './head-rows.ts';

export interface LogReader extends LogReads {
  head(): Promise<HeadRow>;
  close(): void;
}

/** Rejects with a SqlFault where there is no such store, or one of another version. */
export async function readSqliteLog(directory: string): Promise<LogReader> {
  const file = databaseFile(directory);
  if (!existsSync(file)) throw new SqlFault(`There is no store at ${directory}.`, 'database');
  const driver = new SqliteDriver(file, 'read');
  try {
    const version = await schemaVersionOf(driver);
    if (version !== schemaVersion)
      throw new SqlFault(
        `${file} is of schema ${version}, and this program reads ${schemaVersion}: ${version < schemaVersion ? 'start the gate once with this program' : 'use the program that wrote it'}.`,
        'database',
      );
    return { ...readTree(driver), head: () => readHead(driver), close: () => driver.close() };
  } catch (error) {
    driver.close();
    throw error;
  }
}
