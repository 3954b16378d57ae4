/** Streams that an agent comes back to (revision 2025-11-25): what it missed, what runs meanwhile, and when it has its answer. */
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, test } from 'node:test';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { runBridge } from '../../../src/enforce/mcp/bridge.ts';
import { openHttp } from '../../../src/enforce/mcp/http.ts';
import { notificationText, requestText } from '../../../src/enforce/mcp/message.ts';
import type { StreamTurn } from '../../../src/enforce/mcp/pipe.ts';
import { createReply } from '../../../src/enforce/mcp/reply.ts';
import { Streams } from '../../../src/enforce/mcp/resume.ts';
import { eventually, permitAll, reviewOf, startTestGate, type TestGate } from './support/gate.ts';
import { rawAgent, startPollingServer, type Heard, type PollingServer } from './support/streams.ts';

let gate: TestGate;
let server: PollingServer;
beforeEach(async () => {
  server = await startPollingServer();
  gate = await start();
});
afterEach(async () => {
  await gate.close();
  await server.stop();
});

const start = (awayMs = 30_000): Promise<TestGate> =>
  startTestGate({
    servers: { up: server.upstream },
    policies: permitAll + reviewOf('up___held') + reviewOf('up___held-poll'),
    limits: { holdMs: 30_000, holdProgressMs: 30_000 },
    mcp: { awayMs },
  });

const progress = { progressToken: 'p' };
const textOf = (answer: Record<string, unknown>): string => {
  const [first] = (answer['result'] as CallToolResult).content;
  return first?.type === 'text' ? first.text : '';
};
/** The stream of a call that waits for people: it has said so. */
const held = async (agent: Awaited<ReturnType<typeof rawAgent>>, id = 1): Promise<Heard> => {
  const heard = await agent.call(id, 'held', {}, progress);
  await heard.until('the first progress', (event) => event.message !== undefined);
  return heard;
};
const deliveredAtMs = async (action: Parameters<TestGate['store']['caseBy']>[0]): Promise<number | null> =>
  (await gate.store.caseBy(action))?.approval?.deliveredAtMs ?? null;

test('an answer that comes first is plain JSON, and nothing of it is kept', async () => {
  let opened = 0;
  const name = (): string => {
    opened += 1;
    return '0'.repeat(32);
  };
  const streams = new Streams({ name, keptMs: 1000 });
  const reply = createReply({ signal: new AbortController().signal, headers: {}, streams });
  assert.equal(reply.end('{"x":1}'), true);
  const response = await reply.response;
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(await response.text(), '{"x":1}');
  assert.deepEqual([opened, streams.resume(`${'0'.repeat(32)}-0`, {})], [0, undefined]);
});

test('a stream starts with an id, a time to come back, and nothing else', async () => {
  const [first, second] = (await held(await rawAgent(gate, 'up'))).events;
  assert.match(first?.id ?? '', /^[0-9a-f]{32}-0$/);
  assert.deepEqual([first?.retry, first?.message], ['1000', undefined]);
  assert.equal(second?.id, first?.id?.replace(/0$/, '1'));
});

test('a reply is a stream that can be resumed where the upstream’s is', async () => {
  const heard = await (await rawAgent(gate, 'up')).call(1, 'primed');
  assert.equal(textOf(await heard.answer(1)), 'done');
  assert.equal(heard.isStream, true);
  assert.deepEqual(
    heard.events.map((event) => event.message === undefined),
    [true, false],
  );
});

for (const revision of ['2024-11-05', '2025-03-26', '2025-06-18']) {
  test(`revision ${revision} gets no event without data, and its streams have no ids`, async () => {
    const agent = await rawAgent(gate, 'up', { revision });
    const heard = await held(agent);
    assert.ok(heard.events.every((event) => event.id === undefined && event.message !== undefined));
    const polling = agent.call(3, 'poll');
    await eventually(() => server.polls.length === 1, 'the gate’s own poll');
    server.release();
    const polled = await polling;
    assert.equal(textOf(await polled.answer(3)), 'done');
    assert.ok(polled.events.every((event) => event.id === undefined && event.message !== undefined));
    assert.deepEqual(server.polls, ['3']);
  });
}

