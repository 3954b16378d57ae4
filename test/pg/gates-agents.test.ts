/** Agents behind a balancer that sends each request anywhere: decided at one gate while they wait at another, or come back to a third. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Case } from '../../src/core/case.ts';
import {
  modernClient,
  raw,
  startModernServer,
  tasksCapability,
  textOf,
  type Json,
  type ModernServer,
} from '../enforce/mcp/support/modern.ts';
import { eventually, type TestGate } from '../support/gate.ts';
import { onDatabase } from './support/gates.ts';

const policies = `
@id("all") @title("Agents may act") permit (principal, action, resource);
@id("refund.large") @title("Large refunds need a data owner") @approvers("data-owners")
forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents > 100 };
@id("write") @title("Writing needs a data owner") @approvers("data-owners")
forbid (principal, action == Action::"up___write", resource);
`;

interface Scene {
  readonly gates: readonly [TestGate, TestGate, TestGate];
  readonly server: ModernServer;
  readonly agent: string;
  /** Rosa approves, at a gate, the one approval that is open there. */
  readonly approve: (at: TestGate) => Promise<Case>;
}

async function onThree(work: (scene: Scene) => Promise<void>): Promise<void> {
  const server = await startModernServer('stateless');
  const more = `servers:\n  up: { url: "${server.upstream.url}" }\n`;
  try {
    await onDatabase(
      async (database) => {
        const start = (): Promise<TestGate> => database.start({ policies });
        const gates = [await start(), await start(), await start()] as const;
        const [a] = gates;
        const agent = await a.token('agent', 'crm-bot');
        const rosa = await a.token('person', 'rosa');
        const approve = async (at: TestGate): Promise<Case> => {
          const { store } = at.gate().parts;
          const open = (): Promise<readonly Case[]> => store.held({ status: 'pending', limit: 2 });
          await eventually(async () => (await open()).length === 1, 'it is held');
          const [held] = await open();
          assert.ok(held?.approval != null);
          const review = { decision: 'approve', digest: held.asked.digest, reason: 'ok' };
          const answer = await at.call(rosa, 'POST', `/v1/approvals/${held.approval.id}/reviews`, review);
          assert.equal(answer.status, 201, JSON.stringify(answer.body));
          return held;
        };
        await work({ gates, server, agent, approve });
      },
      { more },
    );
  } finally {
    await server.stop();
  }
}

test('HTTP: decided at one gate, the agent that waits at another resumes; a third hands out the grant, once', () =>
  onThree(async ({ gates: [a, b, c], agent, approve }) => {
    const waiting = b.call(agent, 'POST', '/v1/actions?wait=60', {
      operation: 'shop___refund',
      input: { cents: 500 },
    });
    const held = await approve(a);
    const answer = await waiting;
    assert.deepEqual([answer.status, answer.body.state, answer.body.id], [200, 'ready', held.asked.id]);
    const claims = await Promise.all(
      [a, b, c, a, b, c].map((gate) =>
        gate.call(agent, 'POST', `/v1/actions/${held.asked.id}/execution`, {}),
      ),
    );
    assert.deepEqual(
      claims.map((one) => one.status).toSorted((one, other) => one - other),
      [201, 409, 409, 409, 409, 409],
    );
    // The same action asked again elsewhere is the one that there is.
    const again = await c.call(agent, 'GET', `/v1/actions/${held.asked.id}`);
    assert.equal(again.body.state, 'started');
  }));

for (const era of ['2025-11-25', '2026-07-28'] as const)
  test(`MCP ${era}: decided at one gate while the agent waits at another`, () =>
    onThree(async ({ gates: [a, b], server, agent, approve }) => {
      const { url } = b.gate();
      const client =
        era === '2025-11-25'
          ? await olderClient(url, agent)
          : (await modernClient({ url }, 'up', {}, agent)).client;
      try {
        const called = client.callTool({ name: 'write', arguments: { text: 'x' } });
        await approve(a);
        assert.deepEqual(JSON.parse(textOf(await called)).args, { text: 'x' });
        assert.equal(server.calls.filter((one) => one.name === 'write').length, 1);
      } finally {
        await client.close();
      }
    }));

