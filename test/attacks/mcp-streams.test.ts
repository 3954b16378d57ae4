/**
 * Streams that an agent may come back to, in the hands of one that may not: another agent's session, another agent's event ids,
 * ids that were made up, and floods that would have the gate keep without end.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { stopAgent } from '../../src/app/stops.ts';
import { asAgentId, asPersonId } from '../../src/core/ids.ts';
import { openEventStream } from '../../src/enforce/mcp/event-stream.ts';
import { Streams, type ReplyStream } from '../../src/enforce/mcp/resume.ts';
import { permitAll, reviewOf, startTestGate, type TestGate } from '../enforce/mcp/support/gate.ts';
import {
  rawAgent,
  startPollingServer,
  type Heard,
  type PollingServer,
  type RawAgent,
} from '../enforce/mcp/support/streams.ts';

let gate: TestGate;
let server: PollingServer;
let agent: RawAgent;
let other: RawAgent;
before(async () => {
  server = await startPollingServer();
  gate = await startTestGate({
    servers: { up: server.upstream, two: server.upstream },
    policies: permitAll + reviewOf('up___held'),
    limits: { holdMs: 30_000, holdProgressMs: 30_000 },
  });
  agent = await rawAgent(gate, 'up');
  other = await rawAgent(gate, 'up', { token: 'other-bot' });
});
after(async () => {
  await gate.close();
  await server.stop();
});

/** An answer that another agent would like to have: on a stream, kept. */
async function secret(): Promise<Heard> {
  const heard = await agent.call(1, 'primed');
  await heard.answer(1);
  return heard;
}

test('another agent’s session does not exist, whatever event is named', async () => {
  const { lastId, events } = await secret();
  for (const id of [null, lastId, events[0]?.id ?? '', 'nonsense']) {
    const heard = await other.get(id, agent.session);
    await heard.ended;
    assert.equal(heard.response.status, 404);
    assert.deepEqual(
      heard.events.map(({ message }) => message?.['error']),
      [{ code: -32001, message: 'Session not found' }],
    );
  }
});

test('another agent’s event id says nothing in a session of one’s own; nor does that of another session, or server', async () => {
  const id = (await secret()).events[0]?.id ?? '';
  const mine = await rawAgent(gate, 'up');
  const elsewhere = await rawAgent(gate, 'two');
  const refused = [];
  for (const one of [other, mine, elsewhere]) {
    const heard = await one.get(id);
    await heard.ended;
    refused.push([heard.response.status, heard.events[0]?.message]);
  }
  const unknown = await other.get(`${'0'.repeat(32)}-0`);
  await unknown.ended;
  const same = [400, unknown.events[0]?.message];
  assert.deepEqual(refused, [same, same, same]);
  assert.equal((await agent.get(id)).response.status, 200, 'its own still knows it');
});

test('an id that was made up from a real one gives nothing', async () => {
  const { lastId } = await secret();
  const [name = '', number = ''] = lastId.split('-');
  const flipped = `${name.startsWith('0') ? '1' : '0'}${name.slice(1)}`;
  const forged = [
    `${flipped}-0`,
    `${name}-${Number(number) + 1}`,
    `${name}-999999999`,
    `${name}--1`,
    `${name}-0x0`,
    `${name}-00`,
    `${name}-0.5`,
    `${name}-1e0`,
    `${name}-`,
    name,
    `${name.toUpperCase()}x-0`,
    '-0',
    '*',
    '__proto__-0',
    `${name}-0,${name}-0`,
  ];
  for (const id of forged) {
    const heard = await agent.get(id);
    await heard.ended;
    assert.deepEqual([id, heard.response.status, heard.isStream], [id, 400, false]);
  }
});

test('an agent that was stopped does not come back, and hears nothing', async () => {
  const bot = await rawAgent(gate, 'up', { token: 'other-bot' });
  const heard = await bot.call(1, 'primed');
  await heard.answer(1);
  const said = { reason: null, approval: null };
  assert.ok((await stopAgent(gate.parts, asPersonId('sam'), asAgentId('other-bot'), said)).ok);
  for (const id of [heard.events[0]?.id ?? '', null]) {
    const back = await bot.get(id);
    await back.ended;
    assert.deepEqual([back.response.status, back.isStream], [403, false]);
  }
});

