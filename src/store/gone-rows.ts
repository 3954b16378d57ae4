/**
 * What is over with whoever is in the directory no more. An id can be given to somebody else later: nothing that let the one before
 * in, or spoke for them, may do so for the next.
 */
import type { Write } from '../core/loaded.ts';
import type { Driver } from './driver.ts';

/**
 * Revokes tokens and passkeys, takes accounts and claimed groups away, ends sessions, links, what was begun, and standing in.
 * True: the world that actions are judged in is another one now.
 */
export async function writeGone(
  driver: Driver,
  { people, agents }: Extract<Write, { row: 'gone' }>,
  nowMs: number,
): Promise<true> {
  const revoke =
    'UPDATE tokens SET revoked_at_ms = $1 WHERE kind = $2 AND principal_id = $3 AND revoked_at_ms IS NULL';
  for (const agent of agents) await driver.run(revoke, [nowMs, 'agent', agent]);
  for (const person of people) {
    await driver.run(revoke, [nowMs, 'person', person]);
    for (const sql of [
      'UPDATE passkeys SET revoked_at_ms = $1 WHERE person_id = $2 AND revoked_at_ms IS NULL',
      'UPDATE accounts SET ended_at_ms = $1 WHERE person_id = $2 AND ended_at_ms IS NULL',
      'UPDATE delegations SET ended_at_ms = $1 WHERE (from_person = $2 OR to_person = $2) AND ended_at_ms IS NULL',
    ])
      await driver.run(sql, [nowMs, person]);
    for (const table of ['memberships', 'sessions', 'links', 'begun'])
      await driver.run(`DELETE FROM ${table} WHERE person_id = $1`, [person]);
  }
  return true;
}
