/** Revision 2026-07-28 in front of a real server of it: the envelope, what is passed, judged, held, asked and cancelled. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, permitAll, reviewOf, startTestGate, type TestGate } from './support/gate.ts';
import {
  modernClient,
  raw,
  startModernServer,
  textOf,
  type Json,
  type ModernClient,
  type ModernServer,
} from './support/modern.ts';

const policies = `${permitAll}
${reviewOf('up___write')}
${reviewOf('fix___write')}
@id("forbidden") @title("Not this") forbid (principal, action == Action::"up___slow", resource) when { context.input has forbidden };
@id("answers") @title("May ask") permit (principal, action == Action::"up___ask:input", resource);
`;

let gate: TestGate;
let server: ModernServer;
const clients: ModernClient[] = [];
async function connected(name: string, ...more: Json[]): Promise<ModernClient['client']> {
  const made = await modernClient(gate, name, ...more);
  clients.push(made);
  return made.client;
}
before(async () => {
  server = await startModernServer();
  gate = await startTestGate({
    servers: { up: server.upstream, other: server.upstream },
    policies,
    limits: { holdMs: 300 },
  });
});
after(async () => {
  for (const one of clients) await one.close().catch(() => undefined);
  await gate.close();
  await server.stop();
});

test('the client of the official SDK speaks 2026-07-28 with the gate, and calls', async () => {
  const client = await connected('up');
  assert.equal(client.getProtocolEra(), 'modern');
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name).toSorted(), [
    'ask',
    'echo',
    'read',
    'region',
    'slow',
    'write',
  ]);
  const result = await client.callTool({ name: 'echo', arguments: { n: 1 } });
  assert.deepEqual(JSON.parse(textOf(result)).args, { n: 1 });
  const [started] = await gate.entries('execution.started');
  assert.match(String(started?.about.action), /^act_/);
});

test('lists are private to the agent and short-lived; the reason argument is offered', async () => {
  const { body } = await raw(gate, 'up', { method: 'tools/list' });
  assert.equal(body.result.cacheScope, 'private');
  assert.ok(body.result.ttlMs <= 30_000);
  assert.equal(body.result.resultType, 'complete');
  const write = body.result.tools.find((tool: Json) => tool.name === 'write');
  assert.ok('countersign_reason' in write.inputSchema.properties);
  for (const method of ['prompts/list', 'resources/list'])
    assert.equal((await raw(gate, 'up', { method })).body.result.cacheScope, 'private');
});

test('discovery names the gate’s revision and its tasks, and the upstream’s other capabilities', async () => {
  const { body } = await raw(gate, 'up', { method: 'server/discover' });
  assert.deepEqual(body.result.supportedVersions, ['2026-07-28']);
  assert.deepEqual(body.result.capabilities.extensions, { 'io.modelcontextprotocol/tasks': {} });
  assert.deepEqual(body.result.capabilities.tools, { listChanged: true });
  assert.equal(body.result._meta['io.modelcontextprotocol/serverInfo'].name, 'modern-fixture');
});

test('the envelope: what is missing or says two things is refused with its code and status', async () => {
  const wrong: [Json, number, number][] = [
    [{ headers: { 'mcp-protocol-version': null } }, 400, -32020],
    [{ headers: { 'mcp-method': null } }, 400, -32020],
    [{ headers: { 'mcp-method': 'tools/list' } }, 400, -32020],
    [{ headers: { 'mcp-name': null } }, 400, -32020],
    [{ headers: { 'mcp-name': 'read' } }, 400, -32020],
    [{ headers: { 'mcp-name': '=?base64?%%%?=' } }, 400, -32020],
    [{ params: { _meta: { 'io.modelcontextprotocol/clientCapabilities': null } } }, 400, -32602],
    [{ params: { _meta: { 'io.modelcontextprotocol/protocolVersion': 7 } } }, 400, -32602],
    [
      {
        params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '1900-01-01' } },
        headers: { 'mcp-protocol-version': '1900-01-01' },
      },
      400,
      -32022,
    ],
    [{ params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '1900-01-01' } } }, 400, -32020],
    [{ method: 'tools/list', params: {}, headers: { 'mcp-method': 'tools/list' }, id: 1.5 }, 400, -32600],
  ];
  const sofar = server.calls.length;
  for (const [change, status, code] of wrong) {
    const answer = await raw(gate, 'up', {
      method: 'tools/call',
      ...change,
      params: { name: 'echo', arguments: {}, ...change.params },
    });
    assert.deepEqual([answer.status, answer.body.error.code], [status, code], JSON.stringify(change));
  }
  assert.equal(server.calls.length, sofar);
  const encoded = await raw(gate, 'up', {
    method: 'tools/call',
    params: { name: 'echo', arguments: {} },
    headers: { 'mcp-name': '=?base64?ZWNobw==?=' },
  });
  assert.equal(encoded.status, 200);
});

test('an argument that headers repeat has to be the same in both', async () => {
  const call = (headers: Record<string, string | null>) =>
    raw(gate, 'up', {
      method: 'tools/call',
      params: { name: 'region', arguments: { region: 'eu' } },
      headers,
    });
  assert.equal((await call({})).body.error.code, -32020);
  const other = await call({ 'mcp-param-region': 'us' });
  assert.deepEqual([other.status, other.body.error.code], [400, -32020]);
  assert.equal((await call({ 'mcp-param-region': 'eu' })).body.result.resultType, 'complete');
});

test('methods that this revision has not are not found; GET and DELETE are not allowed', async () => {
  for (const method of [
    'initialize',
    'ping',
    'logging/setLevel',
    'resources/subscribe',
    'tasks/list',
    'nothing/here',
  ]) {
    const { status, body } = await raw(gate, 'up', { method });
    assert.deepEqual([status, body.error.code], [404, -32601], method);
  }
  for (const method of ['GET', 'DELETE']) {
    const response = await fetch(`${gate.url}/mcp/up`, {
      method,
      headers: {
        authorization: 'Bearer crm-bot',
        accept: 'text/event-stream',
        'mcp-protocol-version': '2026-07-28',
      },
    });
    assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST']);
  }
});

test('what a policy forbids does not run; the agent is told as a result', async () => {
  const sofar = server.calls.length;
  const { body } = await raw(gate, 'up', {
    method: 'tools/call',
    params: { name: 'slow', arguments: { forbidden: 1 } },
  });
  assert.equal(body.result.isError, true);
  assert.equal(body.result.resultType, 'complete');
  assert.equal(server.calls.length, sofar);
});

test('trace context goes up with a call, the gate’s own keys do not, and the envelope is the agent’s', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await raw(gate, 'up', {
    method: 'tools/call',
    params: {
      name: 'echo',
      arguments: {},
      _meta: { traceparent, baggage: 'a=1', 'dev.countersign/reason': 'why', 'x.y/z': 1 },
    },
  });
  const meta = server.calls.at(-1)?.params.meta;
  assert.equal(meta.traceparent, traceparent);
  assert.equal(meta.baggage, 'a=1');
  assert.ok(!('dev.countersign/reason' in meta) && !('x.y/z' in meta));
});

test('an unmodified client waits for people longer than its own limit, and gets the result', async () => {
  const client = await connected('up');
  const call = client.callTool({ name: 'write', arguments: { text: 'held' } }, { timeout: 1000 });
  const held = await gate.pending();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await gate.decide(held, 'rosa', 'approve');
  const result = await call;
  assert.deepEqual(JSON.parse(textOf(result)).args, { text: 'held' });
  assert.equal(server.calls.filter((one) => one.args.text === 'held').length, 1);
});

test('a denial while it waits reaches the client as a result', async () => {
  const client = await connected('up');
  const call = client.callTool({ name: 'write', arguments: { text: 'denied' } });
  const held = await gate.pending();
  await gate.decide(held, 'rosa', 'deny', 'not today');
  const result = await call;
  assert.equal(result.isError, true);
  assert.match(textOf(result), /not today/);
});

test('after ten returns the answer is to call again, which joins the same approval', async () => {
  const client = await connected('up');
  const call = () => client.callTool({ name: 'write', arguments: { text: 'slowly' } });
  const result = await call();
  assert.match(textOf(result), /call again with the same arguments/);
  const held = await gate.pending();
  assert.equal((await gate.store.held({ status: 'pending', limit: 10 })).length, 1);
  const again = call();
  await gate.decide(held, 'rosa', 'approve');
  assert.deepEqual(JSON.parse(textOf(await again)).args, { text: 'slowly' });
});

test('a question that policy permits reaches the agent’s user, and the answer the tool: one execution, on record', async () => {
  const client = await connected('up', { capabilities: { elicitation: {} } });
  let asked = 0;
  client.setRequestHandler('elicitation/create', () => {
    asked += 1;
    return { action: 'accept', content: { n: 3 } };
  });
  const sofar = (await gate.entries('execution.started')).length;
  const result = await client.callTool({ name: 'ask', arguments: {} });
  assert.deepEqual(JSON.parse(textOf(result)).inputResponses, {
    many: { action: 'accept', content: { n: 3 } },
  });
  assert.equal(asked, 1);
  assert.equal((await gate.entries('execution.started')).length, sofar + 1);
  const passed = (await gate.entries('question.passed')).at(-1);
  assert.deepEqual(passed?.data['answer'], { many: { action: 'accept', content: { n: 3 } } });
  // Its outcome is written while the agent is answered.
  await eventually(
    async () =>
      (await gate.entries('execution.succeeded')).some((one) => one.about.action === passed?.about.action),
    'an outcome',
  );
});

test('a question that no policy permits ends the run, and does not reach the agent', async () => {
  const client = await connected('other', { capabilities: { elicitation: {} } });
  let asked = 0;
  client.setRequestHandler('elicitation/create', () => {
    asked += 1;
    return { action: 'accept', content: { n: 3 } };
  });
  const result = await client.callTool({ name: 'ask', arguments: {} });
  assert.equal(result.isError, true);
  assert.match(textOf(result), /no policy permits/);
  assert.equal(asked, 0);
  assert.equal((await gate.entries('question.refused')).at(-1)?.data['method'], 'elicitation/create');
});

test('prompts ask too: the answer passes as their arguments do, and the log has it', async () => {
  const client = await connected('up', { capabilities: { elicitation: {} } });
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { who: 'Rosa' } }));
  const prompt = await client.getPrompt({ name: 'hello' });
  assert.match(JSON.stringify(prompt.messages), /Rosa/);
  const passed = (await gate.entries('question.passed')).at(-1);
  assert.deepEqual([passed?.data['method'], passed?.about.action], ['prompts/get', null]);
});

test('closing a request ends the waiting and nothing else', async () => {
  const left = new AbortController();
  const request = fetch(`${gate.url}/mcp/up`, {
    method: 'POST',
    signal: left.signal,
    headers: {
      authorization: 'Bearer crm-bot',
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'write',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'write',
        arguments: { text: 'left' },
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  }).catch(() => 'left');
  const held = await gate.pending();
  left.abort();
  assert.equal(await request, 'left');
  await gate.decide(held, 'rosa', 'approve');
  assert.equal(
    server.calls.some((one) => one.args.text === 'left'),
    false,
  );
  const { body } = await raw(gate, 'up', {
    method: 'tools/call',
    params: { name: 'write', arguments: { text: 'left' } },
  });
  assert.deepEqual(JSON.parse(textOf(body.result)).args, { text: 'left' });
});

test('a subscription hears that tools changed, after the gate has seen how', async () => {
  const client = await connected('up');
  let told = 0;
  client.setNotificationHandler('notifications/tools/list_changed', () => void (told += 1));
  const subscription = await client.listen({ toolsListChanged: true });
  server.describe('Deletes everything.');
  await eventually(() => told > 0, 'a change of tools');
  const { tools } = await client.listTools();
  assert.ok(!tools.some((tool) => tool.name === 'write'), 'a changed tool is disabled');
  server.describe('Writes a text.');
  await subscription.close();
});

test('a gate that closes lets what runs end, and answers who waits', async () => {
  const upstream = await startModernServer();
  const closing = await startTestGate({
    servers: { up: upstream.upstream },
    policies: permitAll + reviewOf('up___write'),
  });
  const call = (name: string): Promise<Json> =>
    raw(closing, 'up', { method: 'tools/call', params: { name, arguments: {} } });
  const [slow, held] = [call('slow'), call('write')];
  await closing.pending();
  await eventually(() => upstream.calls.some((one) => one.name === 'slow'), 'a call that runs');
  await closing.front.close();
  assert.equal((await slow).body.result.resultType, 'complete');
  assert.notEqual((await slow).body.result.isError, true);
  assert.match(textOf((await held).body.result), /call again with the same arguments/);
  await closing.close();
  await upstream.stop();
});
