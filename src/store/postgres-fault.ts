/** What a failure of PostgreSQL, of the network or of a pooler between means: whether one statement is wrong, whether to try again. */
import { SqlFault } from './driver.ts';

/** The server's own code; empty where it said nothing. */
export const codeOf = (error: unknown): string =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  /^[0-9A-Z]{5}$/.test(error.code)
    ? error.code
    : '';

/** SQLSTATE classes 22 (data exception) and 23 (constraint): this statement's values are wrong. All else: the database is. */
const isOfCommand = (code: string): boolean => /^2[23]/.test(code);

/**
 * The server is there no more, or not yet, or is not the one that writes: connection exceptions (08; a pooler's word for a
 * server that it cannot reach too), shut down, crashed or starting (57P01 to 57P03), out of connections (53300), a standby
 * (25006), and a session that it ended because it was idle (25P03, 57P05).
 */
const isGone = (code: string): boolean => /^08|^57P0[1235]$|^53300$|^25006$|^25P03$/.test(code);

/** Two writers met: serialization failure, deadlock, a lock that was not to be had. */
const isConflict = (code: string): boolean => code === '40001' || code === '40P01' || code === '55P03';

/** A row that no partition has room for (23514, and no constraint is named): somebody is making one (partitions.ts). */
const hasNoRoom = (error: Error): boolean =>
  codeOf(error) === '23514' && !('constraint' in error && typeof error.constraint === 'string');

/** @returns any fault as it is; a bug of ours (no Error of `pg`'s or Node's) too. */
export function faultOf(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SqlFault) return error;
  const code = codeOf(error);
  const noRoom = hasNoRoom(error);
  const scope = isOfCommand(code) && !noRoom ? 'command' : 'database';
  // Without a word of the server it is the network, or a connection that broke.
  const again = isAway(error) || isConflict(code) || noRoom;
  return new SqlFault(`PostgreSQL: ${error.message}${whatNext(error, code)}`, scope, error, again);
}

/** What an operator does about a database that cannot be connected to; empty where the message says it, or nobody knows. */
function whatNext(error: Error, code: string): string {
  if (code === '3D000') return ' (create it, or name another in the URL)';
  if (code === '28P01' || code === '28000')
    return ' (check user and password of the URL, and pg_hba.conf; percent-encode what is special in the password)';
  if (error.message.includes('does not support SSL'))
    return ' (turn TLS on there, or say sslmode=disable in the URL)';
  const at = 'code' in error ? error.code : undefined;
  return at === 'ECONNREFUSED' || at === 'ENOTFOUND' || at === 'EHOSTUNREACH'
    ? ' (does it run, and listen at this host and port?)'
    : '';
}

/** Whether this is no answer to a statement, but the lack of a database that could answer. */
export function isAway(error: unknown): boolean {
  const cause = error instanceof SqlFault ? (error.cause ?? error) : error;
  if (cause instanceof SqlFault) return cause.again;
  const code = codeOf(cause);
  return code === '' ? cause instanceof Error : isGone(code);
}

/** As a fault that may be tried again: nothing was written. */
export const lost = (why: string, cause?: unknown): SqlFault =>
  new SqlFault(`PostgreSQL: ${why}`, 'database', cause, true);
