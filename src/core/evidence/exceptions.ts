/**
 * What an auditor has to look at. Each has a name that another making of the same evidence gives it too; lists are bounded, and what
 * is left out is counted. Names: model-exceptions.ts.
 */
import type { Entry, EntryType } from '../entry.ts';
import { asPersonId, type PersonId } from '../ids.ts';
import { clock, counted, line, say, short, type Shown } from '../render/shown.ts';
import { duration } from '../time.ts';
import { exceptionKinds, type Answered, type Exception, type ExceptionKind } from './model-exceptions.ts';
import { listedMax, type PopulationRow } from './model-rows.ts';
import { fastMs, type PolicyVersion, type Reconciliation, type Roster, type Scope } from './model-sections.ts';
import { countAt, objectAt, peopleAt, personAt, textAt, timeOf } from './read.ts';
import { spanWords } from './scope.ts';

/** Rows and entries that one exception names. */
const namedMax = 100;
/** Exceptions of one kind that are listed. */
export const ofKindMax = listedMax;

export interface ExceptionFold {
  /** An entry of the range, in order; `tampered`: its payload is gone and no entry says that it was erased. */
  add(entry: Entry, tampered: boolean): void;
  /** A row of the population; null for its number: it was asked before the period, and only what happened in it counts. */
  row(row: PopulationRow, within: { readonly from: number; readonly to: number }, carried: boolean): void;
  done(of: {
    readonly scope: Scope;
    readonly roster: Roster;
    readonly policies: readonly PolicyVersion[];
    readonly reconciliations: readonly Reconciliation[];
    readonly answers: readonly Answered[];
  }): {
    readonly exceptions: readonly Exception[];
    readonly leftOut: readonly { readonly kind: ExceptionKind; readonly count: number }[];
    readonly otherAnswers: readonly Answered[];
  };
}

type Draft = Omit<Exception, 'answers'>;

interface Group {
  count: number;
  readonly rows: number[];
  readonly entries: number[];
}

export function createExceptions(nameOf: (person: PersonId) => Shown): ExceptionFold {
  const kept: Draft[] = [];
  const left = new Map<ExceptionKind, number>();
  const listed = new Map<ExceptionKind, number>();
  const put = (draft: Draft): void => {
    const count = listed.get(draft.kind) ?? 0;
    if (count >= ofKindMax) {
      left.set(draft.kind, (left.get(draft.kind) ?? 0) + 1);
      return;
    }
    listed.set(draft.kind, count + 1);
    kept.push(draft);
  };
  const cooperative = new Map<string, Group>();
  const observed = new Map<string, Group>();
  const glasses = new Map<string, Group>();
  return {
    add(entry, tampered) {
      if (tampered) put(ofEntry(entry, 'tampered', say`The payload of entry ${entry.index} (${entry.type}) is gone, and no entry says that it was erased.`));
      if (entry.erased === true) return;
      const draft = draftOf(entry, nameOf);
      if (draft !== undefined) put(draft);
    },
    row(row, { from, to }, carried) {
      for (const one of row.reviews)
        if (one.decision === 'approve' && one.afterMs !== null && one.afterMs < fastMs && one.index >= from && one.index <= to)
          put({
            ...named('fast-approval', one.index),
            text: say`${one.name} approved ${one.afterMs} ms after it was asked: ${row.headline}`,
            ...at(one.atMs),
            entries: [one.index],
            rows: carried ? [] : [row.row],
          });
      if (row.run === 'running' && row.startedIndex !== null && row.startedIndex >= from)
        put({
          ...named('in-doubt', row.startedIndex),
          text: say`It started, and the period has no end of it: ${row.headline}`,
          ...at(row.startedAtMs),
          entries: [row.startedIndex],
          rows: carried ? [] : [row.row],
        });
      if (carried) return;
      if (row.enforcement === 'cooperative' && row.startedIndex !== null)
        group(cooperative, row.operation ?? '?', row);
      if (row.outcome === 'observed') group(observed, row.operation ?? '?', row);
      if (row.glass !== null) group(glasses, row.glass, row);
      for (const { name, result, why, entries } of row.checks)
        if (result === 'failed')
          put({
            ...named('failed-check', `${row.index}:${name}`),
            text: say`Row ${row.row}: ${why}`,
            ...at(row.askedAtMs),
            entries,
            rows: [row.row],
          });
    },
    done({ scope, roster, policies, reconciliations, answers }) {
      for (const draft of [
        ...observedDrafts(scope, observed),
        ...[...cooperative].map(([operation, one]) => cooperativeDraft(operation, one)),
        ...downtimeDrafts(scope),
        ...acceptedDrafts(policies, roster),
        ...leaverDrafts(roster),
        ...targetDrafts(reconciliations),
      ])
        put(draft);
      const answered = new Map<string, Answered[]>();
      for (const one of answers) answered.set(one.exception, [...(answered.get(one.exception) ?? []), one]);
      const exceptions = kept
        .map((draft): Exception => ({ ...withGlass(draft, glasses), answers: answered.get(draft.name) ?? [] }))
        .toSorted((a, b) => exceptionKinds.indexOf(a.kind) - exceptionKinds.indexOf(b.kind));
      const names = new Set(exceptions.map(({ name }) => name));
      return {
        exceptions,
        leftOut: [...left].map(([kind, count]) => ({ kind, count })),
        otherAnswers: answers.filter(({ exception }) => !names.has(exception)),
      };
    },
  };
}

