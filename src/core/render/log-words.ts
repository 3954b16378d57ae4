/** Entries of the log in plain words, one sentence for each type. The entry itself stays the truth; this is for reading. */
import type { Directory } from '../directory.ts';
import type { Entry, EntryType } from '../entry.ts';
import { maskSecrets, maskText } from '../secrets.ts';
import { actionWords, unknownAction } from './action-words.ts';
import { writeJson, type Written } from './json-lines.ts';
import { caseLines } from './log-words-cases.ts';
import { configLines } from './log-words-config.ts';
import { gateLines } from './log-words-gate.ts';
import type { Line, Lines } from './log-words-line.ts';
import { logLines } from './log-words-log.ts';
import { peopleLines } from './log-words-people.ts';
import { pickText, type Titled } from './read.ts';
import { line, type Shown } from './shown.ts';
import { byWords } from './standing.ts';

export interface EntryWords {
  /** "Sam Lee denied crm-bot’s export of 5,204 rows from customers: wrong quarter". */
  readonly text: Shown;
  /** Who did it. */
  readonly by: Shown;
  readonly tone: Line['tone'];
}

const lines: Lines<EntryType> = { ...caseLines, ...configLines, ...peopleLines, ...gateLines, ...logLines };

/**
 * One sentence about an entry; its data is read with care, because an older version may have written it.
 * @param asked the action that it is about, as the reader may see it; null: none, or gone. Without it the sentence has its id.
 */
export function entryWords(entry: Entry, directory: Directory, asked: Titled | null = null): EntryWords {
  const { type, data, by: actor, erased } = entry;
  if (erased === true)
    return {
      text: line(`${type}: what this entry said was erased; its proofs are still there.`),
      by: line('?'),
      tone: 'plain',
    };
  const by = byWords(actor, directory);
  const { tone, words } = lines[type];
  const action =
    asked === null ? unknownAction(entry.about.action, pickText(data, ['operation'])) : actionWords(asked);
  // A name can be a secret too: whoever wrote it chose it.
  const text = line(maskText(words({ data, by, directory, action })));
  return { text: begun(text), by, tone };
}

/** A sentence begins with a capital where its first word is ours; a name stays as it is. */
const begun = (words: Shown): Shown =>
  line(words.replace(/^(?:the|an?) /, (first) => `${first.charAt(0).toUpperCase()}${first.slice(1)}`));

/** The entry's data for a closer look: whole or cut, secrets masked. */
export const entryData = (entry: Entry): Written =>
  writeJson(maskSecrets(entry.data), { charsMax: 16_384, linesMax: 300 });
