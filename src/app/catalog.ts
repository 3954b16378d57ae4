/** The catalog of what is accepted: settings and pinned tools in, operations with their targets out. Pure. */
import type { Target } from '../core/action.ts';
import { operationOf, splitOperation } from '../core/action.ts';
import { canonicalize } from '../core/canonical.ts';
import type { Mode } from '../core/case.ts';
import { asSha256Hex, type Sha256Hex } from '../core/ids.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import { profileHash, unknownProfile } from '../core/profile.ts';
import { hmacSha256Hex, sha256Hex } from '../core/sha256.ts';
import type { PinnedTool } from '../core/tool.ts';
import type { Catalog, CatalogEntry } from '../ports/catalog.ts';
import type { OperationSettings, ServerSettings, Upstream } from '../ports/settings.ts';
import type { Effective } from './accepted.ts';

const hashOf = (value: JsonValue): Sha256Hex => asSha256Hex(sha256Hex(canonicalize(value)));

/**
 * Names an upstream with all that decides what it acts on: a variable or a header can name the database as well as the
 * command can. Values may be secret, so it is an HMAC under the store's key: a reader of the log cannot test guesses.
 */
export function upstreamHash(key: Uint8Array, upstream: Upstream): Sha256Hex {
  const known = hashes.get(upstream);
  if (known?.key === key) return known.hash;
  // An upstream is plain JSON by construction: texts, lists and records of texts.
  const hash = asSha256Hex(hmacSha256Hex(key, canonicalize(upstream)));
  hashes.set(upstream, { key, hash });
  return hash;
}

/** Of upstreams as they were read, which nobody changes: asked for at every call. */
const hashes = new WeakMap<Upstream, { readonly key: Uint8Array; readonly hash: Sha256Hex }>();

/** The target of an operation that nobody configured: policies name it, and it is judged by its name alone (design §5). */
export const undeclaredTarget: Target = {
  kind: 'http',
  profile: profileHash(unknownProfile),
  declaration: hashOf({}),
};

/** What an operation's target is today; undefined for what was taken away, and for a tool of a configured server that is not enabled. */
export function targetNow(catalog: Catalog, operation: string): Target | undefined {
  const entry = catalog.entry(operation);
  if (entry !== undefined) return entry.target;
  if (catalog.isWithdrawn(operation)) return undefined;
  return catalog.isServer(splitOperation(operation)?.target ?? '') ? undefined : undeclaredTarget;
}

/** Whether an operation is enforced today; one that nobody configured is. */
export const modeOf = (catalog: Catalog, operation: string): Mode =>
  catalog.entry(operation)?.mode ?? 'enforce';

/** @param key of the store, for {@link upstreamHash}. */
export function createCatalog(
  key: Uint8Array,
  { servers, operations, unserved, withdrawn }: Effective,
  tools: readonly PinnedTool[],
): Catalog {
  const entries = new Map<string, CatalogEntry>();
  const names = new Map(servers.map((server) => [server.name, server]));
  for (const operation of operations) entries.set(operation.operation, configured(operation));
  for (const tool of tools) {
    const server = names.get(tool.server);
    const entry = server === undefined ? undefined : pinned(key, server, tool);
    if (entry !== undefined) entries.set(entry.operation, entry);
  }
  return {
    entry: (operation) => entries.get(operation),
    isServer: (target) => names.has(target) || unserved.includes(target),
    isWithdrawn: (operation) => withdrawn.includes(operation),
    tools: (server) => tools.filter((tool) => tool.server === server),
    servers: [...names.keys()],
    entries: [...entries.values()],
  };
}

function configured(operation: OperationSettings): CatalogEntry {
  return {
    operation: operation.operation,
    target: {
      kind: 'http',
      profile: profileHash(operation.profile ?? unknownProfile),
      declaration: hashOf(operation.input),
    },
    enforcement: 'cooperative',
    profile: operation.profile,
    mode: operation.mode,
    inputSchema: operation.input,
    tool: null,
  };
}

/** Undefined for a tool that is not enabled: it has no target that anything could run against. */
function pinned(key: Uint8Array, server: ServerSettings, tool: PinnedTool): CatalogEntry | undefined {
  if (tool.status !== 'enabled' || tool.definition === null || tool.hash === null) return undefined;
  const profile = Object.hasOwn(server.tools, tool.tool) ? (server.tools[tool.tool] ?? null) : null;
  const target: Target = {
    kind: 'mcp',
    server: server.name,
    tool: tool.tool,
    definition: tool.hash,
    profile: profileHash(profile ?? unknownProfile),
    upstream: upstreamHash(key, server.upstream),
  };
  const schema = tool.definition['inputSchema'];
  // The pin command took the definition as a JSON object; a schema that is not one admits nothing.
  const inputSchema: JsonObject =
    typeof schema === 'object' && schema !== null && !Array.isArray(schema)
      ? (schema as JsonObject)
      : { not: {} };
  return {
    operation: operationOf(server.name, tool.tool),
    target,
    enforcement: 'mediated',
    profile,
    mode: Object.hasOwn(server.modes, tool.tool) ? (server.modes[tool.tool] ?? server.mode) : server.mode,
    inputSchema,
    tool,
  };
}
