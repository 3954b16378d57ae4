/** Sessions, accounts at providers and claimed memberships, read from their rows; people-writes.ts writes them. */
import { sameAccount, type Account, type AccountKey, type SessionRow, type Via } from '../core/accounts.ts';
import { begunMax } from '../core/begun.ts';
import { chatKind } from '../core/chat-code.ts';
import { peopleOfEmail, withMemberships, type Membership } from '../core/claims.ts';
import { emptyDirectory, type Directory } from '../core/directory.ts';
import { asGroupId, asPersonId, type PersonId } from '../core/ids.ts';
import type { Loaded, Needs } from '../core/loaded.ts';
import type { Clock } from '../ports/clock.ts';
import type { PeopleReads, SessionFound } from '../ports/people.ts';
import { integer, integerOrNull, json, text, textOrNull } from './columns.ts';
import { SqlFault, type Queries, type Row } from './driver.ts';
import { readBegun } from './passkey-rows.ts';

/** Sessions of one person; opening one more ends the one that was opened first. */
export const sessionsMax = 100;
/** What waits to be confirmed, in one list. */
const unconfirmedMax = 200;

/** In the order in which they are written. */
export const sessionColumns = 'hash, person_id, opened_at_ms, seen_at_ms, expires_at_ms, via, auth_at_ms';

const sessionOf = (row: Row): SessionRow => ({
  hash: text(row, 'hash'),
  person: asPersonId(text(row, 'person_id')),
  openedAtMs: integer(row, 'opened_at_ms'),
  seenAtMs: integer(row, 'seen_at_ms'),
  expiresAtMs: integer(row, 'expires_at_ms'),
  // Written from a Via.
  via: json(row, 'via') as Via,
  authAtMs: integer(row, 'auth_at_ms'),
});

/** In the order in which they are written. */
export const accountColumns = `kind, issuer, subject, person_id, display, at_ms, counts_from_ms, confirmed_by, ended_at_ms`;

const personOrNull = (row: Row, column: string): PersonId | null => {
  const id = textOrNull(row, column);
  return id === null ? null : asPersonId(id);
};

const accountOf = (row: Row): Account => ({
  // CHECKed by the schema.
  kind: text(row, 'kind') as Account['kind'],
  issuer: text(row, 'issuer'),
  subject: text(row, 'subject'),
  person: asPersonId(text(row, 'person_id')),
  display: text(row, 'display'),
  atMs: integer(row, 'at_ms'),
  countsFromMs: integer(row, 'counts_from_ms'),
  confirmedBy: personOrNull(row, 'confirmed_by'),
  endedAtMs: integerOrNull(row, 'ended_at_ms'),
});

/** In the order in which they are written. */
export const membershipColumns = 'person_id, group_id, provider, at_ms, counts_from_ms, confirmed_by';

const membershipOf = (row: Row): Membership => ({
  person: asPersonId(text(row, 'person_id')),
  group: asGroupId(text(row, 'group_id')),
  provider: text(row, 'provider'),
  atMs: integer(row, 'at_ms'),
  countsFromMs: integer(row, 'counts_from_ms'),
  confirmedBy: personOrNull(row, 'confirmed_by'),
});

async function readAccount(from: Queries, key: AccountKey): Promise<Account | undefined> {
  const [row] = await from.query(
    `SELECT ${accountColumns} FROM accounts WHERE kind = $1 AND issuer = $2 AND subject = $3`,
    [key.kind, key.issuer, key.subject],
  );
  return row === undefined ? undefined : accountOf(row);
}

const readAccountsOf = async (from: Queries, person: PersonId): Promise<readonly Account[]> =>
  (
    await from.query(
      `SELECT ${accountColumns} FROM accounts WHERE person_id = $1 ORDER BY at_ms, kind, issuer, subject`,
      [person],
    )
  ).map(accountOf);

const readMembershipsOf = async (from: Queries, person: PersonId): Promise<readonly Membership[]> =>
  (
    await from.query(
      `SELECT ${membershipColumns} FROM memberships WHERE person_id = $1 ORDER BY group_id, provider`,
      [person],
    )
  ).map(membershipOf);

const readSessionsOf = async (
  from: Queries,
  person: PersonId,
  nowMs: number,
): Promise<readonly SessionRow[]> =>
  (
    await from.query(
      `SELECT ${sessionColumns} FROM sessions WHERE person_id = $1 AND expires_at_ms > $2
        ORDER BY seen_at_ms DESC, hash LIMIT ${sessionsMax}`,
      [person, nowMs],
    )
  ).map(sessionOf);

/** Open ones of a kind; no more are counted than are refused for. */
async function countBegun(from: Queries, kind: string, nowMs: number): Promise<number> {
  const [row] = await from.query(
    `SELECT count(*) AS n FROM (SELECT 1 AS one FROM begun WHERE kind = $1 AND used_at_ms IS NULL AND expires_at_ms > $2
      LIMIT ${begunMax}) AS open`,
    [kind, nowMs],
  );
  return row === undefined ? 0 : integer(row, 'n');
}

