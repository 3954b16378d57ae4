/**
 * Attack: words of one era in the other, between an agent and upstreams that would take them: answers and states that are slipped
 * past the gate in an older session, capabilities that only the newer era has, and runs that are left open without end.
 */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, beforeEach, test } from 'node:test';
import { stopAgent } from '../../src/app/stops.ts';
import { asAgentId, asPersonId } from '../../src/core/ids.ts';
import { waitsPerAgentMax } from '../../src/enforce/mcp/modern/open-tasks.ts';
import { eventually, permitAll, startTestGate, type TestGate } from '../enforce/mcp/support/gate.ts';
import { raw, tasksCapability, type Json } from '../enforce/mcp/support/modern.ts';
import { rawAgent } from '../enforce/mcp/support/streams.ts';

const version = 'io.modelcontextprotocol/protocolVersion';
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities';

interface Hostile {
  readonly url: string;
  /** What it was asked, but for lists. */
  readonly heard: Json[];
  stop(): Promise<void>;
}

/** A server of 2026-07-28 alone, that answers calls as it is told. */
async function startHostile(answer: (message: Json, response: ServerResponse) => Json): Promise<Hostile> {
  const heard: Json[] = [];
  const handle = (message: Json, response: ServerResponse): Json => {
    const { method } = message;
    if (method === 'server/discover')
      return { supportedVersions: ['2026-07-28'], capabilities: { tools: {}, prompts: {}, resources: {} } };
    if (method === 'tools/list')
      return { tools: ['run', 'region'].map((name) => ({ name, inputSchema: schemaOf(name) })) };
    if (method === 'subscriptions/listen') return { resultType: 'complete' };
    heard.push(message);
    return answer(message, response);
  };
  const http = createServer((request: IncomingMessage, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const message: Json = JSON.parse(Buffer.concat(pieces).toString() || '{}');
      const modern = message.params?._meta?.[version] === '2026-07-28';
      const said = modern
        ? { result: { resultType: 'complete', ...handle(message, response) } }
        : { error: { code: -32022, message: 'Unsupported protocol version' } };
      if (response.headersSent) return;
      response
        .writeHead(modern ? 200 : 400, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: message.id ?? null, ...said }));
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    heard,
    stop: () => {
      http.closeAllConnections();
      return new Promise((resolve) => http.close(() => resolve()));
    },
  };
}

const schemaOf = (name: string): Json =>
  name === 'region'
    ? { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } }
    : { type: 'object' };

let answer: (message: Json) => Json;
let server: Hostile;
let gate: TestGate;
const started: Hostile[] = [];
beforeEach(async () => {
  answer = () => ({ content: [] });
  server = await startHostile((message) => answer(message));
  started.push(server);
  gate = await startTestGate({
    servers: { up: { kind: 'url', url: server.url, headers: {} } },
    policies: `${permitAll}
@id("region") @title("Needs a data owner") @approvers("data-owners") forbid (principal, action == Action::"up___region", resource);`,
    limits: { holdMs: 50, holdProgressMs: 50 },
  });
});
afterEach(() => gate.close());
after(() => Promise.all(started.map((one) => one.stop())));

test('an older session slips answers, a state or roots to a server of the newer era', async () => {
  const agent = await rawAgent(gate, 'up');
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const slipped = {
    inputResponses: { who: { roots: [{ uri: 'file:///' }] } },
    requestState: 'made up',
    _meta: { [capabilitiesKey]: { roots: {}, ...tasksCapability }, traceparent },
  };
  const asked: [string, Json][] = [
    ['prompts/get', { name: 'hello' }],
    ['resources/read', { uri: 'file:///a' }],
    ['tools/call', { name: 'run', arguments: { a: 1 } }],
  ];
  for (const [index, [method, params]] of asked.entries()) {
    const heard = await agent.send({ id: index + 1, method, params: { ...params, ...slipped } });
    assert.ok('result' in (await heard.answer(index + 1)));
    const { params: got } = server.heard.at(-1);
    assert.deepEqual(
      [got.inputResponses, got.requestState, got._meta[capabilitiesKey]],
      [undefined, undefined, {}],
      method,
    );
    assert.equal(got._meta.traceparent, traceparent);
  }
});

test('an older session that says it knows tasks: what goes on upstream is not recorded as done', async () => {
  answer = () => ({ resultType: 'task', taskId: 't', status: 'working' });
  const url = `${gate.url}/mcp/up`;
  const headers = {
    authorization: 'Bearer crm-bot',
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const post = (message: Json, more: Record<string, string> = {}): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { ...headers, ...more },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: { ...tasksCapability, tasks: {} },
    clientInfo: { name: 'x', version: '1' },
  };
  const hello = await post({ id: 0, method: 'initialize', params });
  await hello.text();
  const session = { 'mcp-session-id': hello.headers.get('mcp-session-id') ?? '' };
  await (await post({ id: 1, method: 'tools/call', params: { name: 'run', arguments: {} } }, session)).text();
  assert.deepEqual(server.heard.at(-1).params._meta[capabilitiesKey].extensions ?? {}, {});
  const over = await eventually(
    async () => (await gate.entries()).find(({ type }) => /^execution\.(?!started)/.test(type)),
    'the end of the run',
  );
  assert.equal(over.type, 'execution.unknown', JSON.stringify(over));
});

