/**
 * `Mcp-Param-*`: headers that repeat arguments which a tool's schema marks with `x-mcp-header` (2026-07-28, "Custom Headers
 * from Tool Parameters"). What the agent sends is compared with the pinned schema; what goes upstream is made anew. Pure.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../core/json.ts';
import { decodedHeader, encodedHeader } from './envelope.ts';

/** An argument that a header repeats. */
interface Marked {
  readonly header: string;
  readonly path: readonly string[];
}

/** Nesting that is looked through, and headers of one tool: a schema comes from the upstream. */
const depthMax = 16;
const markedMax = 64;
const token = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;

/** The marked arguments: reached through `properties` alone, as the specification wants. */
function markedIn(schema: JsonValue, path: readonly string[] = []): readonly Marked[] {
  if (!isJsonObject(schema) || path.length > depthMax) return [];
  const name = schema['x-mcp-header'];
  const own =
    path.length > 0 && typeof name === 'string' && token.test(name)
      ? [{ header: `mcp-param-${name.toLowerCase()}`, path }]
      : [];
  const { properties } = schema;
  if (!isJsonObject(properties)) return own;
  return [
    ...own,
    ...Object.entries(properties).flatMap(([key, inner]) => markedIn(inner, [...path, key])),
  ].slice(0, markedMax);
}

function valueAt(input: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = input;
  for (const key of path) value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

const textOf = (value: JsonValue | undefined): string | undefined =>
  typeof value === 'string'
    ? value
    : typeof value === 'boolean' || (typeof value === 'number' && Number.isSafeInteger(value))
      ? String(value)
      : undefined;

/** Why headers and arguments disagree; null where they do not. */
export function wrongParams(schema: JsonObject, input: JsonObject, headers: Headers): string | null {
  for (const { header, path } of markedIn(schema)) {
    const value = valueAt(input, path);
    const text = textOf(value);
    if (text === undefined) continue;
    const said = headers.get(header);
    if (said === null) return `the header ${header} is missing`;
    const decoded = decodedHeader(said.replace(/^[ \t]+|[ \t]+$/g, ''));
    const same =
      typeof value === 'number' && decoded !== undefined && /^-?\d+(?:\.\d+)?$/.test(decoded)
        ? Number(decoded) === value
        : decoded === text;
    if (!same) return `${header} says something else than the arguments`;
  }
  return null;
}

/** The headers for a call that goes upstream. */
export function paramHeaders(schema: JsonObject, input: JsonObject): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const { header, path } of markedIn(schema)) {
    const text = textOf(valueAt(input, path));
    if (text !== undefined) headers[header] = encodedHeader(text);
  }
  return headers;
}