test('an upstream that sends the gate away to poll: so is the agent, and gets its answer there', async () => {
  const agent = await rawAgent(gate, 'up');
  const heard = await agent.call(1, 'poll');
  await heard.ended;
  assert.deepEqual(
    heard.events.map(({ retry, message }) => [retry, message]),
    [
      ['1000', undefined],
      ['20', undefined],
    ],
  );
  await eventually(() => server.polls.length === 1, 'the gate’s own poll');
  const again = await agent.get(heard.lastId);
  // Some clients forget the id that they came with.
  assert.notEqual((await again.until('an id', (event) => event.id !== undefined)).id, heard.lastId);
  server.release();
  assert.equal(textOf(await again.answer(1)), 'done');
  await again.ended;
  assert.deepEqual(server.calls, ['poll']);
});

test('an upstream that does not say when to come back: the agent’s connection stays', async () => {
  const heard = await (await rawAgent(gate, 'up')).call(1, 'vague');
  await eventually(() => server.polls.length === 1, 'the gate’s own poll');
  server.release();
  assert.equal(textOf(await heard.answer(1)), 'done');
});

test('an upstream cannot send the agent away for days', async () => {
  const patient = await startPollingServer(999_999_999);
  const turns: StreamTurn[] = [];
  const paused = Promise.withResolvers<null>();
  const pipe = openHttp(
    patient.upstream,
    {
      message: () => undefined,
      failed: () => undefined,
      closed: () => undefined,
      stream: (_id, turn) => {
        turns.push(turn);
        if (turn.kind === 'paused') paused.resolve(null);
      },
    },
    () => undefined,
  );
  pipe.request(1, requestText(1, 'tools/call', { name: 'poll' }));
  await paused.promise;
  await pipe.close();
  await patient.stop();
  assert.deepEqual(turns, [{ kind: 'primed' }, { kind: 'paused', retryMs: 30_000 }]);
});

test('the official client polls through the gate', async () => {
  const { client } = await gate.client('up');
  const answer = client.callTool({ name: 'poll', arguments: {} });
  await eventually(() => server.polls.length === 1, 'the gate’s own poll');
  server.release();
  assert.equal(textOf({ result: await answer }), 'done');
});

test('the bridge polls for its client, which hears the answer and nothing else', async () => {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const log: string[] = [];
  const to = { url: gate.url, server: 'up', token: 'crm-bot', stdin, stdout };
  const ended = runBridge({ ...to, log: (line) => log.push(line) });
  const next = async (): Promise<Record<string, unknown>> =>
    JSON.parse(String((await lines.next()).value)) as Record<string, unknown>;
  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } };
  stdin.write(`${requestText(1, 'initialize', hello)}\n`);
  assert.equal((await next())['id'], 1);
  stdin.write(`${notificationText('notifications/initialized')}\n`);
  stdin.write(`${requestText(2, 'tools/call', { name: 'poll', arguments: {} })}\n`);
  await eventually(() => server.polls.length === 1, 'the gate’s own poll');
  server.release();
  assert.equal(textOf(await next()), 'done');
  stdin.end();
  await ended;
  assert.deepEqual([log, server.calls], [[], ['poll']]);
});

test('an answer that came while the agent was away is there when it comes back; then it has all', async () => {
  const agent = await rawAgent(gate, 'up');
  const heard = await agent.call(1, 'poll');
  await heard.ended;
  server.release();
  await eventually(
    async () => (await gate.entries('execution.succeeded')).length === 1,
    'the outcome in the log',
  );
  const again = await agent.get(heard.lastId);
  assert.equal(textOf(await again.answer(1)), 'done');
  await again.ended;
  assert.equal((await agent.get(again.lastId)).response.status, 204);
  const twice = await agent.get(heard.lastId);
  assert.equal(textOf(await twice.answer(1)), 'done', 'the connection may have broken on the way');
});