/** Streams of one session, without a gate. */
function fresh(keptMs = 60_000): { streams: Streams; open: (gone?: () => void) => Opened } {
  let count = 0;
  const streams = new Streams({ name: () => (count += 1).toString(16).padStart(32, '0'), keptMs });
  return {
    streams,
    open: (gone = () => undefined) => {
      const stream = streams.open({}, gone);
      return { stream, first: `${count.toString(16).padStart(32, '0')}-0` };
    },
  };
}
interface Opened {
  readonly stream: ReplyStream;
  /** The id of its first event. */
  readonly first: string;
}
/** All that a response says, once it has ended. */
const said = async (response: Response | undefined): Promise<readonly string[]> =>
  [...((await response?.text()) ?? '').matchAll(/^data: (.+)$/gm)].map(([, data = '']) => data);

test('a flood of finished streams: the oldest are forgotten', async () => {
  const { streams, open } = fresh();
  const all = Array.from({ length: 200 }, () => open());
  for (const [index, { stream }] of all.entries()) stream.end(`"${index}"`);
  const known = all.map(({ first }) => streams.resume(first, {}));
  assert.equal(known.filter((one) => one !== undefined).length, 32);
  assert.deepEqual(await said(known.at(-1)), ['"199"']);
});

test('a flood of large answers: together they stay below the limit, and one that is larger is handed over and not kept', async () => {
  const { streams, open } = fresh();
  const large = 'x'.repeat(100 * 1024);
  const all = Array.from({ length: 30 }, () => open());
  for (const { stream } of all) stream.end(large);
  assert.equal(all.filter(({ first }) => streams.resume(first, {}) !== undefined).length, 5);
  const { stream, first } = open();
  const huge = 'y'.repeat(1024 * 1024);
  assert.equal(stream.end(huge), true);
  assert.deepEqual(await said(stream.response), [huge]);
  assert.equal(streams.resume(first, {}), undefined);
});

test('a flood of messages while the agent is away: bounded, and the answer is still there', async () => {
  const { streams, open } = fresh();
  const { stream, first } = open();
  stream.drop();
  const taken = Array.from({ length: 10_000 }, (_, index) => stream.send(`"${index}"`)).filter(Boolean);
  assert.equal(taken.length, 256);
  let later = 0;
  assert.equal(
    stream.end('"answer"', () => (later += 1)),
    false,
  );
  assert.equal(later, 0);
  const all = await said(streams.resume(first, {}));
  assert.deepEqual([all.length, all.at(-1), later], [256, '"answer"', 1]);
});

test('a flood of messages to an agent that is there drops the earliest, not the answer', async () => {
  const { streams, open } = fresh();
  const { stream, first } = open();
  for (let index = 0; index < 1000; index += 1) assert.equal(stream.send(`"${index}"`), true);
  stream.end('"answer"');
  const all = await said(streams.resume(first, {}));
  assert.deepEqual([all.length, all.at(-1)], [256, '"answer"']);
});

test('a flood of streams that are left open: those left longest ago are given up, finished ones before them', () => {
  const { streams, open } = fresh();
  const finished = open();
  const given: number[] = [];
  const left = Array.from({ length: 40 }, (_, index) => open(() => given.push(index)));
  finished.stream.end('"x"');
  for (const { stream } of left) stream.drop();
  assert.equal(streams.resume(finished.first, {}), undefined);
  assert.deepEqual(given, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('what is left is given up after its time, once, and is not there any more', async () => {
  const { streams, open } = fresh(10);
  let calls = 0;
  const gone = Promise.withResolvers<null>();
  const { stream, first } = open(() => {
    calls += 1;
    gone.resolve(null);
  });
  stream.drop();
  assert.equal(stream.here, false);
  const back = stream.back(new AbortController().signal);
  await gone.promise;
  assert.equal(await back, false);
  assert.equal(streams.resume(first, {}), undefined);
  assert.equal(stream.end('"late"'), false);
  assert.equal(calls, 1);
});

test('a session that is over keeps nothing', async () => {
  const { streams, open } = fresh();
  const [here, away] = [open(), open()];
  away.stream.drop();
  streams.close();
  assert.equal(streams.resume(away.first, {}), undefined);
  assert.equal(here.stream.end('"last"'), true);
  assert.deepEqual(await said(here.stream.response), ['"last"']);
  assert.equal(streams.resume(here.first, {}), undefined);
});

test('an agent that reads nothing, and an upstream that says much: what waits is bounded in size too, and the answer is kept', () => {
  const stream = openEventStream(() => undefined);
  const text = JSON.stringify('x'.repeat(1024 * 1024));
  let waiting = 0;
  while (waiting < 1024 && stream.send(text, false)) waiting += 1;
  assert.ok(waiting >= 1 && waiting <= 16, `${waiting}`);
  assert.equal(stream.send(text, true), true);
  stream.close();
  const small = openEventStream(() => undefined);
  let count = 0;
  while (count < 5000 && small.send('1', false)) count += 1;
  assert.equal(count, 1024);
  small.close();
});
