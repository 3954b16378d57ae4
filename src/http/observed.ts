/**
 * Every request, observed from outside: a span by OpenTelemetry's conventions for HTTP servers, a measurement, and a line for the log
 * where that is wanted. Promises: no path, query, header, address of a client or body is in any of them; observing changes no answer.
 */
import type { Parts } from '../app/parts.ts';
import type { Principal } from '../core/directory.ts';
import type { Result } from '../core/result.ts';
import type { Refusal } from '../core/refusal.ts';
import type { Identity } from '../ports/identity.ts';
import { noMeters, type Meters } from '../ports/meters.ts';
import { noTracing, type Span, type Tracing } from '../ports/tracing.ts';
import { methodOf, templateOfPath } from './route-template.ts';

/** One request that was answered. */
export interface Access {
  readonly method: string;
  /** A template. */
  readonly route: string;
  readonly status: number;
  readonly ms: number;
  /** Who it was, where they proved it: `agent crm-bot`, `person rosa`. */
  readonly by: string | null;
  /** The trace that it belongs to. */
  readonly trace: string | null;
}

export interface Observed {
  /** The same identity, which notes who each request is from. */
  readonly identity: Identity;
  /** The same handler, observed. */
  readonly observe: (
    handler: (request: Request) => Promise<Response>,
  ) => (request: Request) => Promise<Response>;
}

/** What probes and scrapers ask every few seconds is no span and no line. */
const quiet: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);
/** Where the callers are programs, whose word on the trace that they belong to is heard; a browser's page has none. */
const programs = /^\/(?:v1|mcp|access)(?:\/|$)/;

/** @param access told of each request; null: nobody is. */
export function createObserved(
  parts: Pick<Parts, 'meters' | 'tracing'>,
  known: Identity,
  access: ((access: Access) => void) | null,
): Observed {
  const { meters = noMeters, tracing = noTracing } = parts;
  const who = new WeakMap<Request, string>();
  let open = 0;
  meters.gauge('http_requests_open', () => open);
  const note = (request: Request, principal: Principal): void => {
    who.set(request, `${principal.kind} ${principal.id}`);
    if (principal.kind === 'agent') tracing.current.set({ 'countersign.agent.id': principal.id });
  };
  return {
    identity: noting(known, meters, note),
    observe: (handler) => async (request) => {
      const start = performance.now();
      const { method, route, span } = begun(tracing, request);
      open += 1;
      try {
        const response = await (span === null
          ? handler(request)
          : tracing.within(span, () => handler(request)));
        const { status } = response;
        span?.set({ 'http.response.status_code': status });
        if (status >= 500) span?.fail(String(status));
        const ms = performance.now() - start;
        meters.observe('http_request_seconds', ms / 1000, { method, route, status: String(status) });
        if (span !== null) {
          const trace = span.carried.traceparent?.slice(3, 35) ?? null;
          access?.({ method, route, status, ms: Math.round(ms), by: who.get(request) ?? null, trace });
        }
        return response;
      } finally {
        open -= 1;
        span?.end();
      }
    },
  };
}

/** The span of a request; none for what probes ask. */
function begun(
  tracing: Tracing,
  request: Request,
): { readonly method: string; readonly route: string; readonly span: Span | null } {
  const method = methodOf(request.method);
  const { pathname, protocol } = new URL(request.url);
  const route = templateOfPath(request.method, pathname);
  if (quiet.has(route)) return { method, route, span: null };
  const span = tracing.start({
    name: `${method === '_OTHER' ? 'HTTP' : method} ${route}`,
    kind: 'server',
    ...(programs.test(pathname) ? { from: contextOf(request.headers) } : {}),
    attributes: {
      'http.request.method': method,
      'http.route': route,
      'url.scheme': protocol.slice(0, -1),
      'network.protocol.name': 'http',
    },
  });
  return { method, route, span };
}

/** The same identity, which notes who somebody is, and counts who is nobody. */
function noting(
  identity: Identity,
  meters: Meters,
  note: (request: Request, principal: Principal) => void,
): Identity {
  const failing = (how: 'bearer' | 'session', answer: Result<unknown, Refusal>): void => {
    if (!answer.ok && answer.error.code === 'unauthenticated')
      meters.count('authentication_failures', { how });
  };
  return {
    async bearer(request) {
      const by = await identity.bearer(request);
      if (by.ok) note(request, by.value);
      failing('bearer', by);
      return by;
    },
    async session(request) {
      const by = await identity.session(request);
      if (by.ok) note(request, { kind: 'person', id: by.value.person });
      // Whoever has no cookie has not failed: they have not signed in.
      if (request.headers.has('cookie')) failing('session', by);
      return by;
    },
    async routes(request) {
      const response = await identity.routes(request);
      if (response.status >= 400) meters.count('authentication_failures', { how: 'sign_in' });
      return response;
    },
  };
}

const contextOf = (headers: Headers): { readonly traceparent: unknown; readonly tracestate: unknown } => ({
  traceparent: headers.get('traceparent') ?? undefined,
  tracestate: headers.get('tracestate') ?? undefined,
});
