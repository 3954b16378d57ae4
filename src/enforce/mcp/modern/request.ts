/** One request of 2026-07-28 and all that answering it needs; and the ways to refuse one that are not a result. */
import type { Parts } from '../../../app/parts.ts';
import { recordRefusal } from '../../../app/told.ts';
import type { Chain, Credential } from '../../../core/directory.ts';
import type { AgentId } from '../../../core/ids.ts';
import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import type { Refusal } from '../../../core/refusal.ts';
import { errorText, rpcCodes } from '../message.ts';
import type { Log } from '../pipe.ts';
import type { Reply } from '../reply.ts';
import type { InputChecks } from '../schema.ts';
import type { ModernRequest } from './envelope.ts';
import type { OpenTasks } from './open-tasks.ts';
import type { Upstreams } from './upstreams.ts';

/** One request and all that it needs. */
export interface Exchange {
  readonly parts: Parts;
  readonly checks: InputChecks;
  readonly upstreams: Upstreams;
  readonly tasks: OpenTasks;
  readonly agent: AgentId;
  readonly server: string;
  /** Whom the agent acts for; absent: nobody. */
  readonly chain?: Chain;
  /** How it was authenticated. */
  readonly via?: Credential;
  readonly log: Log;
  readonly request: ModernRequest;
  /** The HTTP headers. */
  readonly headers: Headers;
  readonly reply: Reply;
  /** Aborts when the gate begins to close: nobody waits for people any more; what runs goes on. */
  readonly closing: AbortSignal;
  /** Aborts when what still runs has had its time. */
  readonly ending: AbortSignal;
}

/** What an agent is told of a refusal that belongs to no call. */
export const refusalText = (id: ModernRequest['id'], refusal: Refusal): string =>
  errorText(id, { code: rpcCodes.gate, message: refusal.detail, data: { code: refusal.code } });

/** `_meta` of a request, as it goes upstream. */
export function metaOf(params: JsonObject): JsonObject {
  const meta = params['_meta'];
  return isJsonObject(meta) ? meta : {};
}

/** Input that the protocol does not have like this: a JSON-RPC error and an entry; nothing was done. */
export async function refuseInput(exchange: Exchange, refusal: Refusal): Promise<void> {
  const { parts, agent, server, request, reply } = exchange;
  const { code, detail } = refusal;
  await recordRefusal(parts, agent, { server, code, detail, method: request.method });
  reply.end(errorText(request.id, { code: rpcCodes.invalidParams, message: detail, data: { code } }));
}
