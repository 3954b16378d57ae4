/**
 * A pipe to an upstream by URL (MCP transport "Streamable HTTP", revisions 2025-03-26 to 2025-11-25): one POST a message,
 * answered by JSON or by a stream of events, and one GET stream for what belongs to no request.
 *
 * The official SDK's StreamableHTTPClientTransport is not used: it does not tell on which request's stream a message came,
 * which the gate must know to find the call that asks a question, and it gives parsed messages only (see stdio.ts).
 * Redirects are not followed: the headers are credentials.
 */
import { Agent as PlainAgent, request as plainRequest, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as after } from 'node:timers/promises';
import type { Upstream } from '../../ports/settings.ts';
import { keyOf, readIncoming, type RequestId } from './message.ts';
import { messageBytesMax, messageOf, type Failure, type Log, type Pipe, type PipeEvents } from './pipe.ts';
import { readEvents, type Events } from './sse.ts';

/** Idle connections are closed by us before common servers do (5 s), so that a request does not meet a closing one. */
const idleSocketMs = 4000;
/** How often a stream that broke before its answer is resumed (`Last-Event-ID`) before the answer counts as lost. */
const resumeTries = 5;
/** Before the first resumption, where the server names no time. */
const resumeAfterMs = 1000;
/** The longest pause between two tries to listen again. */
const listenAgainMsMax = 30_000;
/** How long ending the session may take. */
const endSessionMs = 2000;

const plainAgent = new PlainAgent({ keepAlive: true, timeout: idleSocketMs });
const tlsAgent = new TlsAgent({ keepAlive: true, timeout: idleSocketMs });

