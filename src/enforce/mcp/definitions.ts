/**
 * What agents see of tools: those that are enabled, with an optional argument for the reason where a call may be held.
 * Pure.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { CatalogEntry } from '../../ports/catalog.ts';

/** The argument that carries the agent's reason where its client cannot set `_meta` (design §8). */
export const reasonArgument = 'countersign_reason';

const reasonSchema: JsonObject = {
  type: 'string',
  maxLength: 2000,
  description:
    'Optional: why you need this call, in one or two sentences. People may have to approve it; they see this text, marked as unverified. It is not passed to the tool.',
};

/** Nesting of a definition: as for everything that agents send (core/json.ts). */
const depthMax = 32;
const reserved: ReadonlySet<string> = new Set(['__proto__', '__entity', '__extn', '__expr']);

/**
 * Whether a definition can be pinned. As strict as what agents send, but for numbers: limits such as 2^63 - 1, which
 * common servers write, count as their nearest double.
 */
export function isSoundDefinition(value: JsonValue): value is JsonObject & { readonly name: string } {
  return (
    isJsonObject(value) && typeof value['name'] === 'string' && value['name'] !== '' && isSound(value, 1)
  );
}

function isSound(value: JsonValue, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth > depthMax) return false;
  return Object.entries(value).every(
    ([key, item]) => key.isWellFormed() && !reserved.has(key) && isSound(item, depth + 1),
  );
}

/** Whether people may be asked about calls of this tool: all but those whose profile says that they read. */
export const mayBeHeld = (entry: CatalogEntry): boolean => entry.profile?.effect !== 'read';

/** Whether the reason argument is ours for this tool: not where the upstream's own schema has one of that name. */
export function takesReason(entry: CatalogEntry): boolean {
  const { type, properties } = entry.inputSchema;
  return (
    mayBeHeld(entry) &&
    (type === undefined || type === 'object') &&
    (properties === undefined || (isJsonObject(properties) && !Object.hasOwn(properties, reasonArgument)))
  );
}

/** The definition as agents see it; never makes the reason required. */
export function shownDefinition(definition: JsonObject, entry: CatalogEntry): JsonObject {
  const { inputSchema } = definition;
  if (!takesReason(entry) || !isJsonObject(inputSchema)) return definition;
  const { properties } = inputSchema;
  const shown = { ...(isJsonObject(properties) ? properties : {}), [reasonArgument]: reasonSchema };
  return { ...definition, inputSchema: { ...inputSchema, properties: shown } };
}

/** The input without the reason argument, and the reason; a reason that is not a text stays where it is, for the schema to judge. */
export function splitReason(
  entry: CatalogEntry,
  input: JsonObject,
): { readonly input: JsonObject; readonly reason: string | null } {
  const said = Object.hasOwn(input, reasonArgument) ? input[reasonArgument] : undefined;
  if (typeof said !== 'string' || !takesReason(entry)) return { input, reason: null };
  const { [reasonArgument]: _said, ...rest } = input;
  return { input: rest, reason: said === '' ? null : said };
}
