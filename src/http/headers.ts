/** What every response carries, and which names the gate answers to. */
import { isIP } from 'node:net';

const defaults: readonly (readonly [name: string, value: string])[] = [
  ['x-content-type-options', 'nosniff'],
  // Not `no-referrer`: then browsers post our own forms with `Origin: null`.
  ['referrer-policy', 'same-origin'],
  ['x-frame-options', 'DENY'],
  [
    'content-security-policy',
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  ],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['permissions-policy', 'camera=(), microphone=(), geolocation=(), payment=()'],
  ['cache-control', 'no-store'],
];

/** Adds what the response does not say itself: a page's own content security policy stays. */
export function hardened(response: Response, secure: boolean): Response {
  const all = secure ? [...defaults, ['strict-transport-security', 'max-age=31536000'] as const] : defaults;
  try {
    for (const [name, value] of all) if (!response.headers.has(name)) response.headers.set(name, value);
    return response;
  } catch {
    // Headers of some responses (a redirect's, a fetched one's) cannot be changed; those of a copy can.
    const headers = new Headers(response.headers);
    for (const [name, value] of all) if (!headers.has(name)) headers.set(name, value);
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
  }
}

const loopbackNames: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/**
 * The values of `Host` that the gate answers to: its own, and on loopback every name of loopback, with the port. A page of
 * another site whose name was pointed at this address (DNS rebinding) sends its own name, and is refused.
 */
export function permittedHosts(origin: string): ReadonlySet<string> {
  const { protocol, hostname, port, host } = new URL(origin);
  const standard = protocol === 'https:' ? '443' : '80';
  const names = loopbackNames.includes(hostname) ? loopbackNames : [hostname];
  const ported = names.map((name) => `${name}:${port === '' ? standard : port}`);
  return new Set([host, ...ported, ...(port === '' ? names : [])]);
}

/** Whether the request was sent to one of our names: in its address and, where it has one, in its `Host`. */
export function isForUs(request: Request, hosts: ReadonlySet<string>): boolean {
  const host = request.headers.get('host');
  return hosts.has(new URL(request.url).host) && (host === null || hosts.has(host.toLowerCase()));
}

/** Whether the request was sent to an address and to no name: nobody else's name leads here then. */
export function isForAddress(request: Request): boolean {
  const host = request.headers.get('host');
  const said = host === null ? null : (URL.parse(`http://${host}`)?.hostname ?? '');
  return [new URL(request.url).hostname, ...(said === null ? [] : [said])].every(
    (name) => isIP(name.replace(/^\[|\]$/g, '')) !== 0,
  );
}

/** Whether a page of another origin made the request; programs send no `Origin` (MCP: servers must check it). */
export function isFromElsewhere(request: Request, hosts: ReadonlySet<string>): boolean {
  const origin = request.headers.get('origin');
  if (origin === null) return false;
  const url = URL.parse(origin);
  return url === null || !hosts.has(url.host);
}
