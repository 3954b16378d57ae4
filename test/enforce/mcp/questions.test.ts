/** Questions that an upstream asks the agent while an action runs: refused unless policy permits them, and always on record. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ElicitRequestSchema,
  ListRootsRequestSchema,
  type CallToolResult,
} from '@modelcontextprotocol/sdk/types.js';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { everythingStdio, fixture, startTestGate, type TestGate } from './support/gate.ts';

/** Permits everything; answers to questions only where it says so. */
const policies = `
@id("all") @title("Agents may act") permit (principal, action, resource);
@id("answers") @title("This tool may ask") permit (principal, action == Action::"fix___ask:input", resource);
`;

let gate: TestGate;
before(async () => {
  gate = await startTestGate({ servers: { fix: fixture(), two: fixture(), ev: everythingStdio }, policies });
});
after(() => gate.close());

const capabilities = { capabilities: { elicitation: {}, sampling: {}, roots: { listChanged: true } } };
const textOf = (result: unknown): string => {
  const [first] = (result as CallToolResult).content;
  return first?.type === 'text' ? first.text : '';
};
function answering(client: Client): { asked: number } {
  const count = { asked: 0 };
  client.setRequestHandler(ElicitRequestSchema, () => {
    count.asked += 1;
    return { action: 'accept', content: { n: 3 } };
  });
  return count;
}

test('a question that policy permits passes, and the log holds it with its answer', async () => {
  const { client } = await gate.client('fix', capabilities);
  const count = answering(client);
  assert.deepEqual(JSON.parse(textOf(await client.callTool({ name: 'ask', arguments: {} }))), {
    action: 'accept',
    content: { n: 3 },
  });
  assert.equal(count.asked, 1);
  const [passed] = await gate.entries('question.passed');
  assert.deepEqual(passed?.data['answer'], { result: { action: 'accept', content: { n: 3 } } });
  assert.match(String(passed?.about.action), /^act_/);
});

test('a question that policy forbids does not reach the agent; the upstream gets an error, the log an entry', async () => {
  const { client } = await gate.client('two', capabilities);
  const count = answering(client);
  const said = JSON.parse(textOf(await client.callTool({ name: 'ask', arguments: {} }))) as {
    code: number;
    message: string;
  };
  assert.equal(said.code, -32000);
  assert.match(said.message, /^refused by policy/);
  assert.equal(count.asked, 0);
  const [refused] = await gate.entries('question.refused');
  assert.deepEqual([refused?.data['method'], refused?.by], ['elicitation/create', { kind: 'gate' }]);
  assert.match(String(refused?.about.action), /^act_/);
});

test('an answer to nothing that was asked is dropped', async () => {
  const { client, transport } = await gate.client('fix', capabilities);
  await transport.send({ jsonrpc: '2.0', id: 'q1', result: { action: 'accept', content: { n: 99 } } });
  const count = answering(client);
  assert.deepEqual(JSON.parse(textOf(await client.callTool({ name: 'ask', arguments: {} }))), {
    action: 'accept',
    content: { n: 3 },
  });
  assert.equal(count.asked, 1);
});

test('roots do not pass: what an upstream may touch is the operator’s to say', async () => {
  const { client } = await gate.client('ev', capabilities);
  let asked = 0;
  client.setRequestHandler(ListRootsRequestSchema, () => {
    asked += 1;
    return { roots: [{ uri: 'file:///somewhere' }] };
  });
  await client.sendRootsListChanged();
  await client.ping();
  const names = (await client.listTools()).tools.map((tool) => tool.name);
  assert.ok(!names.includes('get-roots-list'), 'the upstream was not told of any');
  assert.equal(asked, 0);
});
