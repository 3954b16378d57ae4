/**
 * Puts a backup back, also while a gate runs on the store: in one transaction the live tables get the backup's rows, and
 * whatever could happen twice is ended.
 *
 * Promises: what was live is kept first, in a file beside the store, down to the last commit; if anything fails, nothing has
 * changed. Afterwards no case of the backup can run: whether it ran, or was decided otherwise, after the backup was made is
 * not known here. Everything that was judged before is stale, and everybody signs in again.
 */
import { randomFillSync } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Case } from '../core/case.ts';
import { aboutNothing, emptyHead, type EntryDraft } from '../core/entry.ts';
import type { Step } from '../core/loaded.ts';
import { err, ok, type Result } from '../core/result.ts';
import { changed, closedNotices, ended, entryOf } from '../core/steps/common.ts';
import { unknownNow } from '../core/steps/execution.ts';
import { endingOf } from '../core/steps/glass-ends.ts';
import { rfc3339 } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { StoreFault } from '../ports/store.ts';
import { Batch } from './batch.ts';
import { caseBy, casesOf } from './case-rows.ts';
import { text } from './columns.ts';
import { detailOf, SqlFault } from './driver.ts';
import { readGlasses } from './glass-rows.ts';
import { burntKey, readPublished } from './log-rows.ts';
import { keepPosts, tellCopies, untoldIn } from './restore-chats.ts';
import { eraseAgain, goneSince, keepHolds } from './restore-erased.ts';
import { checkVersion, migrate, schemaVersionOf, tables } from './schema.ts';
import { checkDatabase, copyDatabase } from './sqlite-copy.ts';
import { SqliteDriver } from './sqlite-driver.ts';
import { databaseFile } from './sqlite-protocol.ts';
import { headValues, readHead, updateHead, type HeadRow } from './head-rows.ts';
import { readVersions, setMeta } from './world-rows.ts';

export interface RestoreOptions {
  /** The store's folder; made if it is not there. */
  readonly directory: string;
  /** The backup. It is only read. */
  readonly file: string;
  /** Who is told that approvals were closed. Default: nobody. */
  readonly channels?: readonly string[];
  readonly clock?: Clock;
}

export interface Restored {
  /** Where the replaced store was kept. */
  readonly saved: string;
  /** Entries in the log now. */
  readonly entries: number;
  /** Cases that were ended because nobody knows what became of them after the backup. */
  readonly ended: number;
}

const random = { bytes: (count: number) => randomFillSync(new Uint8Array(count)) };
const reason = 'The store was restored from a backup.';

