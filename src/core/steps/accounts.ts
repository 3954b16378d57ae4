/**
 * Accounts of people: signing in with one, attaching and taking away, and the second person who makes a new one count. Keys are
 * compared byte by byte; an account that is taken away stays with its person, so that nobody else ever gets it.
 */
import { isFresh, sameAccount, type Account } from '../accounts.ts';
import { peopleOfEmail, refusesConfirming } from '../claims.ts';
import type {
  ConfirmAccountCommand,
  LinkAccountCommand,
  SignInWithCommand,
  UnlinkAccountCommand,
} from '../command-people.ts';
import { personIn } from '../directory.ts';
import type { Loaded, Step } from '../loaded.ts';
import { noteOf } from '../note.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { err, ok, type Result } from '../result.ts';
import { rfc3339 } from '../time.ts';
import { attached, entry, keyOf, known, linkedNote, mine } from './account-rows.ts';
import { attachedAlso } from './accounts-also.ts';
import { refusesCode } from './chat-codes.ts';
import { refusesLinkOf, usedLink } from './chat-links.ts';
import { claimed } from './claims.ts';
import { done, refused } from './common.ts';

/** Opens a session for the person of an account. What the provider claims is taken over with it. */
export function signInWith(command: SignInWithCommand, loaded: Loaded): Step {
  const { account, sessionHash, expiresAtMs, authAtMs } = command;
  const found = personOf(command, loaded);
  if (!found.ok) {
    const { code, evidence } = found.error;
    return refused(found.error, [
      entry('account.refused', { kind: 'gate' }, { account: keyOf(account), code, ...evidence }),
    ]);
  }
  const { row, isNew } = found.value;
  const by = { kind: 'person', id: row.person } as const;
  const claims = claimed(row.person, account.issuer, command, loaded);
  const also = attachedAlso(row, command.also ?? [], loaded);
  return {
    answer: ok({ kind: 'person', person: row.person }),
    writes: [
      { row: 'account', account: { ...row, display: account.display } },
      ...(isNew ? [linkedNote(row, loaded.nowMs)] : []),
      ...also.writes,
      ...claims.writes,
      {
        row: 'session',
        session: {
          hash: sessionHash,
          person: row.person,
          openedAtMs: loaded.nowMs,
          seenAtMs: loaded.nowMs,
          expiresAtMs,
          via: { kind: 'account', account: keyOf(account) },
          // A provider's clock that is ahead proves nothing of the future.
          authAtMs: Math.min(authAtMs, loaded.nowMs),
        },
      },
    ],
    entries: [
      ...(isNew
        ? [
            entry(
              'account.linked',
              { kind: 'gate' },
              {
                person: row.person,
                account: keyOf(row),
                countsFrom: rfc3339(row.countsFromMs),
                how: 'email',
              },
            ),
          ]
        : []),
      ...also.entries,
      entry('person.signed_in', by, { channel: 'web', account: keyOf(account) }),
      ...claims.entries,
    ],
    notices: [],
  };
}

interface Found {
  readonly row: Account;
  /** Attached now, by its e-mail address. */
  readonly isNew: boolean;
}

function personOf(command: SignInWithCommand, loaded: Loaded): Result<Found, Refusal> {
  const { account, email } = command;
  const row = known(account, loaded);
  if (row !== undefined) {
    if (row.endedAtMs !== null)
      return err(refuse('unauthenticated', 'This account was taken away from its person.', { why: 'ended' }));
    return personIn(loaded.directory, row.person) === undefined
      ? err(refuse('unauthenticated', 'The person of this account may not sign in.', { why: 'person' }))
      : ok({ row, isNew: false });
  }
  if (email === null)
    return err(refuse('unauthenticated', 'This account belongs to nobody here yet.', { why: 'unknown' }));
  const people = peopleOfEmail(loaded.directory, email);
  const [person] = people;
  if (person === undefined || people.length > 1)
    return err(
      refuse(
        'unauthenticated',
        'The e-mail address of this account is that of nobody here, or of several people; it decides nothing.',
        { why: people.length === 0 ? 'email of nobody' : 'email of several' },
      ),
    );
  // An address can be given to another: it attaches the first account, and never one beside another.
  if (mine(person.id, loaded).length > 0)
    return err(
      refuse(
        'unauthenticated',
        'The person of this e-mail address has an account already; sign in with that one to link another.',
        { why: 'email of somebody with an account' },
      ),
    );
  return ok({ row: attached(person.id, account, loaded, command.coolOffMs), isNew: true });
}

