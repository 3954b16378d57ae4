/**
 * One connection to an upstream over HTTP, as `http.ts` and `http-streams.ts` share it: what is in flight, how it ends, and
 * how a request of ours leaves. Redirects are not followed: the headers are credentials.
 */
import {
  Agent as PlainAgent,
  request as plainRequest,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { urlToHttpOptions } from 'node:url';
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
  /** Where requests go: made by the first. */
  door: Door | undefined;
  /** A request that has a connection and has sent nothing: at most one. */
  ready: Ready | undefined;
}

/** With all that it was made of, so that it is never sent in the place of another. */
interface Ready {
  readonly text: string;
  /** Of the message alone, as JSON. */
  readonly headers: string;
  readonly session: string | undefined;
  readonly version: string | undefined;
  readonly body: Buffer;
  readonly request: ClientRequest;
  readonly late: NodeJS.Timeout;
}

/** How long a request that is ready keeps its connection from others. */
const readyMsMax = 1000;

/** The address, parsed once, and how it is spoken to. */
interface Door {
  readonly where: RequestOptions;
  readonly request: (options: RequestOptions) => ClientRequest;
}

/** Throws where the address is none. */
function doorTo(address: string): Door {
  const url = new URL(address);
  const where = urlToHttpOptions(url); // what `request` makes of a URL itself
  return url.protocol === 'https:'
    ? { where: { ...where, agent: tlsAgent }, request: tlsRequest }
    : { where: { ...where, agent: plainAgent }, request: plainRequest };
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
  unready(http);
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
  | {
      readonly method: 'POST';
      readonly text: string;
      /** Of this message alone, in lower case. */
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly method: 'GET'; readonly lastId: string | null }
  | { readonly method: 'DELETE' };

/** Makes the request that will say a text, up to its first byte: that takes longer than sending it. */
export function prepare(http: Http, text: string, headers: Readonly<Record<string, string>>): void {
  if (http.over || http.ready !== undefined) return;
  const { session, version } = http;
  let made: Pick<Ready, 'request' | 'body'>;
  try {
    made = requestOf(http, { method: 'POST', text, headers });
  } catch {
    return; // shows when it is sent
  }
  const { request, body } = made;
  const ready: Ready = {
    text, headers: JSON.stringify(headers), session, version, body, request,
    late: setTimeout(() => unready(http), readyMsMax).unref(),
  }; // prettier-ignore
  http.ready = ready;
  // Its connection ended first: another is made when it is sent.
  request.on('error', () => {
    if (http.ready === ready) unready(http);
  });
}

/** Gives up what is ready: the upstream sees a connection that ended between two requests. */
function unready(http: Http): void {
  const { ready } = http;
  http.ready = undefined;
  clearTimeout(ready?.late);
  ready?.request.destroy();
}

/** What is ready for just this message. */
function readyFor(http: Http, out: Outgoing): Ready | undefined {
  const { ready } = http;
  if (ready === undefined || out.method !== 'POST' || out.text !== ready.text) return undefined;
  if (JSON.stringify(out.headers ?? {}) !== ready.headers) return undefined;
  if (http.session !== ready.session || http.version !== ready.version || ready.request.destroyed) {
    unready(http);
    return undefined;
  }
  http.ready = undefined;
  clearTimeout(ready.late);
  return ready;
}

/** One request of ours; resolves with the head of its response. */
// Async, so that even an address that is none rejects instead of throwing.
export async function send(http: Http, out: Outgoing, signal: AbortSignal): Promise<IncomingMessage> {
  const { request, body } = readyFor(http, out) ?? requestOf(http, out);
  return new Promise((resolve, reject) => {
    // The option `signal` does the same, and looks after the whole stream for it at every call.
    const stop = (): void => void request.destroy(new Error('it was given up'));
    signal.addEventListener('abort', stop, { once: true });
    request.once('close', () => signal.removeEventListener('abort', stop));
    request.on('response', resolve);
    request.on('error', reject);
    if (signal.aborted) stop();
    else request.end(body ?? undefined);
  });
}

type Made = { readonly request: ClientRequest; readonly body: Buffer | null };

/** A request of which nothing has left. Throws where the address is none. */
function requestOf(http: Http, out: Outgoing & { readonly method: 'POST' }): Made & { readonly body: Buffer };
function requestOf(http: Http, out: Outgoing): Made;
function requestOf(http: Http, out: Outgoing): Made {
  const { method } = out;
  const door = (http.door ??= doorTo(http.upstream.url));
  const body = out.method === 'POST' ? Buffer.from(out.text) : null;
  const headers: Record<string, string> = {
    ...(out.method === 'POST' ? out.headers : {}),
    // Credentials that the operator names are not for a message to replace.
    ...http.upstream.headers,
    accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
  };
  if (body !== null) headers['content-type'] = 'application/json';
  if (body !== null) headers['content-length'] = String(body.length);
  if (http.session !== undefined) headers['mcp-session-id'] = http.session;
  // A message that names its own revision (2026-07-28) is not one of the session’s.
  const version = (out.method === 'POST' ? out.headers?.['mcp-protocol-version'] : undefined) ?? http.version;
  if (version !== undefined) headers['mcp-protocol-version'] = version;
  if (out.method === 'GET' && out.lastId !== null) headers['last-event-id'] = out.lastId;
  return { request: door.request({ ...door.where, method, headers }), body };
}

/**
 * Hands over a response piece by piece; resolves at its end, or once `take` wants no more of it, and rejects where it broke.
 * By events, because iterating over a stream waits for the next turn of the loop before each piece.
 */
export function eachPiece(response: IncomingMessage, take: (piece: Buffer) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (done: () => void): void => {
      done();
      response.destroy();
    };
    response.on('data', (piece: Buffer) => {
      try {
        if (!take(piece)) leave(resolve);
      } catch (error) {
        leave(() => reject(error instanceof Error ? error : new Error('it could not be read')));
      }
    });
    response.once('end', resolve);
    response.once('error', reject);
    response.once('close', () => {
      if (!response.complete) reject(new Error('the connection broke'));
    });
  });
}
