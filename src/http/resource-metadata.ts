/**
 * The gate as an OAuth 2.1 resource server: where its metadata is (RFC 9728), and what an answer 401 says of the token that
 * was shown (RFC 6750 §3). Each MCP server is a resource of its own; `/v1` and `/access` are one, the gate's origin.
 */
import type { Refusal } from '../core/refusal.ts';
import { problem } from './api/problems.ts';

/** RFC 9728 §3: put before the path of the resource. */
export const resourceMetadataPath = '/.well-known/oauth-protected-resource';

/** The one step of a path below `/mcp/`; what the configuration can name, and more. */
const mcpPath = /^\/mcp\/[^/]+$/;

/** The path of the resource that a request is made to: of an MCP server, or none. */
const resourcePathOf = (pathname: string): string => (mcpPath.test(pathname) ? pathname : '');

/**
 * Answers `GET /.well-known/oauth-protected-resource[/mcp/SERVER]`; undefined for any other path. The same for a server that
 * is configured and one that is not: who has no token learns no names.
 */
export function resourceMetadata(
  request: Request,
  at: { readonly origin: string; readonly authorizationServers: readonly string[] },
): Response | undefined {
  const { pathname } = new URL(request.url);
  if (!pathname.startsWith(resourceMetadataPath)) return undefined;
  const path = pathname.slice(resourceMetadataPath.length);
  if (path !== '' && !mcpPath.test(path)) return undefined;
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return new Response(null, {
      status: request.method === 'OPTIONS' ? 204 : 405,
      headers: { allow: 'GET, HEAD, OPTIONS' },
    });
  const document = {
    // RFC 9728 §3.3: exactly the identifier that the metadata's URL was made from.
    resource: `${at.origin}${path}`,
    // Left out where there is none (§3.2): tokens then come from this gate's operator.
    ...(at.authorizationServers.length === 0 ? {} : { authorization_servers: at.authorizationServers }),
    bearer_methods_supported: ['header'],
    resource_name: 'Countersign',
  };
  return new Response(JSON.stringify(document), {
    headers: { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' },
  });
}

/**
 * The answer to somebody who is not authenticated: 401 with the challenge of RFC 6750 §3 and RFC 9728 §5.1. A request without
 * any credentials gets no error code; any other refusal is a plain problem.
 */
export function notAuthenticated(refusal: Refusal, request: Request, origin: string): Response {
  const answer = problem(refusal);
  if (answer.status !== 401) return answer;
  const path = resourcePathOf(new URL(request.url).pathname);
  const shown = refusal.evidence?.['token'] !== undefined;
  const parameters = [
    'realm="countersign"',
    ...(shown ? ['error="invalid_token"', `error_description="${quotable(refusal.detail)}"`] : []),
    `resource_metadata="${origin}${resourceMetadataPath}${path}"`,
  ];
  answer.headers.set('www-authenticate', `Bearer ${parameters.join(', ')}`);
  return answer;
}

/** What `error_description` may hold (RFC 6750 §3): printable ASCII but the quote and the backslash. */
const quotable = (text: string): string => text.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?');
