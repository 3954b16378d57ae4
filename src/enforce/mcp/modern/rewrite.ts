/**
 * Changing a message of an upstream on its way to the agent, without changing what is not meant: numbers that a double cannot
 * hold stay as they were written.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../core/json.ts';
import type { Answer, RequestId } from '../message.ts';

/** "JSON.parse source text access" (ES2026), which TypeScript's library of ES2024 does not name. Node has had it since 21. */
interface WithSource {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}
const json = JSON as unknown as WithSource;

/** A text's value; a number whose text says more than its double is an object that is written as that text. */
export function readAsWritten(text: string): JsonValue {
  // Raw numbers pass as values: they are only carried, and JSON.stringify writes them.
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source
      ? json.rawJSON(source)
      : value,
  ) as JsonValue;
}

/** The text of an upstream's result after a change, under an id. */
export function withResult(
  answer: Answer & { readonly kind: 'result' },
  id: RequestId,
  change: (result: JsonObject) => JsonObject,
): string {
  const message = readAsWritten(answer.text);
  const result = isJsonObject(message) && isJsonObject(message['result']) ? message['result'] : {};
  return JSON.stringify({ jsonrpc: '2.0', id, result: change(result) });
}

/** The names under which only the gate may speak. */
const isOurs = (key: string): boolean => key.startsWith('dev.countersign/');

/** A result without marks that are the gate's to set. */
export function unmarked(result: JsonObject): JsonObject {
  const meta = result['_meta'];
  if (!isJsonObject(meta) || !Object.keys(meta).some(isOurs)) return result;
  return { ...result, _meta: Object.fromEntries(Object.entries(meta).filter(([key]) => !isOurs(key))) };
}

/** A result of this era: complete, where an upstream of another era did not say what it is. */
export const typed = (result: JsonObject): JsonObject =>
  typeof result['resultType'] === 'string' ? result : { resultType: 'complete', ...result };

/** How long an agent may believe a list: what is enabled, and for whom, can change at any time. */
const ttlMsMax = 30_000;

/**
 * Caching hints (2026-07-28 "Caching"): always private, because what one agent may see is not another's; and short, because
 * the gate may disable a tool meanwhile.
 */
export function cached(result: JsonObject): JsonObject {
  const { ttlMs } = result;
  const said = typeof ttlMs === 'number' && Number.isSafeInteger(ttlMs) && ttlMs >= 0 ? ttlMs : 0;
  return { ...result, ttlMs: Math.min(said, ttlMsMax), cacheScope: 'private' };
}