/** Attaches an account to a person who has just proven who they are, on both sides. */
export function linkAccount(command: LinkAccountCommand, loaded: Loaded): Step {
  const { person, account, way } = command;
  const by = { kind: 'person', id: person } as const;
  const refusal = refusesLink(command, loaded);
  if (refusal !== undefined)
    return refused(refusal, [
      entry('account.refused', by, {
        person,
        account: keyOf(account),
        code: refusal.code,
        ...refusal.evidence,
      }),
    ]);
  const row = attached(person, account, loaded, command.coolOffMs);
  return {
    ...done,
    writes: [{ row: 'account', account: row }, ...usedLink(command, loaded), linkedNote(row, loaded.nowMs)],
    entries: [
      entry('account.linked', by, {
        person,
        account: keyOf(row),
        countsFrom: rfc3339(row.countsFromMs),
        how: command.link !== undefined ? 'chat link' : command.code === null ? 'sign-in' : 'code',
        via: way.via,
      }),
    ],
  };
}

function refusesLink(command: LinkAccountCommand, loaded: Loaded): Refusal | undefined {
  const { person, account, way, code } = command;
  if (personIn(loaded.directory, person) === undefined)
    return refuse('not_permitted', 'Only a person of the directory links an account.', { why: 'person' });
  if (!isFresh(way, loaded.nowMs))
    return refuse('not_permitted', 'Sign in again first: an account is linked within five minutes of that.', {
      why: 'not fresh',
    });
  const row = known(account, loaded);
  if (row !== undefined && row.person !== person)
    return refuse('not_permitted', 'This account belongs to another person, and stays with them.', {
      why: 'of another person',
    });
  if (row?.endedAtMs === null)
    return refuse('not_permitted', 'This account is yours already.', { why: 'linked already' });
  if (command.link !== undefined) return refusesLinkOf({ ...command, link: command.link }, loaded);
  if (code !== null) return refusesCode({ ...command, code }, loaded);
  // A provider vouches for its account where it is linked; for an account of a chat, nobody has spoken yet.
  return account.kind === 'oidc'
    ? undefined
    : refuse(
        'not_permitted',
        'An account of a chat is linked by a code that it sent, or a link that it got.',
        {
          why: 'no proof',
        },
      );
}

/** Takes an account away, ends what was opened with it, and what its provider claimed. */
export function unlinkAccount(command: UnlinkAccountCommand, loaded: Loaded): Step {
  const { person, account } = command;
  const row = known(account, loaded);
  if (row?.endedAtMs !== null || row.person !== person)
    return refused(refuse('not_found', 'You have no such account.'));
  const by = { kind: 'person', id: person } as const;
  const others = mine(person, loaded).some(
    (one) => one.endedAtMs === null && one.issuer === row.issuer && !sameAccount(one, row),
  );
  const claims = others
    ? { writes: [], entries: [] }
    : claimed(person, row.issuer, { groups: [], coolOffMs: 0 }, loaded);
  return {
    ...done,
    writes: [
      { row: 'account', account: { ...row, endedAtMs: loaded.nowMs } },
      { row: 'sessionsEnded', person, account: keyOf(row) },
      ...claims.writes,
      {
        row: 'note',
        note: noteOf({
          person,
          kind: 'account.unlinked',
          body: { ...keyOf(row), display: row.display },
          atMs: loaded.nowMs,
        }),
      },
    ],
    entries: [entry('account.unlinked', by, { person, account: keyOf(row) }), ...claims.entries],
  };
}

/** An admin who is somebody else says that a new account is its person's: from then on it counts. */
export function confirmAccount(command: ConfirmAccountCommand, loaded: Loaded): Step {
  const { by, way, account } = command;
  const row = known(account, loaded);
  if (row?.endedAtMs !== null) return refused(refuse('not_found', 'There is no such account.'));
  const refusal = refusesConfirming(by, way?.countsFromMs ?? 0, row.person, loaded);
  if (refusal !== undefined)
    return refused(refusal, [
      entry(
        'account.refused',
        { kind: 'person', id: by },
        {
          person: row.person,
          account: keyOf(row),
          code: refusal.code,
          why: 'may not confirm',
        },
      ),
    ]);
  if (row.countsFromMs <= loaded.nowMs) return done;
  return {
    ...done,
    writes: [
      { row: 'account', account: { ...row, countsFromMs: loaded.nowMs, confirmedBy: by } },
      {
        row: 'note',
        note: noteOf({
          person: row.person,
          kind: 'account.confirmed',
          body: { ...keyOf(row), display: row.display, by },
          atMs: loaded.nowMs,
        }),
      },
    ],
    entries: [
      entry('account.confirmed', { kind: 'person', id: by }, { person: row.person, account: keyOf(row) }),
    ],
  };
}
