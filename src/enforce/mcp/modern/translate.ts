/** Answers of an older upstream as 2026-07-28 writes them: the kind of a result, caching hints, error codes. Pure. */
import type { JsonObject } from '../../../core/json.ts';
import { errorText, rpcCodes, type Answer, type RequestId } from '../message.ts';
import { cached, typed, withResult } from './rewrite.ts';

/** Results with caching hints in 2026-07-28. */
export const cacheable: ReadonlySet<string> = new Set([
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
]);

/** Codes of the older era that this one must not use (2026-07-28 "Error Codes"). */
const olderCodes: ReadonlyMap<number, number> = new Map([
  [-32002, rpcCodes.invalidParams],
  [-32042, -32603],
]);

/** An answer as this era writes it, under the agent's id. */
export function newer(answer: Answer, id: RequestId, method: string): Answer {
  if (answer.kind === 'error') {
    const error = { ...answer.error, code: olderCodes.get(answer.error.code) ?? answer.error.code };
    return { kind: 'error', id, error, text: errorText(id, error) };
  }
  const change = (result: JsonObject): JsonObject =>
    cacheable.has(method) ? cached(typed(result)) : typed(result);
  return { kind: 'result', id, result: change(answer.result), text: withResult(answer, id, change) };
}