test('MCP: an agent whose gate is gone calls again at another, joins what is held, and gets its result once', () =>
  onThree(async ({ gates: [a, b, c], server, agent, approve }) => {
    const first = await olderClient(b.gate().url, agent);
    const lost = first.callTool({ name: 'write', arguments: { text: 'y' } }).catch(() => undefined);
    const { store } = a.gate().parts;
    await eventually(
      async () => (await store.held({ status: 'pending', limit: 5 })).length === 1,
      'it is held',
    );
    await first.close();
    await b.gate().close();
    await lost;
    const second = await olderClient(c.gate().url, agent);
    try {
      const called = second.callTool({ name: 'write', arguments: { text: 'y' } });
      await approve(a);
      assert.deepEqual(JSON.parse(textOf(await called)).args, { text: 'y' });
      assert.equal((await store.held({ status: 'all', limit: 5 })).length, 1, 'one approval');
      assert.equal(server.calls.filter((one) => one.name === 'write').length, 1, 'it ran once');
    } finally {
      await second.close();
    }
  }));

test('a task is made at one gate, polled at another, decided at a third, and runs once', () =>
  onThree(async ({ gates: [a, b, c], server, agent, approve }) => {
    const request = async (at: TestGate, method: string, params: Json): Promise<Json> => {
      const { url } = at.gate();
      const { body } = await raw({ url }, 'up', { method, params, capabilities: tasksCapability, agent });
      assert.ok(body.result !== undefined, JSON.stringify(body));
      return body.result;
    };
    const made = await request(a, 'tools/call', { name: 'write', arguments: { text: 'z' } });
    assert.deepEqual([made.resultType, made.status], ['task', 'working']);
    assert.equal((await request(b, 'tasks/get', { taskId: made.taskId })).status, 'working');
    await approve(c);
    let turn = 0;
    let done: Json;
    await eventually(async () => {
      const at = [a, b, c][(turn += 1) % 3] ?? a;
      done = await request(at, 'tasks/get', { taskId: made.taskId });
      return done.status !== 'working';
    }, 'the end of the task');
    assert.deepEqual([done.status, JSON.parse(textOf(done.result)).args], ['completed', { text: 'z' }]);
    assert.equal(server.calls.filter((one) => one.name === 'write').length, 1, 'it ran once');
  }));

test('what became of a call is told again by any gate, and nothing runs again', () =>
  onThree(async ({ gates: [a, b, c], server, agent, approve }) => {
    const call = async (at: TestGate, params: Json): Promise<Json> => {
      const { url } = at.gate();
      const { body } = await raw({ url }, 'up', {
        method: 'tools/call',
        params: { name: 'write', arguments: { text: 's' }, ...params },
        capabilities: {},
        agent,
      });
      return body.result ?? body;
    };
    const waiting = call(b, {});
    await approve(a);
    const done = await waiting;
    assert.deepEqual(JSON.parse(textOf(done)).args, { text: 's' });
    // The same call at another gate is told the same outcome, and nothing runs.
    const again = await call(c, {});
    assert.ok(textOf(again).includes('"s"'), JSON.stringify(again));
    assert.equal(server.calls.filter((one) => one.name === 'write').length, 1);
  }));

test('attack and service: what three gates count at once is counted whole, and refused to nobody under the limit', () =>
  onDatabase(async (database) => {
    const limit = 60;
    const gates = [];
    for (let n = 0; n < 3; n += 1)
      gates.push(
        await database.start({
          policies: `
@id("all") @title("Agents may act") permit (principal, action, resource);
@id("many") @title("At most ${limit} refunds a day") forbid (principal, action == Action::"shop___refund", resource)
when { context.recent.agent.day.count > ${limit} };`,
        }),
      );
    const [a] = gates;
    const agent = (await a?.token('agent', 'crm-bot')) ?? '';
    const ask = async (at: TestGate, n: number): Promise<unknown> => {
      const input = { cents: n };
      const { body } = await at.call(agent, 'POST', '/v1/actions', { operation: 'shop___refund', input });
      return body.state ?? body.code;
    };
    // Each gate has one under way at any time, as three busy agents have.
    const said = await Promise.all(
      gates.map(async (gate, at) => {
        const states: unknown[] = [];
        for (let n = 0; n < 25; n += 1) states.push(await ask(gate, 100 * at + n));
        return states;
      }),
    );
    const times = (state: string): number => said.flat().filter((one) => one === state).length;
    assert.deepEqual([times('ready'), times('denied')], [limit, 15], JSON.stringify(said));
  }));

async function olderClient(url: string, agent: string): Promise<Client> {
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp/up`), {
    requestInit: { headers: { authorization: `Bearer ${agent}` } },
  });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  return client;
}
