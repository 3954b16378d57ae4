/**
 * Where an agent may have itself called back when its wait ends. The operator lists hosts; the agent names a URL on one of them.
 * Judged when it is asked and again when it is called, by the same function. Pure: what the name resolves to is judged where
 * the connection is made (channels/address.ts).
 *
 * Promise: what is judged is what is called. The URL that is given back is the one to store and to connect to.
 */
import { refuse, type Refusal } from './refusal.ts';
import { err, ok, type Result } from './result.ts';

export interface CallbackRules {
  /**
   * Lower-case host names: `wf.example.com` is that host alone, `*.flows.example.com` every name below it and not itself.
   * `:PORT` follows where the port is not the scheme's own.
   */
  readonly hosts: readonly string[];
  /** Dangerous: lets callbacks reach loopback and private networks, and lets them go over plain http. */
  readonly privateAddresses: boolean;
}

/** Longest callback URL, in characters. */
export const callbackCharsMax = 2000;

/** What stands before a wildcard's name: one label or more. */
const below = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/**
 * The URL that a callback names, normalised; or `input_invalid` with what is wrong.
 * @param rules null where the operator configured no callbacks.
 */
export function readCallback(text: string, rules: CallbackRules | null): Result<URL, Refusal> {
  if (rules === null)
    return no(
      'cannot be used, because no callbacks are configured here: an operator lists their hosts under `callbacks` in the configuration. Wait with ?wait= instead',
    );
  // Anything else is dropped or mapped by URL parsers: what is meant must be what is written.
  if (text.length > callbackCharsMax || !/^[\x21-\x7e]+$/.test(text) || text.includes('\\'))
    return no(`must be a URL of at most ${callbackCharsMax} visible ASCII characters without a backslash`);
  const url = URL.parse(text);
  if (url === null) return no('is not a URL');
  const http = url.protocol === 'http:' && rules.privateAddresses;
  if (url.protocol !== 'https:' && !http) return no('must be an https URL');
  if (url.username !== '' || url.password !== '') return no('must not hold a user name or a password');
  if (text.includes('#')) return no('must not have a fragment, which is never sent');
  return rules.hosts.some((host) => covers(host, url))
    ? ok(url)
    : no('names a host and port that are not among `callbacks.hosts` of the configuration');
}

/** Whether an entry of the list covers the URL's host and port. */
function covers(entry: string, url: URL): boolean {
  const standard = url.protocol === 'https:' ? '443' : '80';
  const [name = '', port = standard] = entry.split(':');
  if ((url.port === '' ? standard : url.port) !== port) return false;
  if (!name.startsWith('*.')) return url.hostname === name;
  const suffix = name.slice(1);
  return url.hostname.endsWith(suffix) && below.test(url.hostname.slice(0, -suffix.length));
}

const no = (words: string): Result<never, Refusal> =>
  err(refuse('input_invalid', `"callback" ${words}.`, { pointer: '/callback' }));
