/** Tasks (SEP-2663): an action that waits for people is one for agents that know them; an upstream's tasks pass. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startUpstream, type Upstream } from '../../conformance/upstream.ts';
import { eventually, permitAll, reviewOf, startTestGate, type TestGate } from './support/gate.ts';
import {
  raw,
  startModernServer,
  tasksCapability,
  textOf,
  type Json,
  type ModernServer,
} from './support/modern.ts';

const policies = `${permitAll}
${reviewOf('up___write')}
${reviewOf('up___ask')}
${reviewOf('up___slow')}
${reviewOf('con___slow_compute')}
${reviewOf('con___protocol_error_job')}
@id("ask") @title("May ask") permit (principal, action == Action::"up___ask:input", resource);
@id("confirm") @title("May ask") permit (principal, action == Action::"con___confirm_delete:input", resource);
`;

let gate: TestGate;
let server: ModernServer;
let conformance: Upstream;
before(async () => {
  server = await startModernServer();
  conformance = await startUpstream();
  gate = await startTestGate({
    servers: { up: server.upstream, con: { kind: 'url', url: conformance.url, headers: {} } },
    policies,
  });
});
after(async () => {
  await gate.close();
  await server.stop();
  await conformance.stop();
});

const capabilities = { ...tasksCapability, elicitation: {} };
const request = async (name: string, method: string, params: Json): Promise<Json> => {
  const { body } = await raw(gate, name, { method, params, capabilities });
  assert.ok(body.result !== undefined, JSON.stringify(body));
  return body.result;
};
const call = (at: string, name: string, args: Json = {}) =>
  request(at, 'tools/call', { name, arguments: args });
const ended = (at: string, taskId: string): Promise<Json> =>
  eventually(async () => {
    const task = await request(at, 'tasks/get', { taskId });
    return task.status === 'working' ? undefined : task;
  }, 'the end of a task');

test('a held call is a task at once; its run begins when it is asked for, and the result is inlined', async () => {
  const made = await call('up', 'write', { text: 'task' });
  assert.deepEqual([made.resultType, made.status, made.ttlMs], ['task', 'working', null]);
  assert.ok(!('requestState' in made) && !('result' in made));
  const waiting = await request('up', 'tasks/get', { taskId: made.taskId });
  assert.deepEqual([waiting.status, waiting.resultType], ['working', 'complete']);
  assert.match(waiting.statusMessage, /Waiting for approval apr_/);
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  assert.equal(server.calls.length, 0, 'nobody has asked for it yet');
  const done = await request('up', 'tasks/get', { taskId: made.taskId });
  assert.equal(done.status, 'completed');
  assert.deepEqual(JSON.parse(textOf(done.result)).args, { text: 'task' });
  assert.equal(server.calls.length, 1);
  await eventually(
    async () => (await gate.entries('outcome.delivered')).length === 1,
    'that it was delivered',
  );
});

test('a client without the extension gets no task, and may not ask for one', async () => {
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
    const { status, body } = await raw(gate, 'up', { method, params: { taskId: 'act_x' } });
    assert.deepEqual([status, body.error.code], [400, -32021]);
    assert.ok('io.modelcontextprotocol/tasks' in body.error.data.requiredCapabilities.extensions);
  }
});

test('the same call again is the same task', async () => {
  const [one, two] = [
    await call('up', 'write', { text: 'same' }),
    await call('up', 'write', { text: 'same' }),
  ];
  assert.equal(one.taskId, two.taskId);
  await gate.decide(await gate.pending(), 'rosa', 'deny', 'no');
  const over = await ended('up', one.taskId);
  assert.equal(over.status, 'completed');
  assert.equal(over.result.isError, true);
  assert.match(textOf(over.result), /no/);
});

test('cancelling a task withdraws its approval; cancelling again changes nothing', async () => {
  const { taskId } = await call('up', 'write', { text: 'withdrawn' });
  const held = await gate.pending();
  for (let times = 0; times < 2; times += 1)
    assert.deepEqual(await request('up', 'tasks/cancel', { taskId }), { resultType: 'complete' });
  assert.equal((await request('up', 'tasks/get', { taskId })).status, 'cancelled');
  assert.equal((await gate.entries('approval.cancelled')).at(-1)?.about.approval, held.approval?.id);
});

test('what an approved tool asks while it runs in a task is answered by tasks/update', async () => {
  const { taskId } = await call('up', 'ask');
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  const asking = await ended('up', taskId);
  assert.equal(asking.status, 'input_required');
  const [key = ''] = Object.keys(asking.inputRequests);
  assert.equal(asking.inputRequests[key].method, 'elicitation/create');
  await request('up', 'tasks/update', { taskId, inputResponses: { unknown: { action: 'accept' } } });
  assert.equal((await request('up', 'tasks/get', { taskId })).status, 'input_required');
  await request('up', 'tasks/update', {
    taskId,
    inputResponses: { [key]: { action: 'accept', content: { n: 1 } } },
  });
  const done = await ended('up', taskId);
  assert.deepEqual(JSON.parse(textOf(done.result)).inputResponses, {
    many: { action: 'accept', content: { n: 1 } },
  });
  assert.equal(
    (await gate.entries('execution.started')).filter((one) => one.about.action === taskId).length,
    1,
  );
  assert.equal((await gate.entries('question.passed')).at(-1)?.about.action, taskId);
});

test('a run that takes longer than a look goes on between looks', async () => {
  const { taskId } = await call('up', 'slow', { n: 1 });
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  const looks = await Promise.all([1, 2, 3].map(() => request('up', 'tasks/get', { taskId })));
  assert.ok(looks.every((task) => ['working', 'completed'].includes(task.status)));
  assert.equal((await ended('up', taskId)).status, 'completed');
  assert.equal(server.calls.filter((one) => one.name === 'slow').length, 1);
});

test('an upstream’s task passes under a name of the gate’s, and its end is the outcome', async () => {
  const made = await call('con', 'failing_job');
  assert.equal(made.resultType, 'task');
  assert.match(made.taskId, /^task\./);
  const done = await ended('con', made.taskId);
  assert.deepEqual([done.status, done.result.isError, done.taskId], ['completed', true, made.taskId]);
  await eventually(async () => (await gate.entries('execution.failed')).length > 0, 'an outcome');
  assert.deepEqual(await request('con', 'tasks/cancel', { taskId: made.taskId }), { resultType: 'complete' });
});

test('a held call whose upstream answers with a task of its own: the gate follows it', async () => {
  const made = await call('con', 'slow_compute', { seconds: 1, label: 'held' });
  assert.match(made.taskId, /^act_/);
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  const done = await ended('con', made.taskId);
  assert.equal(done.status, 'completed');
  assert.notEqual(done.result.isError, true);
  assert.equal((await gate.entries('execution.succeeded')).at(-1)?.about.action, made.taskId);
});

test('an error of the protocol in a held run is a failed task', async () => {
  const made = await call('con', 'protocol_error_job');
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  const done = await ended('con', made.taskId);
  assert.equal(done.status, 'failed');
  assert.equal(typeof done.error.code, 'number');
  assert.ok(!('result' in done));
});
