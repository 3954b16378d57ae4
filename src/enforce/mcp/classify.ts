/**
 * What one message from an agent is, as plain data. Pure: it never throws and touches no transport. The message was read
 * strictly before (core/json.ts); from here on only these values are used, never the agent's text.
 */
import { claimsChain, refusesClaimedChain } from '../../core/claimed-chain.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { readBaggage, readTraceParent, readTraceState } from '../../core/trace-context.ts';
import { isRequestId, rpcCodes, type RequestId, type RpcError } from './message.ts';

/** A `tools/call`, parsed once. */
export interface ToolCall {
  readonly name: string;
  readonly input: JsonObject;
  /** `_meta["dev.countersign/reason"]`: the agent's own words. */
  readonly reason: string | null;
  /** `_meta["dev.countersign/session"]`: what the agent names its run or conversation. */
  readonly session: string | null;
  /** `_meta["dev.countersign/run"]`: another value is another action. */
  readonly run: string | null;
  readonly progressToken: RequestId | null;
  /** The part of `_meta` that goes upstream; undefined where there is none. */
  readonly meta: JsonObject | undefined;
}

export type Classified =
  | { readonly kind: 'initialize'; readonly id: RequestId; readonly params: JsonObject }
  | { readonly kind: 'call'; readonly id: RequestId; readonly call: ToolCall }
  | { readonly kind: 'list'; readonly id: RequestId; readonly params: JsonObject | undefined }
  /** A request that changes nothing privileged. */
  | {
      readonly kind: 'pass';
      readonly id: RequestId;
      readonly method: string;
      readonly params: JsonObject | undefined;
    }
  | { readonly kind: 'cancel'; readonly request: RequestId; readonly params: JsonObject }
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject | undefined }
  /** The answer to a request of the upstream. */
  | { readonly kind: 'answer'; readonly id: RequestId; readonly answer: JsonObject }
  | { readonly kind: 'ignore' }
  | { readonly kind: 'refuse'; readonly id: RequestId | null; readonly error: RpcError };

/** The keys of `_meta` that are ours. */
export const metaKeys = {
  reason: 'dev.countersign/reason',
  session: 'dev.countersign/session',
  run: 'dev.countersign/run',
  action: 'dev.countersign/action',
  execution: 'dev.countersign/execution',
  approval: 'dev.countersign/approval',
  code: 'dev.countersign/code',
  url: 'dev.countersign/url',
  replayed: 'dev.countersign/replayed',
  endedAt: 'dev.countersign/endedAt',
} as const;

/** Longest reason, in UTF-16 units: as for reviewers. */
export const reasonCharsMax = 2000;
/** Longest session or run name, in UTF-16 units. */
export const nameCharsMax = 200;

/** Requests that pass unjudged: they read, or concern only the connection. All others are refused. */
const passing: ReadonlySet<string> = new Set([
  'ping',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'logging/setLevel',
]);

/** Classifies one message of an agent. */
export function classify(message: JsonValue): Classified {
  if (isJsonArray(message))
    return refused(
      null,
      rpcCodes.invalidRequest,
      'Batches are not part of this protocol; send one message a request.',
    );
  if (!isJsonObject(message) || message['jsonrpc'] !== '2.0')
    return refused(null, rpcCodes.invalidRequest, 'This is no JSON-RPC 2.0 message.');
  const { id, method, params, result, error } = message;
  if (method === undefined) return answer(message, id, result ?? error);
  if (typeof method !== 'string')
    return refused(null, rpcCodes.invalidRequest, 'The method has to be a string.');
  if (params !== undefined && !isJsonObject(params))
    return refused(
      isRequestId(id) ? id : null,
      rpcCodes.invalidParams,
      'The parameters have to be an object.',
    );
  if (id === undefined) return notification(method, params);
  if (!isRequestId(id))
    return refused(null, rpcCodes.invalidRequest, 'The id has to be a string or an integer.');
  return requestOf(id, method, params);
}

function requestOf(id: RequestId, method: string, params: JsonObject | undefined): Classified {
  const forwarded = withMeta(params);
  switch (method) {
    case 'tools/call':
      return call(id, params ?? {});
    case 'tools/list':
      return { kind: 'list', id, params: forwarded };
    case 'initialize':
      return { kind: 'initialize', id, params: forwarded ?? {} };
    default:
      return passing.has(method)
        ? { kind: 'pass', id, method, params: forwarded }
        : refused(
            id,
            rpcCodes.noMethod,
            `The gate does not pass the method ${JSON.stringify(method.slice(0, 80))}.`,
          );
  }
}

