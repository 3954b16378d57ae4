/** Sign-in links and sessions. */
import type { LinkCommand, SignInCommand, SignOutCommand } from '../command-access.ts';
import { personIn } from '../directory.ts';
import { aboutNothing, type EntryDraft } from '../entry.ts';
import type { By } from '../case.ts';
import type { Loaded, Step } from '../loaded.ts';
import { ok } from '../result.ts';
import { refuse } from '../refusal.ts';
import { data, done, refused } from './common.ts';

const entry = (type: EntryDraft['type'], by: By, fields: object): EntryDraft => ({
  type,
  by,
  about: aboutNothing,
  subject: null,
  data: data(fields),
});

export function link(command: LinkCommand): Step {
  const { person, hash, expiresAtMs } = command;
  return {
    ...done,
    writes: [{ row: 'link', link: { hash, person, expiresAtMs, usedAtMs: null } }],
    entries: [entry('sign_in.issued', { kind: 'operator' }, { person, expiresAtMs })],
  };
}

export function signIn(command: SignInCommand, loaded: Loaded): Step {
  const row = loaded.link;
  const usable =
    row !== null &&
    row.usedAtMs === null &&
    loaded.nowMs < row.expiresAtMs &&
    personIn(loaded.directory, row.person) !== undefined;
  if (!usable)
    return refused(
      refuse(
        'unauthenticated',
        'This sign-in link was used, is too old or never existed; ask for a new one.',
      ),
    );
  return {
    answer: ok({ kind: 'person', person: row.person }),
    writes: [
      { row: 'link', link: { ...row, usedAtMs: loaded.nowMs } },
      {
        row: 'session',
        session: {
          hash: command.sessionHash,
          person: row.person,
          openedAtMs: loaded.nowMs,
          seenAtMs: loaded.nowMs,
          expiresAtMs: command.expiresAtMs,
          via: { kind: 'link' },
          authAtMs: loaded.nowMs,
        },
      },
    ],
    entries: [entry('person.signed_in', { kind: 'person', id: row.person }, { channel: 'web' })],
    notices: [],
  };
}

export const signOut = (command: SignOutCommand): Step => ({
  ...done,
  writes: [{ row: 'sessionEnded', hash: command.sessionHash }],
  entries: [entry('person.signed_out', { kind: 'person', id: command.person }, { channel: 'web' })],
});
