/** Sessions of people, and what was begun in a browser: opened, ended, finished. Each end of a session is an entry. */
import { sessionIdOf, type SessionRow } from '../accounts.ts';
import { spentFor } from '../begun.ts';
import type {
  EndSessionsCommand,
  FinishCommand,
  SeenNotesCommand,
  SeenSessionCommand,
} from '../command-people.ts';
import { aboutNothing } from '../entry.ts';
import type { Loaded, Step } from '../loaded.ts';
import { noteOf } from '../note.ts';
import { ok } from '../result.ts';
import { refuse } from '../refusal.ts';
import { data, done, refused } from './common.ts';

/** Uses up what was begun. Whoever cannot finish it learns nothing of it, and leaves it as it is. */
export function finish(command: FinishCommand, loaded: Loaded): Step {
  const row = loaded.begun.find((one) => one.hash === command.hash);
  const spent = spentFor(row, command.of, { person: command.person, nowMs: loaded.nowMs });
  if (row === undefined || spent !== undefined || (command.body !== undefined && command.body !== row.body))
    return refused(
      refuse(
        'unauthenticated',
        'This was finished already, took too long, or was begun elsewhere; begin again.',
        {
          why: spent ?? 'begun elsewhere',
        },
      ),
    );
  const begun = { ...row, usedAtMs: loaded.nowMs };
  return { ...done, answer: ok({ kind: 'begun', begun }), writes: [{ row: 'begun', begun }] };
}

/** Ends sessions of a person, by that person. Ending none is done, too. */
export function endSessions({ person, which }: EndSessionsCommand, loaded: Loaded): Step {
  const all = (loaded.sessions ?? []).filter((one) => one.person === person);
  const ending = all.filter((one) => ends(one, which));
  if (ending.length === 0) return done;
  return {
    ...done,
    writes: [
      ...ending.map((one) => ({ row: 'sessionEnded', hash: one.hash }) as const),
      {
        row: 'note',
        note: noteOf({
          person,
          kind: 'sessions.ended',
          body: { sessions: ending.map((one) => sessionIdOf(one.hash)) },
          atMs: loaded.nowMs,
        }),
      },
    ],
    entries: [
      {
        type: 'person.signed_out',
        by: { kind: 'person', id: person },
        about: aboutNothing,
        subject: null,
        data: data({ channel: 'web', which: which.kind, sessions: ending.length }),
      },
    ],
  };
}

function ends(session: SessionRow, which: EndSessionsCommand['which']): boolean {
  switch (which.kind) {
    case 'all':
      return true;
    case 'others':
      return session.hash !== which.but;
    case 'one':
      return sessionIdOf(session.hash) === which.id;
  }
}

export const seenSession = ({ sessionHash }: SeenSessionCommand): Step => ({
  ...done,
  writes: [{ row: 'sessionSeen', hash: sessionHash }],
});

export const seenNotes = ({ person }: SeenNotesCommand): Step => ({
  ...done,
  writes: [{ row: 'notesSeen', person }],
});