function call(id: RequestId, params: JsonObject): Classified {
  const { name, arguments: input, _meta: meta } = params;
  const claimed = claimsChain(meta) ?? claimsChain(params);
  if (claimed !== undefined) return invalid(id, refusesClaimedChain(`/${claimed}`).detail);
  if (typeof name !== 'string') return invalid(id, 'A tool call needs the name of the tool.');
  if (input !== undefined && !isJsonObject(input))
    return invalid(id, 'The arguments of a tool call are an object.');
  if (meta !== undefined && !isJsonObject(meta)) return invalid(id, '_meta has to be an object.');
  const said = (key: string): JsonValue => meta?.[key] ?? null;
  const [reason, session, run] = [said(metaKeys.reason), said(metaKeys.session), said(metaKeys.run)];
  if (!isText(reason, reasonCharsMax))
    return invalid(id, `A reason is a text of at most ${reasonCharsMax} characters.`);
  if (!isText(session, nameCharsMax) || !isText(run, nameCharsMax))
    return invalid(id, `A session or run is named by a text of at most ${nameCharsMax} characters.`);
  const token = meta?.['progressToken'];
  if (token !== undefined && !isRequestId(token))
    return invalid(id, 'A progress token is a string or an integer.');
  return {
    kind: 'call',
    id,
    call: {
      name,
      input: input ?? {},
      reason: reason === '' ? null : reason,
      session,
      run,
      progressToken: token ?? null,
      meta: metaUpstream(meta),
    },
  };
}

const isText = (value: JsonValue, charsMax: number): value is string | null =>
  value === null || (typeof value === 'string' && value.length <= charsMax);

/** The notifications that a client has. Any other would reach the upstream unjudged; roots do not pass at all. */
const told: ReadonlySet<string> = new Set([
  'notifications/initialized',
  'notifications/progress',
  'notifications/cancelled',
]);

function notification(method: string, params: JsonObject | undefined): Classified {
  if (!told.has(method)) return { kind: 'ignore' };
  if (method === 'notifications/cancelled') {
    const request = params?.['requestId'];
    return isRequestId(request) ? { kind: 'cancel', request, params: params ?? {} } : { kind: 'ignore' };
  }
  return { kind: 'notification', method, params: withMeta(params) };
}

function answer(message: JsonObject, id: JsonValue | undefined, said: JsonValue | undefined): Classified {
  const both = message['result'] !== undefined && message['error'] !== undefined;
  return isRequestId(id) && isJsonObject(said) && !both
    ? { kind: 'answer', id, answer: message }
    : refused(
        isRequestId(id) ? id : null,
        rpcCodes.invalidRequest,
        'This is neither a request nor an answer.',
      );
}

/** Parameters with only the part of `_meta` that goes upstream. */
function withMeta(params: JsonObject | undefined): JsonObject | undefined {
  if (params?.['_meta'] === undefined) return params;
  const { _meta: meta, ...rest } = params;
  const kept = metaUpstream(isJsonObject(meta) ? meta : undefined);
  return kept === undefined ? rest : { ...rest, _meta: kept };
}

/** Trace context (SEP-414), where it is of its standard's form and size. */
const tracing: ReadonlyMap<string, (value: JsonValue) => unknown> = new Map<
  string,
  (value: JsonValue) => unknown
>([
  ['traceparent', readTraceParent],
  ['tracestate', readTraceState],
  ['baggage', readBaggage],
]);

/** Only protocol, progress and trace `_meta` goes upstream: nothing that nobody saw could change the effect. */
export function metaUpstream(meta: JsonObject | undefined): JsonObject | undefined {
  const kept = Object.entries(meta ?? {}).filter(
    ([key, value]) =>
      key === 'progressToken' ||
      key.startsWith('io.modelcontextprotocol/') ||
      tracing.get(key)?.(value) !== undefined,
  );
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

const refused = (id: RequestId | null, code: number, message: string): Classified => ({
  kind: 'refuse',
  id,
  error: { code, message },
});

/** Input that is not what the protocol says: refused with a code, and nothing is forwarded (design §8). */
const invalid = (id: RequestId, message: string): Classified => ({
  kind: 'refuse',
  id,
  error: { code: rpcCodes.invalidParams, message, data: { code: 'input_invalid' } },
});
