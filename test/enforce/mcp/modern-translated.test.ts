/** Two eras on one route: agents of each in front of upstreams that speak only the other. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { listTools } from '../../../src/enforce/mcp/inspect.ts';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import {
  eventually,
  everythingStdio,
  fixture,
  permitAll,
  reviewOf,
  startTestGate,
  type TestGate,
} from './support/gate.ts';
import {
  modernClient,
  raw,
  startModernServer,
  tasksCapability,
  textOf,
  type Json,
  type ModernClient,
  type ModernServer,
} from './support/modern.ts';

const policies = `${permitAll}
${reviewOf('fix___write')}
${reviewOf('only___write')}
@id("answers.fix") @title("May ask") permit (principal, action == Action::"fix___ask:input", resource);
@id("answers.only") @title("May ask") permit (principal, action == Action::"only___ask:input", resource);
`;

let gate: TestGate;
let only: ModernServer;
const clients: ModernClient[] = [];
before(async () => {
  only = await startModernServer('reject');
  gate = await startTestGate({
    servers: {
      fix: fixture(),
      two: fixture(),
      ev: everythingStdio,
      only: only.upstream,
      only2: only.upstream,
    },
    policies,
    limits: { holdMs: 300 },
  });
});
after(async () => {
  for (const one of clients) await one.close().catch(() => undefined);
  await gate.close();
  await only.stop();
});
async function modern(server: string, options: Json = {}, agent?: string): Promise<ModernClient['client']> {
  const made = await modernClient(gate, server, options, agent);
  clients.push(made);
  assert.equal(made.client.getProtocolEra(), 'modern');
  return made.client;
}

test('a modern agent and an older process: lists, calls, resources, prompts, completion', async () => {
  const client = await modern('ev');
  const { tools } = await client.listTools();
  assert.ok(tools.some((tool) => tool.name === 'echo'));
  assert.match(textOf(await client.callTool({ name: 'echo', arguments: { message: 'hi' } })), /hi/);
  const { resources } = await client.listResources();
  const [first] = resources;
  assert.ok(first !== undefined);
  const read = await client.readResource({ uri: first.uri });
  assert.equal(read.contents[0]?.uri, first.uri);
  const { prompts } = await client.listPrompts();
  assert.ok(prompts.length > 0);
  const { body } = await raw(gate, 'ev', { method: 'resources/list' });
  assert.deepEqual([body.result.resultType, body.result.cacheScope], ['complete', 'private']);
});

test('one process for each agent, kept between requests that know nothing of each other', async () => {
  const pid = async (agent: string): Promise<Json> => {
    const { body } = await raw(gate, 'fix', {
      method: 'tools/call',
      params: { name: 'env', arguments: {} },
      agent,
    });
    return JSON.parse(textOf(body.result)).pid;
  };
  const [one, again, other] = [await pid('crm-bot'), await pid('crm-bot'), await pid('other-bot')];
  assert.equal(one, again);
  assert.notEqual(one, other);
});

test('requests with one id at once are answered each its own', async () => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      raw(gate, 'fix', { id: 1, method: 'tools/call', params: { name: 'echo', arguments: { n } } }),
    ),
  );
  assert.deepEqual(
    answers.map(({ body }) => [body.id, JSON.parse(textOf(body.result)).args.n]),
    answers.map((_, n) => [1, n]),
  );
});

test('numbers beyond 2^53 in a result stay as they were written', async () => {
  const response = await fetch(`${gate.url}/mcp/fix`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer crm-bot',
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'big',
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"big","arguments":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}',
  });
  assert.match(await response.text(), /"2":9007199254740993/);
});

test('an older upstream’s question while a call runs reaches a modern agent as input_required, and the answer the call', async () => {
  const client = await modern('fix', { capabilities: { elicitation: {} } });
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { n: 3 } }));
  const result = await client.callTool({ name: 'ask', arguments: {} });
  assert.deepEqual(JSON.parse(textOf(result)), { action: 'accept', content: { n: 3 } });
  const passed = (await gate.entries('question.passed')).at(-1);
  assert.equal(passed?.data['method'], 'elicitation/create');
});

test('the same question without a policy does not reach the agent; the upstream gets an error', async () => {
  const client = await modern('two', { capabilities: { elicitation: {} } });
  let asked = 0;
  client.setRequestHandler('elicitation/create', () => {
    asked += 1;
    return { action: 'accept', content: { n: 3 } };
  });
  const result = await client.callTool({ name: 'ask', arguments: {} });
  assert.equal(asked, 0);
  assert.equal(JSON.parse(textOf(result)).code, -32000);
  assert.equal((await gate.entries('question.refused')).at(-1)?.data['method'], 'elicitation/create');
});

test('a held call of a modern agent runs on an older upstream, in legs and in a task', async () => {
  const client = await modern('fix');
  const call = client.callTool({ name: 'write', arguments: { text: 'legs' } }, { timeout: 1000 });
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  assert.deepEqual(JSON.parse(textOf(await call)).args, { text: 'legs' });
  const { body } = await raw(gate, 'fix', {
    method: 'tools/call',
    params: { name: 'write', arguments: { text: 'task' } },
    capabilities: tasksCapability,
  });
  assert.equal(body.result.resultType, 'task');
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  const done = await eventually(async () => {
    const { body: looked } = await raw(gate, 'fix', {
      method: 'tasks/get',
      params: { taskId: body.result.taskId },
      capabilities: tasksCapability,
    });
    return looked.result.status === 'completed' ? looked.result : undefined;
  }, 'the end');
  assert.deepEqual(JSON.parse(textOf(done.result)).args, { text: 'task' });
});

test('discovery and subscriptions in front of an older upstream', async () => {
  const { body } = await raw(gate, 'fix', { method: 'server/discover' });
  assert.deepEqual(body.result.capabilities, {
    tools: { listChanged: true },
    extensions: { 'io.modelcontextprotocol/tasks': {} },
  });
  const client = await modern('fix');
  const subscription = await client.listen({ toolsListChanged: true, promptsListChanged: true });
  let told = 0;
  client.setNotificationHandler('notifications/tools/list_changed', () => void (told += 1));
  const { body: env } = await raw(gate, 'fix', {
    method: 'tools/call',
    params: { name: 'env', arguments: {} },
  });
  process.kill(JSON.parse(textOf(env.result)).pid, 'SIGUSR2');
  await eventually(() => told > 0, 'a change of tools');
  await subscription.close();
});

test('an older agent and an upstream that speaks 2026-07-28 alone: tools, prompts, resources', async () => {
  const { client } = await gate.client('only');
  const { tools } = await client.listTools();
  assert.ok(tools.some((tool) => tool.name === 'write'));
  assert.deepEqual(JSON.parse(textOf(await client.callTool({ name: 'echo', arguments: { a: 1 } }))).args, {
    a: 1,
  });
  assert.deepEqual((await client.listResources()).resources[0]?.uri, 'file:///a');
  assert.equal((await client.readResource({ uri: 'file:///a' })).contents.length, 1);
  assert.deepEqual((await client.listPrompts()).prompts[0]?.name, 'hello');
});

test('what such an upstream asks becomes a question to the older agent, where policy permits it', async () => {
  for (const [server, expected] of [
    ['only', 1],
    ['only2', 0],
  ] as const) {
    const { client } = await gate.client(server, { capabilities: { elicitation: {} } });
    let asked = 0;
    client.setRequestHandler(ElicitRequestSchema, () => {
      asked += 1;
      return { action: 'accept', content: { n: 5 } };
    });
    const result = await client.callTool({ name: 'ask', arguments: {} });
    assert.equal(asked, expected);
    const { inputResponses } = JSON.parse(textOf(result));
    assert.deepEqual(inputResponses, expected === 1 ? { many: { action: 'accept', content: { n: 5 } } } : {});
  }
});

test('an older agent’s held call runs on such an upstream', async () => {
  const { client } = await gate.client('only');
  const call = client.callTool({ name: 'write', arguments: { text: 'older' } }, undefined, {
    onprogress: () => undefined,
    resetTimeoutOnProgress: true,
  });
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  assert.deepEqual(JSON.parse(textOf(await call)).args, { text: 'older' });
});

test('`countersign init` finds the tools of such an upstream', async () => {
  const tools = await listTools(only.upstream);
  assert.ok(tools.ok && tools.value.some((tool) => tool['name'] === 'write'), JSON.stringify(tools));
});
