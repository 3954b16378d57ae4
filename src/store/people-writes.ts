/** Sessions, accounts at providers and claimed memberships, written as rows. Each runs inside the transaction of its command. */
import type { Account, SessionRow, Via } from '../core/accounts.ts';
import type { Write } from '../core/loaded.ts';
import { SqlFault, type Driver } from './driver.ts';
import { accountColumns, membershipColumns, sessionColumns, sessionsMax } from './people-rows.ts';

export type PeopleWrite = Extract<
  Write,
  {
    row:
      | 'directoryVersion'
      | 'session'
      | 'sessionEnded'
      | 'sessionSeen'
      | 'sessionsEnded'
      | 'account'
      | 'membership'
      | 'membershipEnded'
      | 'chatCode'
      | 'notesSeen';
  }
>;

/** True where the world that actions are judged in is another one now. */
export async function writePeople(driver: Driver, write: PeopleWrite, nowMs: number): Promise<boolean> {
  switch (write.row) {
    case 'directoryVersion':
      await driver.run("UPDATE meta SET value = $1 WHERE key = 'directory'", [String(write.version)]);
      return true;
    case 'membership':
    case 'membershipEnded':
      await writeMembership(driver, write);
      return true;
    case 'account':
      await writeAccount(driver, write.account);
      return false;
    case 'chatCode': {
      const { hash, kind, person, body, expiresAtMs, usedAtMs } = write.begun;
      await driver.run(
        `INSERT INTO begun (hash, kind, person_id, body, expires_at_ms, used_at_ms) VALUES ($1, $2, $3, $4, $5, $6)
          ON CONFLICT (hash) DO UPDATE SET body = $4, expires_at_ms = $5, used_at_ms = $6`,
        [hash, kind, person, body, expiresAtMs, usedAtMs],
      );
      return false;
    }
    case 'notesSeen':
      await driver.run('UPDATE notes SET seen_at_ms = $2 WHERE person_id = $1 AND seen_at_ms IS NULL', [
        write.person,
        nowMs,
      ]);
      return false;
    case 'session':
    case 'sessionEnded':
    case 'sessionSeen':
    case 'sessionsEnded':
      await writeSessions(driver, write, nowMs);
      return false;
  }
}

async function writeSessions(
  driver: Driver,
  write: Extract<PeopleWrite, { row: 'session' | 'sessionEnded' | 'sessionSeen' | 'sessionsEnded' }>,
  nowMs: number,
): Promise<void> {
  switch (write.row) {
    case 'session':
      return writeSession(driver, write.session);
    case 'sessionEnded':
      await driver.run('DELETE FROM sessions WHERE hash = $1', [write.hash]);
      return;
    case 'sessionSeen':
      await driver.run('UPDATE sessions SET seen_at_ms = $2 WHERE hash = $1 AND seen_at_ms < $2', [
        write.hash,
        nowMs,
      ]);
      return;
    case 'sessionsEnded': {
      const { kind, issuer, subject } = write.account;
      const via = JSON.stringify({ kind: 'account', account: { kind, issuer, subject } } satisfies Via);
      await driver.run('DELETE FROM sessions WHERE person_id = $1 AND via = $2', [write.person, via]);
      return;
    }
  }
}

async function writeMembership(
  driver: Driver,
  write: Extract<PeopleWrite, { row: 'membership' | 'membershipEnded' }>,
): Promise<void> {
  const { person, group, provider, atMs, countsFromMs, confirmedBy } = write.membership;
  if (write.row === 'membershipEnded') {
    await driver.run('DELETE FROM memberships WHERE person_id = $1 AND group_id = $2 AND provider = $3', [
      person,
      group,
      provider,
    ]);
    return;
  }
  await driver.run(
    `INSERT INTO memberships (${membershipColumns}) VALUES ($1, $2, $3, $4, $5, $6)
      ON CONFLICT (person_id, group_id, provider) DO UPDATE SET at_ms = $4, counts_from_ms = $5, confirmed_by = $6`,
    [person, group, provider, atMs, countsFromMs, confirmedBy],
  );
}

async function writeSession(driver: Driver, session: SessionRow): Promise<void> {
  const { hash, person, openedAtMs, seenAtMs, expiresAtMs, via, authAtMs } = session;
  await driver.run(`INSERT INTO sessions (${sessionColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7)`, [
    hash,
    person,
    openedAtMs,
    seenAtMs,
    expiresAtMs,
    JSON.stringify(via),
    authAtMs,
  ]);
  await driver.run(
    `DELETE FROM sessions WHERE person_id = $1 AND hash NOT IN
      (SELECT hash FROM sessions WHERE person_id = $1 ORDER BY opened_at_ms DESC, hash LIMIT ${sessionsMax})`,
    [person],
  );
}

async function writeAccount(driver: Driver, account: Account): Promise<void> {
  const { kind, issuer, subject, person, display, atMs, countsFromMs, confirmedBy, endedAtMs } = account;
  const changed = await driver.run(
    `INSERT INTO accounts (${accountColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
      ON CONFLICT (kind, issuer, subject) DO UPDATE SET display = $5, at_ms = $6, counts_from_ms = $7, confirmed_by = $8, ended_at_ms = $9
      WHERE accounts.person_id = $4`,
    [kind, issuer, subject, person, display, atMs, countsFromMs, confirmedBy, endedAtMs],
  );
  // The second guard: an account belongs to one person, ever.
  if (changed !== 1) throw new SqlFault('an account would change its person', 'command');
}
