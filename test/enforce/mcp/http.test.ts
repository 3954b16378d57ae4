/** Upstreams by URL that misbehave: what did not reach them may be asked again, what may have run is unknown, nothing is repeated. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { eventually, permitAll, reviewOf, startTestGate, type TestGate } from './support/gate.ts';

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly arguments?: { readonly text?: string } };
}
type Answer = (message: Message, request: IncomingMessage, response: ServerResponse) => void;

let gate: TestGate;
let server: Server;
let elsewhere: Server;
/** What the server does with a tool call; the rest it does well. */
let onCall: Answer;
let calls: Message[];
let sessions: Set<string>;
let seen: IncomingMessage[];
let visitsElsewhere = 0;

const json = (response: ServerResponse, body: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};
const result = (id: unknown, text: string): unknown => ({
  jsonrpc: '2.0',
  id,
  result: { content: [{ type: 'text', text }] },
});
const tool = (name: string): unknown => ({
  name,
  inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
});

function handle(message: Message, request: IncomingMessage, response: ServerResponse): void {
  const session = String(request.headers['mcp-session-id'] ?? '');
  if (message.method === 'initialize') {
    const id = `s${sessions.size + 1}`;
    sessions.add(id);
    const body = {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'x', version: '1' },
    };
    return json(response, { jsonrpc: '2.0', id: message.id, result: body }, { 'mcp-session-id': id });
  }
  if (!sessions.has(session)) return void response.writeHead(404).end();
  if (message.method === 'tools/list')
    return json(response, {
      jsonrpc: '2.0',
      id: message.id,
      result: { tools: [tool('free'), tool('held')] },
    });
  if (message.method === 'tools/call') {
    calls.push(message);
    return onCall(message, request, response);
  }
  return void response.writeHead(202).end();
}

before(async () => {
  server = createServer((request, response) => {
    seen.push(request);
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () =>
      handle(JSON.parse(Buffer.concat(chunks).toString()) as Message, request, response),
    );
  });
  elsewhere = createServer((_request, response) => {
    visitsElsewhere += 1;
    response.end();
  });
  for (const one of [server, elsewhere])
    await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', () => resolve()));
});
after(() => {
  elsewhere.close();
  server.close();
});
beforeEach(async () => {
  [calls, sessions, seen] = [[], new Set(), []];
  onCall = (message, _request, response) => json(response, result(message.id, 'done'));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  gate = await startTestGate({
    servers: { up: { kind: 'url', url, headers: { authorization: 'Bearer only-the-gate-has-it' } } },
    policies: permitAll + reviewOf('up___held'),
    limits: { holdMs: 300, holdProgressMs: 30_000 },
  });
});
afterEach(() => gate.close());

const call = async (name: string, patient = false): Promise<CallToolResult> => {
  const { client } = await gate.client('up');
  const options = patient ? { onprogress: () => undefined } : {};
  return (await client.callTool({ name, arguments: { text: 'x' } }, undefined, options)) as CallToolResult;
};
const textOf = (one: CallToolResult): string => (one.content[0]?.type === 'text' ? one.content[0].text : '');
const statuses = async (): Promise<readonly string[]> =>
  (await gate.entries()).map((entry) => entry.type).filter((type) => /^execution\.(?!started)/.test(type));

test('the credentials of the gate go upstream, those of the agent do not', async () => {
  assert.equal(textOf(await call('free')), 'done');
  assert.ok(seen.every((request) => request.headers.authorization === 'Bearer only-the-gate-has-it'));
});

test('a session that the upstream has forgotten is opened anew, and the call runs once', async () => {
  const { client } = await gate.client('up');
  await client.callTool({ name: 'free', arguments: {} });
  sessions.clear();
  assert.equal(textOf((await client.callTool({ name: 'free', arguments: {} })) as CallToolResult), 'done');
  assert.equal(calls.length, 2);
  // An allowed call is answered while its outcome is written.
  await eventually(async () => (await statuses()).length === 2, 'both outcomes');
  assert.deepEqual(await statuses(), ['execution.succeeded', 'execution.succeeded']);
});

