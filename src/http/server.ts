/**
 * The gate's one door for HTTP. Every request is held to the gate's own name, every response carries the security headers,
 * and whatever fails inside answers a problem that tells nothing: a fault never lets anything pass.
 */
import { createAdaptorServer } from '@hono/node-server';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CallbackRules } from '../core/callback.ts';
import type { AgentPrincipal } from '../core/directory.ts';
import type { AgentId } from '../core/ids.ts';
import { refuse } from '../core/refusal.ts';
import type { Parts } from '../app/parts.ts';
import type { Identity } from '../ports/identity.ts';
import { createAccess, metadataPath } from './access/access.ts';
import { createApi, otherMethod } from './api/api.ts';
import { fault, problem } from './api/problems.ts';
import { decoded } from './api/routes.ts';
import { createMetrics } from './metrics.ts';
import { alive, createReadiness } from './ready.ts';
import { notAuthenticated, resourceMetadata } from './resource-metadata.ts';
import { readsLog } from './tlog.ts';
import { hardened, isForAddress, isForUs, isFromElsewhere, permittedHosts } from './headers.ts';

export interface HttpParts {
  readonly parts: Parts;
  readonly identity: Identity;
  /** Pages and what they need; undefined for a path that is none of theirs. */
  readonly pages: (request: Request) => Promise<Response | undefined>;
  /** MCP over Streamable HTTP, for an agent that has been authenticated and a server that is configured. */
  readonly mcp: (
    request: Request,
    to: { readonly server: string } & Pick<AgentPrincipal, 'chain' | 'via'> & { readonly agent: AgentId },
  ) => Promise<Response>;
  /** What chats send, below `/channels/`; undefined for a path that is none of theirs. Default: there are none. */
  readonly channels?: (request: Request) => Promise<Response | undefined>;
  /** Issuers that agents may get tokens from now (RFC 9728); default: none. */
  readonly authorizationServers?: () => readonly string[];
  /** Null where the gate is ready; else a sentence that says why not (still starting, stopping). */
  readonly ready: () => string | null;
  /** Aborts when the gate is closing: whoever waits is answered with what is now. */
  readonly closing?: AbortSignal;
  /** Where agents may have themselves called back; default: nowhere. */
  readonly callbacks?: CallbackRules | null;
  /** IANA name: where days begin in reports; default: UTC. */
  readonly timezone?: string;
  /** Told of failures of ours, for the operator's terminal. */
  readonly report?: (error: unknown) => void;
}

/** One function for all requests. Never rejects. */
export function createHttp(http: HttpParts): (request: Request) => Promise<Response> {
  const { origin } = http.parts;
  const hosts = permittedHosts(origin);
  const secure = origin.startsWith('https:');
  const api = createApi(http);
  const access = createAccess(http);
  const metrics = createMetrics(http.parts);
  const readiness = createReadiness(http);
  const route = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    // Probes know an address, not our name, and learn nothing here.
    if (pathname === '/healthz') return alive();
    if (pathname === '/readyz') return readiness();
    if (pathname === '/metrics') return scrape(request, hosts, metrics);
    if (!isForUs(request, hosts))
      return problem(refuse('not_permitted', 'This gate goes by another name; use its own address.'));
    if (pathname === '/v1' || pathname.startsWith('/v1/')) return api(request);
    if (pathname.startsWith('/mcp/')) return mcp(http, request, hosts);
    if (pathname.startsWith('/channels/'))
      return (await http.channels?.(request)) ?? problem(refuse('not_found', 'There is no such channel.'));
    if (/^\/sign-(?:in|out)(?:[./]|$)/.test(pathname)) return http.identity.routes(request);
    if (pathname.startsWith('/access/') || pathname === metadataPath) return access(request);
    const tlog = await http.parts.transparency?.handle(request, () =>
      readsLog(http.parts, http.identity, request),
    );
    if (tlog !== undefined) return tlog;
    const metadata = resourceMetadata(request, {
      origin,
      authorizationServers: http.authorizationServers?.() ?? [],
    });
    if (metadata !== undefined) return metadata;
    return (await http.pages(request)) ?? problem(refuse('not_found', 'There is no such page.'));
  };
  return async (request) => {
    const response = await route(request).catch((error: unknown) => {
      (http.report ?? console.error)(error);
      // What the store could not read it may read in a moment: no bug of ours, and nothing has happened.
      return error instanceof Error && error.name === storeFault ? problem(awayNow) : fault();
    });
    const answer = hardened(response, secure);
    return request.method === 'HEAD'
      ? new Response(null, { status: answer.status, headers: answer.headers })
      : answer;
  };
}

