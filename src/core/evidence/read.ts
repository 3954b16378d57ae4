/** Reading the data of entries with care: an older version may have written it, it may be erased, or hidden from whoever reads. */
import type { Entry } from '../entry.ts';
import { asPersonId, type PersonId } from '../ids.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../json.ts';

type Read = JsonValue | undefined;

/** A field of an object; undefined where there is none. */
export const at = (value: Read, name: string): Read =>
  isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

export const textAt = (value: Read, name: string): string | null => {
  const found = at(value, name);
  return typeof found === 'string' ? found : null;
};

/** A whole number from 0. */
export const countAt = (value: Read, name: string): number | null => {
  const found = at(value, name);
  return typeof found === 'number' && Number.isSafeInteger(found) && found >= 0 ? found : null;
};

export const listAt = (value: Read, name: string): readonly JsonValue[] | null => {
  const found = at(value, name);
  return isJsonArray(found) ? found : null;
};

export const objectAt = (value: Read, name: string): JsonObject | null => {
  const found = at(value, name);
  return isJsonObject(found) ? found : null;
};

/** A list of names; null where it is not one, or not only names. */
export const namesAt = (value: Read, name: string): readonly string[] | null => {
  const found = listAt(value, name);
  return found?.every((one): one is string => typeof one === 'string') === true ? found : null;
};

export const personAt = (value: Read, name: string): PersonId | null => {
  const found = textAt(value, name);
  return found === null ? null : asPersonId(found);
};

export const peopleAt = (value: Read, name: string): readonly PersonId[] | null =>
  namesAt(value, name)?.map(asPersonId) ?? null;

/** When an entry was written, in milliseconds: its own words, RFC 3339. */
export const timeOf = ({ at: time }: Pick<Entry, 'at'>): number => Date.parse(time);

/** An entry as whoever makes the evidence sees it. */
export interface Seen {
  readonly entry: Entry;
  /** Policies keep what it holds from them. */
  readonly veiled: boolean;
}

/** Whether what an entry says can be read at all. */
export const isTold = ({ entry, veiled }: Seen): boolean => entry.erased !== true && !veiled;
