/**
 * Which rows of the population an exception is about, where the exception is an entry: the run whose end nobody knows, the rows
 * whose content was erased. Entries come first, then rows; an exception that concerns no row of this population names none.
 */
import type { Entry } from '../entry.ts';
import { rangesFrom, rangesIn, type Ranges } from '../erased.ts';
import type { Draft } from './exception-drafts.ts';
import { listedMax, type PopulationRow } from './model-rows.ts';

/** Rows that one exception names, as `namedMax` of its drafts. */
const rowsMax = 100;

export interface RowsAbout {
  add(entry: Entry): void;
  row(row: PopulationRow): void;
  /** The draft with its rows; one of another kind is left as it is. */
  with(draft: Draft): Draft;
}

interface Watched {
  readonly rows: number[];
  /** Of an erasure: what it names. Null: an entry about one action. */
  readonly erased: Ranges | null;
}

export function createRowsAbout(): RowsAbout {
  const unknown = new Map<number, Watched>();
  const erasures = new Map<number, Watched>();
  return {
    add({ type, index, data }) {
      if (type === 'execution.unknown' && unknown.size < listedMax)
        unknown.set(index, { rows: [], erased: null });
      if (type === 'payloads.erased' && erasures.size < listedMax)
        erasures.set(index, { rows: [], erased: rangesFrom(rangesIn(data)) });
    },
    row({ row, entries, erased }) {
      for (const index of entries) unknown.get(index)?.rows.push(row);
      if (!erased) return;
      for (const one of erasures.values())
        if (one.rows.length < rowsMax && entries.some((index) => one.erased?.has(index) === true))
          one.rows.push(row);
    },
    with(draft) {
      const [index] = draft.entries;
      const found =
        index === undefined
          ? undefined
          : draft.kind === 'unknown-outcome'
            ? unknown.get(index)
            : draft.kind === 'erased'
              ? erasures.get(index)
              : undefined;
      return found === undefined ? draft : { ...draft, rows: found.rows };
    },
  };
}
