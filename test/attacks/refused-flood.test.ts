/**
 * Attack: an agent fills the log with what is refused before it is an action: bodies that are none, states that are none, answers
 * that nobody asked for, names that nobody declared, keys as long as a body. The first are on record; a flood is not.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { stopAgent } from '../../src/app/stops.ts';
import { refusalsPerMinute } from '../../src/app/told.ts';
import { asAgentId, asPersonId } from '../../src/core/ids.ts';
import { raw, startModernServer, type Json, type ModernServer } from '../enforce/mcp/support/modern.ts';
import { operations, people, policies, startTestGate, type TestGate } from '../support/gate.ts';

const flood = 3 * refusalsPerMinute;

let server: ModernServer;
let gate: TestGate;
let bot: string;
let aheadMs = 0;
before(async () => {
  server = await startModernServer();
  gate = await startTestGate({
    config: `${people}${operations}servers:\n  up: { url: "${server.upstream.url}" }\n`,
    policies,
    clock: { nowMs: () => Date.now() + aheadMs },
  });
  bot = await gate.token('agent', 'crm-bot');
});
after(async () => {
  await gate.stop();
  await server.stop();
});
// What was told in the test before is a while ago.
beforeEach(() => {
  aheadMs += 10 * 60_000;
});

const sizeOf = async (): Promise<number> => (await gate.gate().parts.store.head()).size;

/** How many entries a flood leaves. Each of its requests is refused. */
async function entriesOf(one: (n: number) => Promise<unknown>, count = flood): Promise<number> {
  const first = await sizeOf();
  const lanes = Array.from({ length: 8 }, async (_, lane) => {
    for (let n = lane; n < count; n += 8) await one(n);
  });
  await Promise.all(lanes);
  return (await sizeOf()) - first;
}

const post = async (body: string, token = bot): Promise<string> => {
  const response = await fetch(`${gate.gate().url}/mcp/up`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body,
  });
  return response.text();
};
const modern = (method: string, params: Json): Promise<Json> =>
  raw({ url: gate.gate().url }, 'up', { method, params, agent: bot });

test('bodies over MCP that cannot be read', async () => {
  const entries = await entriesOf(async (n) => {
    const text = await post(n % 2 === 0 ? `{"a${n}":` : `{"id":${n},"a":1,"a":${n}}`);
    assert.match(text, /"code":-32602/);
  });
  assert.equal(entries, refusalsPerMinute);
  const last = (await gate.gate().parts.store.entries((await sizeOf()) - 2, 1))[0]?.entry;
  assert.match(JSON.stringify(last?.data), /leave no entry/);
});

test('another agent’s refusals are on record all the same', async () => {
  await entriesOf(() => post('{'));
  const other = await gate.token('agent', 'other-bot');
  assert.equal(await entriesOf(() => post('{', other), 1), 1);
});

test('a key as long as a body does not become an entry of that length', async () => {
  const first = await sizeOf();
  const key = 'k'.repeat(400_000);
  assert.match(await post(`{"${key}":{"a":1,"a":2}}`), /duplicate_key/);
  const [entry] = await gate.gate().parts.store.entries(first - 1, 10);
  assert.equal(entry?.entry.type, 'action.refused');
  assert.ok(JSON.stringify(entry?.entry).length < 8000, `${JSON.stringify(entry?.entry).length}`);
});

test('parameters, states and names of tasks that are none', async () => {
  const entries = await entriesOf(async (n) => {
    const requestState = `state.x.${n}`;
    const { body } =
      n % 3 === 0
        ? await modern('tools/call', { name: 'echo', arguments: {}, requestState })
        : n % 3 === 1
          ? await modern('tools/call', { name: 'echo', arguments: [n] })
          : await modern('tasks/get', { taskId: `task.x.${n}` });
    assert.ok(body.error !== undefined, JSON.stringify(body));
  });
  assert.ok(entries <= refusalsPerMinute, `${entries}`);
});

test('answers that nobody asked for', async () => {
  await modern('tools/list', {}); // pins
  const entries = await entriesOf(async (n) => {
    const { body } = await modern('tools/call', { name: 'echo', arguments: {}, inputResponses: { n } });
    assert.match(JSON.stringify(body), /not_permitted/);
  });
  assert.equal(entries, refusalsPerMinute);
});

test('input over HTTP that does not fit', async () => {
  const entries = await entriesOf(async (n) => {
    const body = { operation: 'shop___refund', input: { cents: `${n}` } };
    assert.equal((await gate.call(bot, 'POST', '/v1/actions', body)).status, 400);
  });
  assert.equal(entries, refusalsPerMinute);
});

test('a stopped agent repeats what was allowed before, with its key: it is not told that it may run', async () => {
  const said = { reason: 'It ran wild.', approval: null };
  const other = await gate.token('agent', 'other-bot');
  const again = () => {
    const body = { operation: 'shop___refund', input: { cents: 5 } };
    return gate.call(other, 'POST', '/v1/actions', body, { 'idempotency-key': 'once' });
  };
  assert.deepEqual([(await again()).status, (await again()).body.state], [200, 'ready']);
  const { parts } = gate.gate();
  assert.ok((await stopAgent(parts, asPersonId('rosa'), asAgentId('other-bot'), said)).ok);
  const { status, body } = await again();
  assert.deepEqual([status, body.code, body.state], [429, 'agent_stopped', undefined]);
});

test('a stopped agent: names of operations that it makes up, calls of tools, bodies that are none', async () => {
  const { parts } = gate.gate();
  const said = { reason: 'It ran wild.', approval: null };
  assert.ok((await stopAgent(parts, asPersonId('sam'), asAgentId('crm-bot'), said)).ok);
  const made = await entriesOf(async (n) => {
    const body = { operation: `shop___made_up_${n}`, input: {} };
    assert.equal((await gate.call(bot, 'POST', '/v1/actions', body)).body.code, 'agent_stopped');
  });
  assert.ok(made <= 2, `${made}`);
  aheadMs += 10 * 60_000;
  const called = await entriesOf(async (n) => {
    const params = { name: `made_up_${n}`, arguments: {}, ...(n % 2 === 0 ? { inputResponses: {} } : {}) };
    assert.match(JSON.stringify((await modern('tools/call', params)).body), /agent_stopped/);
  });
  assert.equal(called, 1);
  aheadMs += 10 * 60_000;
  assert.equal(await entriesOf(() => post('{')), refusalsPerMinute);
});

test('a stopped agent learns of no tool, and its calls reach no server', async () => {
  const asked = server.calls.length;
  for (const name of ['echo', 'nonsense']) {
    const { body } = await modern('tools/call', { name, arguments: {} });
    const { content, isError } = body.result;
    assert.ok(isError);
    assert.doesNotMatch(JSON.stringify(content), /Unknown tool/);
    assert.match(JSON.stringify(body), /agent_stopped/);
  }
  assert.equal(server.calls.length, asked);
});
