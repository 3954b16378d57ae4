/**
 * A PostgreSQL URL with one or several hosts, as libpq takes it: `postgres://user:password@h1:5432,h2:5433/db?…`. `pg` knows one
 * host in a URL, so each host becomes a URL of its own. Promise: no message of here holds any part of what was given: a
 * slash in a password moves it to where a host should be.
 */

/** One of the hosts. */
export interface Host {
  /** For people: `h1:5432`, or the folder of a socket. */
  readonly name: string;
  /** As `pg` takes it; holds the password. */
  readonly url: string;
}

const hostsMax = 16;
const defaultPort = '5432';

/** Every part but the hosts: user and password with their `@`, the hosts, the path, the query. */
const form = /^postgres(?:ql)?:\/\/([^/?#]*@)?([^/?#@]*)(\/[^?#]*)?(?:\?([^#]*))?$/;

/** A host in the authority: an IPv6 address in brackets, a name, or a percent-encoded folder of a socket. */
const authorityHost = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]]*))(?::(\d*))?$/;

/** @throws Error that says what is wrong, without the URL. */
export function hostsOf(url: string): readonly Host[] {
  const [, user = '', authority = '', path = '', query = ''] =
    form.exec(url) ??
    fail('it is not postgres://USER:PASSWORD@HOST/DATABASE; percent-encode what is special in the password');
  const params = new URLSearchParams(query);
  const attributes = params.get('target_session_attrs') ?? 'read-write';
  if (attributes !== 'read-write' && attributes !== 'primary')
    fail('target_session_attrs must be read-write: a gate writes');
  params.delete('target_session_attrs');
  const sslmode = params.get('sslmode');
  if (sslmode !== null && !sslmodes.has(sslmode)) fail(`sslmode must be one of ${[...sslmodes].join(', ')}`);
  if (!isEncoded(user))
    fail('a percent sign in user or password is not followed by two hexadecimal digits: write it %25');
  const pairs = params.has('host')
    ? named(params.get('host') ?? '', params.get('port') ?? '')
    : authority.split(',').map(inAuthority);
  if (pairs.length > hostsMax) fail(`more than ${hostsMax} hosts`);
  return pairs.map(({ host, port }) => {
    const one = new URLSearchParams(params);
    one.set('host', host);
    one.set('port', port);
    const name = host.startsWith('/') ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`;
    return { name, url: `postgres://${user}host${path}?${one.toString()}` };
  });
}

/** As the driver `pg` knows them. */
const sslmodes: ReadonlySet<string> = new Set([
  'disable',
  'prefer',
  'require',
  'verify-ca',
  'verify-full',
  'no-verify',
]);

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

interface Pair {
  readonly host: string;
  readonly port: string;
}

function inAuthority(text: string): Pair {
  const [, v6, host = '', port = ''] =
    authorityHost.exec(text) ??
    fail('a host is not HOST:PORT; percent-encode what is special in the password');
  return pair(v6 ?? decoded(host), port);
}

/** `?host=a,b&port=1,2`: as many ports as hosts, or one for all. */
function named(hosts: string, ports: string): readonly Pair[] {
  const names = hosts.split(',');
  const numbers = ports.split(',');
  if (numbers.length !== 1 && numbers.length !== names.length)
    fail('host and port name different numbers of hosts');
  return names.map((host, at) => pair(host, numbers[numbers.length === 1 ? 0 : at] ?? ''));
}

function pair(host: string, port: string): Pair {
  const number = port === '' ? defaultPort : port;
  if (!/^\d{1,5}$/.test(number) || Number(number) < 1 || Number(number) > 65_535)
    fail('a port is no number from 1 to 65535');
  return { host: host === '' ? 'localhost' : host, port: number };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fail('a percent sign in a host is not followed by two hexadecimal digits');
  }
}

function fail(why: string): never {
  throw new Error(`The database's URL cannot be used: ${why}.`);
}
