/** Asks a database again when the connection to it was lost: for work that is done page by page and can look where it stands. */
import { detailOf, SqlFault, type Driver, type Queries } from './driver.ts';
import { Refused } from './copy-result.ts';

/** How often in a row, and how long it waits between. */
const triesMax = 8;
const pauseMs = 1000;

/** SQLSTATE classes that pass: connection, rollback, resources, the operator's intervention (a restart, a failover). */
const passing = /^(?:08|40|53|57)/;

/** Whether the same may work in a moment. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof SqlFault) || error.scope !== 'database') return false;
  const { cause } = error;
  if (error.again) return true;
  if (!(cause instanceof Error)) return false;
  // Not the server's own word, but the network's.
  if (!('severity' in cause)) return true;
  return 'code' in cause && typeof cause.code === 'string' && passing.test(cause.code);
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, pauseMs));

/**
 * Does something until it works. @param lost called before it is tried again: true where there is nothing left to do. It may fail as
 * well, which counts as a try.
 */
export async function again<T>(
  work: () => Promise<T>,
  lost: () => Promise<{ readonly done: T } | null> = () => Promise.resolve(null),
): Promise<T> {
  let failed = false;
  for (let tries = 1; ; tries += 1) {
    try {
      const done = failed ? await lost() : null;
      return done === null ? await work() : done.done;
    } catch (error) {
      if (!isPassing(error) || tries >= triesMax) throw error;
      failed = true;
      await pause();
    }
  }
}

/** The same database, asked again. @param signal ends it between questions. */
export const patient = (driver: Driver, signal: AbortSignal): Queries => ({
  async query(sql, params) {
    mustGoOn(signal);
    return again(async () => driver.query(sql, params));
  },
});

/** Throws where somebody wants it to end. */
export function mustGoOn(signal: AbortSignal): void {
  if (signal.aborted) throw new Refused({ kind: 'stopped' });
}

/** What an operator is told of a failure. */
export const faultOf = (error: unknown): Refused | null =>
  error instanceof Refused
    ? error
    : error instanceof SqlFault
      ? new Refused({ kind: 'fault', detail: detailOf(error), goesOn: isPassing(error) })
      : null;
