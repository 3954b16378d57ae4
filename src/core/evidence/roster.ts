/** Who was there: the roster at the start and at the end, each change of it, and who left. */
import { directoryChange } from '../config-change/people.ts';
import { adminsOf, personIn, type Directory, type Person } from '../directory.ts';
import type { Entry, EntryType } from '../entry.ts';
import { glassGroupOf } from '../glass.ts';
import type { PersonId } from '../ids.ts';
import { counted, say, short } from '../render/shown.ts';
import type { Leaver, Roster, RosterAt, RosterChange } from './model-sections.ts';
import { textAt, timeOf } from './read.ts';
import { acceptedByOf, type Version, type Versions } from './versions.ts';

/** Longest lists of a roster. */
const linesMax = 200;
const claimedMax = 500;
const actsMax = 100;

/** Adds entries in order; `done` tells the roster. */
export interface RosterFold {
  add(entry: Entry): void;
  done(): Roster;
}

/** Attempts that were refused; and signing out, which gives nothing. */
const refusals: ReadonlySet<EntryType> = new Set<EntryType>([
  'review.refused',
  'glass.refused',
  'account.refused',
  'passkey.refused',
  'click.refused',
]);
const harmless: ReadonlySet<EntryType> = new Set<EntryType>(['person.signed_out']);

/** A leaver while entries are added. */
interface Watched {
  readonly leaver: Omit<Leaver, 'actedAfter' | 'refusedAfter'>;
  readonly acted: number[];
  refused: number;
}

export function createRoster(versions: Versions<'directory'>): RosterFold {
  const watched = leaversOf(versions).map((leaver): Watched => ({ leaver, acted: [], refused: 0 }));
  const claimed: Roster['claimed'][number][] = [];
  const gone = (person: PersonId, index: number): Watched | undefined =>
    watched.find(
      ({ leaver }) =>
        leaver.person === person &&
        index > leaver.index &&
        (leaver.backIndex === null || index < leaver.backIndex),
    );
  return {
    add(entry) {
      if (entry.erased === true) return;
      if (entry.type === 'membership.changed' && claimed.length < claimedMax) claimed.push(claimOf(entry));
      if (entry.by.kind !== 'person' || watched.length === 0 || harmless.has(entry.type)) return;
      const one = gone(entry.by.id, entry.index);
      if (one === undefined) return;
      if (refusals.has(entry.type)) one.refused += 1;
      else if (one.acted.length < actsMax) one.acted.push(entry.index);
    },
    done: () => ({
      start: atOf(versions.find((one) => one.atStart)),
      end: atOf(versions.at(-1)),
      changes: changesOf(versions),
      leavers: watched.map(({ leaver, acted, refused }) => ({
        ...leaver,
        actedAfter: acted,
        refusedAfter: refused,
      })),
      claimed,
    }),
  };
}

function atOf(version: Version<'directory'> | undefined): RosterAt | null {
  if (version?.body == null) return null;
  const { people, roles } = version.body;
  return {
    version: version.version,
    people: people.map(({ id, name, groups, active }) => ({
      person: id,
      name: short(name, 120),
      groups,
      active: active !== false,
    })),
    operators: roles.operators,
    auditors: roles.auditors,
    admins: adminsOf(version.body),
    breakGlass: glassGroupOf(version.body),
  };
}

/** Each version with the one before it. */
function pairs(
  versions: Versions<'directory'>,
): readonly { readonly before: Directory | null; readonly now: Version<'directory'> }[] {
  return versions.flatMap((now, at) =>
    now.atStart ? [] : [{ before: versions[at - 1]?.body ?? null, now }],
  );
}

function changesOf(versions: Versions<'directory'>): readonly RosterChange[] {
  return pairs(versions).map(({ before, now }) => {
    const known = before !== null && now.body !== null;
    // Without policies every membership counts as read: only the words are taken.
    const says = known ? directoryChange(before, now.body, []).differences.map((one) => one.says) : [];
    const words = known ? (says.length > 0 ? says : ['nothing in it changed']) : [beforeWords(now)];
    const lines = words.slice(0, linesMax).map((one) => short(one, 300));
    return { version: now.version, ...acceptedByOf(now.entry, { lines: words.slice(0, linesMax) }), lines };
  });
}

/** Of a version without one before it. */
function beforeWords({ body, entry }: Version<'directory'>): string {
  if (body === null || textAt(entry?.data ?? {}, 'how') !== 'first') return 'what it was before is not known';
  const people = counted(body.people.length, 'person', 'people');
  return `the first: ${people} and ${counted(body.agents.length, 'agent')}`;
}

const isActive = (directory: Directory, person: PersonId): boolean =>
  personIn(directory, person) !== undefined;

function leaversOf(versions: Versions<'directory'>): readonly Watched['leaver'][] {
  const found: Watched['leaver'][] = [];
  const end = versions.at(-1)?.body ?? null;
  for (const [at, { before, now }] of pairs(versions).entries()) {
    const { body, entry } = now;
    if (before === null || body === null || entry === null) continue;
    const left = before.people.filter(({ id }) => isActive(before, id) && !isActive(body, id));
    const later = pairs(versions).slice(at + 1);
    for (const person of left)
      found.push({
        person: person.id,
        name: short(person.name, 120),
        how: body.people.some(({ id }) => id === person.id) ? 'deactivated' : 'left',
        atMs: timeOf(entry),
        index: entry.index,
        backIndex: backIn(later, person),
        stillOwns: end?.agents.filter(({ owners }) => owners.includes(person.id)).map(({ id }) => id) ?? [],
      });
  }
  return found;
}

const backIn = (later: ReturnType<typeof pairs>, { id }: Person): number | null =>
  later.find(({ now }) => now.body !== null && isActive(now.body, id))?.now.entry?.index ?? null;

function claimOf(entry: Entry): Roster['claimed'][number] {
  const { data } = entry;
  const word = (name: string) => short(textAt(data, name) ?? '?', 120);
  return {
    index: entry.index,
    atMs: timeOf(entry),
    text: say`${word('provider')}: ${word('person')} in ${word('group')}, ${word('how')}`,
  };
}