/** The name of what a read of the store rejects with (store/driver.ts). */
const storeFault = 'SqlFault';
const awayNow = refuse('audit_unavailable', 'The store cannot be read; ask again in a moment.');

/**
 * Prometheus knows addresses rather than names, so an address will do for `Host`. A page whose name was pointed here (DNS
 * rebinding) sends that name, and is refused as everywhere.
 */
function scrape(
  request: Request,
  hosts: ReadonlySet<string>,
  metrics: () => Promise<Response>,
): Response | Promise<Response> {
  if (!isForUs(request, hosts) && !isForAddress(request))
    return problem(refuse('not_permitted', 'This gate goes by another name; use its own address.'));
  if (request.method !== 'GET' && request.method !== 'HEAD') return otherMethod(request.method, 'GET, HEAD');
  return metrics();
}

/** What Streamable HTTP uses. */
const mcpMethods = 'GET, POST, DELETE, OPTIONS';

async function mcp(http: HttpParts, request: Request, hosts: ReadonlySet<string>): Promise<Response> {
  const server = decoded(new URL(request.url).pathname.slice('/mcp/'.length));
  if (!mcpMethods.split(', ').includes(request.method) || request.method === 'OPTIONS')
    return otherMethod(request.method, mcpMethods);
  if (isFromElsewhere(request, hosts))
    return problem(refuse('not_permitted', 'Pages of other origins may not call this.'));
  const by = await http.identity.bearer(request);
  if (!by.ok) return notAuthenticated(by.error, request, http.parts.origin);
  if (by.value.kind !== 'agent')
    return problem(refuse('not_an_agent', 'MCP is for agents; use an agent’s token.'));
  if (server === undefined || !http.parts.world.catalog.isServer(server)) {
    return problem(refuse('not_found', 'No MCP server of that name is configured here.'));
  }
  const { id: agent, chain, via } = by.value;
  return http.mcp(request, {
    server,
    agent,
    ...(chain === undefined ? {} : { chain }),
    ...(via === undefined ? {} : { via }),
  });
}

export interface Served {
  /** Where it listens: `http://HOST:PORT`. */
  readonly url: string;
  readonly port: number;
  /** Ends live streams: whoever listens connects again, and so somewhere else. */
  endStreams(): void;
  /** Takes no more requests, ends live streams, and gives what is under way {@link closeMs}. */
  close(): Promise<void>;
}

/** How long requests under way may take once the gate is closing. */
export const closeMs = 5000;
/** How often connections that have become idle are closed meanwhile. */
const idleLookMs = 25;

/** Listens on a host and a port (0: any free one). Rejects where it cannot. */
export async function serve(
  handler: (request: Request) => Promise<Response>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Served> {
  const streams = new Set<ServerResponse>();
  // The adapter makes an HTTP/1.1 server where it is given no other, with that server's requests and responses.
  const server = createAdaptorServer({
    fetch: async (request, env) => {
      const { incoming, outgoing } = env as {
        readonly incoming: IncomingMessage;
        readonly outgoing: ServerResponse;
      };
      const response = await handler(request);
      // A GET that streams ends only with its client; a POST that streams has an answer to give.
      const live =
        incoming.method === 'GET' &&
        response.headers.get('content-type')?.startsWith('text/event-stream') === true;
      if (live) streams.add(outgoing.once('close', () => streams.delete(outgoing)));
      return response;
    },
  }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // A server that listens on a port has an address with one.
  const { port: listening } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${listening}`,
    port: listening,
    endStreams: () => {
      for (const stream of streams) stream.end();
    },
    close: () => close(server, streams),
  };
}

async function close(server: Server, streams: ReadonlySet<ServerResponse>): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  for (const stream of streams) stream.end();
  // A connection kept alive is idle only once its answer has gone.
  const idle = setInterval(() => server.closeIdleConnections(), idleLookMs);
  const late = setTimeout(() => server.closeAllConnections(), closeMs);
  await closed;
  clearInterval(idle);
  clearTimeout(late);
}
