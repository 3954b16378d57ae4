/** What the store knows of how people sign in: their sessions, their accounts at providers, and the groups that those claim. */
import type { Account, AccountKey, SessionRow, Way } from '../core/accounts.ts';
import type { Begun } from '../core/begun.ts';
import type { Membership } from '../core/claims.ts';
import type { PersonId } from '../core/ids.ts';

/** A session that is not too old, whose account is still its person's. */
export interface SessionFound {
  readonly row: SessionRow;
  readonly way: Way;
}

export interface PeopleReads {
  /** By SHA-256 of its token; undefined where it ended, is too old, or its account was taken away. */
  sessionOf(sessionHash: string): Promise<SessionFound | undefined>;
  /** Of one person, the one used last first; at most 100. */
  sessionsOf(person: PersonId): Promise<readonly SessionRow[]>;
  /** Of one person, oldest first, those that were taken away too. */
  accountsOf(person: PersonId): Promise<readonly Account[]>;
  account(key: AccountKey): Promise<Account | undefined>;
  membershipsOf(person: PersonId): Promise<readonly Membership[]>;
  /** Accounts and claimed memberships of everybody that do not count yet, oldest first; at most 200 of each. */
  unconfirmed(): Promise<{
    readonly accounts: readonly Account[];
    readonly memberships: readonly Membership[];
  }>;
  /** The newest code for a chat that this person asked for and that is not too old. */
  chatCodeOf(person: PersonId): Promise<Begun | undefined>;
}
