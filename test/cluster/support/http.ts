/**
 * Calls as clients make them, of which each either has its whole answer or none: what was cut in the middle counts as none,
 * because the client cannot know what became of it. All gates answer to one name, as behind a load balancer.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** What every gate of a run is called: links and the Host check. */
export const publicUrl = 'http://localhost';

export interface Said {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly token: string;
  /** Idempotency-Key. */
  readonly key?: string;
  readonly body?: object;
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  // What is read of an answer is checked by what is made of it.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

const answerMsMax = 15_000;

function open(
  port: number,
  {
    method,
    path,
    headers,
  }: { readonly method: string; readonly path: string; readonly headers: Readonly<Record<string, string>> },
  body: string | null,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: { ...headers, host: 'localhost' },
      signal,
      agent: false,
    };
    const sent = httpRequest(options, resolve);
    sent.on('error', reject);
    sent.end(body ?? undefined);
  });
}

/** Null: there was no whole answer, whatever the reason. */
export async function send(port: number, said: Said): Promise<Answer | null> {
  const { method, path, token, key, body, timeoutMs = answerMsMax } = said;
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
  };
  try {
    const sent = body === undefined ? null : JSON.stringify(body);
    const response = await open(port, { method, path, headers }, sent, AbortSignal.timeout(timeoutMs));
    const got = await text(response);
    if (!response.complete) return null;
    const json = (response.headers['content-type'] ?? '').includes('json');
    return { status: response.statusCode ?? 0, body: json ? JSON.parse(got) : got };
  } catch {
    return null;
  }
}

/** `fetch` for MCP clients, to one gate by the name that all of them have. */
export function fetchTo(port: () => number): (url: string | URL, init?: RequestInit) => Promise<Response> {
  return async (url, init = {}) => {
    const { pathname, search } = new URL(url);
    const headers = Object.fromEntries(new Headers(init.headers));
    const body = typeof init.body === 'string' ? init.body : null;
    const signal = init.signal ?? AbortSignal.timeout(300_000);
    const wanted = { method: init.method ?? 'GET', path: pathname + search, headers };
    const response = await open(port(), wanted, body, signal);
    response.on('error', () => undefined);
    const got = new Headers();
    for (const [name, value] of Object.entries(response.headers))
      if (value !== undefined) got.set(name, Array.isArray(value) ? value.join(', ') : value);
    const status = response.statusCode ?? 500;
    const empty = status === 204 || status === 304 || status === 202;
    if (empty) response.resume();
    // Node's own stream of bytes, in the words of the web.
    const stream = empty ? null : (Readable.toWeb(response) as ReadableStream<Uint8Array>);
    return new Response(stream, { status, headers: got });
  };
}
