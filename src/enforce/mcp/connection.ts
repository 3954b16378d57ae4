/**
 * One connection to an upstream: a pipe, and who waits for which answer. It ends once and is not revived (`link.ts` opens
 * the next). The agent's ids go upstream as they are, because each agent connection has an upstream connection of its own;
 * the gate's own requests have ids that no agent can know.
 */
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Upstream } from '../../ports/settings.ts';
import { metaKeys } from './classify.ts';
import { openHttp } from './http.ts';
import {
  keyOf,
  notificationText,
  requestText,
  type Answer,
  type Incoming,
  type RequestId,
} from './message.ts';
import type { Failure, Log, Pipe, PipeEvents, StreamTurn } from './pipe.ts';
import { openProcess } from './stdio.ts';

/** Tells a server that reads no `_meta`, and what stands before it, which execution a request belongs to. */
export const executionHeader = 'countersign-execution';

/** Only the gate puts the id there: what an agent says of it was left out (classify.ts). */
export function runHeader(params: JsonObject | undefined): Readonly<Record<string, string>> {
  const meta = params?.['_meta'];
  const id = isJsonObject(meta) ? meta[metaKeys.execution] : undefined;
  return typeof id === 'string' ? { [executionHeader]: id } : {};
}

/** A request or a notification from the upstream. */
export type FromUpstream = Incoming & { readonly kind: 'request' | 'notification' };

/** Opens a pipe to an upstream by URL. */
export type OpenUrl = typeof openHttp;

export interface ConnectionEvents {
  /** @param related the request, an agent's or the gate's own, that it belongs to; null where the transport does not tell. */
  message(incoming: FromUpstream, related: RequestId | null): void;
  /** As PipeEvents. */
  stream?(id: RequestId, turn: StreamTurn): void;
  closed(detail: string): void;
  /** How an upstream by URL is spoken to; default: as one of an older era (http.ts). */
  readonly openUrl?: OpenUrl;
}

export interface Connection {
  readonly upstream: Upstream;
  /** Why it ended; null while it lives. */
  readonly over: string | null;
  /** Sends a request under an id of the agent's; resolves with its answer, never rejects. */
  request(id: RequestId, method: string, params?: JsonObject): Promise<Result<Answer, Failure>>;
  /** Makes ready for just such a request, which may come or not. Nothing of it leaves. */
  prepare?(id: RequestId, method: string, params?: JsonObject): void;
  /** Sends a request of the gate's own; when the time is over it is cancelled and counts as lost. */
  ask(method: string, params: JsonObject | undefined, timeoutMs: number): Promise<Result<Answer, Failure>>;
  /** Sends a notification or an answer. */
  tell(text: string): Promise<void>;
  /** Stops waiting for an answer; a late one is dropped. */
  forget(id: RequestId): void;
  /** Names the agreed revision to the transport. */
  agreed(version: string): void;
  close(): Promise<void>;
}

/** Forgotten requests that the upstream has not answered; more than this, and the connection takes no further ones. */
const forgottenMax = 10_000;

/** @param secret random text: makes the gate's own ids unguessable. */
export function openConnection(
  upstream: Upstream,
  secret: string,
  on: ConnectionEvents,
  log: Log,
): Connection {
  const waiting = new Map<string, (answer: Result<Answer, Failure>) => void>();
  /** Ids that cannot be used again before their late answer has come: it would pass for the answer of another request. */
  const forgotten = new Set<string>();
  const own = `countersign-${secret}-`;
  let count = 0;
  let over: string | null = null;
  const settle = (id: RequestId, answer: Result<Answer, Failure>): void => {
    forgotten.delete(keyOf(id));
    const resolve = waiting.get(keyOf(id));
    waiting.delete(keyOf(id));
    resolve?.(answer);
  };
  const events: PipeEvents = {
    message: (incoming, related) => {
      if (incoming.kind === 'request' || incoming.kind === 'notification')
        return on.message(incoming, related);
      if (incoming.id !== null) settle(incoming.id, ok(incoming));
    },
    stream: (id, turn) => on.stream?.(id, turn),
    failed: (id, failure) => settle(id, err(failure)),
    closed: (detail) => {
      over = detail;
      on.closed(detail);
    },
  };
  const pipe = openPipe(upstream, events, log, on.openUrl);
  const request: Connection['request'] = (id, method, params) =>
    new Promise((resolve) => {
      if (over !== null) return resolve(unsent(over));
      if (waiting.has(keyOf(id))) return resolve(unsent('a request with this id is in flight'));
      if (forgotten.has(keyOf(id)) || forgotten.size >= forgottenMax)
        return resolve(unsent('a cancelled request with this id is not answered yet'));
      waiting.set(keyOf(id), resolve);
      pipe.request(id, requestText(id, method, params), runHeader(params));
    });
  const forget = (id: RequestId): void => {
    if (waiting.delete(keyOf(id))) forgotten.add(keyOf(id));
    pipe.forget(id);
  };
  return {
    upstream,
    get over() {
      return over;
    },
    request,
    prepare: (id, method, params) => pipe.prepare?.(requestText(id, method, params), runHeader(params)),
    ask: async (method, params, timeoutMs) => {
      count += 1;
      const id = `${own}${count}`;
      const answer = await within(timeoutMs, request(id, method, params));
      if (waiting.has(keyOf(id))) {
        forget(id);
        void pipe.tell(notificationText('notifications/cancelled', { requestId: id, reason: 'timeout' }));
      }
      return answer;
    },
    tell: (text) => pipe.tell(text),
    forget,
    agreed: (version) => pipe.agreed(version),
    close: () => pipe.close(),
  };
}

const unsent = (detail: string): Result<Answer, Failure> => err({ kind: 'unsent', detail });

function openPipe(upstream: Upstream, events: PipeEvents, log: Log, openUrl: OpenUrl = openHttp): Pipe {
  return upstream.kind === 'command' ? openProcess(upstream, events, log) : openUrl(upstream, events, log);
}

/** The answer, or that there was none in time. */
export async function within(
  ms: number,
  answer: Promise<Result<Answer, Failure>>,
): Promise<Result<Answer, Failure>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Result<Answer, Failure>>((resolve) => {
    timer = setTimeout(() => resolve(err({ kind: 'lost', detail: `no answer within ${ms / 1000} s` })), ms);
  });
  const first = await Promise.race([answer, late]);
  clearTimeout(timer);
  return first;
}
