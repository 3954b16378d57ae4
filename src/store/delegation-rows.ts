/** Who stands in for whom, as rows. A row is never taken away: an ended one keeps when it ended. Both ways. */
import type { Delegation } from '../core/delegation.ts';
import { asDelegationId, asPersonId, type PersonId } from '../core/ids.ts';
import { integer, integerOrNull, text } from './columns.ts';
import type { Driver, Queries, Row } from './driver.ts';

const columns = 'id, from_person, to_person, at_ms, from_ms, until_ms, ended_at_ms';

/** Delegations of one person that a list answers; each has an end, and the newest stand first. */
const listMax = 200;

const delegationOf = (row: Row): Delegation => ({
  id: asDelegationId(text(row, 'id')),
  from: asPersonId(text(row, 'from_person')),
  to: asPersonId(text(row, 'to_person')),
  atMs: integer(row, 'at_ms'),
  fromMs: integer(row, 'from_ms'),
  untilMs: integer(row, 'until_ms'),
  endedAtMs: integerOrNull(row, 'ended_at_ms'),
});

/** Those that hold or will hold, in the order in which they were arranged. */
export async function readDelegations(from: Queries, nowMs: number): Promise<readonly Delegation[]> {
  const sql = `SELECT ${columns} FROM delegations WHERE ended_at_ms IS NULL AND until_ms > $1 ORDER BY at_ms, id`;
  return (await from.query(sql, [nowMs])).map(delegationOf);
}

/** Those that name a person, over or not, newest first. */
export async function readDelegationsOf(from: Queries, person: PersonId): Promise<readonly Delegation[]> {
  const sql = `SELECT ${columns} FROM delegations WHERE from_person = $1 OR to_person = $1
    ORDER BY at_ms DESC, id LIMIT ${listMax}`;
  return (await from.query(sql, [person])).map(delegationOf);
}

export async function writeDelegation(driver: Driver, one: Delegation): Promise<void> {
  await driver.run(
    `INSERT INTO delegations (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7)
      ON CONFLICT (id) DO UPDATE SET ended_at_ms = $7`,
    [one.id, one.from, one.to, one.atMs, one.fromMs, one.untilMs, one.endedAtMs],
  );
}
