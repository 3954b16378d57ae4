/**
 * One POST to a URL that somebody else chose. Promises: the name is resolved once, every address of it is judged, and the
 * connection goes to one of those and to no other, so that a name which answers differently a moment later (DNS rebinding)
 * gains nothing; redirects are not followed; no proxy, cookie or kept connection is used; the whole takes a bounded time; of
 * the answer only the status is kept.
 */
import { lookup } from 'node:dns/promises';
import { request as requestHttp, type ClientRequest } from 'node:http';
import { request as requestHttps, type RequestOptions } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { err, ok, type Result } from '../core/result.ts';
import { refusedAddress } from './address.ts';

/** The outside world, as tests may replace it. */
export interface Net {
  /** All addresses of a name. Rejects where there are none. */
  readonly resolve: (name: string) => Promise<readonly string[]>;
  /** PEM of an authority to trust instead of the usual ones. */
  readonly ca?: string;
}

export const systemNet: Net = {
  resolve: async (name) => (await lookup(name, { all: true })).map((one) => one.address),
};

export interface Posting {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** See {@link refusedAddress}. */
  readonly privateAddresses: boolean;
  /** For everything: resolving, connecting, sending, and the answer. */
  readonly timeoutMs: number;
}

export type Posted = Result<number, { readonly detail: string; readonly retryable: boolean }>;

/** So much of an answer is read and thrown away, for receivers that mind being cut off; then the connection is closed. */
const answerBytesMax = 65_536;

/** Posts; answers the status, whatever it is. Never rejects. */
export async function postPinned(url: URL, posting: Posting, net: Net = systemNet): Promise<Posted> {
  const name = url.hostname.replace(/^\[|\]$/g, '');
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), posting.timeoutMs);
  try {
    const addresses = isIP(name) === 0 ? await before(late.signal, net.resolve(name)) : [name];
    if (addresses.length === 0) return err({ detail: `${name} has no address`, retryable: true });
    for (const address of addresses) {
      const why = refusedAddress(address, posting.privateAddresses);
      // Any: which of them a connection takes is a matter of chance.
      if (why !== null)
        return err({ detail: `${name} is ${address}: ${why}, so it is not called`, retryable: false });
    }
    return await send(optionsOf(url, { name, addresses, posting, net, signal: late.signal }), posting);
  } catch (error) {
    const detail = late.signal.aborted
      ? `there was no answer within ${posting.timeoutMs / 1000} s`
      : error instanceof Error
        ? error.message
        : String(error);
    return err({ detail, retryable: true });
  } finally {
    clearTimeout(timer);
  }
}

/** Rejects when the signal aborts, for what cannot be stopped itself. */
async function before<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('too late')), { once: true });
    }),
  ]);
}

interface Pinning {
  readonly name: string;
  /** Judged, never empty. */
  readonly addresses: readonly string[];
  readonly posting: Posting;
  readonly net: Net;
  readonly signal: AbortSignal;
}

function optionsOf(url: URL, { name, addresses, posting, net, signal }: Pinning): RequestOptions {
  return {
    method: 'POST',
    protocol: url.protocol,
    host: name,
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: {
      ...posting.headers,
      host: url.host,
      'content-length': String(Buffer.byteLength(posting.body)),
      connection: 'close',
    },
    // A connection of its own: one that is kept was judged for somebody else.
    agent: false,
    signal,
    lookup: pinned(addresses),
    ...(url.protocol === 'https:' ? { rejectUnauthorized: true } : {}),
    ...(url.protocol === 'https:' && isIP(name) === 0 ? { servername: name } : {}),
    ...(net.ca === undefined ? {} : { ca: net.ca }),
  };
}

/** Answers what was judged, whatever is asked. */
const pinned =
  (addresses: readonly string[]): LookupFunction =>
  (_name, options, callback) => {
    const all = addresses.map((address) => ({ address, family: isIP(address) }));
    const [first = { address: '', family: 0 }] = all;
    process.nextTick(() =>
      options.all === true ? callback(null, all) : callback(null, first.address, first.family),
    );
  };

/** Resolves with the status once the answer is over or long enough; rejects where there is none. */
function send(options: RequestOptions, { body }: Posting): Promise<Posted> {
  return new Promise((resolve, reject) => {
    let status: number | undefined;
    let failure: unknown = new Error('the connection was closed without an answer');
    const request: ClientRequest =
      options.protocol === 'https:' ? requestHttps(options) : requestHttp(options);
    request.on('response', (response) => {
      status = response.statusCode;
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > answerBytesMax) request.destroy();
      });
      // The status is known; what becomes of the rest changes nothing.
      response.on('error', () => undefined);
    });
    request.on('error', (error) => {
      failure = error;
    });
    request.on('close', () => {
      if (status !== undefined) resolve(ok(status));
      else reject(failure instanceof Error ? failure : new Error(String(failure)));
    });
    request.end(body);
  });
}
