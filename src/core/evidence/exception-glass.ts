/** What came of a break-glass: the rows that passed under it, how it ended, and what somebody found of it afterwards. */
import type { Entry } from '../entry.ts';
import type { PersonId } from '../ids.ts';
import { clock, line, say, short, type Shown } from '../render/shown.ts';
import type { Draft, Group } from './exception-drafts.ts';
import { textAt, timeOf } from './read.ts';

/** What came of a break-glass within the period. */
export interface GlassAfter {
  closed: Entry | null;
  reviewed: Entry | null;
}

/** A break-glass with the rows that passed under it, how it ended, and what somebody found of it afterwards. */
export function withGlass(
  draft: Draft,
  glasses: ReadonlyMap<string, Group>,
  after: ReadonlyMap<string, GlassAfter>,
  nameOf: (person: PersonId) => Shown,
): Draft {
  if (draft.kind !== 'break-glass') return draft;
  const id = draft.name.slice('break-glass/'.length);
  const rows = glasses.get(id);
  const { closed = null, reviewed = null } = after.get(id) ?? {};
  const who = ({ by }: Entry): Shown =>
    by.kind === 'person' ? nameOf(by.id) : line(by.kind === 'operator' ? 'an operator' : 'the gate');
  const ended = closed === null ? '' : say` Ended ${clock(timeOf(closed))} by ${who(closed)}.`;
  const found =
    reviewed === null
      ? line(' Nobody reviewed it within the period.')
      : say` Reviewed ${clock(timeOf(reviewed))} by ${who(reviewed)} (${short(textAt(reviewed.data, 'standing') ?? '?', 60)}): ${short(textAt(reviewed.data, 'finding') ?? '?', 300)}`;
  return {
    ...draft,
    text: say`${draft.text}${/[.!?]$/.test(draft.text) ? '' : '.'}${ended}${found}`,
    toMs: closed === null ? null : timeOf(closed),
    entries: [...draft.entries, ...[closed, reviewed].flatMap((one) => (one === null ? [] : [one.index]))],
    rows: rows?.rows ?? [],
    count: rows?.count ?? 0,
  };
}

/** Keeps an entry that ended a break-glass or reviewed it; the first of each counts. */
export function noteGlass(after: Map<string, GlassAfter>, entry: Entry): void {
  const id = textAt(entry.data, 'glass');
  if (id === null) return;
  const one = after.get(id) ?? { closed: null, reviewed: null };
  if (entry.type === 'glass.closed') one.closed ??= entry;
  else one.reviewed ??= entry;
  after.set(id, one);
}
