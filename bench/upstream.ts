/**
 * The MCP server behind everything that is measured: two tools that do nothing but answer, made of the official SDK with
 * its defaults. A program of its own:
 *
 *     node upstream.ts http     prints `listening on URL`
 *     node upstream.ts stdio
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const inputSchema = {
  type: 'object' as const,
  properties: {
    table: { type: 'string' },
    serial: { type: 'integer' },
    columns: { type: 'array', items: { type: 'string' } },
    where: { type: 'object' },
    limit: { type: 'integer' },
    destination: { type: 'string' },
    note: { type: 'string' },
  },
  required: ['table', 'serial'],
};

const tools = [
  { name: 'read_rows', description: 'Reads rows of a table.', inputSchema },
  { name: 'export_rows', description: 'Exports rows of a table to a destination.', inputSchema },
];

/** About 1 KB, as an answer has. */
const answer = Array.from(
  { length: 12 },
  (_, at) => `${at + 1}\tcustomer ${at + 1}\tsomebody@example.com\tDE\tteam\t2026-11-22T08:00:00Z`,
).join('\n');

function serverOf(): Server {
  const server = new Server({ name: 'bench', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }));
  server.setRequestHandler(CallToolRequestSchema, (request) => ({
    content: [{ type: 'text', text: `${String(request.params.arguments?.['serial'])}\n${answer}` }],
  }));
  return server;
}

async function serveHttp(): Promise<void> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const open = async (): Promise<StreamableHTTPServerTransport> => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await serverOf().connect(transport);
    return transport;
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const id = request.headers['mcp-session-id'];
    const known = typeof id === 'string' ? sessions.get(id) : undefined;
    await (known ?? (await open())).handleRequest(request, response);
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

if (process.argv[2] === 'http') await serveHttp();
else await serverOf().connect(new StdioServerTransport());
