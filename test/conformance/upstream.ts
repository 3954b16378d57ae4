/**
 * The MCP server that the conformance suite is run against, alone and behind the gate: the official SDK's, with the suite's tools,
 * resources and prompts. One URL on loopback speaks both revisions: 2025-11-25 with sessions and streams that can be resumed, and
 * 2026-07-28 with a server of its own for each request. It looks at neither Host nor Origin, as a server does that its author
 * never thought to be called by a browser: the gate before it must. As a program it prints `listening on URL`.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pathToFileURL } from 'node:url';
import {
  NodeStreamableHTTPServerTransport,
  toNodeHandler,
  toWebRequest,
  type NodeIncomingMessageLike,
} from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest, McpServer } from '@modelcontextprotocol/server';
import { offerContents } from './fixture/contents.ts';
import { createEventStore } from './fixture/events.ts';
import { offerProbes } from './fixture/probes.ts';
import { offerQuestions, requestState } from './fixture/questions.ts';
import { extension, offerTaskTools, Tasks, type Asked, type Json } from './fixture/tasks.ts';

export interface Upstream {
  readonly url: string;
  stop(): Promise<void>;
}

interface Session {
  readonly server: McpServer;
  readonly transport: NodeStreamableHTTPServerTransport;
}

const retryMs = 500;

function serverOf(changes: { tools(): void; prompts(): void }): McpServer {
  const server = new McpServer(
    { name: 'conformance-fixture', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        logging: {},
        completions: {},
        extensions: { [extension]: {} },
      },
      requestState,
    },
  );
  offerContents(server);
  offerQuestions(server);
  offerProbes(server, changes);
  offerTaskTools(server);
  const watched = new Set<string>();
  server.server.setRequestHandler('resources/subscribe', ({ params }) => {
    watched.add(params.uri);
    return {};
  });
  server.server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    watched.delete(params.uri);
    return {};
  });
  return server;
}

export async function startUpstream(): Promise<Upstream> {
  const sessions = new Map<string, Session>();
  const tasks = new Tasks();
  const modern = createMcpHandler(
    () =>
      serverOf({
        tools: () => modern.notify.toolsChanged(),
        prompts: () => modern.notify.promptsChanged(),
      }),
    { legacy: 'reject' },
  );
  const opened = async (): Promise<Session> => {
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      eventStore: createEventStore(),
      retryInterval: retryMs,
      onsessioninitialized: (id) => void sessions.set(id, session),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    const server = serverOf({
      tools: () => server.sendToolListChanged(),
      prompts: () => server.sendPromptListChanged(),
    });
    const session: Session = { server, transport };
    await server.connect(transport);
    return session;
  };
  const toModern = toNodeHandler(modern);
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = request.method === 'POST' ? await bodyOf(request) : undefined;
    // An IncomingMessage is one; its optional members say `undefined` and not "may be absent".
    const plain = request as NodeIncomingMessageLike;
    const web = await toWebRequest(plain, body);
    if (await isLegacyRequest(web, body)) {
      const id = web.headers.get('mcp-session-id');
      const known = id === null ? undefined : sessions.get(id);
      // A session that is not known is not opened again: the transport without one answers 404.
      if (known === undefined && id !== null) return end(response, 404);
      return (known ?? (await opened())).transport.handleRequest(request, response, body);
    }
    const asked = askedOf(body);
    const about = asked === undefined ? undefined : tasks.answer(asked, web.headers);
    if (about === undefined) return toModern(plain, response, body);
    response.writeHead(about.status, { 'content-type': 'application/json' }).end(await about.text());
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
  return {
    url: `http://127.0.0.1:${address.port}/mcp`,
    stop: async () => {
      tasks.close();
      await modern.close();
      for (const { server } of sessions.values()) await server.close();
      http.closeAllConnections();
      await new Promise<void>((resolve) => {
        http.close(() => resolve());
      });
    },
  };
}

function end(response: ServerResponse, status: number): void {
  const error = { code: -32001, message: 'Session not found' };
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ jsonrpc: '2.0', id: null, error }));
}

/** What was posted; a text that is no JSON as it came, which the SDK refuses. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer); // a request without an encoding gives buffers
  const text = Buffer.concat(parts).toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function askedOf(body: unknown): Asked | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { id, method, params } = body as Json;
  if (typeof id !== 'string' && typeof id !== 'number') return undefined;
  if (typeof method !== 'string' || typeof params !== 'object' || params === null) return undefined;
  return { id, method, params: params as Json };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(`listening on ${(await startUpstream()).url}`);
}
