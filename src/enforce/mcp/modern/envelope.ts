/**
 * What one POST of an agent is in revision 2026-07-28, where each request stands for itself: the revision and the client's
 * capabilities are in `_meta`, and headers repeat parts of the body for those on the way who do not read it. The gate reads
 * both, and refuses a request that says two things. Pure.
 *
 * Promise: what is judged, forwarded and logged is the body; no header decides anything but whether the request is refused.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../core/json.ts';
import { isRequestId, rpcCodes, type RequestId, type RpcError } from '../message.ts';

/** The revisions without sessions that this gate carries. */
export const modernRevisions: readonly string[] = ['2026-07-28'];
/** The one that the gate itself speaks to upstreams. */
export const modernRevision = '2026-07-28';

/** Keys of `_meta` that the protocol reserves (2026-07-28, "General fields"). */
export const protocolKeys = {
  version: 'io.modelcontextprotocol/protocolVersion',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  subscription: 'io.modelcontextprotocol/subscriptionId',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
} as const;

/** The tasks extension (SEP-2663). */
export const tasksExtension = 'io.modelcontextprotocol/tasks';

/** Error codes of 2026-07-28, each with the HTTP status 400. */
export const modernCodes = {
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const;

/** Headers that repeat parts of the body; null where absent. */
export interface Heads {
  readonly version: string | null;
  readonly method: string | null;
  readonly name: string | null;
}

export const headsOf = (headers: Headers): Heads => ({
  version: trimmed(headers.get('mcp-protocol-version')),
  method: trimmed(headers.get('mcp-method')),
  name: trimmed(headers.get('mcp-name')),
});

const trimmed = (value: string | null): string | null => value?.replace(/^[ \t]+|[ \t]+$/g, '') ?? null;

/** A request of this era whose envelope is sound. */
export interface ModernRequest {
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject;
  /** The client's capabilities for this request; another request may have others. */
  readonly capabilities: JsonObject;
}

export type Era =
  | { readonly kind: 'legacy' }
  | { readonly kind: 'request'; readonly request: ModernRequest }
  /** Nothing that a client may say over HTTP in this era. */
  | { readonly kind: 'notification' }
  | {
      readonly kind: 'refuse';
      readonly id: RequestId | null;
      readonly status: number;
      readonly error: RpcError;
    };

/** Whether the headers alone name this era: for what has no body. */
export const namesModern = (heads: Heads): boolean =>
  heads.version !== null && modernRevisions.includes(heads.version);

/** The era of one message, by its body first; and what is wrong with its envelope. */
export function eraOf(message: JsonValue, heads: Heads): Era {
  if (!isJsonObject(message) || message['jsonrpc'] !== '2.0' || typeof message['method'] !== 'string') {
    return namesModern(heads)
      ? no(null, rpcCodes.invalidRequest, 'This is no request of JSON-RPC 2.0.')
      : legacy;
  }
  const { id, method, params } = message;
  const meta = isJsonObject(params) && isJsonObject(params['_meta']) ? params['_meta'] : undefined;
  const claim = meta?.[protocolKeys.version];
  if (claim === undefined && !namesModern(heads)) return legacy;
  if (id === undefined) return { kind: 'notification' };
  if (!isRequestId(id)) return no(null, rpcCodes.invalidRequest, 'The id has to be a string or an integer.');
  if (method === 'initialize' && !(typeof claim === 'string' && modernRevisions.includes(claim))) {
    return namesModern(heads)
      ? mismatch(id, `initialize belongs to an older revision than the header’s ${heads.version ?? ''}`)
      : legacy;
  }
  const wrong = wrongMeta(meta);
  if (wrong !== null) return no(id, rpcCodes.invalidParams, wrong);
  return checked(id, method, isJsonObject(params) ? params : {}, heads);
}

const legacy: Era = { kind: 'legacy' };

/** What is missing in `_meta`; null where nothing is. */
function wrongMeta(meta: JsonObject | undefined): string | null {
  if (meta === undefined) return 'Invalid params: the request has no _meta.';
  if (typeof meta[protocolKeys.version] !== 'string')
    return `Invalid params: _meta needs ${protocolKeys.version}, a text.`;
  if (!isJsonObject(meta[protocolKeys.capabilities]))
    return `Invalid params: _meta needs ${protocolKeys.capabilities}, an object.`;
  const info = meta[protocolKeys.clientInfo];
  return info === undefined || isJsonObject(info)
    ? null
    : `Invalid params: ${protocolKeys.clientInfo} has to be an object.`;
}

function checked(id: RequestId, method: string, params: JsonObject, heads: Heads): Era {
  // wrongMeta has looked: it is an object with a text and an object.
  const meta = params['_meta'] as JsonObject;
  const version = meta[protocolKeys.version] as string;
  if (heads.version === null) return mismatch(id, 'the header MCP-Protocol-Version is missing');
  if (heads.version !== version)
    return mismatch(id, 'MCP-Protocol-Version names another revision than _meta');
  if (!modernRevisions.includes(version)) {
    const data = { supported: modernRevisions, requested: version };
    return {
      kind: 'refuse',
      id,
      status: 400,
      error: { code: modernCodes.unsupportedVersion, message: 'Unsupported protocol version', data },
    };
  }
  if (heads.method === null) return mismatch(id, 'the header Mcp-Method is missing');
  if (heads.method !== method) return mismatch(id, 'Mcp-Method names another method than the body');
  const named = namedBy(method, params);
  if (named !== undefined) {
    if (heads.name === null) return mismatch(id, 'the header Mcp-Name is missing');
    if (decodedHeader(heads.name) !== named)
      return mismatch(id, 'Mcp-Name names something else than the body');
  }
  // wrongMeta has looked.
  const capabilities = meta[protocolKeys.capabilities] as JsonObject;
  return { kind: 'request', request: { id, method, params, capabilities } };
}

/** The parameter that `Mcp-Name` repeats, by method (2026-07-28 "Standard Request Headers"; SEP-2663 "Routing Headers"). */
const nameSources: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);

