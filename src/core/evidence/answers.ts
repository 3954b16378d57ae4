/** What was said of the period afterwards: answers of management, and what targets themselves recorded. */
import type { Entry, EntryType } from '../entry.ts';
import type { PersonId } from '../ids.ts';
import { line, short, type Shown } from '../render/shown.ts';
import type { Answered } from './model-exceptions.ts';
import type { Reconciliation } from './model-sections.ts';
import { countAt, textAt, timeOf } from './read.ts';

/** What management said, of entries `evidence.answered`. */
export function answersIn(
  entries: readonly Entry[],
  nameOf: (person: PersonId) => Shown,
): readonly Answered[] {
  return entries.flatMap((entry): readonly Answered[] => {
    const exception = textAt(entry.data, 'exception');
    if (entry.type !== 'evidence.answered' || entry.erased === true || exception === null) return [];
    const by = entry.by.kind === 'person' ? entry.by.id : null;
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
        // By its SHA-256: names of files are their owner's.
        file: short(textAt(data, 'file') ?? '?', 200),
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
