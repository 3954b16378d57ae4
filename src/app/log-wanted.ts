/**
 * What somebody looks for in the log, as typed: in the page's form, in a query of the API, on a command line. Read with care, shown
 * again, kept in every link, and recorded with an export. One set of names everywhere.
 */
import { entryTypes } from '../core/entry.ts';
import { asAgentId, asPersonId } from '../core/ids.ts';
import type { LogFilter } from '../ports/overview.ts';

/** UTF-16 units of one field. */
export const fieldCharsMax = 300;

/** The fields, by their names in a query. */
export const wantedNames = [
  'text',
  'type',
  'agent',
  'operation',
  'person',
  'resource',
  'verdict',
  'policy',
  'from',
  'to',
] as const;

/** Empty: anything. */
export type Wanted = Readonly<Record<(typeof wantedNames)[number], string>>;

export const verdicts = ['allow', 'review', 'deny'] as const;

/** @param get the value of a field; nothing where it is not there. */
export function wantedFrom(get: (name: keyof Wanted) => string | null | undefined): Wanted {
  const field = (name: keyof Wanted): string =>
    // PostgreSQL takes no NUL in a text, and none is in one of ours.
    (get(name) ?? '').replaceAll('\0', '').trim().slice(0, fieldCharsMax).toWellFormed();
  return {
    text: field('text'),
    type: field('type'),
    agent: field('agent'),
    operation: field('operation'),
    person: field('person'),
    resource: field('resource'),
    verdict: field('verdict'),
    policy: field('policy'),
    from: field('from'),
    to: field('to'),
  };
}

/** The fields that hold something, for links and for the record. */
export const saidOf = (wanted: Wanted): Readonly<Record<string, string>> =>
  Object.fromEntries(wantedNames.flatMap((name) => (wanted[name] === '' ? [] : [[name, wanted[name]]])));

/** Whether anything was asked for. */
export const isSearch = (wanted: Wanted): boolean => wantedNames.some((name) => wanted[name] !== '');

/**
 * A day or a moment, UTC: `2026-11-22`, `2026-11-22T14:05`, `2026-11-22T14:05:00.000Z`; null for anything else. The end of a day
 * is the start of the next; a moment is where it is.
 */
function timeIn(text: string, which: 'from' | 'to'): number | null {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) {
    const day = Date.parse(`${text}T00:00:00Z`);
    return Number.isNaN(day) ? null : which === 'from' ? day : day + 86_400_000;
  }
  const said = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)Z?$/.exec(text)?.[1];
  const moment = said === undefined ? Number.NaN : Date.parse(`${said}Z`);
  return Number.isNaN(moment) ? null : moment;
}

const orNull = <T>(text: string, of: (text: string) => T): T | null => (text === '' ? null : of(text));

/** What holds nothing that could be looked for is left out of it: see `notUnderstood`. */
export const filterOf = (wanted: Wanted): LogFilter => ({
  text: orNull(wanted.text, (text) => text),
  type: entryTypes.find((type) => type === wanted.type) ?? null,
  agent: orNull(wanted.agent, asAgentId),
  operation: orNull(wanted.operation, (text) => text),
  person: orNull(wanted.person, asPersonId),
  resource: orNull(wanted.resource, (text) => text),
  verdict: verdicts.find((verdict) => verdict === wanted.verdict) ?? null,
  policy: orNull(wanted.policy, (text) => text),
  fromMs: timeIn(wanted.from, 'from'),
  toMs: timeIn(wanted.to, 'to'),
});

/** Fields that hold nothing that could be looked for: said to whoever asked, so that nobody takes all for what they asked. */
export const notUnderstood = (wanted: Wanted): readonly (keyof Wanted)[] => [
  ...(wanted.type !== '' && !entryTypes.some((type) => type === wanted.type) ? ['type' as const] : []),
  ...(wanted.verdict !== '' && !verdicts.some((one) => one === wanted.verdict) ? ['verdict' as const] : []),
  ...(wanted.from !== '' && timeIn(wanted.from, 'from') === null ? ['from' as const] : []),
  ...(wanted.to !== '' && timeIn(wanted.to, 'to') === null ? ['to' as const] : []),
];
