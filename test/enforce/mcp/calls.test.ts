/** The life of a `tools/call` through the gate: allowed, denied, held, resumed, replayed, joined; with a real client and a real store. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { CallToolResult, Progress } from '@modelcontextprotocol/sdk/types.js';
import { asPersonId } from '../../../src/core/ids.ts';
import { cancel } from '../../../src/app/review.ts';
import {
  command,
  eventually,
  permitAll,
  reviewOf,
  root,
  startTestGate,
  allTools,
  type TestGate,
} from './support/gate.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-calls-'));
const logFile = join(folder, 'log');
const fixture = command([process.execPath, `${root}test/enforce/mcp/support/fixture.ts`], {
  FIXTURE_LOG: logFile,
});

const policies =
  permitAll +
  reviewOf('fix___write') +
  reviewOf('fix___fail') +
  reviewOf('fix___rpcfail') +
  reviewOf('fix___die') +
  reviewOf('two___write', '@quorum("2")') +
  '@id("no.peek") @title("Nobody peeks here") forbid (principal, action == Action::"two___peek", resource);\n';

let gate: TestGate;

before(async () => {
  gate = await startTestGate({
    servers: { fix: fixture, two: fixture },
    policies,
    tools: {
      fix: {
        write: {
          verb: 'Write',
          effect: 'write',
          preview: { tool: 'peek', input: { text: 'input.text' }, count: 'rows' },
        },
        peek: { verb: 'Peek', effect: 'read' },
      },
    },
    limits: { holdMs: 400, holdProgressMs: 30_000 },
  });
});
after(async () => {
  await gate.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the upstream was called with: the proof of what ran. */
const calls = (name: string, text?: string): readonly { args: Record<string, unknown>; meta: unknown }[] =>
  readFileSync(logFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { name?: string; args: Record<string, unknown>; meta: unknown })
    .filter((one) => one.name === name && (text === undefined || one.args['text'] === text));

type Result = CallToolResult & { readonly _meta?: Record<string, unknown> };
type Client = Awaited<ReturnType<TestGate['client']>>['client'];

