/** What the search of the log was asked for: read from a query with care, put to the store, kept in every link of the page. */
import { entryTypes } from '../../core/entry.ts';
import { asActionId, asAgentId, asApprovalId, asExecutionId, asPersonId } from '../../core/ids.ts';
import { searchSeen, seenEntries, type SeenEntry } from '../../app/log-sight.ts';
import type { LogQuery } from '../../ports/overview.ts';
import type { Visit } from './visit.ts';

/** Entries on one page. */
export const entriesMax = 50;
/** UTF-16 units of one field of the search. */
export const fieldCharsMax = 300;

/** What was searched for, as typed: shown again in the form and kept in every link of the page. */
export interface Wanted {
  readonly text: string;
  readonly type: string;
  readonly agent: string;
  readonly operation: string;
  readonly person: string;
  readonly from: string;
  readonly to: string;
}

/** The fields, by their names in the query. */
export const wantedNames = ['text', 'type', 'agent', 'operation', 'person', 'from', 'to'] as const;

export function wantedOf(query: URLSearchParams): Wanted {
  const field = (name: (typeof wantedNames)[number]): string =>
    (query.get(name) ?? '').trim().slice(0, fieldCharsMax).toWellFormed();
  const [text, type, agent, operation, person, from, to] = wantedNames.map(field);
  return {
    text: text ?? '',
    type: type ?? '',
    agent: agent ?? '',
    operation: operation ?? '',
    person: person ?? '',
    from: from ?? '',
    to: to ?? '',
  };
}

/** A day or a moment, UTC: `2026-11-22`, `2026-11-22T14:05`; null for anything else. A day's end is the next day's start. */
function timeIn(text: string, which: 'from' | 'to'): number | null {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) {
    const day = Date.parse(`${text}T00:00:00Z`);
    return Number.isNaN(day) ? null : which === 'from' ? day : day + 86_400_000;
  }
  const moment = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?$/.test(text)
    ? Date.parse(`${text}Z`)
    : Number.NaN;
  return Number.isNaN(moment) ? null : moment;
}

const orNull = <T>(text: string, of: (text: string) => T): T | null => (text === '' ? null : of(text));

const queryOf = (wanted: Wanted, before: number | null): LogQuery => ({
  text: orNull(wanted.text, (text) => text),
  type: entryTypes.find((type) => type === wanted.type) ?? null,
  agent: orNull(wanted.agent, asAgentId),
  operation: orNull(wanted.operation, (text) => text),
  person: orNull(wanted.person, asPersonId),
  fromMs: timeIn(wanted.from, 'from'),
  toMs: timeIn(wanted.to, 'to'),
  before,
  limit: entriesMax,
});

/** Fields that hold nothing that could be searched for: said on the page, so that nobody takes all for what they asked. */
export const notUnderstood = (wanted: Wanted): readonly (keyof Wanted)[] => [
  ...(wanted.type !== '' && !entryTypes.some((type) => type === wanted.type) ? ['type' as const] : []),
  ...(wanted.from !== '' && timeIn(wanted.from, 'from') === null ? ['from' as const] : []),
  ...(wanted.to !== '' && timeIn(wanted.to, 'to') === null ? ['to' as const] : []),
];

/** Whether anything was asked for. */
export const isSearch = (wanted: Wanted): boolean => wantedNames.some((name) => wanted[name] !== '');

export interface Found {
  readonly entries: readonly SeenEntry[];
  readonly searchedTo: number;
  readonly more: boolean;
}

/** An id of ours in the box is followed at once, whatever the log's size; anything else is searched for. */
export async function find(visit: Visit, wanted: Wanted, before: number | null): Promise<Found> {
  const { store } = visit.parts;
  const only = wantedNames.every((name) => name === 'text' || wanted[name] === '');
  const id = /^(act|apr|exe)_[0-9a-hjkmnp-tv-z]{26}$/.exec(wanted.text);
  if (id !== null && only) {
    const held = await store.caseBy(
      id[1] === 'act'
        ? { action: asActionId(id[0]) }
        : id[1] === 'apr'
          ? { approval: asApprovalId(id[0]) }
          : { execution: asExecutionId(id[0]) },
    );
    if (held !== undefined) {
      const entries = await store.entriesAbout(held.asked.id);
      const seen = await seenEntries(visit.parts, visit, visit.person, entries.toReversed());
      return { entries: seen, searchedTo: 0, more: false };
    }
  }
  return searchSeen(visit.parts, visit, visit.person, queryOf(wanted, before));
}

/** One entry as the reader may see it; undefined where the log is shorter. */
export async function entryOf(visit: Visit, index: number): Promise<SeenEntry | undefined> {
  const sealed = await visit.parts.store.entry(index);
  if (sealed === undefined) return undefined;
  const [seen] = await seenEntries(visit.parts, visit, visit.person, [sealed]);
  return seen;
}
