/**
 * The small writes of the transparency log, inside the writer's transaction. The fence: the tree belongs to one holder until a
 * time; a new holder gets a new epoch, and whoever publishes with an older one, or elsewhere than where the tree stands, writes
 * nothing.
 */
import { emptyHead } from '../core/entry.ts';
import { ok } from '../core/result.ts';
import { leavesPerPublishing, type Cosignature, type Publishing } from '../ports/log-store.ts';
import { integer, integerOrNull, json, text } from './columns.ts';
import { SqlFault, type Driver } from './driver.ts';
import { isFree } from './gate-rows.ts';
import type { LogJob, Outcome } from './job.ts';
import { readPublished } from './log-rows.ts';

/** A detail of a failure, cut. */
const detailCharsMax = 500;
/** Leaves in one statement: PostgreSQL takes 65,535 values, SQLite 32,766. */
const leavesPerInsert = 256;

const done: Outcome = ok({ kind: 'done' });
const lost: Outcome = ok({ kind: 'tree', published: null });

/** @param clockMs as the machine says, which may be behind the log's own time: leases go by it. */
export async function logJob(
  driver: Driver,
  job: LogJob,
  { nowMs, clockMs }: { readonly nowMs: number; readonly clockMs: number },
): Promise<Outcome> {
  switch (job.kind) {
    case 'takeTree':
      return takeTree(driver, job, clockMs);
    case 'publish':
      return publish(driver, job.publishing);
    case 'addCosignature': {
      const [row] = await driver.query(
        `SELECT cosignatures FROM checkpoints WHERE origin = $1 AND size = $2${driver.dialect.forUpdate}`,
        [job.origin, job.size],
      );
      if (row === undefined) return done;
      // Written from Cosignatures only.
      const others = (json(row, 'cosignatures') as readonly Cosignature[]).filter(
        (one) => one.key !== job.cosignature.key,
      );
      await driver.run('UPDATE checkpoints SET cosignatures = $3 WHERE origin = $1 AND size = $2', [
        job.origin,
        job.size,
        JSON.stringify([...others, job.cosignature]),
      ]);
      return done;
    }
    case 'addStamp':
      await driver.run(
        'UPDATE checkpoints SET stamp = $3, stamped_at_ms = $4 WHERE origin = $1 AND size = $2',
        [job.origin, job.size, job.stamp, nowMs],
      );
      return done;
    case 'confirm':
      return ok({ kind: 'confirmed', there: await confirm(driver, job) });
    case 'setCursor':
      await driver.run(
        `INSERT INTO shipping (name, next, at_ms, detail) VALUES ($1, $2, $3, $4)
          ON CONFLICT (name) DO UPDATE SET next = $2, at_ms = $3, detail = $4`,
        [job.name, job.next, nowMs, job.detail?.slice(0, detailCharsMax).toWellFormed() ?? null],
      );
      return done;
  }
}

async function takeTree(
  driver: Driver,
  { holder, forMs }: LogJob & { readonly kind: 'takeTree' },
  clockMs: number,
): Promise<Outcome> {
  await driver.run(
    'INSERT INTO log_published (one, size, head, epoch, holder, until_ms) VALUES (1, 0, $1, 0, NULL, 0) ON CONFLICT (one) DO NOTHING',
    [emptyHead],
  );
  const [row] = await driver.query(
    `SELECT epoch, COALESCE(holder, '') AS holder, until_ms FROM log_published WHERE one = 1${driver.dialect.forUpdate}`,
  );
  if (row === undefined) throw new SqlFault('the tree has no row', 'database');
  if (!isFree(row, holder, clockMs)) return lost;
  await driver.run('UPDATE log_published SET holder = $1, until_ms = $2, epoch = $3 WHERE one = 1', [
    holder,
    clockMs + forMs,
    integer(row, 'epoch') + (text(row, 'holder') === holder ? 0 : 1),
  ]);
  return ok({ kind: 'tree', published: await readPublished(driver) });
}

async function publish(
  driver: Driver,
  publishing: (LogJob & { readonly kind: 'publish' })['publishing'],
): Promise<Outcome> {
  const { epoch, from, leaves, tiles, head, checkpoint } = publishing;
  const now = await readPublished(driver, driver.dialect.forUpdate);
  if (now.epoch !== epoch || now.size !== from) return lost;
  if (leaves.length > leavesPerPublishing || leaves.some((leaf, at) => leaf.index !== from + at))
    throw new SqlFault('leaves are published in order, at most 4,096 at a time', 'command');
  if (!(await isLog(driver, from + leaves.length, head))) return lost;
  for (let at = 0; at < leaves.length; at += leavesPerInsert)
    await insertLeaves(driver, leaves.slice(at, at + leavesPerInsert));
  for (const { level, n, hashes } of tiles)
    await driver.run(
      'INSERT INTO tiles (level, n, hashes) VALUES ($1, $2, $3) ON CONFLICT (level, n) DO UPDATE SET hashes = $3',
      [level, n, hashes],
    );
  if (checkpoint !== null) {
    // The newest is the newest by time too, whatever the clock does.
    const [last] = await driver.query('SELECT MAX(at_ms) AS at_ms FROM checkpoints');
    const lastMs = last === undefined ? null : integerOrNull(last, 'at_ms');
    await driver.run(
      `INSERT INTO checkpoints (origin, size, root, note, at_ms, cosignatures) VALUES ($1, $2, $3, $4, $5, '[]')
        ON CONFLICT (origin, size) DO NOTHING`,
      [
        checkpoint.origin,
        checkpoint.size,
        checkpoint.root,
        checkpoint.note,
        Math.max(checkpoint.atMs, (lastMs ?? -1) + 1),
      ],
    );
  }
  const size = from + leaves.length;
  await driver.run('UPDATE log_published SET size = $1, head = $2 WHERE one = 1', [size, head]);
  return ok({ kind: 'tree', published: { size, head, epoch } });
}

/**
 * The row is written as it is, so that the COMMIT waits for whoever waits for it: what a server shows may be nowhere else yet, and
 * who asks may have read it on another server than this one.
 */
async function confirm(
  driver: Driver,
  { origin, size, note }: LogJob & { readonly kind: 'confirm' },
): Promise<boolean> {
  const [row] = await driver.query('SELECT note FROM checkpoints WHERE origin = $1 AND size = $2', [
    origin,
    size,
  ]);
  if (row === undefined || text(row, 'note') !== note) return false;
  await driver.run('UPDATE log_published SET size = size WHERE one = 1');
  return true;
}

/**
 * Whether the log at this size has this head: what was read for these leaves may have been on a primary alone that is gone since,
 * and the log has other entries there now.
 */
async function isLog(driver: Driver, size: number, head: string): Promise<boolean> {
  if (size === 0) return true;
  const [row] = await driver.query('SELECT head FROM entries WHERE idx = $1', [size - 1]);
  return row !== undefined && text(row, 'head') === head;
}

/** Many in one statement: over a network each statement is a round trip, and every other writer waits meanwhile. */
async function insertLeaves(driver: Driver, leaves: Publishing['leaves']): Promise<void> {
  const rows = leaves.map((_, at) => `($${3 * at + 1}, $${3 * at + 2}, $${3 * at + 3})`);
  await driver.run(
    `INSERT INTO leaves (idx, key_id, signature) VALUES ${rows.join(', ')}`,
    leaves.flatMap(({ index, keyId, signature }) => [index, keyId, signature]),
  );
}
