/**
 * Reading what no schema promises: an answer of an upstream's preview, an input by the names that people give such fields.
 * Everything here may find nothing; what is found is shown beside the exact action, never instead of it.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { readJson } from '../read-json.ts';
import type { Asked, Seen } from '../case.ts';
import { maskSecrets } from '../secrets.ts';
import { line, short, type Shown } from './shown.ts';

/** What headlines and special views are made of: an action as asked. */
export type Titled = Pick<Asked, 'action' | 'profile' | 'preview' | 'before' | 'veiled'>;

const plainName = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

export interface Picked {
  readonly key: string;
  readonly value: JsonValue;
}

/** The first field that has one of these names, in the order of the names; case, hyphens and underscores aside. */
export function pick(value: JsonValue | undefined, names: readonly string[]): Picked | undefined {
  if (!isJsonObject(value)) return undefined;
  const fields = Object.entries(value).map(([key, item]) => ({ key, value: item, plain: plainName(key) }));
  for (const name of names) {
    const found = fields.find((field) => field.plain === name && field.value !== null);
    if (found !== undefined) return { key: found.key, value: found.value };
  }
  return undefined;
}

/** A picked scalar as text; undefined for what is absent or nested. */
export function pickText(value: JsonValue | undefined, names: readonly string[]): string | undefined {
  const found = pick(value, names)?.value;
  return typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean'
    ? String(found)
    : undefined;
}

/** The objects of a list. */
export const objectsIn = (value: JsonValue | undefined): readonly JsonObject[] =>
  isJsonArray(value) ? value.filter(isJsonObject) : [];

/** The input as people may see it: renderings read this one, so that no view can forget a mask. */
export const inputOf = (asked: Pick<Titled, 'action'>): JsonObject => {
  const masked = maskSecrets(asked.action.input);
  return isJsonObject(masked) ? masked : {};
};

/**
 * What a look answered, secrets masked: of an MCP tool result its structured content, else its one text, as JSON where it is
 * JSON; any other value as it is. Undefined where there was no look or it failed.
 */
export function answerOf(seen: Seen | null): JsonValue | undefined {
  const value = seen?.answer.ok === true ? unwrapped(seen.answer.value) : undefined;
  return value === undefined ? undefined : maskSecrets(value);
}

function unwrapped(value: JsonValue): JsonValue {
  if (!isJsonObject(value)) return value;
  if (isJsonObject(value['structuredContent'])) return value['structuredContent'];
  const content = value['content'];
  const [first, second] = objectsIn(content);
  if (
    !isJsonArray(content) ||
    first === undefined ||
    second !== undefined ||
    typeof first['text'] !== 'string'
  )
    return value;
  const read = readJson(first['text']);
  return read.ok ? read.value : first['text'];
}

/** A value in a few words: texts as they are, all else as JSON, secrets masked, cut at `max`. */
export function brief(value: JsonValue, max = 120): Shown {
  const masked = maskSecrets(value);
  return short(typeof masked === 'string' ? masked : JSON.stringify(masked), max);
}

/** As `brief`, for a value under a key: `password` masks what it names. */
export function briefUnder(key: string, value: JsonValue, max = 120): Shown {
  const masked = maskSecrets({ [key]: value });
  return isJsonObject(masked) ? brief(masked[key] ?? value, max) : line('');
}
