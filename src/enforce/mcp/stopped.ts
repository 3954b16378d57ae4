/**
 * What a stopped agent is answered at `/mcp/SERVER`, in both eras: the refusal, whatever it asks, but whether this end lives
 * and what it is. Nothing of it reaches a session or an upstream.
 */
import type { Parts } from '../../app/parts.ts';
import { refusesStoppedNow } from '../../app/stops.ts';
import { recordBounded } from '../../app/told.ts';
import { operationOf } from '../../core/action.ts';
import type { Chain, Credential } from '../../core/directory.ts';
import type { AgentId } from '../../core/ids.ts';
import { isJsonObject, type JsonValue } from '../../core/json.ts';
import { nameCharsMax } from './classify.ts';
import { isRequestId, resultText } from './message.ts';
import { refusalText } from './modern/request.ts';
import { typed } from './modern/rewrite.ts';
import { jsonResponse } from './reply.ts';
import { refusedResult } from './words.ts';

/** Who calls, and what. */
export interface Caller {
  readonly agent: AgentId;
  readonly server: string;
  /** Whom the agent acts for, as its token says; absent: nobody. */
  readonly chain?: Chain;
  /** How it was authenticated. */
  readonly via?: Credential;
}

/** What a stopped agent may still ask: whether this end lives, and what it is. */
const always: ReadonlySet<unknown> = new Set(['ping', 'server/discover']);

/**
 * Undefined where the agent may go on. Asked before a message is looked at: a call would start processes, and read what tools
 * there are. A refused call leaves an entry.
 */
export async function stoppedResponse(
  parts: Parts,
  { agent, server }: Caller,
  message: JsonValue,
): Promise<Response | undefined> {
  const { id, method, params } = isJsonObject(message) ? message : {};
  if (always.has(method) || typeof method !== 'string') return undefined;
  const refusal = await refusesStoppedNow(parts, agent, null);
  if (refusal === undefined) return undefined;
  if (method === 'tools/call') {
    const name = isJsonObject(params) && typeof params['name'] === 'string' ? params['name'] : '';
    const operation = operationOf(server, name.slice(0, nameCharsMax));
    await recordBounded(parts, { agent, operation }, refusal);
    // A result, as for every call that is refused; not of a call that is brought back, which has one already.
    if (isRequestId(id) && !(isJsonObject(params) && 'requestState' in params))
      return jsonResponse(resultText(id, typed(refusedResult(refusal))), 200);
  }
  // A notification has no answer, and goes nowhere.
  return isRequestId(id) ? jsonResponse(refusalText(id, refusal), 200) : new Response(null, { status: 202 });
}
