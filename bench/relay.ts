/**
 * A proxy that only passes on: the official SDK's server in front, its client behind. No judgement, no log. What any MCP proxy
 * of these parts costs on this machine, for comparison with the gate. `node relay.ts URL` prints `listening on URL`.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

async function sessionOf(upstream: URL, transport: StreamableHTTPServerTransport): Promise<void> {
  const client = new Client({ name: 'relay', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(upstream));
  const server = new Server({ name: 'relay', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, (request) => client.listTools(request.params));
  server.setRequestHandler(CallToolRequestSchema, (request) => client.callTool(request.params));
  await server.connect(transport);
}

async function main(upstream: URL): Promise<void> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const id = request.headers['mcp-session-id'];
    const known = typeof id === 'string' ? sessions.get(id) : undefined;
    if (known !== undefined) return known.handleRequest(request, response);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (given) => void sessions.set(given, transport),
    });
    await sessionOf(upstream, transport);
    await transport.handleRequest(request, response);
  };
  const http = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const address = http.address();
  if (typeof address !== 'object' || address === null) throw new Error('There is no port.');
  console.log(`listening on http://127.0.0.1:${address.port}/mcp`);
}

await main(new URL(process.argv[2] ?? ''));