/** The text that `Mcp-Name` has to repeat; undefined where there is none. */
export function namedBy(method: string, params: JsonObject): string | undefined {
  const source = nameSources.get(method);
  const value = source === undefined ? undefined : params[source];
  return typeof value === 'string' ? value : undefined;
}

const sentinel = /^=\?base64\?(.*)\?=$/s;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A header's value as the text that it stands for; undefined where it is not encoded well ("Value Encoding"). */
export function decodedHeader(value: string): string | undefined {
  const inner = sentinel.exec(value)?.[1];
  if (inner === undefined) return value;
  if (!base64.test(inner)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(inner, 'base64'));
  } catch {
    return undefined;
  }
}

/** A text as a header may carry it. */
export const encodedHeader = (text: string): string =>
  /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !sentinel.test(text)
    ? text
    : `=?base64?${Buffer.from(text).toString('base64')}?=`;

/** Headers and body that say two things: refused, because somebody on the way may have believed the headers. */
export const mismatch = (id: RequestId, why: string): Era & { readonly kind: 'refuse' } => ({
  kind: 'refuse',
  id,
  status: 400,
  error: { code: modernCodes.headerMismatch, message: `Header mismatch: ${why}.` },
});

/** The request needs a capability that its client did not declare. */
export const missingCapability = (capabilities: JsonObject): RpcError => ({
  code: modernCodes.missingCapability,
  message: 'Missing required client capability',
  data: { requiredCapabilities: capabilities },
});

const no = (id: RequestId | null, code: number, message: string): Era => ({
  kind: 'refuse',
  id,
  status: 400,
  error: { code, message },
});

/** Whether the client of a request understands tasks. */
export function knowsTasks(capabilities: JsonObject): boolean {
  const { extensions } = capabilities;
  return isJsonObject(extensions) && isJsonObject(extensions[tasksExtension]);
}

/** The HTTP status of an error in an answer: most are in the body alone. */
export function statusOfError(code: number): number {
  if (code === rpcCodes.noMethod) return 404;
  return code === modernCodes.missingCapability ? 400 : 200;
}
