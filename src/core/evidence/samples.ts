/** One row looked at closely: all its entries in plain sentences, what its approvers saw, and why policies said what they said. */
import { emptyDirectory, type Directory } from '../directory.ts';
import { asPolicyId, type PersonId } from '../ids.ts';
import { brief, inputOf, type Titled } from '../render/read.ts';
import { entryWords } from '../render/log-words.ts';
import { short, type Shown } from '../render/shown.ts';
import type { CaseEntries } from './case-entries.ts';
import type { PopulationRow, Sample } from './model-rows.ts';
import { isTold, listAt, objectAt, textAt, timeOf, type Seen } from './read.ts';
import type { History } from './versions.ts';

/** Entries of one timeline. */
const timelineMax = 500;
/** Longest explanation and clause, in characters. */
const traceCharsMax = 2000;
const clauseCharsMax = 500;
/** Longest input and reason, in characters: the exact bytes are in the package. */
const inputCharsMax = 1200;
const reasonCharsMax = 500;

/** @param titled the action itself, where its bytes are those of the log: sentences then say what it was */
export function sampleOf(
  {
    row,
    entries,
    titled,
  }: { readonly row: PopulationRow; readonly entries: CaseEntries; readonly titled: Titled | null },
  nameOf: (person: PersonId) => Shown,
  history: History,
): Sample {
  const directory = namesOf(history);
  return {
    row,
    timeline: entries.all.slice(0, timelineMax).map(({ entry }) => {
      const { text, tone } = entryWords(entry, directory, titled);
      const { index, type } = entry;
      return { index, atMs: timeOf(entry), type, tone, text, erased: entry.erased === true };
    }),
    saw: row.reviews.map(({ person, channel, shown, atMs }) => ({
      person,
      name: nameOf(person),
      channel,
      shown,
      atMs,
    })),
    trace: traceOf(entries.asked),
    asked: askedOf(titled),
    receipts: receiptsOf(row),
  };
}

function askedOf(titled: Titled | null): Sample['asked'] {
  if (titled === null || titled.veiled === true) return null;
  const { reason } = titled.action;
  return {
    input: brief(inputOf(titled), inputCharsMax),
    reason: reason === null || reason.trim() === '' ? null : brief(reason, reasonCharsMax),
  };
}

/** Everybody whom the period knew, for names: whoever is in a newer directory is named by it. */
function namesOf({ directory }: History): Directory {
  const people = new Map(directory.flatMap(({ body }) => body?.people ?? []).map((one) => [one.id, one]));
  return { ...emptyDirectory, people: [...people.values()] };
}

function traceOf(asked: Seen): Sample['trace'] {
  if (!isTold(asked)) return null;
  const explanation = objectAt(objectAt(asked.entry.data, 'verdict'), 'explanation');
  const text = textAt(explanation, 'text');
  if (text === null) return null;
  const side = (one: Parameters<typeof textAt>[0], name: string): Shown | null => {
    const found = textAt(one, name);
    return found === null ? null : brief(found, clauseCharsMax);
  };
  return {
    text: brief(text, traceCharsMax),
    clauses: (listAt(explanation, 'clauses') ?? []).map((one) => ({
      policy: asPolicyId(textAt(one, 'policy') ?? '?'),
      text: short(textAt(one, 'text') ?? '?', clauseCharsMax),
      left: side(one, 'left'),
      right: side(one, 'right'),
    })),
  };
}

/** The decision and the end of the run; of what nobody decided, its asking. */
const receiptsOf = ({ index, decidedIndex, startedIndex, endedIndex }: PopulationRow): readonly number[] => [
  ...new Set([decidedIndex ?? index, startedIndex, endedIndex].filter((one) => one !== null)),
];
