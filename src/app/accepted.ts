/**
 * What files say, as a configuration that can be accepted: without secrets, so that it can be kept, compared and shown; and back:
 * what was accepted, with the secrets of the files, as far as these still say what was accepted.
 */
import { canonicalize } from '../core/canonical.ts';
import type {
  AcceptedOperation,
  AcceptedServer,
  AcceptedServers,
  AcceptedSource,
  AcceptedUpstream,
  Configuration,
} from '../core/config-change.ts';
import { isJsonObject, type JsonValue } from '../core/json.ts';
import { hmacSha256Hex } from '../core/sha256.ts';
import type { PolicyTexts } from '../ports/policy.ts';
import type { OperationSettings, Proposal, ServerSettings } from '../ports/settings.ts';
import { acceptableSignIn } from './sign-in.ts';

/** What was found, whole. @param key of the store: literal values are kept as HMACs under it. */
export const configurationOf = (key: Uint8Array, proposal: Proposal, texts: PolicyTexts): Configuration => ({
  policies: texts,
  directory: proposal.directory,
  servers: serversOf(key, proposal),
});

const serversOf = (key: Uint8Array, proposal: Proposal): AcceptedServers => ({
  servers: proposal.servers.map(({ name, pin, mode, modes, tools, ...server }): AcceptedServer => {
    return { name, upstream: upstreamOf(key, server), pin, mode, modes, tools };
  }),
  operations: proposal.operations.map(({ operation, input, profile, mode }): AcceptedOperation => {
    return { operation, input, profile, mode };
  }),
  // Always there: absent means that it was accepted before there was this part (app/acceptance.ts).
  signIn: proposal.signIn === undefined ? {} : acceptableSignIn(proposal.signIn),
  ...(proposal.timezone === undefined ? {} : { timezone: proposal.timezone }),
});

/** The time zone that was accepted; undefined where none was yet. @param body of what is accepted of servers */
export function acceptedTimezone(body: JsonValue | undefined): string | undefined {
  const timezone = body !== undefined && isJsonObject(body) ? body['timezone'] : undefined;
  return typeof timezone === 'string' ? timezone : undefined;
}

function upstreamOf(key: Uint8Array, server: Pick<ServerSettings, 'upstream' | 'sources'>): AcceptedUpstream {
  const { upstream, sources = {} } = server;
  const sourced = (values: Readonly<Record<string, string>>): Readonly<Record<string, AcceptedSource>> =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]): [string, AcceptedSource] => {
        const source = Object.hasOwn(sources, name) ? sources[name] : undefined;
        return source === undefined || source.from === 'literal'
          ? [name, { from: 'literal', hash: hmacSha256Hex(key, canonicalize(['literal', name, value])) }]
          : [name, source];
      }),
    );
  return upstream.kind === 'command'
    ? { kind: 'command', argv: upstream.argv, cwd: upstream.cwd, env: sourced(upstream.env) }
    : { kind: 'url', url: upstream.url, headers: sourced(upstream.headers) };
}

/** What is accepted, as enforcement points are built from it. */
export interface Effective extends Pick<Proposal, 'servers' | 'operations'> {
  /** Accepted names that are not served: taken away, or reached otherwise than was accepted. */
  readonly unserved: readonly string[];
  /** Operations that were taken away: declared still, and refused. */
  readonly withdrawn: readonly string[];
}

export const nothingEffective: Effective = { servers: [], operations: [], unserved: [], withdrawn: [] };

/** What is accepted of servers, each with the upstream of the files where that is the accepted one. */
export function effectiveOf(key: Uint8Array, accepted: AcceptedServers, found: Proposal): Effective {
  const servers = accepted.servers.flatMap((one): readonly ServerSettings[] => {
    const now = found.servers.find((server) => server.name === one.name);
    if (one.active === false || now === undefined || !sameUpstream(upstreamOf(key, now), one.upstream))
      return [];
    const { upstream, sources } = now;
    const { name, pin, mode, modes, tools } = one;
    return [{ name, upstream, pin, mode, modes, tools, ...(sources === undefined ? {} : { sources }) }];
  });
  const served = new Set(servers.map((one) => one.name));
  const withdrawn = accepted.operations.filter((one) => one.active === false);
  return {
    servers,
    operations: accepted.operations
      .filter((one) => one.active !== false)
      .map(({ operation, input, profile, mode }): OperationSettings => ({ operation, input, profile, mode })),
    unserved: accepted.servers.map((one) => one.name).filter((name) => !served.has(name)),
    withdrawn: withdrawn.map((one) => one.operation),
  };
}

const sameUpstream = (a: AcceptedUpstream, b: AcceptedUpstream): boolean =>
  canonicalize(a) === canonicalize(b);
