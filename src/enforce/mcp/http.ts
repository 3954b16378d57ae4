/**
 * A pipe to an upstream by URL (MCP transport "Streamable HTTP", revisions 2025-03-26 to 2025-11-25): one POST a message,
 * answered by JSON or by a stream of events, and one GET stream for what belongs to no request.
 *
 * The official SDK's StreamableHTTPClientTransport is not used: it does not tell on which request's stream a message came,
 * which the gate must know to find the call that asks a question, and it gives parsed messages only (see stdio.ts).
 */
import type { IncomingMessage } from 'node:http';
import type { Upstream } from '../../ports/settings.ts';
import {
  eachPiece,
  end,
  fail,
  isStream,
  prepare,
  receive,
  send,
  type Http,
  type Outgoing,
} from './http-exchange.ts';
import { followed, listen } from './http-streams.ts';
import { keyOf, readIncoming, type RequestId } from './message.ts';
import { messageBytesMax, messageOf, type Log, type Pipe, type PipeEvents } from './pipe.ts';

/** How long ending the session may take. */
const endSessionMs = 2000;

/** Errors of a connection that was never made: the request did not leave. */
const neverConnected: ReadonlySet<string> = new Set([
  'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'ERR_INVALID_URL',
  'CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'SELF_SIGNED_CERT_IN_CHAIN',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]); // prettier-ignore

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
    door: undefined,
    ready: undefined,
  };
  let listening = false;
  return {
    request: (id, text, headers = {}) => {
      if (http.over) return on.failed(id, { kind: 'unsent', detail: 'the connection is closed' });
      const stop = new AbortController();
      http.inFlight.set(keyOf(id), { id, stop });
      void post(http, id, { method: 'POST', text, headers }, stop.signal).catch((error: unknown) =>
        fail(http, id, { kind: 'lost', detail: messageOf(error) }),
      );
    },
    prepare: (text, headers = {}) => prepare(http, text, headers),
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

async function post(http: Http, id: RequestId, out: Outgoing, signal: AbortSignal): Promise<void> {
  let response: IncomingMessage;
  try {
    response = await send(http, out, signal);
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
  fail(http, id, { kind: status < 500 ? 'unsent' : 'lost', detail: `it answered ${detail}`, status });
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  await eachPiece(response, (piece) => {
    bytes += piece.length;
    if (bytes > messageBytesMax) throw new Error('it wrote a message that is too large');
    chunks.push(piece);
    return true;
  });
  return Buffer.concat(chunks).toString('utf8');
}
