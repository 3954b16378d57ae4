/**
 * What `meta` says of a store that is being moved: in the source that it was copied, or has moved; in the target how far the copy has
 * come. Promise: of a store and its copy at most one may be opened, whatever stopped the copy and whenever; who may not open one is
 * told what to do.
 */
import { hash } from 'node:crypto';
import { rfc3339 } from '../core/time.ts';
import { text } from './columns.ts';
import { SqlFault, type Driver, type Queries, type SqlValue } from './driver.ts';

/** Rows of `meta`. */
const marks = { target: 'copy', moved: 'moved', begun: 'copying' } as const;

/** Rows of `meta` that are not copied: these, and the target's own. */
export const ownRows: readonly string[] = [...Object.values(marks), 'schema_version'];

/** In `log_head.writers`: no program may write, whatever it read when it opened the store. */
export const noWriters = Number.MAX_SAFE_INTEGER;

/** A primary key's values, in its order. */
export type Key = readonly SqlValue[];

/** Names a store beyond its folder and its copies: nobody else has its key, and its first entry has a salt of its own. */
export const storeName = (joinKey: string, firstEntry: string): string =>
  hash('sha256', `countersign.store.v1\0${joinKey}\0${firstEntry}`);

/** How far one table has come. */
export interface Reached {
  readonly rows: number;
  /** The last key that is copied; null: none is. */
  readonly last: Key | null;
  readonly whole: boolean;
}

/** In the target. */
export interface CopyMark {
  /** Of one run from its beginning, through all its interruptions. */
  readonly id: string;
  /** Which store it is of (`storeName`). */
  readonly store: string;
  /** What operators know the source by. */
  readonly from: string;
  /**
   * `begin`: the next run empties the target first. `copying`: rows are missing. `verified`: all are there and were compared; the
   * source is closed next, then this one opened. `open`: gates may use it.
   */
  readonly state: 'begin' | 'copying' | 'verified' | 'open';
  /** By table. */
  readonly done: Readonly<Record<string, Reached>>;
  /** The log's head as it was copied; null: not yet. */
  readonly head: { readonly size: number; readonly head: string } | null;
}

/** In the source, when the target may be opened. */
export interface MovedMark {
  /** That of the copy. */
  readonly id: string;
  /** What operators know the target by; no password. */
  readonly to: string;
  readonly atMs: number;
  /** What `log_head.writers` was. */
  readonly writers: number;
}

async function read(from: Queries, key: string, lock = ''): Promise<string | undefined> {
  const [row] = await from.query(`SELECT value FROM meta WHERE key = $1${lock}`, [key]);
  return row === undefined ? undefined : text(row, 'value');
}

const set = `INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2`;

export async function readCopyMark(from: Queries, lock = ''): Promise<CopyMark | undefined> {
  const value = await read(from, marks.target, lock);
  // Written by `writeCopyMark` only.
  return value === undefined ? undefined : (JSON.parse(value) as CopyMark);
}

export const writeCopyMark = async (driver: Driver, mark: CopyMark): Promise<void> =>
  void (await driver.run(set, [marks.target, JSON.stringify(mark)]));

/** False where the row is another one by now: somebody else copies too, or an answer was lost. */
export const replaceCopyMark = async (driver: Driver, was: CopyMark, next: CopyMark): Promise<boolean> =>
  (await driver.run('UPDATE meta SET value = $3 WHERE key = $1 AND value = $2', [
    marks.target,
    JSON.stringify(was),
    JSON.stringify(next),
  ])) === 1;

export async function readMoved(from: Queries): Promise<MovedMark | undefined> {
  const value = await read(from, marks.moved);
  // Written by `writeMoved` only.
  return value === undefined ? undefined : (JSON.parse(value) as MovedMark);
}

/** Closes a store. In a transaction. */
export async function writeMoved(driver: Driver, mark: MovedMark): Promise<void> {
  await driver.run(set, [marks.moved, JSON.stringify(mark)]);
  await driver.run('DELETE FROM meta WHERE key = $1', [marks.begun]);
  await driver.run('UPDATE log_head SET writers = $1 WHERE one = 1', [noWriters]);
}

/** Opens it again. In a transaction. */
export async function eraseMoved(driver: Driver, mark: MovedMark): Promise<void> {
  await driver.run('DELETE FROM meta WHERE key = $1', [marks.moved]);
  await driver.run('UPDATE log_head SET writers = $1 WHERE one = 1', [mark.writers]);
}

/** The copy that the source was last read for, as long as nobody else has opened it since. */
export const readBegun = (from: Queries): Promise<string | undefined> => read(from, marks.begun);

export const writeBegun = async (driver: Driver, id: string): Promise<void> =>
  void (await driver.run(set, [marks.begun, id]));

/**
 * Whoever opens a store calls this, in a transaction, before anything of it is used; `meta` exists. Throws a SqlFault that an
 * operator can act on.
 */
export async function mayOpen(driver: Driver): Promise<void> {
  const rows = await driver.query(
    'SELECT key, value FROM meta WHERE key IN ($1, $2, $3)',
    Object.values(marks),
  );
  const of = (key: string): string | undefined => {
    const row = rows.find((one) => one['key'] === key);
    return row === undefined ? undefined : text(row, 'value');
  };
  const moved = of(marks.moved);
  if (moved !== undefined) {
    // Written by `writeMoved` only.
    const { to, atMs } = JSON.parse(moved) as MovedMark;
    throw new SqlFault(
      `This store was moved to ${to} at ${rfc3339(atMs)}, and is closed: start gates with the configuration that names that database. The way back, as long as no gate has written there: countersign store copy --undo --to THAT-CONFIGURATION`,
      'database',
    );
  }
  const copy = of(marks.target);
  // Written by `writeCopyMark` only.
  const mark = copy === undefined ? undefined : (JSON.parse(copy) as CopyMark);
  if (mark !== undefined && mark.state !== 'open') {
    throw new SqlFault(
      `This database holds an unfinished copy of the store ${mark.from}: finish it with the same countersign store copy that began it, or drop what is in this schema.`,
      'database',
    );
  }
  // What is written from now on is not in what was copied.
  if (of(marks.begun) !== undefined) await driver.run('DELETE FROM meta WHERE key = $1', [marks.begun]);
}
