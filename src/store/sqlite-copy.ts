/**
 * A consistent copy of a SQLite store while everything goes on. Promises: the copy is one moment's state in one file that
 * needs no other; it has been checked and fsynced before it has its name; nothing is ever written over.
 */
import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { SqlFault } from './driver.ts';
import { checkLog } from './log-check.ts';
import { SqliteDriver } from './sqlite-driver.ts';
import type { HeadRow } from './head-rows.ts';

/** Writes the copy and answers its head. Throws a SqlFault, or the file system's own error. */
export async function copyDatabase(from: string, to: string): Promise<HeadRow> {
  if (existsSync(to))
    throw new SqlFault(`${to} exists already; a backup never writes over a file`, 'database');
  const partial = `${to}.partial-${process.pid}`;
  // Made by us, so that it is never readable by others.
  closeSync(openSync(partial, 'wx', 0o600));
  try {
    const source = new SqliteDriver(from, 'read');
    try {
      source.run('VACUUM INTO $1', [partial]);
    } finally {
      source.close();
    }
    const head = await checkDatabase(partial);
    sync(partial);
    // Unlike a rename this fails where the name was taken meanwhile.
    linkSync(partial, to);
    sync(dirname(to));
    return head;
  } finally {
    rmSync(partial, { force: true });
  }
}

/** Throws unless the file is a whole store of ours; answers its head. */
export async function checkDatabase(file: string): Promise<HeadRow> {
  const db = new SqliteDriver(file, 'read');
  try {
    const [row] = db.query('PRAGMA integrity_check(1)');
    if (row?.['integrity_check'] !== 'ok') {
      throw new SqlFault(`${file} is damaged: ${String(row?.['integrity_check'])}`, 'database');
    }
    return await checkLog(db);
  } finally {
    db.close();
  }
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
