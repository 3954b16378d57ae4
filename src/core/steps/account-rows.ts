/** What the steps about accounts share: how one is found, how a new one is made, and how entries and notes name it. */
import { sameAccount, type Account, type AccountKey } from '../accounts.ts';
import type { By } from '../case.ts';
import type { Vouched } from '../command-people.ts';
import { aboutNothing, type EntryDraft } from '../entry.ts';
import type { PersonId } from '../ids.ts';
import type { Loaded, Needs, Write } from '../loaded.ts';
import { noteOf } from '../note.ts';
import { data } from './common.ts';

type AccountEntry = `account.${'linked' | 'unlinked' | 'confirmed' | 'refused'}` | 'person.signed_in';

export const entry = (type: AccountEntry, by: By, fields: object): EntryDraft => ({
  type,
  by,
  about: aboutNothing,
  subject: null,
  data: data(fields),
});

/** What an entry names an account by: its key. */
export const keyOf = ({ kind, issuer, subject }: AccountKey): AccountKey => ({ kind, issuer, subject });

export const accountNeeds = (
  key: AccountKey | null,
  people: readonly PersonId[] = [],
  more: { readonly email?: string | null; readonly also?: readonly AccountKey[] } = {},
): Needs => ({ rows: 'nothing', accounts: { key, people, ...more } });

export const known = (key: AccountKey, loaded: Loaded): Account | undefined =>
  loaded.accounts?.find((one) => sameAccount(one, key));

export const mine = (person: PersonId, loaded: Loaded): readonly Account[] =>
  (loaded.accounts ?? []).filter((one) => one.person === person);

/** An account as it is when it is attached. @param countsFromMs from when it counts for approving. */
export const newAccount = (
  person: PersonId,
  account: Vouched,
  at: { readonly nowMs: number; readonly countsFromMs: number },
): Account => ({
  ...keyOf(account),
  person,
  display: account.display,
  atMs: at.nowMs,
  countsFromMs: at.countsFromMs,
  confirmedBy: null,
  endedAtMs: null,
});

/** A person's first account counts at once; whatever follows one, taken away or not, after the cool-off. */
export function attached(person: PersonId, account: Vouched, loaded: Loaded, coolOffMs: number): Account {
  const { nowMs } = loaded;
  const first = mine(person, loaded).length === 0;
  return newAccount(person, account, { nowMs, countsFromMs: first ? nowMs : nowMs + coolOffMs });
}

export const linkedNote = (account: Account, nowMs: number): Write => ({
  row: 'note',
  note: noteOf({
    person: account.person,
    kind: 'account.linked',
    body: { ...keyOf(account), display: account.display, countsFromMs: account.countsFromMs },
    atMs: nowMs,
  }),
});