test('approved while nobody waits: nothing runs until the agent is back, and then it has its answer', async () => {
  const agent = await rawAgent(gate, 'up');
  const heard = await held(agent);
  const { asked } = await gate.pending();
  await heard.drop();
  const before = await gone(agent);
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  await before();
  assert.deepEqual(server.calls, ['quick']);
  assert.equal((await gate.store.caseBy({ action: asked.id }))?.execution, null);
  const again = await agent.get(heard.lastId);
  assert.equal(textOf(await again.answer(1)), 'done');
  assert.deepEqual(server.calls, ['quick', 'held']);
  await eventually(async () => deliveredAtMs({ action: asked.id }), 'the mark that it was delivered');
});

/** Something whole that happens meanwhile, so that what should not happen would have. */
async function gone(agent: Awaited<ReturnType<typeof rawAgent>>): Promise<() => Promise<void>> {
  await (await agent.call(90, 'quick')).answer(90);
  return async () => {
    await (await agent.send({ id: 91, method: 'tools/list' })).answer(91);
    await new Promise((resolve) => setTimeout(resolve, 100));
  };
}

test('an outcome is delivered when it was handed over, not when it was kept', async () => {
  const agent = await rawAgent(gate, 'up');
  const heard = await agent.call(1, 'held-poll', {}, progress);
  const { asked } = await gate.pending();
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  await heard.ended; // sent away to poll
  server.release();
  const action = { action: asked.id };
  await eventually(
    async () => (await gate.store.caseBy(action))?.execution?.status === 'succeeded',
    'the outcome',
  );
  await (
    await gone(agent)
  )();
  assert.equal(await deliveredAtMs(action), null);
  assert.equal(textOf(await (await agent.get(heard.lastId)).answer(1)), 'done');
  await eventually(() => deliveredAtMs(action), 'the mark that it was delivered');
});

test('an agent that asks again instead of coming back gets the same action, and it runs once', async () => {
  const agent = await rawAgent(gate, 'up');
  const heard = await held(agent);
  await heard.drop();
  const second = await held(agent, 2);
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  assert.equal(textOf(await second.answer(2)), 'done');
  const again = await agent.get(heard.lastId);
  assert.equal(textOf(await again.answer(1)), 'done');
  assert.deepEqual(server.calls, ['held']);
});

test('an agent that stays away: nothing runs, its stream is forgotten, and the grant is still there', async () => {
  await gate.close();
  gate = await start(50);
  const agent = await rawAgent(gate, 'up');
  const heard = await held(agent);
  await heard.drop();
  const later = await gone(agent);
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  await later();
  assert.deepEqual(server.calls, ['quick']);
  assert.equal(textOf(await (await agent.call(2, 'held')).answer(2)), 'done');
  assert.deepEqual(server.calls, ['quick', 'held']);
  await eventually(async () => (await agent.get(heard.lastId)).response.status === 400, 'its end');
});

test('an agent that cancels while it is away is not waited for', async () => {
  const agent = await rawAgent(gate, 'up');
  const heard = await held(agent);
  await heard.drop();
  await (
    await agent.send({ method: 'notifications/cancelled', params: { requestId: 1 } })
  ).ended;
  await eventually(
    async () => (await agent.get(heard.lastId)).response.status === 400,
    'that it is forgotten',
  );
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  await (
    await gone(agent)
  )();
  assert.deepEqual(server.calls, ['quick']);
});

test('the newest connection has the stream; what comes is told there', async () => {
  const agent = await rawAgent(gate, 'up');
  const first = await held(agent);
  const second = await agent.get(first.lastId);
  await first.ended;
  await gate.decide(await gate.pending(), 'rosa', 'deny', 'not today');
  assert.match(textOf(await second.answer(1)), /not today/);
});

test('a session that ends answers the streams that are there, and forgets those that are left', async () => {
  const agent = await rawAgent(gate, 'up');
  const [here, away] = [await held(agent, 1), await held(agent, 2)];
  await away.drop();
  await gate.front.close();
  assert.match(textOf(await here.answer(1)), /^Not run yet/);
  assert.equal((await agent.get(away.lastId)).response.status, 404);
});
