/**
 * What a request's path is called in spans, metrics and log lines: the template of its route, never the path, which holds ids and
 * whatever a stranger writes there. All that is no route of the gate's is one.
 */
import { templateOf } from './api/routes.ts';
import { routeOf } from './pages/routes.ts';

/** Of every path that is no route. */
export const noRoute = '/*';

/** Paths that are routes as they are. */
const plain: ReadonlySet<string> = new Set([
  '/healthz',
  '/readyz',
  '/metrics',
  '/access/v1/evaluation',
  '/access/v1/evaluations',
]);

/** Paths below which there are more, of which nothing is told. */
const below: readonly (readonly [start: string, template: string])[] = [
  ['/mcp/', '/mcp/:server'],
  ['/sign-in', '/sign-in'],
  ['/sign-out', '/sign-out'],
  ['/channels/', '/channels/*'],
  ['/tlog/', '/tlog/*'],
  ['/.well-known/', '/.well-known/*'],
  ['/v1', '/v1/*'],
];

/** The template of a path. */
export function templateOfPath(method: string, pathname: string): string {
  if (plain.has(pathname)) return pathname;
  const call = templateOf(method, pathname);
  if (call !== undefined) return call;
  const page = routeOf(pathname);
  if (page !== undefined) return page.id === '' ? pathname : withoutId(pathname);
  return below.find(([start]) => pathname.startsWith(start))?.[1] ?? noRoute;
}

/** In paths of pages the second step is what varies. */
const withoutId = (pathname: string): string =>
  pathname
    .split('/')
    .map((step, at) => (at === 2 ? ':id' : step))
    .join('/');

const known: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** A method of RFC 9110 and RFC 5789 that somebody may use here; `_OTHER` for any other text (OpenTelemetry, HTTP). */
export const methodOf = (method: string): string => (known.has(method) ? method : '_OTHER');
