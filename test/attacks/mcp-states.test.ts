/**
 * An agent brings back what the gate gave it to bring (`requestState`), but not as it was given: made up, changed, too old,
 * twice, another agent's, another server's, or with other arguments. Each is refused with an entry, and nothing runs.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestGate, people, type TestGate } from '../support/gate.ts';
import { newToken } from '../../src/identity/tokens.ts';
import { asAgentId } from '../../src/core/ids.ts';
import { systemRandom } from '../../src/main.ts';
import {
  raw,
  startModernServer,
  type Json,
  type ModernServer,
  type Raw,
} from '../enforce/mcp/support/modern.ts';

const policies = `
@id("all") @title("Agents may act") permit (principal, action, resource);
@id("write") @title("Needs a data owner") @approvers("data-owners") forbid (principal, action == Action::"up___write", resource);
@id("answers") @title("May ask") permit (principal, action == Action::"up___ask:input", resource);
`;

let server: ModernServer;
let gate: TestGate;
let aheadMs = 0;
const tokens = new Map<string, string>();
before(async () => {
  server = await startModernServer();
  const { url } = server.upstream;
  gate = await startTestGate({
    policies,
    config: `${people}\nlimits: { hold: PT1S, pendingPerAgent: 100 }\nservers:\n  up: { url: "${url}" }\n  two: { url: "${url}" }\n`,
    clock: { nowMs: () => Date.now() + aheadMs },
  });
  for (const agent of ['crm-bot', 'other-bot']) tokens.set(agent, await tokenOf(agent));
});
after(async () => {
  await gate.stop();
  await server.stop();
});

async function tokenOf(agent: string): Promise<string> {
  const made = newToken(systemRandom, 'agent');
  const principal = { kind: 'agent', id: asAgentId(agent) } as const;
  assert.ok((await gate.gate().parts.store.change({ kind: 'token', principal, hash: made.hash })).ok);
  return made.token;
}

const call = (params: Json, agent = 'crm-bot', name = 'up'): Promise<Raw> =>
  raw({ url: gate.gate().url }, name, {
    method: 'tools/call',
    params,
    agent: tokens.get(agent) ?? '',
    capabilities: { elicitation: {} },
  });
const refusals = async (): Promise<number> =>
  (await gate.gate().parts.store.entries(-1, 5000)).filter(({ entry }) => entry.type === 'action.refused')
    .length;
const held = (text: string) => ({ name: 'write', arguments: { text } });

/** Expects a refusal that names `input_invalid`, one more entry, and no further call. */
async function refusedAs(answer: () => Promise<Raw>): Promise<void> {
  const [entries, ran] = [await refusals(), server.calls.length];
  const { body } = await answer();
  assert.deepEqual(
    [body.error?.code, body.error?.data?.code],
    [-32602, 'input_invalid'],
    JSON.stringify(body),
  );
  assert.equal(await refusals(), entries + 1);
  assert.equal(server.calls.length, ran);
}

async function stateOf(params: Json, agent?: string): Promise<string> {
  const { body } = await call(params, agent);
  assert.equal(body.result?.resultType, 'input_required', JSON.stringify(body));
  return body.result.requestState;
}

test('a state that was made up or changed', async () => {
  const state = await stateOf(held('forged'));
  const [kind = '', payload = '', mac = ''] = state.split('.');
  const text: Json = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const other = Buffer.from(JSON.stringify({ ...text, agent: 'other-bot' })).toString('base64url');
  const forged = [
    'x',
    '',
    `${state}-TAMPERED`,
    `${kind}.${other}.${mac}`,
    `${kind}.${payload}.${'0'.repeat(64)}`,
    `${kind}.${payload}`,
    `task.${payload}.${mac}`,
    '\ud800.\ud800.\ud800'.toWellFormed(),
    'state.'.padEnd(300_000, 'a'),
  ];
  for (const requestState of forged) await refusedAs(() => call({ ...held('forged'), requestState }));
  for (const requestState of [7, {}, null]) await refusedAs(() => call({ ...held('forged'), requestState }));
});

test('a state that was used before, also after the gate was restarted', async () => {
  const requestState = await stateOf(held('replayed'));
  const { body } = await call({ ...held('replayed'), requestState });
  assert.equal(body.result.resultType, 'input_required');
  assert.notEqual(body.result.requestState, requestState);
  await refusedAs(() => call({ ...held('replayed'), requestState }));
  await gate.restart();
  await refusedAs(() => call({ ...held('replayed'), requestState }));
  // The one that was not used yet is still good.
  const next = await call({ ...held('replayed'), requestState: body.result.requestState });
  assert.equal(next.body.result.resultType, 'input_required');
});

