/** What the search of the log finds for a reader of the pages. What they asked for is read in app/log-wanted.ts. */
import type { Entry } from '../../core/entry.ts';
import { asActionId, asApprovalId, asExecutionId } from '../../core/ids.ts';
import { entryWords, type EntryWords } from '../../core/render/log-words.ts';
import { eachSeen, searchSeen, seenEntries, type SeenEntry } from '../../app/log-sight.ts';
import { filterOf, wantedFrom, wantedNames, type Wanted } from '../../app/log-wanted.ts';
import type { Visit } from './visit.ts';

/** Entries on one page. */
export const entriesMax = 50;

export const wantedOf = (query: URLSearchParams): Wanted => wantedFrom((name) => query.get(name));

/** An entry with its sentence. */
export interface Told {
  readonly entry: Entry;
  readonly words: EntryWords;
}

export interface Found {
  readonly entries: readonly Told[];
  readonly searchedTo: number;
  readonly more: boolean;
}

/** An id of ours in the box is followed at once, whatever the log's size; anything else is searched for. */
export async function find(visit: Visit, wanted: Wanted, before: number | null): Promise<Found> {
  const { store } = visit.parts;
  const eyes = { parts: visit.parts, world: visit, person: visit.person };
  const told = ({ entry, held }: SeenEntry): Told => ({
    entry,
    words: entryWords(entry, visit.directory, held?.asked ?? null),
  });
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
      const seen = await eachSeen(eyes, entries.toReversed(), told);
      return { entries: seen, searchedTo: 0, more: false };
    }
  }
  const query = { ...filterOf(wanted), before, limit: entriesMax };
  return searchSeen(eyes, query, told);
}

/** One entry as the reader may see it; undefined where the log is shorter. */
export async function entryOf(visit: Visit, index: number): Promise<SeenEntry | undefined> {
  const sealed = await visit.parts.store.entry(index);
  if (sealed === undefined) return undefined;
  const [seen] = await seenEntries(visit.parts, visit, visit.person, [sealed]);
  return seen;
}
