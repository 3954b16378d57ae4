/**
 * Moves an embedded store to PostgreSQL. Promises: nobody writes to the source meanwhile, gate or command line; whatever stops it
 * (a kill, a lost connection), the same call goes on where it was, or begins anew where the source was written to since; nothing is
 * closed or opened before every row was compared and the log's chain recomputed; the source is closed before the target is opened, so
 * that never two stores run; and as long as no gate has written to the target there is a way back.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { emptyHead } from '../core/entry.ts';
import { err, ok, type Result } from '../core/result.ts';
import { faultOf } from './copy-again.ts';
import { Copying, markFor } from './copy-run.ts';
import { eraseMoved, readBegun, readCopyMark, readMoved, storeName, type MovedMark } from './copy-marks.ts';
import { Refused, type Copied, type CopyRefused, type Watched } from './copy-result.ts';
import { closeAgain, describe } from './copy-target.ts';
import { text } from './columns.ts';
import { detailOf, SqlFault, type Driver } from './driver.ts';
import { PostgresDriver } from './postgres-driver.ts';
import { Hosts } from './postgres-hosts.ts';
import { checkVersion, migrate, schemaVersion, schemaVersionOf } from './schema.ts';
import { SqliteDriver } from './sqlite-driver.ts';
import { databaseFile } from './sqlite-protocol.ts';

export interface CopyOptions {
  /** The embedded store's folder. */
  readonly directory: string;
  /** `postgres://…`: a connection of its own to the server, not through a pooler. */
  readonly url: string;
  /** What the target says of the source to whoever finds it unfinished. */
  readonly from: string;
  /** Ends it between two pages. */
  readonly signal?: AbortSignal;
  readonly watch?: (watched: Watched) => void;
  readonly nowMs?: () => number;
}

/** Both sides, opened. */
interface Opened {
  readonly source: SqliteDriver;
  readonly target: PostgresDriver;
  readonly store: string;
  readonly moved: MovedMark | undefined;
  /** The copy that the source was last read for; undefined: somebody has opened it since. */
  readonly begun: string | undefined;
  readonly to: string;
}

/** Never rejects but for a bug. */
export const copyStore = (options: CopyOptions): Promise<Result<Copied, CopyRefused>> =>
  withBoth(options, async (opened) => {
    const { signal = new AbortController().signal, watch = () => undefined, nowMs = Date.now } = options;
    const mark = await markFor({
      ...opened,
      from: options.from,
      newId: () => randomBytes(16).toString('hex'),
    });
    return new Copying({ ...opened, signal, watch, nowMs }, mark).run();
  });

/** What became of the way back: `opened`: the source is in use again; `dropped`: there was only an unfinished copy, which is gone. */
export type Undone = 'opened' | 'dropped';

/** Closes the target and opens the source again, in this order. Never rejects but for a bug. */
export const undoCopy = (options: CopyOptions): Promise<Result<Undone, CopyRefused>> =>
  withBoth(options, async ({ source, target, store, moved }) => {
    const [there] = await target.query("SELECT to_regclass('meta') IS NOT NULL AS there");
    const mark = there?.['there'] ? await readCopyMark(target) : undefined;
    if (moved !== undefined && mark?.id !== moved.id)
      throw new Refused({ kind: 'elsewhere', to: moved.to, atMs: moved.atMs });
    if (mark === undefined) throw new Refused({ kind: 'nothingToUndo' });
    if (mark.store !== store) throw new Refused({ kind: 'other', from: mark.from });
    if (moved === undefined && mark.state === 'open') throw new Refused({ kind: 'newer' });
    if (!(await closeAgain(target, mark))) throw new Refused({ kind: 'written' });
    if (moved === undefined) return 'dropped';
    await source.transaction(() => eraseMoved(source, moved));
    return 'opened';
  });

async function withBoth<T>(
  options: CopyOptions,
  work: (opened: Opened) => Promise<T>,
): Promise<Result<T, CopyRefused>> {
  const { directory, url } = options;
  if (!existsSync(databaseFile(directory))) return err({ kind: 'noStore' });
  const open: { close(): unknown }[] = [];
  try {
    open.push(lock(directory));
    const source = new SqliteDriver(databaseFile(directory), 'write');
    open.push(source);
    const target = driverTo(url);
    open.push(target);
    return ok(await work({ source, target, ...(await known(source)), to: await describe(target) }));
  } catch (error) {
    const refused = faultOf(error);
    if (refused === null) throw error;
    return err(refused.why);
  } finally {
    for (const one of open.toReversed()) await one.close();
  }
}

/** Waits for standbys as the server does; nobody listens yet. */
function driverTo(url: string): PostgresDriver {
  try {
    const hosts = new Hosts(url, false);
    return new PostgresDriver({ hosts, needsStandby: false, clock: true, tells: null });
  } catch (error) {
    // What it says holds nothing of the URL but hosts (postgres-url.ts).
    throw new SqlFault(detailOf(error), 'command', error);
  }
}

/** What keeps a gate from starting on the folder meanwhile; gone with the process, however it ends. */
function lock(directory: string): SqliteDriver {
  const held = new SqliteDriver(join(directory, 'lock.db'), 'lock');
  try {
    held.run('BEGIN EXCLUSIVE');
    return held;
  } catch {
    held.close();
    throw new Refused({ kind: 'running' });
  }
}

/** Brings the source to this schema, unless it is closed, and finds out which store it is. */
async function known(source: Driver): Promise<Pick<Opened, 'store' | 'moved' | 'begun'>> {
  const version = await schemaVersionOf(source);
  checkVersion(version, 'This store');
  const moved = await readMoved(source);
  if (moved !== undefined && version !== schemaVersion)
    throw new SqlFault('This store was moved by an earlier program: finish with that one', 'database');
  const begun = version === schemaVersion ? await readBegun(source) : undefined;
  // Forgets what was begun, as any opening does; whoever goes on with it writes it again.
  if (moved === undefined) await migrate(source, { joinKey: '', emptyHead });
  const [key] = await source.query("SELECT value FROM meta WHERE key = 'join_key'");
  const [first] = await source.query('SELECT pae FROM entries WHERE idx = 0');
  if (key === undefined) throw new SqlFault('the store has no join key', 'database');
  const store = storeName(text(key, 'value'), first === undefined ? '' : text(first, 'pae'));
  return { store, moved, begun };
}