test('two requests with the same state at once: one goes on', async () => {
  const requestState = await stateOf(held('raced'));
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => call({ ...held('raced'), requestState })),
  );
  assert.equal(answers.filter(({ body }) => body.result?.resultType === 'input_required').length, 1);
  assert.equal(answers.filter(({ body }) => body.error?.data?.code === 'input_invalid').length, 7);
});

test('a state of another agent, of another server, of another method', async () => {
  const requestState = await stateOf(held('mine'));
  await refusedAs(() => call({ ...held('mine'), requestState }, 'other-bot'));
  await refusedAs(() => call({ ...held('mine'), requestState }, 'crm-bot', 'two'));
  await refusedAs(() =>
    raw({ url: gate.gate().url }, 'up', {
      method: 'prompts/get',
      params: { name: 'hello', requestState },
      agent: tokens.get('crm-bot') ?? '',
    }),
  );
  // None of these used it up.
  assert.equal((await call({ ...held('mine'), requestState })).body.result.resultType, 'input_required');
});

test('a state with other arguments, or for another tool', async () => {
  const requestState = await stateOf(held('small'));
  await refusedAs(() => call({ ...held('large'), requestState }));
  await refusedAs(() => call({ name: 'echo', arguments: { text: 'small' }, requestState }));
  await refusedAs(() => call({ name: 'write', arguments: { text: 'small', more: 1 }, requestState }));
});

test('a state that is too old', async () => {
  const requestState = await stateOf(held('old'));
  aheadMs = 6 * 60_000;
  await refusedAs(() => call({ ...held('old'), requestState }));
  aheadMs = 0;
});

test('the state of a question answers it once, and only for who was asked', async () => {
  const asked = { name: 'ask', arguments: { q: 1 } };
  const requestState = await stateOf(asked);
  const inputResponses = { many: { action: 'accept', content: {} } };
  await refusedAs(() => call({ ...asked, requestState, inputResponses }, 'other-bot'));
  const sofar = server.calls.length;
  const { body } = await call({ ...asked, requestState, inputResponses });
  assert.equal(body.result.resultType, 'complete');
  assert.equal(server.calls.length, sofar + 1);
  await refusedAs(() => call({ ...asked, requestState, inputResponses }));
});

test('the upstream’s own state does not reach the agent in place of the gate’s, nor the gate’s the upstream', async () => {
  const params = { name: 'hello' };
  const ask = (more: Json) =>
    raw({ url: gate.gate().url }, 'up', {
      method: 'prompts/get',
      params: { ...params, ...more },
      agent: tokens.get('crm-bot') ?? '',
      capabilities: { elicitation: {} },
    });
  const { body } = await ask({});
  assert.match(body.result.requestState, /^state\./);
  await refusedAs(() => ask({ requestState: 'upstream-state', inputResponses: {} }));
  const { body: done } = await ask({
    requestState: body.result.requestState,
    inputResponses: { who: { action: 'accept', content: {} } },
  });
  assert.equal(done.result.resultType, 'complete');
  await refusedAs(() => ask({ requestState: body.result.requestState, inputResponses: {} }));
});

test('answers that nobody asked for need the same permission', async () => {
  const sofar = server.calls.length;
  const { body } = await call({
    name: 'echo',
    arguments: {},
    inputResponses: { x: { action: 'accept', content: {} } },
  });
  assert.equal(body.result.isError, true);
  assert.match(body.result.content[0].text, /not_permitted/);
  assert.equal(server.calls.length, sofar);
  const permitted = await call({
    name: 'ask',
    arguments: {},
    inputResponses: { many: { action: 'accept', content: {} } },
  });
  assert.equal(permitted.body.result.resultType, 'complete');
});

test('headers that name a harmless tool, and a body that names another', async () => {
  const sofar = server.calls.length;
  for (const headers of [
    { 'mcp-name': 'echo' },
    { 'mcp-method': 'tools/list' },
    { 'mcp-name': 'echo, write' },
  ]) {
    const answer = await raw({ url: gate.gate().url }, 'up', {
      method: 'tools/call',
      params: held('smuggled'),
      headers,
      agent: tokens.get('crm-bot') ?? '',
    });
    assert.deepEqual([answer.status, answer.body.error.code], [400, -32020]);
  }
  assert.equal(server.calls.length, sofar);
});
