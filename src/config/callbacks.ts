/** Callbacks of a configuration: on which hosts agents may have themselves called back, and what signs the calls. */
import { isIP } from 'node:net';
import { refusedAddress } from '../channels/address.ts';
import type { CallbackSettings } from '../channels/callback.ts';
import { keyOf } from '../channels/standard-webhooks.ts';
import type { ConfigDocument, Problem } from './document.ts';
import type { Secrets } from './secrets.ts';
import type { Written } from './written.ts';

/** Shortest key, in bytes: what Standard Webhooks asks for. Whoever guesses it wakes workflows with outcomes that never were. */
const keyBytesMin = 24;

/** Null where nothing is configured: then `callback` is refused. */
export function callbacksOf({ callbacks }: Written, secrets: Secrets): CallbackSettings | null {
  if (callbacks === undefined) return null;
  return {
    hosts: callbacks.hosts,
    secret: secrets.read(callbacks.secret, ['callbacks', 'secret']),
    privateAddresses: callbacks.dangerouslyAllowPrivateAddresses === true,
  };
}

/** Keys that are too short; ports that are none; addresses that would never be called. */
export function callbackProblems(
  settings: CallbackSettings | null,
  document: ConfigDocument,
): readonly Problem[] {
  if (settings === null) return [];
  const problems: Problem[] = [];
  // Empty: it was not found, which is a problem already, or it was not looked for.
  if (settings.secret !== '' && keyOf(settings.secret).length < keyBytesMin) {
    const message = `callbacks.secret must hold a key of at least ${keyBytesMin} bytes, such as whsec_ and the output of: openssl rand -base64 32`;
    problems.push(document.problem(['callbacks', 'secret'], message));
  }
  for (const [index, entry] of settings.hosts.entries()) {
    const path = ['callbacks', 'hosts', index];
    const [name = '', port] = entry.split(':');
    if (port !== undefined && Number(port) > 65_535)
      problems.push(document.problem(path, `callbacks.hosts[${index}]: a port is at most 65535.`));
    const why = isIP(name) === 0 ? null : refusedAddress(name, settings.privateAddresses);
    if (why !== null)
      problems.push(document.problem(path, `callbacks.hosts[${index}] is ${why}, which is never called.`));
  }
  return problems;
}

/** The dangerous option, said at every start. */
export const callbackWarnings = ({ callbacks }: Written): readonly string[] =>
  callbacks?.dangerouslyAllowPrivateAddresses === true
    ? [
        'callbacks.dangerouslyAllowPrivateAddresses is on: agents can make the gate call private addresses, over plain http too, wherever a host in callbacks.hosts leads.',
      ]
    : [];