/** Never rejects. */
export async function restoreSqlite(options: RestoreOptions): Promise<Result<Restored, StoreFault>> {
  const { directory, file } = options;
  // Everything is done on a copy: the backup stays as it is, and what was checked is what is read.
  const copy = join(directory, `restore-${Buffer.from(random.bytes(8)).toString('hex')}.db`);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    copyFileSync(file, copy);
    chmodSync(copy, 0o600);
    await prepare(copy, file);
    return ok(await replace(options, copy));
  } catch (error) {
    return err({ kind: 'fault', detail: detailOf(error) });
  } finally {
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${copy}${end}`, { force: true });
  }
}

/** Brings the copy to our schema and checks it whole. */
async function prepare(copy: string, file: string): Promise<void> {
  const db = new SqliteDriver(copy, 'write');
  try {
    const version = await schemaVersionOf(db).catch(() => 0);
    if (version === 0) throw new SqlFault(`${file} is no backup of a Countersign store`, 'database');
    checkVersion(version, file);
    await migrate(db, { joinKey: '', emptyHead });
  } finally {
    db.close();
  }
  await checkDatabase(copy);
}

async function replace(options: RestoreOptions, copy: string): Promise<Restored> {
  const { directory, channels = [], clock = { nowMs: () => Date.now() } } = options;
  const live = new SqliteDriver(databaseFile(directory), 'write');
  try {
    await migrate(live, { joinKey: Buffer.from(random.bytes(32)).toString('hex'), emptyHead });
    live.run('ATTACH $1 AS saved', [copy]);
    const restored = await live.transaction(async () => {
      const before = await readHead(live);
      const nowMs = Math.max(clock.nowMs(), before.atMs);
      // Nobody else can write now, so this copy holds the last commit that anybody was told of.
      const saved = `${live.file}.before-restore-${rfc3339(nowMs).replace(/[-:.]/g, '')}`;
      await copyDatabase(live.file, saved);
      const untold = untoldIn(live);
      const gone = goneSince(live);
      const holds = keepHolds(live);
      await replaceTables(live, before, nowMs);
      const log = await readHead(live);
      const batch = new Batch({ driver: live, random, channels, gate: null }, new Map(), {
        log,
        clockMs: nowMs,
      });
      await batch.record([restoredEntry({ backup: log, live: before, saved: basename(saved) }), ...holds]);
      await tellCopies(live, batch, { untold, channels });
      const count = await endAll(live, batch);
      await endGlasses(live, batch);
      await eraseAgain(live, batch, gone);
      await batch.end();
      live.run(updateHead, headValues({ ...batch.log, world: before.world + 1 }));
      return { saved, entries: batch.log.size, ended: count };
    });
    // What the backup brought and was erased again.
    live.erased();
    return restored;
  } finally {
    live.close();
  }
}

/** Tables of which live rows stay too, each for a reason of its own. */
const kept = [
  'idempotency',
  'tokens',
  'delegations',
  'passkeys',
  'accounts',
  'memberships',
  'posts',
  'holds',
] as const;

/** Takes the backup's rows, and what no restore brings back: see docs/storage.md, "Restore". */
async function replaceTables(live: SqliteDriver, before: HeadRow, nowMs: number): Promise<void> {
  const was = await readVersions(live);
  const { epoch } = await readPublished(live);
  burnOrigins(live, nowMs);
  for (const table of tables) {
    if (kept.some((one) => one === table) || isBound(table)) continue;
    live.run(`DELETE FROM main.${table}`);
    live.run(`INSERT INTO main.${table} SELECT * FROM saved.${table}`);
  }
  // A request that was answered after the backup must not be done again under the same key: the live rows stay.
  live.run(`INSERT INTO main.idempotency SELECT * FROM saved.idempotency WHERE true
    ON CONFLICT (principal, key) DO NOTHING`);
  keepBounds(live);
  keepTokens(live);
  keepDelegations(live);
  keepPasskeys(live);
  keepAccounts(live, nowMs);
  keepMemberships(live, before);
  keepPosts(live);
  fenceTree(live, epoch);
  for (const table of ['sessions', 'links', 'begun', 'notices']) live.run(`DELETE FROM main.${table}`);
  live.run(
    `UPDATE main.meta SET value = (SELECT value FROM saved.meta WHERE key = 'join_key') WHERE key = 'join_key'`,
  );
  for (const key of ['policySet', 'directory', 'tools'] as const) {
    const [row] = live.query('SELECT value FROM saved.meta WHERE key = $1', [key]);
    const version = Math.max(was[key], row === undefined ? 0 : Number(text(row, 'value'))) + 1;
    live.run(setMeta, [key, String(version)]);
    const what = key === 'policySet' ? 'policies' : key;
    live.run(
      `INSERT INTO main.accepted (what, version, digest, at_ms, body, how)
        SELECT what, $2, digest, $3, body, how FROM saved.accepted WHERE what = $1 ORDER BY version DESC LIMIT 1`,
      [what, version, nowMs],
    );
  }
}

/**
 * What was given out under a name after the backup was made may contradict what is published from here on, so nothing more is
 * signed under it: unless the newest checkpoint of both is the same. A store without a past knows of nothing that was given out.
 */
function burnOrigins(live: SqliteDriver, nowMs: number): void {
  const newest = (schema: string): string => `SELECT origin, size, root FROM ${schema}.checkpoints c
    WHERE size = (SELECT MAX(size) FROM ${schema}.checkpoints o WHERE o.origin = c.origin)`;
  live.run(
    `INSERT INTO main.meta (key, value)
      SELECT '${burntKey}' || origin, $1 FROM (
        SELECT origin FROM (${newest('main')} EXCEPT ${newest('saved')})
        UNION SELECT origin FROM (${newest('saved')} EXCEPT ${newest('main')}))
      WHERE true ON CONFLICT (key) DO NOTHING`,
    [String(nowMs)],
  );
  live.run(`INSERT INTO main.meta (key, value)
    SELECT key, value FROM saved.meta WHERE key LIKE '${burntKey}%' ON CONFLICT (key) DO NOTHING`);
}

/** Whoever publishes now has another tree, and finds that out: its epoch is over. */
function fenceTree(live: SqliteDriver, epoch: number): void {
  live.run(
    `INSERT INTO main.log_published (one, size, head, epoch, holder, until_ms) VALUES (1, 0, $1, $2, NULL, 0)
      ON CONFLICT (one) DO UPDATE SET epoch = max(log_published.epoch, excluded.epoch - 1) + 1, holder = NULL, until_ms = 0`,
    [emptyHead, epoch + 1],
  );
}

/** What keeps agents in bounds: both sides' rows hold, so that no restore sets an agent free or forgets what it was granted. */
const bounds = ['recent', 'stops', 'unsafe', 'used', 'glasses'] as const;
const isBound = (table: string): boolean => bounds.some((one) => one === table);

function keepBounds(live: SqliteDriver): void {
  // Of a break-glass in both the live row is kept: it is over there, or reviewed, if it is anywhere.
  for (const table of ['stops', 'unsafe', 'used', 'glasses'])
    live.run(`INSERT INTO main.${table} SELECT * FROM saved.${table} WHERE true ON CONFLICT DO NOTHING`);
  // Counts only grow, so the larger one has seen more.
  live.run(`INSERT INTO main.recent (operation, agent, minute, count, sum)
    SELECT operation, agent, minute, count, sum FROM saved.recent WHERE true
    ON CONFLICT (operation, agent, minute) DO UPDATE SET count = max(recent.count, excluded.count),
      sum = max(recent.sum, excluded.sum)`);
}

/** The backup's tokens; one that was revoked or rotated out since stays so: no restore hands a leaked one back. */
function keepTokens(live: SqliteDriver): void {
  live.run('DELETE FROM main.tokens WHERE hash NOT IN (SELECT hash FROM saved.tokens)');
  live.run('INSERT INTO main.tokens SELECT * FROM saved.tokens WHERE true ON CONFLICT DO NOTHING');
}

/** The backup's; one that was ended since stays ended: no restore lets anybody stand in again. */
function keepDelegations(live: SqliteDriver): void {
  live.run('DELETE FROM main.delegations WHERE id NOT IN (SELECT id FROM saved.delegations)');
  live.run('INSERT INTO main.delegations SELECT * FROM saved.delegations WHERE true ON CONFLICT DO NOTHING');
}

/** The backup's; of one in both the live row stays: what was revoked since stays so, and a counter never runs backwards. */
function keepPasskeys(live: SqliteDriver): void {
  live.run('DELETE FROM main.passkeys WHERE id NOT IN (SELECT id FROM saved.passkeys)');
  live.run('INSERT INTO main.passkeys SELECT * FROM saved.passkeys WHERE true ON CONFLICT DO NOTHING');
}

/**
 * The backup's; one that was taken away since stays so: no restore lets anybody sign in with it again. One that was linked since
 * is taken away, and stays its person's.
 */
function keepAccounts(live: SqliteDriver, nowMs: number): void {
  live.run(
    `UPDATE main.accounts SET ended_at_ms = $1 WHERE ended_at_ms IS NULL
      AND (kind, issuer, subject) NOT IN (SELECT kind, issuer, subject FROM saved.accounts)`,
    [nowMs],
  );
  live.run('INSERT INTO main.accounts SELECT * FROM saved.accounts WHERE true ON CONFLICT DO NOTHING');
}

/**
 * Groups that a provider claimed then and claims still: what was lost since is not handed back, and what is new is claimed again
 * at the next sign-in. A store without a past has lost none.
 */
function keepMemberships(live: SqliteDriver, before: HeadRow): void {
  if (before.size === 0) {
    live.run('DELETE FROM main.memberships');
    live.run('INSERT INTO main.memberships SELECT * FROM saved.memberships');
    return;
  }
  live.run(`DELETE FROM main.memberships
    WHERE (person_id, group_id, provider) NOT IN (SELECT person_id, group_id, provider FROM saved.memberships)`);
}

const restoredEntry = (told: {
  readonly backup: HeadRow;
  readonly live: HeadRow;
  readonly saved: string;
}): EntryDraft => ({
  type: 'store.restored',
  by: { kind: 'operator' },
  about: aboutNothing,
  subject: null,
  data: {
    backup: { size: told.backup.size, head: told.backup.head, at: rfc3339(told.backup.atMs) },
    // The log that this one replaces from here on; it is kept in the file.
    replaced: { size: told.live.size, head: told.live.head, at: rfc3339(told.live.atMs) },
    saved: told.saved,
  },
});

/** Ends whatever could still run, and says of what was running that nobody knows. Answers how many. */
async function endAll(live: SqliteDriver, batch: Batch): Promise<number> {
  const rows = live.query(
    `SELECT id FROM actions WHERE state IN ('pending', 'ready', 'started') ORDER BY ord`,
  );
  for (const row of rows) {
    const [held] = casesOf(live.query(caseBy.action, [text(row, 'id')]));
    if (held !== undefined) await batch.apply(endOf(held, batch.nowMs));
  }
  return rows.length;
}

/** No restore opens break-glass again: what is open in either is over, and still wants its review. */
async function endGlasses(live: SqliteDriver, batch: Batch): Promise<void> {
  for (const glass of await readGlasses(live)) {
    if (glass.ended !== null) continue;
    const atMs = Math.min(batch.nowMs, glass.untilMs);
    const ending = endingOf(glass, { atMs, why: 'restored', by: { kind: 'operator' }, reason });
    await batch.apply({ answer: ok({ kind: 'done' }), ...ending });
  }
}

function endOf(held: Case, nowMs: number): Step {
  if (held.execution !== null) return unknownNow(held, held.execution, nowMs, reason);
  const next = ended(held, { atMs: nowMs, code: 'cancelled', reason, by: { kind: 'operator' } });
  const { approval } = held;
  const type = approval === null ? 'grant.expired' : 'approval.cancelled';
  const entry = entryOf(next, type, { kind: 'operator' }, { reason });
  return changed(held, next, [entry], closedNotices(held));
}