function group(groups: Map<string, Group>, name: string, row: PopulationRow): void {
  const one = groups.get(name) ?? { count: 0, rows: [], entries: [] };
  one.count += 1;
  if (one.rows.length < namedMax) {
    one.rows.push(row.row);
    one.entries.push(row.index);
  }
  groups.set(name, one);
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

const ofEntry = (entry: Entry, kind: ExceptionKind, text: Shown, what: string | number = entry.index): Draft => ({
  ...named(kind, what),
  text,
  ...at(timeOf(entry)),
  entries: [entry.index],
});

/** Entries that are exceptions by themselves. */
function draftOf(entry: Entry, nameOf: (person: PersonId) => Shown): Draft | undefined {
  const { data } = entry;
  const word = (name: string): Shown => short(textAt(data, name) ?? '?', 300);
  switch (entry.type) {
    case 'execution.unknown':
      return ofEntry(entry, 'unknown-outcome', say`Nobody knows how a run ended: ${word('detail')}`);
    case 'payloads.erased':
      return ofEntry(
        entry,
        'erased',
        say`${counted(countAt(data, 'count') ?? 0, 'payload')} erased: ${word('reason')}`,
      );
    case 'log.late':
      return ofEntry(entry, 'late', say`${word('what')} ${word('name')} late since ${word('since')}: ${word('detail')}`);
    case 'log.opened':
      return textAt(data, 'reason') === null
        ? undefined
        : ofEntry(entry, 'origin', say`The log goes on as ${word('origin')}: ${word('reason')}`);
    case 'store.restored':
      return ofEntry(entry, 'restored', line('The store was restored from a backup.'));
    case 'glass.opened': {
      const asker = personAt(data, 'asker');
      const approvers = peopleAt(data, 'approvers') ?? [];
      const who = asker === null ? line('somebody') : nameOf(asker);
      return ofEntry(
        entry,
        'break-glass',
        say`Break-glass for ${word('operation')} of ${word('agent')} until ${word('until')}; asked by ${who}, approved by ${counted(approvers.length, 'person', 'people')}: ${word('reason')}`,
        textAt(data, 'glass') ?? entry.index,
      );
    }
    case 'servers.accepted':
      return acceptedEntry(entry);
    default:
      return undefined;
  }
}

/** What was accepted without people; policies and directories are told with their versions. */
function acceptedEntry(entry: Entry): Draft | undefined {
  const how = textAt(entry.data, 'how');
  const version = countAt(entry.data, 'version') ?? '?';
  if (how === 'machine')
    return ofEntry(entry, 'machine', say`Servers and operations, version ${version}, were accepted at the machine.`);
  return how === 'found'
    ? ofEntry(entry, 'unreviewed', say`Servers and operations, version ${version}, were accepted as found.`)
    : undefined;
}

function acceptedDrafts(policies: readonly PolicyVersion[], roster: Roster): readonly Draft[] {
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

function observedDrafts(scope: Scope, rows: ReadonlyMap<string, Group>): readonly Draft[] {
  const drafts = scope.observed.map((one): Draft => {
    const ofIt = [...rows].filter(([operation]) => operation === one.name || operation.startsWith(`${one.name}___`));
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

const cooperativeDraft = (operation: string, { count, rows, entries }: Group): Draft => ({
  ...named('cooperative', operation),
  text: say`${counted(count, 'run')} of ${operation} in the agents’ own processes: what they did, and when, is what they reported.`,
  entries,
  rows,
  count,
});

const downtimeDrafts = ({ downtimes }: Scope): readonly Draft[] =>
  downtimes.map((one) => ({
    ...named('downtime', one.untilIndex),
    text: say`No gate ran for at most ${duration(one.untilMs - one.sinceMs)}: ${one.clean ? 'it had stopped' : 'it ended without saying so'}${one.lost === null || one.lost === 0 ? '' : `, with ${counted(one.lost, 'run')} under way`}.`,
    fromMs: one.sinceMs,
    toMs: one.untilMs,
    entries: [one.sinceIndex, one.untilIndex],
  }));

const leaverDrafts = ({ leavers }: Roster): readonly Draft[] =>
  leavers
    .filter(({ actedAfter }) => actedAfter.length > 0)
    .map((one) => ({
      ...named('leaver', one.person),
      text: say`${one.name} did something after they had left: ${counted(one.actedAfter.length, 'entry', 'entries')}.`,
      ...at(one.atMs),
      entries: one.actedAfter,
      count: one.actedAfter.length,
    }));

const targetDrafts = (reconciliations: readonly Reconciliation[]): readonly Draft[] =>
  reconciliations
    .filter(({ targetOnly }) => targetOnly > 0)
    .map((one) => ({
      ...named('target-only', one.id),
      text: say`${one.source} recorded ${counted(one.targetOnly, 'thing')} that the gate did not let through.`,
      ...at(one.atMs),
      entries: [one.index],
      count: one.targetOnly,
    }));

/** A break-glass with the rows that passed under it. */
function withGlass(draft: Draft, glasses: ReadonlyMap<string, Group>): Draft {
  if (draft.kind !== 'break-glass') return draft;
  const rows = glasses.get(draft.name.slice('break-glass/'.length));
  return { ...draft, rows: rows?.rows ?? [], count: rows?.count ?? 0 };
}

/** What management said, of entries `evidence.answered`. */
export function answersIn(entries: readonly Entry[], nameOf: (person: PersonId) => Shown): readonly Answered[] {
  return entries.flatMap((entry): readonly Answered[] => {
    const exception = textAt(entry.data, 'exception');
    if (entry.type !== 'evidence.answered' || entry.erased === true || exception === null) return [];
    const by = entry.by.kind === 'person' ? asPersonId(entry.by.id) : null;
    return [
      {
        exception,
        text: short(textAt(entry.data, 'text') ?? '', 2000),
        by,
        byName: by === null ? line('?') : nameOf(by),
        atMs: timeOf(entry),
        index: entry.index,
      },
    ];
  });
}

/** What targets recorded, of entries `reconciliation.recorded` about a time that has something of this one. */
export function reconciliationsIn(
  entries: readonly Entry[],
  period: { readonly fromMs: number; readonly toMs: number },
  byName: (by: Entry['by']) => Shown,
): readonly Reconciliation[] {
  return entries.flatMap((entry): readonly Reconciliation[] => {
    const { data } = entry;
    const [from, to] = [textAt(data, 'from') ?? '', textAt(data, 'to') ?? ''];
    const type: EntryType = 'reconciliation.recorded';
    if (entry.type !== type || entry.erased === true) return [];
    // What cannot be read as a time is told rather than left out.
    if (Date.parse(from) >= period.toMs || Date.parse(to) <= period.fromMs) return [];
    return [
      {
        id: textAt(data, 'id') ?? String(entry.index),
        source: short(textAt(data, 'source') ?? '?', 120),
        from: short(from, 40),
        to: short(to, 40),
        file: fileWords(data),
        matched: countAt(data, 'matched') ?? 0,
        gateOnly: countAt(data, 'gateOnly') ?? 0,
        targetOnly: countAt(data, 'targetOnly') ?? 0,
        by: byName(entry.by),
        atMs: timeOf(entry),
        index: entry.index,
      },
    ];
  });
}

const fileWords = (data: Entry['data']): Shown =>
  short(textAt(data, 'file') ?? textAt(objectAt(data, 'file'), 'name') ?? '?', 200);
