/** The frame of the log's sentences (log-words.ts): what one is made of, its tone, and the words that several share. */
import { nameOf } from '../conflict.ts';
import type { Directory } from '../directory.ts';
import type { Entry, EntryType } from '../entry.ts';
import { asPersonId } from '../ids.ts';
import { isJsonArray, type JsonValue } from '../json.ts';
import type { ActionWords } from './action-words.ts';
import { brief, pickText } from './read.ts';
import { counted, line, listed, short, type Shown } from './shown.ts';
import type { Tone } from './standing.ts';

/** What a sentence is made of. */
export interface Said {
  readonly data: Entry['data'];
  /** Who did it, in words. */
  readonly by: Shown;
  readonly directory: Directory;
  /** The action that it is about, as a part of a sentence; "the action act_…" where nothing more is known. */
  readonly action: ActionWords;
}

export interface Line {
  readonly tone: Tone | 'plain';
  /** One sentence; the data is read with care, because an older version may have written it. */
  readonly words: (said: Said) => Shown;
}

/** A line for each of some entry types: one that is missing is a type error. */
export type Lines<T extends EntryType> = { readonly [One in T]: Line };

/** Entry types by what stands before their dot. */
export type EntryOf<Subject extends string> = Extract<EntryType, `${Subject}.${string}`>;

const toned =
  (tone: Line['tone']) =>
  (words: Line['words']): Line => ({ tone, words });
export const plain = toned('plain');
export const good = toned('good');
export const bad = toned('bad');
export const waiting = toned('waiting');
export const over = toned('over');
export const unknown = toned('unknown');

/** A field as text, at most 300 characters; `?` where there is none. */
export const text = (data: JsonValue, name: string): Shown => short(pickText(data, [name]) ?? '?', 300);

/** `: reason` where there is one. */
export const because = (data: JsonValue, name: string): string => {
  const said = pickText(data, [name]);
  return said === undefined || said.trim() === '' ? '' : `: ${brief(said, 300)}`;
};

/** Somebody by the name that the directory has for them. */
export const personWords = (id: JsonValue | undefined, directory: Directory): Shown =>
  typeof id === 'string' ? line(nameOf(directory, asPersonId(id))) : line('somebody');

/** Several people, each once. */
export const peopleWords = (ids: JsonValue | undefined, directory: Directory): string =>
  isJsonArray(ids) && ids.length > 0
    ? listed([...new Set(ids.map((id) => personWords(id, directory)))])
    : counted(0, 'person', 'people');
