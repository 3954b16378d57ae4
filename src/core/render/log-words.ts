/** Entries of the log in plain words, one sentence for each type. The entry itself stays the truth; this is for reading. */
import type { Directory } from '../directory.ts';
import type { Entry, EntryType } from '../entry.ts';
import { maskSecrets } from '../secrets.ts';
import { writeJson, type Written } from './json-lines.ts';
import { caseLines } from './log-words-cases.ts';
import { configLines } from './log-words-config.ts';
import { gateLines } from './log-words-gate.ts';
import type { Line, Lines } from './log-words-line.ts';
import { logLines } from './log-words-log.ts';
import { peopleLines } from './log-words-people.ts';
import { line, type Shown } from './shown.ts';
import { byWords } from './standing.ts';

export interface EntryWords {
  /** "Rosa Diaz approved it in the web inbox." */
  readonly text: Shown;
  /** Who did it. */
  readonly by: Shown;
  readonly tone: Line['tone'];
}

const lines: Lines<EntryType> = { ...caseLines, ...configLines, ...peopleLines, ...gateLines, ...logLines };

/** One sentence about an entry; its data is read with care, because an older version may have written it. */
export function entryWords({ type, data, by: actor, erased }: Entry, directory: Directory): EntryWords {
  if (erased === true)
    return {
      text: line(`${type}: what this entry said was erased; its proofs are still there.`),
      by: line('?'),
      tone: 'plain',
    };
  const by = byWords(actor, directory);
  const { tone, words } = lines[type];
  return { text: words({ data, by, directory }), by, tone };
}

/** The entry's data for a closer look: whole or cut, secrets masked. */
export const entryData = (entry: Entry): Written =>
  writeJson(maskSecrets(entry.data), { charsMax: 16_384, linesMax: 300 });
