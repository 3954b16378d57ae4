/** A stopped agent is answered nothing, in both eras, but whether the gate lives and what it is. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { asAgentId, asPersonId } from '../../../src/core/ids.ts';
import { permitAll, reviewOf, startTestGate, type TestGate } from './support/gate.ts';
import { raw, startModernServer, tasksCapability, type Json, type ModernServer } from './support/modern.ts';

let gate: TestGate;
let server: ModernServer;
before(async () => {
  server = await startModernServer('stateless');
  gate = await startTestGate({
    servers: { up: server.upstream },
    policies: permitAll + reviewOf('up___write'),
    limits: { holdMs: 100 },
  });
});
after(async () => {
  await gate.close();
  await server.stop();
});

const stop = async (agent: string): Promise<void> => {
  const stopped = await gate.store.change({
    kind: 'stop',
    agent: asAgentId(agent),
    by: asPersonId('sam'),
    approval: null,
    reason: 'It ran wild.',
  });
  assert.ok(stopped.ok, JSON.stringify(stopped));
};

test('2026-07-28: lists, reads, calls, returns, tasks and subscriptions are refused; discovery is not', async () => {
  const params = { name: 'write', arguments: { text: 'x' } };
  const { body: waiting } = await raw(gate, 'up', { method: 'tools/call', params });
  const { requestState } = waiting.result;
  await stop('crm-bot');
  const refused: [string, Json][] = [
    ['tools/list', {}],
    ['resources/list', {}],
    ['resources/read', { uri: 'file:///a' }],
    ['prompts/get', { name: 'hello' }],
    ['completion/complete', {}],
    ['subscriptions/listen', { notifications: { toolsListChanged: true } }],
    ['tasks/get', { taskId: 'act_x' }],
    ['tools/call', { ...params, requestState }],
  ];
  for (const [method, more] of refused) {
    const { body } = await raw(gate, 'up', { method, params: more, capabilities: tasksCapability });
    assert.equal(body.error?.data?.code, 'agent_stopped', `${method} ${JSON.stringify(body)}`);
  }
  const { body } = await raw(gate, 'up', { method: 'tools/call', params: { name: 'echo', arguments: {} } });
  assert.match(JSON.stringify(body), /agent_stopped/);
  assert.equal(server.calls.length, 0);
  assert.ok('result' in (await raw(gate, 'up', { method: 'server/discover' })).body);
  const { body: other } = await raw(gate, 'up', { method: 'tools/list', agent: 'other-bot' });
  assert.ok(other.result.tools.length > 0);
});

test('2025-11-25: a session that is open already is refused too; ping is answered', async () => {
  const { client } = await gate.client('up', {}, 'other-bot');
  assert.ok((await client.listTools()).tools.length > 0);
  await stop('other-bot');
  await client.ping();
  for (const asked of [
    () => client.listTools(),
    () => client.listPrompts(),
    () => client.readResource({ uri: 'file:///a' }),
  ])
    await assert.rejects(asked, /stopped/);
  const called = await client.callTool({ name: 'echo', arguments: {} });
  assert.match(JSON.stringify(called), /agent_stopped/);
  await assert.rejects(gate.client('up', {}, 'other-bot'), /stopped/);
  assert.equal(server.calls.length, 0);
});