test('runs that wait for the agent’s next word are so many and no more, and others have their own', async () => {
  answer = () => ({ resultType: 'input_required', requestState: 'again' });
  const call = async (agent: string): Promise<Json> =>
    (await raw(gate, 'up', { method: 'tools/call', params: { name: 'run', arguments: {} }, agent })).body;
  const first = await call('crm-bot');
  for (let count = 1; count < waitsPerAgentMax; count += 1)
    assert.equal((await call('crm-bot')).result.resultType, 'input_required');
  assert.match(JSON.stringify(await call('crm-bot')), /too many runs/);
  assert.equal((await call('other-bot')).result.resultType, 'input_required');
  // One that ends makes room.
  answer = () => ({ content: [] });
  const { requestState } = first.result;
  const params = { name: 'run', arguments: {}, requestState };
  assert.ok('content' in (await raw(gate, 'up', { method: 'tools/call', params })).body.result);
  answer = () => ({ resultType: 'input_required', requestState: 'again' });
  assert.equal((await call('crm-bot')).result.resultType, 'input_required');
});

test('tasks of an upstream that nobody looks at: the first are no longer waited for, and are on record as unknown', async () => {
  let count = 0;
  answer = () => ({ resultType: 'task', taskId: `t${(count += 1)}`, status: 'working' });
  for (let n = 0; n < waitsPerAgentMax + 3; n += 1) {
    const { body } = await raw(gate, 'up', {
      method: 'tools/call',
      params: { name: 'run', arguments: {} },
      capabilities: tasksCapability,
    });
    assert.equal(body.result.resultType, 'task');
  }
  const ended = await eventually(async () => {
    const all = await gate.entries('execution.unknown');
    return all.length >= 3 ? all : undefined;
  }, 'three ends');
  assert.equal(ended.length, 3);
});

test('an upstream’s task that asks what no upstream may ask is cancelled', async () => {
  await gate.propose(`${permitAll}
@id("ask") @title("May ask") permit (principal, action == Action::"up___run:input", resource);`);
  answer = ({ method }) =>
    method === 'tools/call'
      ? { resultType: 'task', taskId: 't', status: 'working' }
      : method === 'tasks/get'
        ? {
            taskId: 't',
            status: 'input_required',
            inputRequests: { x: { method: 'tools/call', params: { name: 'mine' } } },
          }
        : {};
  const capabilities = { ...tasksCapability, elicitation: {} };
  const params = { name: 'run', arguments: {} };
  const { body } = await raw(gate, 'up', { method: 'tools/call', params, capabilities });
  const { taskId } = body.result;
  const looked = await raw(gate, 'up', { method: 'tasks/get', params: { taskId }, capabilities });
  assert.equal(looked.body.error?.data?.code, 'not_permitted', JSON.stringify(looked.body));
  assert.equal(server.heard.at(-1).method, 'tasks/cancel');
});

test('the headers of a request that only comes back say what its arguments say', async () => {
  const params = { name: 'region', arguments: { region: 'eu' } };
  const ask = (more: Json, region: string): Promise<Json> =>
    raw(gate, 'up', {
      method: 'tools/call',
      params: { ...params, ...more },
      headers: { 'mcp-param-region': region },
    });
  const { body } = await ask({}, 'eu');
  const { requestState } = body.result;
  const lied = await ask({ requestState }, 'us');
  assert.deepEqual([lied.status, lied.body.error.code], [400, -32020]);
  // It was not used up.
  assert.equal((await ask({ requestState }, 'eu')).body.result.resultType, 'input_required');
});

test('an agent that was stopped answers no question of what it runs', async () => {
  const { parts } = gate;
  answer = ({ params }) =>
    params.inputResponses === undefined
      ? { resultType: 'input_required', inputRequests: { a: { method: 'elicitation/create', params: {} } } }
      : { content: [] };
  await gate.propose(`${permitAll}
@id("ask") @title("May ask") permit (principal, action == Action::"up___run:input", resource);`);
  const agent = await rawAgent(gate, 'up');
  const heard = await agent.call(1, 'run');
  const { message } = await heard.until(
    'a question',
    (event) => event.message?.['method'] === 'elicitation/create',
  );
  const said = { reason: 'It ran wild.', approval: null };
  assert.ok((await stopAgent(parts, asPersonId('sam'), asAgentId('crm-bot'), said)).ok);
  await (
    await agent.send({ id: message?.['id'], result: { action: 'accept', content: { secret: 1 } } })
  ).ended;
  await heard.answer(1).catch(() => undefined);
  assert.deepEqual(
    server.heard.filter((one) => JSON.stringify(one).includes('secret')),
    [],
  );
  assert.equal((await gate.entries('question.passed')).length, 0);
});
