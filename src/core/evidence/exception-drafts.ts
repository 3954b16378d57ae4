/** The sentences and names of exceptions: what of the entries, the scope and the people is one, without its answers. */
import type { Entry, EntryType } from '../entry.ts';
import type { PersonId } from '../ids.ts';
import { clock, counted, line, listed, say, short, type Shown } from '../render/shown.ts';
import { duration } from '../time.ts';
import type { Exception, ExceptionKind } from './model-exceptions.ts';
import type { PopulationRow } from './model-rows.ts';
import {
  fastMs,
  type PolicyVersion,
  type Reconciliation,
  type Roster,
  type Scope,
} from './model-sections.ts';
import { countAt, peopleAt, personAt, textAt, timeOf } from './read.ts';
import { spanWords } from './scope.ts';
import type { History } from './versions.ts';

/** Rows and entries that one exception names. */
export const namedMax = 100;

/** An exception before anybody has answered. */
export type Draft = Omit<Exception, 'answers'>;

/** Rows that are one exception together. */
export interface Group {
  count: number;
  readonly rows: number[];
  readonly entries: number[];
}

const named = (kind: ExceptionKind, what: string | number) => ({
  kind,
  name: `${kind}/${what}`,
  fromMs: null,
  toMs: null,
  entries: [],
  rows: [],
  count: 1,
});

const at = (ms: number | null): Pick<Draft, 'fromMs' | 'toMs'> => ({ fromMs: ms, toMs: ms });

const ofEntry = (
  entry: Entry,
  kind: ExceptionKind,
  text: Shown,
  what: string | number = entry.index,
): Draft => ({
  ...named(kind, what),
  text,
  ...at(timeOf(entry)),
  entries: [entry.index],
});

/** Its payload is gone, and nothing says that it was erased. */
export const tamperedDraft = (entry: Entry): Draft =>
  ofEntry(
    entry,
    'tampered',
    say`The payload of entry ${entry.index} (${entry.type}) is gone, and no entry says that it was erased.`,
  );

/** What of one row is an exception by itself. @param within indexes of the period, both inclusive */
export function rowDrafts(
  row: PopulationRow,
  within: { readonly from: number; readonly to: number },
  carried: boolean,
): readonly Draft[] {
  const rows = carried ? [] : [row.row];
  const fast = row.reviews.filter(
    ({ decision, afterMs, index }) =>
      decision === 'approve' &&
      afterMs !== null &&
      afterMs < fastMs &&
      index >= within.from &&
      index <= within.to,
  );
  const { startedIndex, startedAtMs, run } = row;
  return [
    ...fast.map((one) => ({
      ...named('fast-approval', one.index),
      text: say`${one.name} approved ${secondsWords(one.afterMs)} after it was asked: ${row.headline}`,
      ...at(one.atMs),
      entries: [one.index],
      rows,
    })),
    ...(run === 'running' && startedIndex !== null && startedIndex >= within.from
      ? [
          {
            ...named('in-doubt', startedIndex),
            text: say`It started, and the period has no end of it: ${row.headline}`,
            ...at(startedAtMs),
            entries: [startedIndex],
            rows,
          },
        ]
      : []),
    // A row of an earlier period was checked there.
    ...row.checks
      .filter(({ result }) => result === 'failed' && !carried)
      .map(({ name, why, entries }) => ({
        ...named('failed-check', `${row.index}:${name}`),
        text: say`Row ${row.row}: ${why}`,
        ...at(row.askedAtMs),
        entries,
        rows,
      })),
  ];
}

const secondsWords = (ms: number | null): string => (ms === null ? '?' : `${(ms / 1000).toFixed(1)} s`);

/** Entries that are exceptions by themselves, by their types. */
type Told = (
  entry: Entry,
  word: (name: string) => Shown,
  nameOf: (person: PersonId) => Shown,
) => Draft | undefined;

const byType: { readonly [One in EntryType]?: Told } = {
  'execution.unknown': (entry, word) =>
    ofEntry(entry, 'unknown-outcome', say`Nobody knows how a run ended: ${word('detail')}`),
  'payloads.erased': (entry, word) =>
    ofEntry(
      entry,
      'erased',
      say`${counted(countAt(entry.data, 'count') ?? 0, 'payload')} erased: ${word('reason')}`,
    ),
  'log.late': (entry, word) =>
    ofEntry(
      entry,
      'late',
      say`${word('what')} ${word('name')} late since ${word('since')}: ${word('detail')}`,
    ),
  'log.opened': (entry, word) =>
    textAt(entry.data, 'reason') === null
      ? undefined
      : ofEntry(entry, 'origin', say`The log goes on as ${word('origin')}: ${word('reason')}`),
  'store.restored': (entry) => ofEntry(entry, 'restored', line('The store was restored from a backup.')),
  'glass.opened': (entry, word, nameOf) => {
    const asker = personAt(entry.data, 'asker');
    const approvers = peopleAt(entry.data, 'approvers') ?? [];
    const who = asker === null ? line('somebody') : nameOf(asker);
    const until = Date.parse(textAt(entry.data, 'until') ?? '');
    return ofEntry(
      entry,
      'break-glass',
      say`Break-glass for ${word('operation')} of ${word('agent')} until ${Number.isNaN(until) ? '?' : clock(until)} at the latest; asked for by ${who}, approved by ${approvers.length === 0 ? 'nobody who is named' : listed(approvers.map(nameOf))}: ${word('reason')}`,
      textAt(entry.data, 'glass') ?? entry.index,
    );
  },
  'servers.accepted': (entry) => acceptedEntry(entry),
};

