/**
 * COMMIT, and what is done where nobody answers it. Promise: what is taken for committed is on the synchronous standbys too, if
 * the server has any; where that cannot be found out in time, nobody is told that it is (docs/decisions/027).
 */
import { text } from './columns.ts';
import { detailOf, SqlFault, type LastEntry } from './driver.ts';
import { beginOf, type Answered, type Connection } from './postgres-connection.ts';
import { isAway } from './postgres-fault.ts';
import type { Hosts } from './postgres-hosts.ts';

export const commitLimits = {
  /** For how long it is tried to find out. */
  resolveMsMax: 8_000,
  pauseMsMin: 20,
  pauseMsMax: 500,
} as const;

/**
 * `done`: committed, and replicated as far as the server was asked to. `not`: rolled back, says the server, which is still
 * there. `unknown`: no answer, or a warning: a wait for a standby that was given up leaves a commit on this server alone.
 */
export type Committed =
  | { readonly kind: 'done' }
  | { readonly kind: 'not'; readonly error: unknown }
  | { readonly kind: 'unknown'; readonly error: unknown };

/**
 * Ends the transaction of a connection; never rejects. @param needsStandby where the server waits for none by the time that it
 * answers, it may have waited for none: it lets go of every COMMIT, without a word, once `synchronous_standby_names` is emptied.
 */
export async function commit(on: Connection, needsStandby: boolean): Promise<Committed> {
  on.warned();
  try {
    const [answer] = await on.script('COMMIT');
    if (on.warned())
      return { kind: 'unknown', error: new Error('COMMIT came with a warning: a standby may not have it') };
    // So is the end of a transaction that had failed already.
    if (answer?.command !== 'COMMIT')
      return {
        kind: 'not',
        error: new SqlFault('PostgreSQL: the transaction had failed before COMMIT', 'database'),
      };
  } catch (error) {
    // An error that leaves the session alive has rolled back. One that ended it may have come after the commit, and what a pooler
    // says of a server that it lost says nothing.
    if (on.broken || isAway(error) || !(await answers(on))) return { kind: 'unknown', error };
    return { kind: 'not', error };
  }
  if (!needsStandby) return { kind: 'done' };
  return on.script(showStandbys).then(
    (answers) => (waitsForNone(answers) ? { kind: 'unknown', error: noStandby() } : { kind: 'done' }),
    (error: unknown) => ({ kind: 'unknown', error }),
  );
}

/** Sent before the work of a transaction that needs a standby, and after its COMMIT. */
export const showStandbys = 'SHOW synchronous_standby_names;';

/** Whether the last answer, which is to `showStandbys`, names nobody. */
export const waitsForNone = (answers: readonly Answered[]): boolean =>
  answers.at(-1)?.rows[0]?.['synchronous_standby_names'] === '';

export const noStandby = (): SqlFault =>
  new SqlFault(
    'PostgreSQL waits for no synchronous standby (synchronous_standby_names is empty), and postgres.standby is required: nothing is written.',
    'database',
  );

const answers = async (on: Connection): Promise<boolean> =>
  on.script('ROLLBACK').then(
    () => !on.broken,
    () => false,
  );

/**
 * Finds out whether the transaction that wrote `last` was committed, on whichever server is the primary now: takes the head row,
 * which its backend holds until its end; looks for the entry; and writes the row as it is, so that a COMMIT of our own, which is
 * replicated after everything before it, says that the entry is too. @throws a fault that may be tried again where it is not there;
 * one that may not where nobody can tell.
 */
export async function resolveCommit(
  { hosts, needsStandby }: { readonly hosts: Hosts; readonly needsStandby: boolean },
  last: LastEntry | null,
  cause: unknown,
): Promise<void> {
  if (last === null) throw unknown(cause);
  const end = performance.now() + commitLimits.resolveMsMax;
  let why = cause;
  for (
    let pauseMs: number = commitLimits.pauseMsMin;
    ;
    pauseMs = Math.min(2 * pauseMs, commitLimits.pauseMsMax)
  ) {
    try {
      const there = await look({ hosts, needsStandby }, last, end - performance.now());
      if (there) return;
      throw new NotThere();
    } catch (error) {
      if (error instanceof NotThere)
        throw new SqlFault(`PostgreSQL: this was not committed: ${detailOf(cause)}`, 'database', cause, true);
      why = error;
    }
    if (performance.now() + pauseMs >= end) throw unknown(cause, why);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

class NotThere extends Error {}

const unknown = (cause: unknown, why?: unknown): SqlFault =>
  new SqlFault(
    `PostgreSQL: nobody knows whether this was committed: ${detailOf(cause)}${why === undefined || why === cause ? '' : `; asked again: ${detailOf(why)}`}`,
    'database',
    cause,
  );

/** @throws where this cannot be told yet. */
async function look(
  { hosts, needsStandby }: { readonly hosts: Hosts; readonly needsStandby: boolean },
  last: LastEntry,
  withinMs: number,
): Promise<boolean> {
  const on = await hosts.connect({ pipeline: false });
  const late = setTimeout(() => on.destroy(), Math.max(withinMs, 1));
  try {
    await on.script(beginOf({ pooled: hosts.pooled }, 'write'));
    await on.query('SELECT size FROM log_head WHERE one = 1 FOR UPDATE');
    // A statement of its own: it sees what was committed while the row was waited for.
    const { rows } = await on.query('SELECT head FROM entries WHERE idx = $1', [last.index]);
    const [row] = rows;
    if (row === undefined || text(row, 'head') !== last.head) {
      await on.script('ROLLBACK').catch(() => undefined);
      return false;
    }
    await on.query('UPDATE log_head SET size = size WHERE one = 1');
    const committed = await commit(on, needsStandby);
    if (committed.kind !== 'done') throw committed.error;
    return true;
  } finally {
    clearTimeout(late);
    if (on.broken) on.destroy();
    else void on.end();
  }
}