test('turned away at the door: it did not run, and the agent is told so', async () => {
  onCall = (_message, _request, response) => void response.writeHead(403).end();
  const one = await call('free');
  assert.equal(one.isError, true);
  assert.equal(
    textOf(one),
    'Not run (upstream_unavailable): The MCP server could not run it: it answered HTTP 403.',
  );
  await eventually(async () => (await statuses()).length > 0, 'the outcome');
  assert.deepEqual(await statuses(), ['execution.failed']);
});

test('a redirect is not followed: the credentials stay here', async () => {
  const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
  onCall = (_message, _request, response) => void response.writeHead(307, { location }).end();
  assert.match(textOf(await call('free')), /^Not run \(upstream_unavailable\): .*HTTP 307/);
  assert.equal(visitsElsewhere, 0);
});

const lost: readonly (readonly [what: string, answer: Answer])[] = [
  ['a connection that breaks', (_message, request) => void request.socket.destroy()],
  ['HTTP 502', (_message, _request, response) => void response.writeHead(502).end()],
  ['a body that is no answer', (_message, _request, response) => json(response, { hello: 1 })],
  ['an answer to another request', (_message, _request, response) => json(response, result('other', 'x'))],
  [
    'a stream that ends early',
    (_message, _request, response) =>
      void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': nothing\n\n'),
  ],
];
for (const [what, answer] of lost) {
  test(`${what}: the outcome is unknown, and the call is not repeated`, async () => {
    onCall = answer;
    assert.match(textOf(await call('free')), /^Outcome unknown: /);
    await eventually(async () => (await statuses()).length > 0, 'the outcome');
    assert.deepEqual(await statuses(), ['execution.unknown']);
    assert.equal(calls.length, 1);
  });
}

test('a stream that is closed with an event id is resumed, not repeated (SEP-1699)', async () => {
  let resumedWith: unknown;
  const { client } = await gate.client('up');
  onCall = (message, _request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: e7\nretry: 10\ndata: \n\n');
    server.prependOnceListener('request', (request: IncomingMessage, again: ServerResponse) => {
      resumedWith = request.headers['last-event-id'];
      again
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .end(`id: e8\ndata: ${JSON.stringify(result(message.id, 'resumed'))}\n\n`);
      // The ordinary handler must not answer a second time.
      again.writeHead = () => again;
      again.end = () => again;
    });
  };
  assert.equal(textOf((await client.callTool({ name: 'free', arguments: {} })) as CallToolResult), 'resumed');
  assert.equal(resumedWith, 'e7');
  assert.equal(calls.length, 1);
});

test('an upstream that is gone when people have approved does not use up the grant; later it runs', async () => {
  const { client } = await gate.client('up');
  const first = client.callTool({ name: 'held', arguments: { text: 'x' } }, undefined, {
    onprogress: () => undefined,
  });
  const held = await gate.pending();
  const { port } = server.address() as AddressInfo;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await gate.decide(held, 'rosa', 'approve');
  assert.match(
    textOf((await first) as CallToolResult),
    /^Not run \(upstream_unavailable\): The MCP server behind the gate cannot be reached/,
  );
  assert.equal((await gate.store.caseBy({ action: held.asked.id }))?.grant?.consumedAtMs, null);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  assert.equal(
    textOf((await client.callTool({ name: 'held', arguments: { text: 'x' } })) as CallToolResult),
    'done',
  );
  assert.equal(calls.length, 1);
});

test('a log that cannot be written: nothing runs, and the agent is told in one sentence', async () => {
  const { client } = await gate.client('up');
  await client.callTool({ name: 'free', arguments: {} });
  const change = gate.store.change.bind(gate.store);
  gate.store.change = () => Promise.resolve({ ok: false, error: { kind: 'fault', detail: 'disk full' } });
  const heard = seen.length;
  const one = (await client.callTool({ name: 'free', arguments: {} })) as CallToolResult;
  gate.store.change = change;
  assert.equal(
    textOf(one),
    'Not run (audit_unavailable): The log cannot be written, so nothing may run; ask again later.',
  );
  assert.deepEqual([calls.length, seen.length], [1, heard], 'not even a request without a body');
});
