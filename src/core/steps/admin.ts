/** Accepting policies and directories; tokens, sign-in links and sessions. */
import type { AcceptCommand, LinkCommand, SignInCommand, SignOutCommand, TokenCommand } from '../command.ts';
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

export function accept(command: AcceptCommand, loaded: Loaded): Step {
  const version = (command.what === 'policies' ? loaded.versions.policySet : loaded.versions.directory) + 1;
  const versions =
    command.what === 'policies'
      ? { ...loaded.versions, policySet: version }
      : { ...loaded.versions, directory: version };
  return {
    answer: ok({ kind: 'accepted', versions }),
    writes: [{ row: 'accepted', what: command.what, version, body: command.body, digest: command.digest }],
    entries: [entry(`${command.what}.accepted`, command.by, { version, digest: command.digest })],
    notices: [],
  };
}

/** Works on an empty store too: an unknown person or agent gets a token that opens nothing until the directory names them. */
export function token(command: TokenCommand): Step {
  return {
    ...done,
    writes: [{ row: 'token', principal: command.principal, hash: command.hash }],
    entries: [entry('token.issued', { kind: 'operator' }, { for: command.principal })],
  };
}

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
      { row: 'session', hash: command.sessionHash, person: row.person, expiresAtMs: command.expiresAtMs },
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
