/**
 * Names of tasks are for one agent and one server, and prove nothing: made up, another agent's, or asked for again and again.
 * And answers to a task's questions do not pass without a policy.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startUpstream, type Upstream } from '../conformance/upstream.ts';
import {
  eventually,
  permitAll,
  reviewOf,
  startTestGate,
  type TestGate,
} from '../enforce/mcp/support/gate.ts';
import {
  raw,
  startModernServer,
  tasksCapability,
  type Json,
  type ModernServer,
  type Raw,
} from '../enforce/mcp/support/modern.ts';

let gate: TestGate;
let server: ModernServer;
let conformance: Upstream;
before(async () => {
  server = await startModernServer();
  conformance = await startUpstream();
  const con = { kind: 'url', url: conformance.url, headers: {} } as const;
  gate = await startTestGate({
    servers: { up: server.upstream, two: server.upstream, con, con2: con },
    policies: `${permitAll}\n${reviewOf('up___write')}\n${reviewOf('up___ask')}`,
  });
});
after(async () => {
  await gate.close();
  await server.stop();
  await conformance.stop();
});

const capabilities = { ...tasksCapability, elicitation: {} };
const ask = (name: string, method: string, params: Json, agent?: string): Promise<Raw> =>
  raw(gate, name, { method, params, capabilities, ...(agent === undefined ? {} : { agent }) });
const methods: [string, Json][] = [
  ['tasks/get', {}],
  ['tasks/update', { inputResponses: { x: { action: 'accept' } } }],
  ['tasks/cancel', {}],
];
async function made(name: string, tool: string, args: Json = {}): Promise<string> {
  const { body } = await ask(name, 'tools/call', { name: tool, arguments: args });
  assert.equal(body.result?.resultType, 'task', JSON.stringify(body));
  return body.result.taskId;
}
async function unknown(name: string, taskId: string, agent?: string): Promise<void> {
  const sofar = (await gate.entries('action.refused')).length;
  for (const [method, more] of methods) {
    const { body } = await ask(name, method, { taskId, ...more }, agent);
    assert.equal(body.error?.code, -32602, `${method} ${JSON.stringify(body)}`);
  }
  assert.equal((await gate.entries('action.refused')).length, sofar + methods.length);
}

test('names of tasks that were made up', async () => {
  const taskId = await made('con', 'slow_compute', { seconds: 30, label: 'x' });
  const [kind = '', payload = '', mac = ''] = taskId.split('.');
  const body: Json = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const other = Buffer.from(JSON.stringify({ ...body, agent: 'other-bot' })).toString('base64url');
  for (const forged of [
    '',
    'x',
    'act_00000000000000000000000000',
    'task.x.y',
    `${kind}.${payload}.${'0'.repeat(64)}`,
    `state.${payload}.${mac}`,
  ])
    await unknown('con', forged);
  await unknown('con', `${kind}.${other}.${mac}`, 'other-bot');
  await ask('con', 'tasks/cancel', { taskId });
});

test('another agent’s task, of the gate and of the upstream: it cannot be seen, answered or cancelled', async () => {
  const own = await made('up', 'write', { text: 'mine' });
  await unknown('up', own, 'other-bot');
  assert.equal((await ask('up', 'tasks/get', { taskId: own })).body.result.status, 'working');
  const theirs = await made('con', 'slow_compute', { seconds: 30, label: 'mine' });
  await unknown('con', theirs, 'other-bot');
  assert.equal((await ask('con', 'tasks/get', { taskId: theirs })).body.result.status, 'working');
  await ask('con', 'tasks/cancel', { taskId: theirs });
  await ask('up', 'tasks/cancel', { taskId: own });
});

test('a task of another server', async () => {
  const own = await made('up', 'write', { text: 'here' });
  await unknown('two', own);
  const theirs = await made('con', 'slow_compute', { seconds: 30, label: 'here' });
  await unknown('con2', theirs);
  await ask('con', 'tasks/cancel', { taskId: theirs });
  await ask('up', 'tasks/cancel', { taskId: own });
});

test('an action that nobody was asked about is no task', async () => {
  await raw(gate, 'up', { method: 'tools/call', params: { name: 'echo', arguments: {} } });
  const action = (await gate.entries('execution.started')).at(-1)?.about.action ?? '';
  await unknown('up', action);
});

test('asking for a task again and again, at once and after its end, runs it once', async () => {
  const taskId = await made('up', 'write', { text: 'once' });
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  await Promise.all(Array.from({ length: 10 }, () => ask('up', 'tasks/get', { taskId })));
  const done = await eventually(async () => {
    const { body } = await ask('up', 'tasks/get', { taskId });
    return body.result.status === 'completed' ? body.result : undefined;
  }, 'the end');
  for (let times = 0; times < 5; times += 1)
    assert.deepEqual(
      (await ask('up', 'tasks/get', { taskId })).body.result.result.content,
      done.result.content,
    );
  assert.equal(server.calls.filter((one) => one.args.text === 'once').length, 1);
  assert.equal(
    (await gate.entries('execution.started')).filter((one) => one.about.action === taskId).length,
    1,
  );
});

test('answers to an upstream’s task do not pass without a policy, whether it asked or not', async () => {
  const taskId = await made('con', 'confirm_delete', { filename: 'x' });
  const { body } = await ask('con', 'tasks/update', {
    taskId,
    inputResponses: { confirm: { action: 'accept', content: { confirm: true } } },
  });
  assert.equal(body.error?.data?.code, 'not_permitted');
  assert.equal((await gate.entries('question.refused')).at(-1)?.data['method'], 'tasks/update');
  // Its question does not reach the agent either, and the task ends.
  const seen = await eventually(async () => {
    const looked = await ask('con', 'tasks/get', { taskId });
    return looked.body.result?.status === 'working' ? undefined : looked.body;
  }, 'the question');
  assert.equal(seen.error?.data?.code, 'not_permitted');
  assert.ok(!JSON.stringify(seen).includes('elicitation'));
  await eventually(async () => (await gate.entries('execution.failed')).length > 0, 'an outcome');
});

test('what an approved tool asks in a task does not reach the agent without a policy', async () => {
  const taskId = await made('up', 'ask');
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  const sofar = server.calls.length;
  const done = await eventually(async () => {
    const { body } = await ask('up', 'tasks/get', { taskId });
    return body.result.status === 'working' ? undefined : body.result;
  }, 'the end');
  assert.deepEqual([done.status, done.result.isError], ['completed', true]);
  await ask('up', 'tasks/update', {
    taskId,
    inputResponses: { '1.many': { action: 'accept', content: {} } },
  });
  assert.equal(server.calls.length, sofar + 1);
});
