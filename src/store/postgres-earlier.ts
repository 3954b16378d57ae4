/**
 * Gates of versions that know a schema before 6 expect to be alone, and each holds a lock for as long as it runs. Promise: the
 * tables are not changed under one of them, and where several gates start at once, one changes them and the others wait for it.
 */
import { SqlFault, type Queries } from './driver.ts';
import { codeOf } from './postgres-fault.ts';

/** The lock of earlier versions. The number is ours: "csgn". */
export const earlierLock = '1668507502, hashtext(current_schema())';

/** From here on several gates may run. */
const shared = 6;

/** How long another gate that starts may take to change the tables. */
const waitMsMax = 15_000;
const pauseMs = 100;

/** Does the work, alone where the tables are of such a version, or are not there. @param on a session of its own, past any pooler. */
export async function withoutEarlier(on: Queries, work: () => Promise<void>): Promise<void> {
  const end = performance.now() + waitMsMax;
  for (;;) {
    if ((await versionOf(on)) >= shared) return work();
    if (await locked(on)) break;
    if (performance.now() > end)
      throw new SqlFault(
        'A gate of an earlier version is running on this database. Stop it first: this version changes the tables, and the earlier one would not know.',
        'database',
      );
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  try {
    await work();
  } finally {
    await Promise.resolve(on.query(`SELECT pg_advisory_unlock(${earlierLock})`)).catch(() => undefined);
  }
}

/** 0 where there is none yet. */
async function versionOf(on: Queries): Promise<number> {
  const [there] = await on.query("SELECT CAST(to_regclass('meta') AS TEXT) AS meta");
  if (there?.['meta'] == null) return 0;
  const [row] = await on.query("SELECT value FROM meta WHERE key = 'schema_version'");
  return Number(row?.['value'] ?? 0);
}

async function locked(on: Queries): Promise<boolean> {
  try {
    const [row] = await on.query(`SELECT CAST(pg_try_advisory_lock(${earlierLock}) AS INTEGER) AS locked`);
    return row?.['locked'] === 1;
  } catch (error) {
    // An engine without such locks had no gate of an earlier version on it.
    if (error instanceof SqlFault && codeOf(error.cause) === '42883') return true;
    throw error;
  }
}
