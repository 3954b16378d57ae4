/**
 * Accounts of chats that come with a sign-in: a provider that keeps somebody's account of a chat as well vouches for both in one
 * token, so that nobody has to link the second by hand.
 *
 * Promise: none of it can fail the sign-in, or take an account from anybody: one that is somebody else's stays with them, and
 * one that its person has taken away does not come back by itself.
 */
import type { Account } from '../accounts.ts';
import type { Vouched } from '../command-people.ts';
import type { EntryDraft } from '../entry.ts';
import type { Loaded, Write } from '../loaded.ts';
import { rfc3339 } from '../time.ts';
import { entry, keyOf, known, linkedNote, newAccount } from './account-rows.ts';

/** What a sign-in attaches besides. @param by the account that was signed in with, as it is attached to its person. */
export function attachedAlso(
  by: Account,
  also: readonly Vouched[],
  loaded: Loaded,
): { readonly writes: readonly Write[]; readonly entries: readonly EntryDraft[] } {
  const steps = also.map((account) => alsoOne(by, account, loaded));
  return {
    writes: steps.flatMap((one) => one.writes),
    entries: steps.flatMap((one) => one.entries),
  };
}

const nothing = { writes: [], entries: [] };

function alsoOne(by: Account, account: Vouched, loaded: Loaded): ReturnType<typeof attachedAlso> {
  const row = known(account, loaded);
  if (row !== undefined && row.person !== by.person)
    return {
      writes: [],
      entries: [
        entry(
          'account.refused',
          { kind: 'gate' },
          {
            person: by.person,
            account: keyOf(account),
            code: 'not_permitted',
            why: 'of another person',
            with: keyOf(by),
          },
        ),
      ],
    };
  if (row !== undefined) return nothing;
  // It is as good as the account that vouches for it: no sooner, and no later.
  const made = newAccount(by.person, account, { nowMs: loaded.nowMs, countsFromMs: by.countsFromMs });
  return {
    writes: [{ row: 'account', account: made }, linkedNote(made, loaded.nowMs)],
    entries: [
      entry(
        'account.linked',
        { kind: 'gate' },
        {
          person: made.person,
          account: keyOf(made),
          countsFrom: rfc3339(made.countsFromMs),
          how: 'with a sign-in',
          with: keyOf(by),
        },
      ),
    ],
  };
}
