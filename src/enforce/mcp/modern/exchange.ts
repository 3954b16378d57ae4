/**
 * Requests to an upstream of 2026-07-28: one POST each, with nothing between them. It has the face of a connection, so that
 * what judges and runs a call (run.ts, look.ts) is the same in both eras; there is one for each request of an agent, and so
 * ids of two agents never meet.
 */
import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import { err, ok, type Result } from '../../../core/result.ts';
import type { Upstream } from '../../../ports/settings.ts';
import { runHeader, within, type Connection } from '../connection.ts';
import { openHttp } from '../http.ts';
import { isRequestId, keyOf, requestText, type Answer, type Incoming, type RequestId } from '../message.ts';
import type { Failure, Log } from '../pipe.ts';
import { encodedHeader, modernCodes, modernRevision, namedBy, protocolKeys } from './envelope.ts';
import { paramHeaders } from './param-headers.ts';

/** A notification on the stream of a request. */
export type Heard = Incoming & { readonly kind: 'notification' };

export interface ExchangeAt {
  readonly log: Log;
  readonly heard: (notification: Heard) => void;
  /** The pinned input schema of a tool: it says which arguments headers repeat. */
  readonly schemaOf: (tool: string) => JsonObject | undefined;
  /** It answered as a server of another era would. */
  readonly doubted: () => void;
}

/** What the gate says of itself in requests of its own; an agent's request carries the agent's words. */
export const ownMeta: JsonObject = {
  [protocolKeys.version]: modernRevision,
  [protocolKeys.capabilities]: {},
  [protocolKeys.clientInfo]: { name: 'countersign', version: '1' },
};

/** Opens nothing: each request does. */
export function openExchange(upstream: Upstream & { readonly kind: 'url' }, at: ExchangeAt): Connection {
  const waiting = new Map<string, (answer: Result<Answer, Failure>) => void>();
  let over: string | null = null;
  let count = 0;
  const settle = (id: RequestId, answer: Result<Answer, Failure>): void => {
    const resolve = waiting.get(keyOf(id));
    waiting.delete(keyOf(id));
    if (isDoubtful(answer)) at.doubted();
    resolve?.(answer);
  };
  const pipe = openHttp(
    upstream,
    {
      message: (incoming) => {
        // A server asks nothing on a stream in this era ("Receiving Messages"); what asks anyway is not heard.
        if (incoming.kind === 'notification') at.heard(incoming);
        else if (incoming.kind !== 'request' && incoming.id !== null) settle(incoming.id, ok(incoming));
      },
      failed: (id, failure) => settle(id, err(failure)),
      closed: (detail) => {
        over = detail;
      },
    },
    at.log,
  );
  pipe.agreed(modernRevision);
  const request: Connection['request'] = (id, method, params = {}) =>
    new Promise((resolve) => {
      if (waiting.has(keyOf(id)))
        return resolve(err({ kind: 'unsent', detail: 'a request with this id is in flight' }));
      const meta = isJsonObject(params['_meta']) ? params['_meta'] : {};
      const whole = { ...params, _meta: { ...ownMeta, ...meta } };
      waiting.set(keyOf(id), resolve);
      pipe.request(id, requestText(id, method, whole), headersOf(method, params, at));
    });
  /** Closing the response's stream is the cancellation ("Cancellation"). */
  const cancel = (id: RequestId): void => {
    pipe.forget(id);
    settle(
      id,
      err({ kind: 'lost', detail: 'it was cancelled while it ran, and the server did not say how it ended' }),
    );
  };
  return {
    upstream,
    get over() {
      return over;
    },
    request,
    ask: async (method, params, timeoutMs) => {
      count += 1;
      const id = `countersign-${count}`;
      const answer = await within(timeoutMs, request(id, method, params));
      cancel(id);
      return answer;
    },
    tell: (text) => {
      const id = cancelledBy(text);
      if (id !== null) cancel(id);
      return Promise.resolve();
    },
    forget: cancel,
    agreed: () => undefined,
    close: () => pipe.close(),
  };
}

/** Statuses with which a server of an older era turns away what it does not understand ("Backward Compatibility"). */
const olderStatuses: ReadonlySet<number> = new Set([400, 404, 405]);

const isDoubtful = (answer: Result<Answer, Failure>): boolean =>
  answer.ok
    ? answer.value.kind === 'error' && answer.value.error.code === modernCodes.unsupportedVersion
    : answer.error.status !== undefined && olderStatuses.has(answer.error.status);

function headersOf(method: string, params: JsonObject, at: ExchangeAt): Readonly<Record<string, string>> {
  const name = namedBy(method, params);
  const schema = method === 'tools/call' && name !== undefined ? at.schemaOf(name) : undefined;
  const input = params['arguments'];
  return {
    ...(schema === undefined || !isJsonObject(input) ? {} : paramHeaders(schema, input)),
    'mcp-method': encodedHeader(method),
    ...(name === undefined ? {} : { 'mcp-name': encodedHeader(name) }),
    ...runHeader(params),
  };
}

/** The request that a `notifications/cancelled` of our own is about; that method does not exist over HTTP in this era. */
function cancelledBy(text: string): RequestId | null {
  const message = JSON.parse(text) as JsonObject; // our own text
  const { method, params } = message;
  const id = isJsonObject(params) ? params['requestId'] : undefined;
  return method === 'notifications/cancelled' && isRequestId(id) ? id : null;
}
