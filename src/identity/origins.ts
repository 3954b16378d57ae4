/**
 * Whether a request that changes something came from our own pages. A browser says where a request comes from in `Origin`
 * and `Sec-Fetch-Site`, and no page can lie there; a request that does not say is refused.
 */

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'] as const;

/**
 * The origins that pages of this gate have: the configured one and, where that is on loopback over plain HTTP, the same port
 * under every name of loopback (people type either).
 */
export function permittedOrigins(origin: string): ReadonlySet<string> {
  const { protocol, hostname, port, origin: configured } = new URL(origin);
  const names: readonly string[] = loopbackNames;
  if (protocol !== 'http:' || !names.includes(hostname)) return new Set([configured]);
  return new Set(loopbackNames.map((name) => `http://${name}${port === '' ? '' : `:${port}`}`));
}

/**
 * Whether the request was made by a page of one of these origins. `same-site` is not enough: another port of localhost, or a
 * sibling host, is the same site.
 */
export function fromOurPages(request: Request, permitted: ReadonlySet<string>): boolean {
  const origin = request.headers.get('origin');
  const site = request.headers.get('sec-fetch-site');
  return origin !== null && permitted.has(origin) && (site === null || site === 'same-origin');
}