/** Undefined where an entry is none. */
export const draftOf = (entry: Entry, nameOf: (person: PersonId) => Shown): Draft | undefined =>
  byType[entry.type]?.(entry, (name) => short(textAt(entry.data, name) ?? '?', 300), nameOf);

/** What was accepted without people; policies and directories are told with their versions. */
function acceptedEntry(entry: Entry): Draft | undefined {
  const how = textAt(entry.data, 'how');
  const version = countAt(entry.data, 'version') ?? '?';
  if (how === 'machine')
    return ofEntry(
      entry,
      'machine',
      say`Servers and operations, version ${version}, were accepted at the machine.`,
    );
  return how === 'found'
    ? ofEntry(entry, 'unreviewed', say`Servers and operations, version ${version}, were accepted as found.`)
    : undefined;
}

/** What the store has of an accepted version is not what the log says was accepted. */
export const alteredDrafts = ({ policies, directory, servers }: History): readonly Draft[] =>
  [...policies, ...directory, ...servers]
    .filter(({ altered }) => altered)
    .flatMap(({ entry, version }) =>
      entry === null
        ? []
        : [
            ofEntry(
              entry,
              'tampered',
              say`The store’s version ${version} of what entry ${entry.index} (${entry.type}) put in force is not what the log names by its digest.`,
            ),
          ],
    );

export function acceptedDrafts(policies: readonly PolicyVersion[], roster: Roster): readonly Draft[] {
  const all = [
    ...policies.filter(({ atStart }) => !atStart).map((one) => ({ what: 'Policies', one })),
    ...roster.changes.map((one) => ({ what: 'People, groups and agents', one })),
  ];
  return all.flatMap(({ what, one }) => {
    const { how, index, atMs, version } = one;
    if (index === null || (how !== 'machine' && how !== 'found')) return [];
    const kind = how === 'machine' ? 'machine' : 'unreviewed';
    return [
      {
        ...named(kind, index),
        text: say`${what}, version ${version}: ${one.howWords}.`,
        ...at(atMs),
        entries: [index],
      },
    ];
  });
}

export function observedDrafts(scope: Scope, rows: ReadonlyMap<string, Group>): readonly Draft[] {
  const drafts = scope.observed.map((one): Draft => {
    const ofIt = [...rows].filter(
      ([operation]) => operation === one.name || operation.startsWith(`${one.name}___`),
    );
    const count = ofIt.reduce((total, [, each]) => total + each.count, 0);
    return {
      ...named('observe', one.fromIndex === null ? one.name : `${one.name}:${one.fromIndex}`),
      text: say`${one.name} was only observed ${spanWords(one, clock)}: nothing was held there.`,
      fromMs: one.fromMs,
      toMs: one.toMs,
      entries: [one.fromIndex, one.toIndex].filter((index) => index !== null),
      rows: ofIt.flatMap(([, each]) => each.rows).slice(0, namedMax),
      count,
    };
  });
  // What passed as observed although no period says so is still told.
  const told = new Set(scope.observed.map(({ name }) => name));
  const others = [...rows].filter(
    ([operation]) => !told.has(operation) && ![...told].some((name) => operation.startsWith(`${name}___`)),
  );
  return [
    ...drafts,
    ...others.map(([operation, one]): Draft => ({
      ...named('observe', operation),
      text: say`${counted(one.count, 'action')} of ${operation} passed as only observed.`,
      entries: one.entries,
      rows: one.rows,
      count: one.count,
    })),
  ];
}

export const cooperativeDraft = (operation: string, { count, rows, entries }: Group): Draft => ({
  ...named('cooperative', operation),
  text: say`${counted(count, 'run')} of ${operation} in the agents’ own processes: what they did, and when, is what they reported.`,
  entries,
  rows,
  count,
});

export const downtimeDrafts = ({ downtimes }: Scope): readonly Draft[] =>
  downtimes.map((one) => ({
    ...named('downtime', one.untilIndex),
    text: say`For at most ${duration(one.untilMs - one.sinceMs)} no gate ran: it had ${one.clean ? 'been stopped in order' : 'ended without saying so'}${one.lost === null || one.lost === 0 ? '' : `, with ${counted(one.lost, 'run')} under way`}.`,
    fromMs: one.sinceMs,
    toMs: one.untilMs,
    entries: [one.sinceIndex, one.untilIndex],
  }));

export const leaverDrafts = ({ leavers }: Roster): readonly Draft[] =>
  leavers
    .filter(({ actedAfter }) => actedAfter.length > 0)
    .map((one) => ({
      ...named('leaver', one.person),
      text: say`${one.name} did something after they had left: ${counted(one.actedAfter.length, 'entry', 'entries')}.`,
      ...at(one.atMs),
      entries: one.actedAfter,
      count: one.actedAfter.length,
    }));

export const targetDrafts = (reconciliations: readonly Reconciliation[]): readonly Draft[] =>
  reconciliations
    .filter(({ targetOnly }) => targetOnly > 0)
    .map((one) => ({
      ...named('target-only', one.id),
      text: say`The target’s own record (${one.source}) has ${counted(one.targetOnly, 'row')} that the gate did not let through. Each is on the gate’s page /reconciliations/${one.id}.`,
      ...at(one.atMs),
      entries: [one.index],
      count: one.targetOnly,
    }));
