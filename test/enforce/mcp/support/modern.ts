/**
 * The other side of 2026-07-28: a real server of the official SDK (v2) on loopback, real clients of it, and requests by hand for
 * what well-behaved clients do not send.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Client, StreamableHTTPClientTransport, type ClientOptions } from '@modelcontextprotocol/client';
import { toNodeHandler, type NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import { createMcpHandler, inputRequired, Server } from '@modelcontextprotocol/server';
import type { Upstream } from '../../../../src/ports/settings.ts';
import type { TestGate } from './gate.ts';

/** JSON as a test reads it: what it asserts is what it checks. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

export interface ModernServer {
  readonly upstream: Upstream & { readonly kind: 'url' };
  /** Each call that ran, with what came with it. */
  readonly calls: readonly { readonly name: string; readonly args: Json; readonly params: Json }[];
  /** What the description of `write` says from now on; its listeners are told. */
  describe(text: string): void;
  stop(): Promise<void>;
}

const open = { type: 'object' as const };
const form = { type: 'object' as const, properties: {} };

/** @param legacy whether it also speaks older revisions. */
export async function startModernServer(legacy: 'stateless' | 'reject' = 'reject'): Promise<ModernServer> {
  const calls: { name: string; args: Json; params: Json }[] = [];
  let description = 'Writes a text.';
  const handler = createMcpHandler(() => serverOf(calls, () => description), { legacy });
  const serve = toNodeHandler(handler);
  const http = createServer((request, response) => {
    // An IncomingMessage is one; its optional members say `undefined` and not "may be absent".
    void serve(request as NodeIncomingMessageLike, response);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const address = http.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    upstream: { kind: 'url', url: `http://127.0.0.1:${address.port}/mcp`, headers: {} },
    calls,
    describe: (text) => {
      description = text;
      handler.notify.toolsChanged();
    },
    stop: async () => {
      await handler.close();
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

function serverOf(calls: { name: string; args: Json; params: Json }[], description: () => string): Server {
  const server = new Server(
    { name: 'modern-fixture', version: '1' },
    { capabilities: { tools: { listChanged: true }, prompts: {}, resources: {} } },
  );
  const tools = [
    { name: 'echo', inputSchema: open },
    { name: 'read', inputSchema: open },
    { name: 'ask', inputSchema: open },
    { name: 'slow', inputSchema: open },
    {
      name: 'region',
      inputSchema: { ...open, properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } },
    },
  ];
  server.setRequestHandler('tools/list', () => ({
    tools: [...tools, { name: 'write', description: description(), inputSchema: open }],
  }));
  server.setRequestHandler('prompts/list', () => ({ prompts: [{ name: 'hello' }] }));
  server.setRequestHandler('prompts/get', (_request, ctx) =>
    ctx.mcpReq.inputResponses === undefined
      ? inputRequired({
          inputRequests: { who: inputRequired.elicit({ message: 'Who?', requestedSchema: form }) },
        })
      : {
          messages: [
            { role: 'user', content: { type: 'text', text: JSON.stringify(ctx.mcpReq.inputResponses) } },
          ],
        },
  );
  server.setRequestHandler('resources/list', () => ({ resources: [{ uri: 'file:///a', name: 'a' }] }));
  server.setRequestHandler('resources/read', ({ params }) => ({
    contents: [{ uri: params.uri, text: 'contents' }],
  }));
  server.setRequestHandler('tools/call', async (request, ctx): Promise<Json> => {
    const { name, arguments: args = {} } = request.params;
    const { inputResponses } = ctx.mcpReq;
    calls.push({ name, args, params: { meta: ctx.mcpReq._meta, inputResponses } });
    if (name === 'ask' && inputResponses === undefined) {
      return inputRequired({
        inputRequests: { many: inputRequired.elicit({ message: 'How many?', requestedSchema: form }) },
      });
    }
    if (name === 'slow') await new Promise((resolve) => setTimeout(resolve, 400));
    return {
      content: [
        { type: 'text', text: JSON.stringify({ name, args, inputResponses: inputResponses ?? null }) },
      ],
    };
  });
  return server;
}

export interface ModernClient {
  readonly client: Client;
  close(): Promise<void>;
}

/** A client of the official SDK that finds out which era the gate speaks; nothing else is set. */
export async function modernClient(
  gate: Pick<TestGate, 'url'>,
  server: string,
  options: ClientOptions = {},
  agent = 'crm-bot',
): Promise<ModernClient> {
  const headers = { authorization: `Bearer ${agent}` };
  const transport = new StreamableHTTPClientTransport(new URL(`${gate.url}/mcp/${server}`), {
    requestInit: { headers },
  });
  const client = new Client(
    { name: 'test', version: '2' },
    { versionNegotiation: { mode: 'auto' }, ...options },
  );
  await client.connect(transport);
  return { client, close: () => client.close() };
}

export const textOf = (result: unknown): string =>
  String((result as { content?: { text?: string }[] }).content?.[0]?.text);

export interface Raw {
  readonly status: number;
  readonly body: Json;
}

export interface RawRequest {
  readonly method: string;
  readonly params?: Json;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly capabilities?: Json;
  readonly agent?: string;
  readonly id?: string | number;
}

export const tasksCapability = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
let ids = 0;

/** One request of this era by hand, with sound headers but for those given; null leaves one out. */
export async function raw(gate: Pick<TestGate, 'url'>, server: string, request: RawRequest): Promise<Raw> {
  const { method, params = {}, headers = {}, capabilities = {}, agent = 'crm-bot' } = request;
  ids += 1;
  const id = request.id ?? ids;
  const name = params.name ?? params.uri ?? params.taskId;
  const all: Record<string, string | null> = {
    authorization: `Bearer ${agent}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    ...headers,
  };
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': capabilities,
    ...params._meta,
  };
  const response = await fetch(`${gate.url}/mcp/${server}`, {
    method: 'POST',
    headers: Object.fromEntries(
      Object.entries(all).filter((one): one is [string, string] => one[1] !== null),
    ),
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } }),
  });
  const text = await response.text();
  const event = /^data: (.*)$/m.exec(
    text.split('\n\n').findLast((part) => part.includes('data: ')) ?? '',
  )?.[1];
  return { status: response.status, body: JSON.parse(event ?? (text === '' ? 'null' : text)) };
}