/** What a step about people reads. @param directory as it is merged: an address is looked up among its people. */
export async function readNeededPeople(
  from: Queries,
  needs: Needs,
  now: { readonly directory: Directory; readonly nowMs: number },
): Promise<Pick<Loaded, 'accounts' | 'memberships' | 'sessions' | 'begunOpen'>> {
  if (needs.begunOpen !== undefined) return { begunOpen: await countBegun(from, needs.begunOpen, now.nowMs) };
  const sessions =
    needs.sessions === undefined ? {} : { sessions: await readSessionsOf(from, needs.sessions, now.nowMs) };
  if (needs.memberships === 'all') {
    const rows = await from.query(
      `SELECT ${membershipColumns} FROM memberships ORDER BY person_id, group_id, provider`,
    );
    return { ...sessions, memberships: rows.map(membershipOf) };
  }
  if (needs.accounts === undefined) return sessions;
  const { key, people, email, also = [] } = needs.accounts;
  const row = key === null ? undefined : await readAccount(from, key);
  const named = row !== undefined || email == null ? [] : peopleOfEmail(now.directory, email);
  const whose = new Set([
    ...people,
    ...(row === undefined ? [] : [row.person]),
    ...named.map((one) => one.id),
  ]);
  const accounts: Account[] = row === undefined ? [] : [row];
  const memberships: Membership[] = [];
  for (const person of whose) {
    const theirs = await readAccountsOf(from, person);
    accounts.push(...theirs.filter((one) => row === undefined || !sameAccount(one, row)));
    memberships.push(...(await readMembershipsOf(from, person)));
  }
  for (const other of also) {
    const found = await readAccount(from, other);
    if (found !== undefined && !accounts.some((one) => sameAccount(one, found))) accounts.push(found);
  }
  return { ...sessions, accounts, memberships };
}

/**
 * The accepted directory with what providers claim, and the version that the two have together. One statement, so that both are
 * of one moment.
 */
export async function readMergedDirectory(
  from: Queries,
): Promise<{ readonly version: string; readonly directory: Directory }> {
  const rows = await from.query(
    `SELECT 'version' AS part, value AS body, '' AS group_id, '' AS provider, 0 AS counts_from_ms
      FROM meta WHERE key = 'directory'
    UNION ALL SELECT 'accepted', body, '', '', 0 FROM accepted
      WHERE what = 'directory' AND version = (SELECT max(version) FROM accepted WHERE what = 'directory')
    UNION ALL SELECT 'membership', person_id, group_id, provider, counts_from_ms FROM memberships`,
  );
  const of = (part: string): readonly Row[] => rows.filter((row) => text(row, 'part') === part);
  const [version] = of('version');
  const [accepted] = of('accepted');
  if (version === undefined) throw new SqlFault('the version directory is missing', 'database');
  // Only a Directory is accepted as one (AcceptCommand).
  const directory = accepted === undefined ? emptyDirectory : (json(accepted, 'body') as Directory);
  const memberships = of('membership').map((row) => ({
    person: asPersonId(text(row, 'body')),
    group: asGroupId(text(row, 'group_id')),
    provider: text(row, 'provider'),
    countsFromMs: integer(row, 'counts_from_ms'),
  }));
  return { version: text(version, 'body'), directory: withMemberships(directory, memberships) };
}

/** The reads of the port. */
export const readPeople = (db: Queries, clock: Clock): PeopleReads => ({
  async sessionOf(sessionHash) {
    const [row] = await db.query(
      `SELECT ${sessionColumns} FROM sessions WHERE hash = $1 AND expires_at_ms > $2`,
      [sessionHash, clock.nowMs()],
    );
    return row === undefined ? undefined : foundOf(db, sessionOf(row));
  },
  sessionsOf: (person) => readSessionsOf(db, person, clock.nowMs()),
  accountsOf: (person) => readAccountsOf(db, person),
  account: (key) => readAccount(db, key),
  membershipsOf: (person) => readMembershipsOf(db, person),
  async unconfirmed() {
    const now = clock.nowMs();
    const [accounts, memberships] = await Promise.all([
      db.query(
        `SELECT ${accountColumns} FROM accounts WHERE counts_from_ms > $1 AND ended_at_ms IS NULL
          ORDER BY at_ms, kind, issuer, subject LIMIT ${unconfirmedMax}`,
        [now],
      ),
      db.query(
        `SELECT ${membershipColumns} FROM memberships WHERE counts_from_ms > $1
          ORDER BY at_ms, person_id, group_id, provider LIMIT ${unconfirmedMax}`,
        [now],
      ),
    ]);
    return { accounts: accounts.map(accountOf), memberships: memberships.map(membershipOf) };
  },
  async chatCodeOf(person) {
    const [row] = await db.query(
      'SELECT hash FROM begun WHERE person_id = $1 AND kind = $2 AND expires_at_ms > $3 ORDER BY expires_at_ms DESC LIMIT 1',
      [person, chatKind, clock.nowMs()],
    );
    return row === undefined ? undefined : readBegun(db, text(row, 'hash'));
  },
});

/** A session counts from when its account does, and ends with it. */
async function foundOf(db: Queries, row: SessionRow): Promise<SessionFound | undefined> {
  const { via, authAtMs } = row;
  if (via.kind !== 'account') return { row, way: { via, countsFromMs: 0, authAtMs } };
  const account = await readAccount(db, via.account);
  return account?.endedAtMs !== null || account.person !== row.person
    ? undefined
    : { row, way: { via, countsFromMs: account.countsFromMs, authAtMs } };
}
