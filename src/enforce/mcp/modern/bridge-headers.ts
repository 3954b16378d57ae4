/**
 * A client on standard input that speaks 2026-07-28 writes no headers; over HTTP each request has them. They are made from the
 * message itself, so that they say what it says. Arguments that headers repeat are known from the lists of tools that passed.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../../core/json.ts';
import { encodedHeader, namedBy, protocolKeys } from './envelope.ts';
import { paramHeaders } from './param-headers.ts';

/** Tools whose schemas are remembered. */
const toolsMax = 5000;

export class BridgeHeaders {
  readonly #schemas = new Map<string, JsonObject>();

  /** The headers of a request of this era; undefined for a message of an older one. */
  of(message: JsonValue): Readonly<Record<string, string>> | undefined {
    const { method, params } = isJsonObject(message) ? message : {};
    const meta = isJsonObject(params) ? params['_meta'] : undefined;
    const version = isJsonObject(meta) ? meta[protocolKeys.version] : undefined;
    if (typeof method !== 'string' || !isJsonObject(params) || typeof version !== 'string') return undefined;
    const name = namedBy(method, params);
    const { arguments: input } = params;
    const schema = name === undefined || method !== 'tools/call' ? undefined : this.#schemas.get(name);
    return {
      ...(schema === undefined || !isJsonObject(input) ? {} : paramHeaders(schema, input)),
      'mcp-protocol-version': encodedHeader(version),
      'mcp-method': encodedHeader(method),
      ...(name === undefined ? {} : { 'mcp-name': encodedHeader(name) }),
    };
  }

  /** Remembers the tools of a list that passes. */
  saw(result: JsonObject): void {
    const { tools } = result;
    for (const tool of isJsonArray(tools) ? tools : []) {
      const { name, inputSchema } = isJsonObject(tool) ? tool : {};
      if (typeof name !== 'string' || !isJsonObject(inputSchema)) continue;
      if (this.#schemas.size < toolsMax || this.#schemas.has(name)) this.#schemas.set(name, inputSchema);
    }
  }
}