/** @param progress makes the client send a progress token, and so wait longer. */
const call = async (
  client: Client,
  name: string,
  args: Record<string, unknown>,
  options: { meta?: Record<string, unknown>; progress?: (one: Progress) => void; signal?: AbortSignal } = {},
): Promise<Result> => {
  const params = { name, arguments: args, ...(options.meta === undefined ? {} : { _meta: options.meta }) };
  const more = {
    ...(options.progress === undefined ? {} : { onprogress: options.progress }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  return (await client.callTool(params, undefined, more)) as Result;
};
const textOf = (result: Result): string => (result.content[0]?.type === 'text' ? result.content[0].text : '');
const patient = { progress: () => undefined };

test('an allowed call reaches the upstream once, and its answer the agent', async () => {
  const { client } = await gate.client('fix');
  const result = await call(client, 'echo', { text: 'hello' });
  const [started] = (await gate.entries('execution.started')).slice(-1);
  assert.deepEqual(JSON.parse(textOf(result)), {
    args: { text: 'hello' },
    meta: {
      'dev.countersign/execution': started?.about.execution,
      'dev.countersign/action': started?.about.action,
    },
  });
  assert.equal(calls('echo', 'hello').length, 1);
  const [asked] = (await gate.entries('action.asked')).filter(
    (entry) => entry.data['operation'] === 'fix___echo',
  );
  assert.equal(asked?.data['enforcement'], 'mediated');
});

test('an allowed call is never joined: each is its own', async () => {
  const { client } = await gate.client('fix');
  await Promise.all([call(client, 'echo', { text: 'twice' }), call(client, 'echo', { text: 'twice' })]);
  assert.equal(calls('echo', 'twice').length, 2);
});

test('a denied call does not reach the upstream; the agent is told the code and why', async () => {
  const { client } = await gate.client('two');
  const result = await call(client, 'peek', { text: 'denied' });
  assert.equal(result.isError, true);
  assert.equal(result.structuredContent, undefined);
  assert.match(textOf(result), /^Denied \(forbidden\): /);
  assert.equal(result._meta?.['dev.countersign/code'], 'forbidden');
  assert.match(String(result._meta?.['dev.countersign/action']), /^act_/);
  assert.equal(calls('peek', 'denied').length, 0);
});

test('a held call waits, shows that it waits, and runs once when it is approved', async () => {
  const { client } = await gate.client('fix');
  const shown: Progress[] = [];
  const result = call(
    client,
    'write',
    { text: 'held' },
    {
      progress: (one) => shown.push(one),
      meta: { 'dev.countersign/reason': 'a ticket', 'dev.countersign/session': 'run 7' },
    },
  );
  const held = await gate.pending();
  assert.equal(held.asked.action.reason, 'a ticket');
  assert.equal(held.asked.action.session, 'run 7');
  assert.deepEqual(held.asked.preview?.answer, { ok: true, value: { rows: 7, of: 'held' } });
  await eventually(() => shown.length > 0, 'progress');
  assert.match(
    String(shown[0]?.message),
    new RegExp(`^Waiting for approval ${held.approval?.id}: 0 of 1, http.*/approvals/`),
  );
  assert.equal(calls('write', 'held').length, 0);
  await gate.decide(held, 'rosa', 'approve');
  assert.deepEqual(JSON.parse(textOf(await result)).args, { text: 'held' });
  assert.equal(calls('write', 'held').length, 1);
  await eventually(
    async () =>
      (await gate.entries('outcome.delivered')).some((entry) => entry.about.action === held.asked.id),
    'delivery',
  );
});

test('progress counts upwards, and tells of each review', async () => {
  const { client } = await gate.client('two');
  const shown: Progress[] = [];
  const result = call(client, 'write', { text: 'both' }, { progress: (one) => shown.push(one) });
  const held = await gate.pending();
  await gate.decide(held, 'rosa', 'approve');
  await eventually(() => shown.some((one) => one.message?.includes(': 1 of 2') === true), 'one of two');
  await gate.decide((await gate.store.caseBy({ action: held.asked.id })) ?? held, 'mia', 'approve');
  assert.notEqual((await result).isError, true);
  assert.ok(shown.every((one, at) => at === 0 || one.progress > (shown[at - 1]?.progress ?? 0)));
});

test('a denial carries the reviewer’s reason, and its repeat says that it is one', async () => {
  const { client } = await gate.client('fix');
  const first = call(client, 'write', { text: 'no' }, patient);
  await gate.decide(await gate.pending(), 'rosa', 'deny', 'not on a Friday');
  const denied = await first;
  assert.equal(denied.isError, true);
  assert.equal(textOf(denied), 'Denied by Rosa Diaz: not on a Friday');
  assert.equal(denied._meta?.['dev.countersign/replayed'], undefined);
  const again = await call(client, 'write', { text: 'no' }, patient);
  assert.match(textOf(again), /^Denied by Rosa Diaz: not on a Friday .*repeat/);
  assert.equal(again._meta?.['dev.countersign/replayed'], true);
  assert.match(String(again._meta?.['dev.countersign/endedAt']), /^\d{4}-/);
  assert.equal(calls('write', 'no').length, 0);
});

test('without a progress token it is answered in time; the same call joins, and runs once', async () => {
  const { client } = await gate.client('fix');
  const early = await call(client, 'write', { text: 'later' });
  const held = await gate.pending();
  assert.equal(early.isError, true);
  assert.match(
    textOf(early),
    new RegExp(`^Not run yet: approval ${held.approval?.id}; call again with the same arguments\\.`),
  );
  assert.equal(early._meta?.['dev.countersign/approval'], held.approval?.id);
  assert.match(String(early._meta?.['dev.countersign/url']), /\/approvals\/apr_/);
  await gate.decide(held, 'rosa', 'approve');
  assert.equal(
    calls('write', 'later').length,
    0,
    'a mediated action runs only for an agent that waits or asks again',
  );
  const result = await call(client, 'write', { text: 'later' });
  assert.deepEqual(JSON.parse(textOf(result)).args, { text: 'later' });
  const replayed = await call(client, 'write', { text: 'later' });
  // The same as it was, and a sentence for the model, which reads no _meta.
  assert.deepEqual(replayed.content.slice(0, -1), result.content);
  const [last] = replayed.content.slice(-1);
  assert.match(
    last?.type === 'text' ? last.text : '',
    /^\(This repeats how the same call ended at .*; it did not run again\.\)$/,
  );
  assert.equal(replayed._meta?.['dev.countersign/replayed'], true);
  assert.equal(calls('write', 'later').length, 1);
});

test('another run is another action', async () => {
  const { client } = await gate.client('fix');
  const first = call(client, 'write', { text: 'runs' }, { ...patient, meta: { 'dev.countersign/run': '1' } });
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  await first;
  const second = await call(client, 'write', { text: 'runs' }, { meta: { 'dev.countersign/run': '2' } });
  assert.match(textOf(second), /^Not run yet/);
  await gate.decide(await gate.pending(), 'rosa', 'deny', 'enough');
  assert.equal(calls('write', 'runs').length, 1);
});

test('fifty racing calls of one approved action run it once, and all get its result', async () => {
  const { client } = await gate.client('fix');
  await call(client, 'write', { text: 'race' });
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  const results = await Promise.all(
    Array.from({ length: 50 }, () => call(client, 'write', { text: 'race' }, patient)),
  );
  assert.equal(calls('write', 'race').length, 1);
  assert.ok(results.every((one) => one.isError !== true && JSON.parse(textOf(one)).args.text === 'race'));
  assert.equal(results.filter((one) => one._meta?.['dev.countersign/replayed'] !== true).length, 1);
});

test('a client that gives up changes nothing: it asks again and joins', async () => {
  const { client } = await gate.client('fix');
  const stop = new AbortController();
  const given = call(client, 'write', { text: 'gave up' }, { ...patient, signal: stop.signal });
  const held = await gate.pending();
  stop.abort();
  await assert.rejects(given);
  assert.equal((await gate.pending()).asked.id, held.asked.id);
  const again = call(client, 'write', { text: 'gave up' }, patient);
  await gate.decide(held, 'rosa', 'approve');
  assert.deepEqual(JSON.parse(textOf(await again)).args, { text: 'gave up' });
  assert.equal(calls('write', 'gave up').length, 1);
});

test('a client that crashes while it is held joins from a new connection', async () => {
  const crashing = await gate.client('fix');
  call(crashing.client, 'write', { text: 'crashed' }, patient).catch(() => undefined);
  const held = await gate.pending();
  await crashing.transport.close(); // no DELETE, no cancellation: the sockets are gone
  await gate.decide(held, 'rosa', 'approve');
  const { client } = await gate.client('fix');
  assert.deepEqual(JSON.parse(textOf(await call(client, 'write', { text: 'crashed' }))).args, {
    text: 'crashed',
  });
  assert.equal(calls('write', 'crashed').length, 1);
});

test('another agent does not join', async () => {
  const one = await gate.client('fix');
  const two = await gate.client('fix', {}, 'other-bot');
  await call(one.client, 'write', { text: 'mine' });
  const held = await gate.pending();
  await gate.decide(held, 'rosa', 'approve');
  const other = await call(two.client, 'write', { text: 'mine' });
  assert.match(textOf(other), /^Not run yet/);
  assert.notEqual(other._meta?.['dev.countersign/approval'], held.approval?.id);
  await gate.decide(await gate.pending(), 'rosa', 'deny', 'no');
  assert.deepEqual(JSON.parse(textOf(await call(one.client, 'write', { text: 'mine' }))).args, {
    text: 'mine',
  });
});

test('a withdrawn approval ends the waiting', async () => {
  const { client } = await gate.client('fix');
  const waiting = call(client, 'write', { text: 'withdrawn' }, patient);
  const held = await gate.pending();
  assert.ok(held.approval !== null);
  assert.ok(
    (
      await cancel(gate.parts, { kind: 'person', id: asPersonId('sam') }, held.approval.id, {
        reason: 'not now',
      })
    ).ok,
  );
  assert.equal(textOf(await waiting), 'Cancelled by Sam Lee: not now');
});

test('the reason argument is stripped, and is the reason where _meta gives none', async () => {
  const { client } = await gate.client('fix');
  await call(client, 'write', { text: 'reasoned', countersign_reason: 'said in an argument' });
  const held = await gate.pending();
  assert.equal(held.asked.action.reason, 'said in an argument');
  assert.deepEqual(held.asked.action.input, { text: 'reasoned' });
  await gate.decide(held, 'rosa', 'approve');
  await call(client, 'write', { text: 'reasoned' });
  assert.deepEqual(
    calls('write', 'reasoned').map((one) => one.args),
    [{ text: 'reasoned' }],
  );
});

test('a reason that is too long is refused, and not passed on', async () => {
  const { client } = await gate.client('fix');
  const args = { text: 'long reason', countersign_reason: 'x'.repeat(2001) };
  await assert.rejects(call(client, 'echo', args), /A reason has at most 2000 characters/);
  assert.equal(calls('echo', 'long reason').length, 0);
});

test('a tool with an argument of that name keeps it', async () => {
  const { client } = await gate.client('fix');
  const tools = await allTools(client);
  const result = await call(client, 'own_reason', { countersign_reason: 'its own' });
  assert.deepEqual(JSON.parse(textOf(result)).args, { countersign_reason: 'its own' });
  assert.deepEqual(tools.find((tool) => tool.name === 'own_reason')?.inputSchema.properties, {
    countersign_reason: { type: 'string' },
  });
});

test('only protocol, progress and trace _meta goes upstream, and the ids of the run', async () => {
  const { client } = await gate.client('fix');
  const meta = {
    'dev.countersign/reason': 'r',
    'dev.countersign/session': 's',
    'com.example/secret': 'x',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'a=b',
    baggage: 'c=d',
    'io.modelcontextprotocol/thing': { a: 1 },
  };
  const result = await call(client, 'echo', { text: 'meta' }, { meta });
  const {
    'dev.countersign/action': action,
    'dev.countersign/execution': execution,
    ...passed
  } = JSON.parse(textOf(result)).meta;
  assert.match(`${action} ${execution}`, /^act_[0-9a-z]{26} exe_[0-9a-z]{26}$/);
  assert.deepEqual(passed, {
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'a=b',
    baggage: 'c=d',
    'io.modelcontextprotocol/thing': { a: 1 },
  });
});

test('a failure of the tool, and an error of the upstream, are recorded, relayed and replayed', async () => {
  const { client } = await gate.client('fix');
  const failing = call(client, 'fail', {}, patient);
  const held = await gate.pending();
  await gate.decide(held, 'rosa', 'approve');
  const result = await failing;
  assert.deepEqual([result.isError, textOf(result)], [true, '"it did not work"']);
  assert.equal((await gate.store.caseBy({ action: held.asked.id }))?.execution?.status, 'failed');
  const erring = call(client, 'rpcfail', {}, patient);
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  await assert.rejects(erring, (error: { code: number; message: string; data: unknown }) => {
    assert.deepEqual(
      [error.code, error.message, error.data],
      [-32050, 'MCP error -32050: no', { why: 'because' }],
    );
    return true;
  });
  await assert.rejects(
    call(client, 'rpcfail', {}),
    (error: { code: number; data: Record<string, unknown> }) => {
      assert.equal(error.code, -32050);
      assert.equal(error.data['why'], 'because');
      assert.equal(error.data['dev.countersign/replayed'], true);
      return true;
    },
  );
  assert.equal(calls('rpcfail').length, 1);
});

test('an upstream that dies in flight leaves the outcome unknown; the same call is a new approval that says so', async () => {
  const { client } = await gate.client('fix');
  const dying = call(client, 'die', {}, patient);
  const held = await gate.pending();
  await gate.decide(held, 'rosa', 'approve');
  const result = await dying;
  assert.equal(result.isError, true);
  assert.match(textOf(result), /^Outcome unknown: .*exit code 3/);
  assert.equal((await gate.store.caseBy({ action: held.asked.id }))?.execution?.status, 'unknown');
  const again = await call(client, 'die', {});
  assert.match(textOf(again), /^Not run yet/);
  const next = await gate.pending();
  assert.equal(next.approval?.afterUnknown, held.asked.id);
  await gate.decide(next, 'rosa', 'deny', 'no');
  // The agent's connection goes on, with a new process behind it.
  assert.deepEqual(JSON.parse(textOf(await call(client, 'echo', { text: 'alive' }))).args, { text: 'alive' });
});

test('a cancellation reaches what runs, and is no proof of anything', async () => {
  const { client } = await gate.client('fix');
  const stop = new AbortController();
  const slow = call(client, 'slow', { text: 'slow' }, { signal: stop.signal });
  await eventually(() => calls('slow', 'slow').length === 1, 'the call upstream');
  stop.abort();
  await assert.rejects(slow);
  await eventually(
    () => readFileSync(logFile, 'utf8').includes('{"cancelled":true}'),
    'the cancellation upstream',
  );
  const [asked] = (await gate.entries('action.asked')).filter(
    (entry) => entry.data['operation'] === 'fix___slow',
  );
  assert.ok(asked !== undefined);
});

test('numbers and the order of keys in a result reach the agent as they were written', async () => {
  const { transport } = await gate.client('fix');
  const response = await fetch(`${gate.url}/mcp/fix`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer crm-bot',
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-session-id': transport.sessionId ?? '',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'big' } }),
  });
  assert.equal(
    await response.text(),
    '{"jsonrpc":"2.0","id":9,"result":{"content":[{"type":"text","text":"x"}],"structuredContent":{"10":1.0,"2":9007199254740993}}}',
  );
});

test('an upstream cannot set the gate’s own marks', async () => {
  const { client } = await gate.client('fix');
  assert.deepEqual((await call(client, 'forge', {}))._meta, { 'x.y/z': 1 });
});

test('a gate that stops answers those who wait: not run yet', async () => {
  const other = await startTestGate({ servers: { fix: fixture }, policies });
  const { client } = await other.client('fix');
  const waiting = call(client, 'write', { text: 'stopping' }, patient);
  await other.pending();
  await other.front.close();
  assert.match(textOf(await waiting), /^Not run yet: approval apr_/);
  await other.close();
  assert.equal(calls('write', 'stopping').length, 0);
});
