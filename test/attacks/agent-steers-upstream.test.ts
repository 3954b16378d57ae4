/**
 * What decides what a call acts on, besides its arguments: the folders that a file server opens, the variables that a process
 * is started with, the schema that arguments are held to, the resource that policies are about. None of it is the agent's to
 * say, and none of it changes between an approval and its run.
 */
import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ListRootsRequestSchema, type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { openConnection } from '../../src/enforce/mcp/connection.ts';
import { createInputChecks } from '../../src/enforce/mcp/schema.ts';
import { eventually, operations, people, startTestGate, type TestGate } from '../support/gate.ts';

const root = new URL('../../', import.meta.url).pathname;
const permitAll = '@id("all") @title("Agents may act") permit (principal, action, resource);\n';

async function connect(gate: TestGate, server: string, roots?: string): Promise<Client> {
  const token = await gate.token('agent', 'crm-bot');
  const headers = { authorization: `Bearer ${token}` };
  const url = new URL(`${gate.gate().url}/mcp/${server}`);
  const capabilities = roots === undefined ? {} : { roots: { listChanged: true } };
  const client = new Client({ name: 'attacker', version: '1' }, { capabilities });
  if (roots !== undefined)
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: `file://${roots}` }] }));
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
  return client;
}

const textOf = (result: unknown): string => {
  const [first] = (result as CallToolResult).content;
  return first?.type === 'text' ? first.text : '';
};

test('an agent’s roots do not open the folders of the gate’s machine', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-roots-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const name of ['sandbox', 'private']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'private', 'secret.txt'), 'a credential of the gate');
  const server = `${root}node_modules/@modelcontextprotocol/server-filesystem/dist/index.js`;
  const gate = await startTestGate({
    config: `${people}\nservers:\n  files: { command: ["${process.execPath}", "${server}", "${folder}/sandbox"] }\n`,
    policies: permitAll,
  });
  t.after(() => gate.stop());
  const client = await connect(gate, 'files', join(folder, 'private'));
  t.after(() => client.close());
  await client.sendRootsListChanged();
  // The server asks when it likes; in a second it has.
  for (let round = 0; round < 20; round += 1) {
    const allowed = await client.callTool({ name: 'list_allowed_directories', arguments: {} });
    assert.ok(textOf(allowed).endsWith('/sandbox'), textOf(allowed));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const path = join(folder, 'private', 'secret.txt');
  const read = await client.callTool({ name: 'read_text_file', arguments: { path } });
  assert.match(textOf(read), /^Access denied/);
});

test('approved for one environment, run in another: a changed variable of the upstream is another target', async (t) => {
  const servers = (log: string): string =>
    `${people}\nservers:\n  fix: { command: ["${process.execPath}", "${root}test/enforce/mcp/support/fixture.ts"], env: { FIXTURE_LOG: "${log}" } }\n`;
  const folder = await mkdtemp(join(tmpdir(), 'countersign-env-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const gate = await startTestGate({
    config: servers(join(folder, 'staging')),
    policies: `${permitAll}@id("w") @title("Writes need a data owner") @approvers("data-owners") forbid (principal, action == Action::"fix___write", resource);`,
  });
  t.after(() => gate.stop());
  const rosa = await gate.token('person', 'rosa');
  const client = await connect(gate, 'fix');
  t.after(() => client.close());
  const call = client.callTool({ name: 'write', arguments: { text: 'deploy' } });
  const open = () => gate.call(rosa, 'GET', '/v1/approvals?status=pending');
  await eventually(async () => (await open()).body.items.length === 1, 'an open approval');
  const [held] = (await open()).body.items;
  await gate.setConfig(servers(join(folder, 'prod')));
  await gate.call(rosa, 'POST', `/v1/approvals/${held.id}/reviews`, {
    decision: 'approve',
    digest: held.digest,
  });
  const said = (await call) as CallToolResult;
  assert.equal(said.isError, true);
  assert.match(textOf(said), /policy_changed/);
});

test('a schema that says it is asynchronous does not admit everything', async (t) => {
  const input = {
    $async: true,
    type: 'object',
    properties: { n: { type: 'integer' } },
    additionalProperties: false,
  };
  const gate = await startTestGate({
    config: `${people}\nservers:\n  crm: { command: ["false"] }\noperations:\n  shop___odd: { input: ${JSON.stringify(input)} }\n`,
    policies: permitAll,
  });
  t.after(() => gate.stop());
  const pinned = await gate.gate().parts.store.change({
    kind: 'pin',
    server: 'crm',
    pin: 'first-sight',
    definitions: [{ name: 'odd', inputSchema: input }],
  });
  assert.ok(pinned.ok);
  await gate.gate().parts.world.sync();
  const called = createInputChecks().of('x', input)({ n: 'x', more: 1 });
  assert.equal(called.ok ? null : called.error.code, 'tool_disabled', 'as an MCP call');
  const agent = await gate.token('agent', 'crm-bot');
  for (const operation of ['crm___odd', 'shop___odd']) {
    const asked = await gate.call(agent, 'POST', '/v1/actions', { operation, input: { n: 'x', more: 1 } });
    assert.equal(asked.body.code, 'input_invalid', operation);
  }
});

test('an agent cannot step out of a policy about its server by naming another', async (t) => {
  const gate = await startTestGate({
    config: people + operations,
    policies: `${permitAll}@id("frozen") @title("The shop is frozen") forbid (principal, action, resource == Server::"shop");
@id("named") @title("Named only here") permit (principal, action == Action::"shop___other", resource);`,
  });
  t.after(() => gate.stop());
  const agent = await gate.token('agent', 'crm-bot');
  for (const operation of ['shop___refund', 'shop___other']) {
    const ask = (resource?: object) =>
      gate.call(agent, 'POST', '/v1/actions', { operation, input: { cents: 5 }, resource });
    assert.equal((await ask()).body.code, 'forbidden', operation);
    assert.equal((await ask({ type: 'Server', id: 'shop' })).body.code, 'forbidden', operation);
    assert.equal((await ask({ type: 'Server', id: 'elsewhere' })).body.code, 'input_invalid', operation);
  }
});

test('the late answer of a cancelled call does not pass for the answer of the next', async (t) => {
  const script = `require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method } = JSON.parse(line);
    const answer = () => console.log(JSON.stringify({ jsonrpc: '2.0', id, result: { of: method } }));
    if (method === 'late') setTimeout(answer, 300);
    if (method === 'now') answer();
  });`;
  const upstream = { kind: 'command', argv: [process.execPath, '-e', script], cwd: root, env: {} } as const;
  const nothing = { message: () => undefined, closed: () => undefined };
  const connection = openConnection(upstream, 'secret', nothing, () => undefined);
  t.after(() => connection.close());
  void connection.request(7, 'late');
  connection.forget(7);
  const next = await connection.request(7, 'delete');
  assert.equal(next.ok ? 'answered' : next.error.kind, 'unsent');
  await eventually(async () => (await connection.request(7, 'now')).ok, 'the id is free again');
  const last = await connection.request(7, 'now');
  assert.ok(last.ok && last.value.kind === 'result');
  assert.deepEqual(last.value.result, { of: 'now' });
});
