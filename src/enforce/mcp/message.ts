/**
 * JSON-RPC 2.0 messages as MCP uses them: what arrives from an upstream, and the texts that we write.
 *
 * A message from an upstream keeps its own text beside the parsed value: what is passed on unchanged is passed on as it
 * was written, so that no number, escape or order of keys is lost on the way. What agents send is read strictly
 * (core/json.ts) and always written anew. Pure.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';

export type RequestId = string | number;

/** JSON-RPC error codes; those from -32000 to -32019 are ours to define (MCP basic protocol). */
export const rpcCodes = {
  parse: -32700,
  invalidRequest: -32600,
  noMethod: -32601,
  invalidParams: -32602,
  /** The gate could not, or would not: `data.code` says why. */
  gate: -32000,
  /** As the official SDK answers an unknown session. */
  session: -32001,
} as const;

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: JsonValue;
}

/** The answer to a request, by its text and its reading. */
export type Answer =
  | { readonly kind: 'result'; readonly id: RequestId; readonly text: string; readonly result: JsonObject }
  | {
      readonly kind: 'error';
      readonly id: RequestId | null;
      readonly text: string;
      readonly error: RpcError;
    };

/** One message from an upstream. */
export type Incoming =
  | Answer
  | {
      readonly kind: 'request';
      readonly id: RequestId;
      readonly text: string;
      readonly method: string;
      readonly params: JsonObject;
    }
  | {
      readonly kind: 'notification';
      readonly text: string;
      readonly method: string;
      readonly params: JsonObject;
    };

export const isRequestId = (value: JsonValue | undefined): value is RequestId =>
  typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value));

/** Ids are equal by type and value: 1 and "1" are two requests. */
export const keyOf = (id: RequestId): string => `${typeof id}:${id}`;

/** Reads what an upstream wrote; a batch (revision 2025-03-26) is several. What is no JSON-RPC message is left out. */
export function readIncoming(text: string): readonly Incoming[] {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue; // JSON.parse makes nothing but JSON
  } catch {
    return [];
  }
  if (Array.isArray(value)) {
    const items: readonly JsonValue[] = value;
    return items.flatMap((item) => incomingOf(item, JSON.stringify(item)));
  }
  // A text with line breaks (pretty-printed) would end an SSE field or a stdio line: written anew, on one line.
  return incomingOf(value, /[\r\n]/.test(text) ? JSON.stringify(value) : text);
}

const known: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);

/** Only messages with one reading pass: none that are both an answer and a question, none with members of other kinds. */
function incomingOf(value: JsonValue, text: string): readonly Incoming[] {
  if (!isJsonObject(value) || value['jsonrpc'] !== '2.0') return [];
  if (!Object.keys(value).every((key) => known.has(key))) return [];
  const { id, method, params, result, error } = value;
  if (typeof method === 'string') {
    if (result !== undefined || error !== undefined || !(params === undefined || isJsonObject(params)))
      return [];
    const said = { text, method, params: params ?? {} };
    if (id === undefined) return [{ kind: 'notification', ...said }];
    return isRequestId(id) ? [{ kind: 'request', id, ...said }] : [];
  }
  if (method !== undefined || params !== undefined) return [];
  if (isJsonObject(result) && error === undefined)
    return isRequestId(id) ? [{ kind: 'result', id, text, result }] : [];
  if (!isJsonObject(error) || result !== undefined) return [];
  const { code, message, data } = error;
  if (typeof code !== 'number' || typeof message !== 'string') return [];
  const read: RpcError = data === undefined ? { code, message } : { code, message, data };
  if (isRequestId(id)) return [{ kind: 'error', id, text, error: read }];
  return id === undefined || id === null ? [{ kind: 'error', id: null, text, error: read }] : [];
}

/** The text of a request. Parameters that are undefined are left out. */
export const requestText = (id: RequestId, method: string, params?: JsonObject): string =>
  JSON.stringify(
    params === undefined ? { jsonrpc: '2.0', id, method } : { jsonrpc: '2.0', id, method, params },
  );

export const notificationText = (method: string, params?: JsonObject): string =>
  JSON.stringify(params === undefined ? { jsonrpc: '2.0', method } : { jsonrpc: '2.0', method, params });

export const resultText = (id: RequestId, result: JsonObject): string =>
  JSON.stringify({ jsonrpc: '2.0', id, result });

/** An error; id null where the request's id could not be read (JSON-RPC 2.0 §5). */
export const errorText = (id: RequestId | null, error: RpcError): string =>
  JSON.stringify({ jsonrpc: '2.0', id, error });
