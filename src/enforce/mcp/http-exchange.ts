/**
 * One connection to an upstream over HTTP, as `http.ts` and `http-streams.ts` share it: what is in flight, how it ends, and
 * how a request of ours leaves. Redirects are not followed: the headers are credentials.
 */
import { Agent as PlainAgent, request as plainRequest, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { Upstream } from '../../ports/settings.ts';
import { keyOf, type Incoming, type RequestId } from './message.ts';
import type { Failure, Log, PipeEvents } from './pipe.ts';

/** Idle connections are closed by us before common servers do (5 s), so that a request does not meet a closing one. */
const idleSocketMs = 4000;

const plainAgent = new PlainAgent({ keepAlive: true, timeout: idleSocketMs });
const tlsAgent = new TlsAgent({ keepAlive: true, timeout: idleSocketMs });

/** State of one connection. */
export interface Http {
  readonly upstream: Upstream & { readonly kind: 'url' };
  readonly on: PipeEvents;
  readonly log: Log;
  /** Ends what belongs to no request. */
  readonly stop: AbortController;
  readonly inFlight: Map<string, { readonly id: RequestId; readonly stop: AbortController }>;
  session: string | undefined;
  version: string | undefined;
  over: boolean;
}

/** Ends the connection: what is in flight is lost. */
export function end(http: Http, detail: string): void {
  if (http.over) return;
  http.over = true;
  for (const { id, stop } of http.inFlight.values()) {
    stop.abort();
    http.on.failed(id, { kind: 'lost', detail });
  }
  http.inFlight.clear();
  http.stop.abort();
  http.on.closed(detail);
}

/** Tells that a request will not be answered; once. */
export function fail(http: Http, id: RequestId, failure: Failure): void {
  if (http.inFlight.delete(keyOf(id))) http.on.failed(id, failure);
}

/** Whether a response is a stream of events. */
export const isStream = (response: IncomingMessage): boolean =>
  /^\s*text\/event-stream\s*(?:;|$)/i.test(response.headers['content-type'] ?? '');

/** Takes one message of the upstream. */
export function receive(http: Http, one: Incoming, related: RequestId | null): void {
  if (http.over) return;
  if ((one.kind === 'result' || one.kind === 'error') && one.id !== null) http.inFlight.delete(keyOf(one.id));
  http.on.message(one, related);
}

export type Outgoing =
  | { readonly method: 'POST'; readonly text: string }
  | { readonly method: 'GET'; readonly lastId: string | null }
  | { readonly method: 'DELETE' };

/** One request of ours; resolves with the head of its response. */
// Async, so that even an address that is none rejects instead of throwing.
export async function send(http: Http, out: Outgoing, signal: AbortSignal): Promise<IncomingMessage> {
  const { method } = out;
  const url = new URL(http.upstream.url);
  const tls = url.protocol === 'https:';
  const body = out.method === 'POST' ? Buffer.from(out.text) : null;
  const headers: Record<string, string> = {
    ...http.upstream.headers,
    accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
  };
  if (body !== null) headers['content-type'] = 'application/json';
  if (body !== null) headers['content-length'] = String(body.length);
  if (http.session !== undefined) headers['mcp-session-id'] = http.session;
  if (http.version !== undefined) headers['mcp-protocol-version'] = http.version;
  if (out.method === 'GET' && out.lastId !== null) headers['last-event-id'] = out.lastId;
  return new Promise((resolve, reject) => {
    const options = { method, headers, signal };
    const request = tls
      ? tlsRequest(url, { ...options, agent: tlsAgent })
      : plainRequest(url, { ...options, agent: plainAgent });
    request.on('response', resolve);
    request.on('error', reject);
    request.end(body ?? undefined);
  });
}
