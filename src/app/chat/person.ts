/** Whose account it is that pressed. An account that nobody has, or had, is told how to become somebody's; it may do nothing. */
import type { AccountKey } from '../../core/accounts.ts';
import { personIn, type Directory, type Principal } from '../../core/directory.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Parts } from '../parts.ts';
import { keyOf } from './refused.ts';

export type Person = Extract<Principal, { readonly kind: 'person' }>;

/** Evidence of whom a link is offered to. */
export const unlinked = 'unlinked';

export async function personOf(
  { store }: Pick<Parts, 'store'>,
  account: AccountKey,
  directory: Directory,
): Promise<Result<Person, Refusal>> {
  const row = await store.account(keyOf(account));
  if (row === undefined)
    return err(
      refuse(
        'unauthenticated',
        'This account is not linked to anybody of the gate yet, so nothing was done. Link it to yourself, then press again.',
        { why: unlinked },
      ),
    );
  if (row.endedAtMs !== null)
    return err(
      refuse(
        'unauthenticated',
        'This account was taken away from its person, so nothing was done. Link it again under “Your account” on the web.',
        { why: 'ended', person: row.person },
      ),
    );
  if (personIn(directory, row.person) === undefined)
    return err(
      refuse('not_a_person', 'The person of this account may do nothing here any more.', {
        why: 'no active person',
        person: row.person,
      }),
    );
  const { countsFromMs } = row;
  return ok({
    kind: 'person',
    id: row.person,
    // Nobody says when they last proved themself to the chat: never lately enough for what asks for it.
    way: { via: { kind: 'account', account: keyOf(account) }, countsFromMs, authAtMs: 0 },
  });
}