/** Errors of a connection that was never made: the request did not leave. */
const neverConnected: ReadonlySet<string> = new Set([
  'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'ERR_INVALID_URL',
  'CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'SELF_SIGNED_CERT_IN_CHAIN',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]); // prettier-ignore

interface Http {
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

/** Opens nothing yet: the first request does. */
export function openHttp(upstream: Upstream & { readonly kind: 'url' }, on: PipeEvents, log: Log): Pipe {
  const http: Http = {
    upstream,
    on,
    log,
    stop: new AbortController(),
    inFlight: new Map(),
    session: undefined,
    version: undefined,
    over: false,
  };
  let listening = false;
  return {
    request: (id, text) => {
      if (http.over) return on.failed(id, { kind: 'unsent', detail: 'the connection is closed' });
      const stop = new AbortController();
      http.inFlight.set(keyOf(id), { id, stop });
      void post(http, id, text, stop.signal).catch((error: unknown) =>
        fail(http, id, { kind: 'lost', detail: messageOf(error) }),
      );
    },
    forget: (id) => {
      http.inFlight.get(keyOf(id))?.stop.abort();
      http.inFlight.delete(keyOf(id));
    },
    tell: async (text) => {
      const response = await send(http, { method: 'POST', text }, http.stop.signal).catch(
        (error: unknown) => {
          log(`a message could not be delivered: ${messageOf(error)}`);
        },
      );
      response?.resume();
      if (!listening && http.version !== undefined) {
        listening = true;
        void listen(http);
      }
    },
    agreed: (version) => {
      http.version = version;
    },
    close: async () => {
      if (http.over) return;
      // Ending the session is a courtesy (MCP "Session Management"): servers may answer 405.
      const { session } = http;
      end(http, 'the gate closed it');
      if (session === undefined) return;
      await send(http, { method: 'DELETE' }, AbortSignal.timeout(endSessionMs))
        .then((response) => response.resume())
        .catch(() => undefined);
    },
  };
}

function end(http: Http, detail: string): void {
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

function fail(http: Http, id: RequestId, failure: Failure): void {
  if (http.inFlight.delete(keyOf(id))) http.on.failed(id, failure);
}

type Outgoing =
  | { readonly method: 'POST'; readonly text: string }
  | { readonly method: 'GET'; readonly lastId: string | null }
  | { readonly method: 'DELETE' };

/** One request of ours; resolves with the head of its response. */
function send(http: Http, out: Outgoing, signal: AbortSignal): Promise<IncomingMessage> {
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

async function post(http: Http, id: RequestId, text: string, signal: AbortSignal): Promise<void> {
  let response: IncomingMessage;
  try {
    response = await send(http, { method: 'POST', text }, signal);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return fail(http, id, {
      kind: neverConnected.has(code) ? 'unsent' : 'lost',
      detail: code === '' ? messageOf(error) : code,
    });
  }
  const { statusCode: status = 0, headers } = response;
  if (status < 200 || status > 299) return turnedAway(http, id, response);
  const session = headers['mcp-session-id'];
  if (typeof session === 'string') http.session = session;
  if (isStream(response)) return followed(http, id, response, signal);
  for (const one of readIncoming(await bodyOf(response))) receive(http, one, id);
  fail(http, id, { kind: 'lost', detail: `it answered HTTP ${status} without an answer to the request` });
}

const isStream = (response: IncomingMessage): boolean =>
  /^\s*text\/event-stream\s*(?:;|$)/i.test(response.headers['content-type'] ?? '');

function receive(http: Http, one: ReturnType<typeof readIncoming>[number], related: RequestId | null): void {
  if (http.over) return;
  if ((one.kind === 'result' || one.kind === 'error') && one.id !== null) http.inFlight.delete(keyOf(one.id));
  http.on.message(one, related);
}

/** A status that says no: below 500 the request was turned away at the door; above nobody knows. */
async function turnedAway(http: Http, id: RequestId, response: IncomingMessage): Promise<void> {
  const { statusCode: status = 0 } = response;
  const body = await bodyOf(response).catch(() => '');
  if (status === 404 && http.session !== undefined) {
    fail(http, id, { kind: 'session', detail: 'it no longer knows this session' });
    return end(http, 'it no longer knows this session');
  }
  const [said] = readIncoming(body);
  if (said?.kind === 'error' && said.id !== null && status < 500) return receive(http, said, id);
  const detail =
    said?.kind === 'error' ? `HTTP ${status}: ${said.error.message.slice(0, 200)}` : `HTTP ${status}`;
  fail(http, id, { kind: status < 500 ? 'unsent' : 'lost', detail: `it answered ${detail}` });
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    // Without an encoding set, a response's chunks are buffers.
    const piece = chunk as Buffer;
    bytes += piece.length;
    if (bytes > messageBytesMax) throw new Error('it wrote a message that is too large');
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Reads a request's stream to its answer; one that ends before is resumed where the server gave it event ids (SEP-1699). */
async function followed(
  http: Http,
  id: RequestId,
  first: IncomingMessage,
  signal: AbortSignal,
): Promise<void> {
  const waiting = (): boolean => http.inFlight.has(keyOf(id));
  const events = readEvents(messageBytesMax, (event) => {
    if (event.event !== 'message') return;
    for (const one of readIncoming(event.data)) receive(http, one, id);
  });
  let why = await drain(first, events);
  for (let tries = 0; waiting() && !http.over && events.lastId !== null && tries < resumeTries; tries += 1) {
    await after(events.retryMs ?? resumeAfterMs, undefined, { signal, ref: false });
    const before = events.lastId;
    const response = await send(http, { method: 'GET', lastId: before }, signal).catch(() => undefined);
    if (response === undefined) continue;
    if (response.statusCode !== 200 || !isStream(response)) {
      response.resume();
      break;
    }
    why = await drain(response, events);
    if (events.lastId !== before) tries = 0; // it goes on
  }
  if (waiting()) fail(http, id, { kind: 'lost', detail: why ?? 'its stream ended without an answer' });
}

/** Feeds a response's text to the reader; answers why it broke, undefined where it ended well. */
async function drain(response: IncomingMessage, events: Events): Promise<string | undefined> {
  const decoder = new StringDecoder('utf8');
  try {
    for await (const chunk of response) {
      // As above: chunks are buffers.
      if (!events.push(decoder.write(chunk as Buffer))) return 'it wrote a message that is too large';
    }
    return undefined;
  } catch (error) {
    return `its stream broke: ${messageOf(error)}`;
  }
}

/** Keeps one GET stream open for what belongs to no request; a server without one (405) is left in peace. */
async function listen(http: Http): Promise<void> {
  const events = readEvents(messageBytesMax, (event) => {
    if (event.event !== 'message') return;
    for (const one of readIncoming(event.data)) receive(http, one, null);
  });
  for (let pauseMs = resumeAfterMs; !http.over;) {
    const response = await send(http, { method: 'GET', lastId: events.lastId }, http.stop.signal).catch(
      () => undefined,
    );
    if (response !== undefined && response.statusCode === 200 && isStream(response)) {
      pauseMs = resumeAfterMs;
      await drain(response, events);
    } else {
      response?.resume();
      // Only a server that cannot be reached may have a stream later; what says no means it.
      if (response !== undefined && (response.statusCode ?? 0) < 500) return;
      pauseMs = Math.min(pauseMs * 2, listenAgainMsMax);
    }
    await after(events.retryMs ?? pauseMs, undefined, { signal: http.stop.signal, ref: false }).catch(
      () => undefined,
    );
  }
}
