/** `countersign mcp` and `countersign init`'s question, against a gate that runs. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { Client as ModernClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { CallToolResult, Progress } from '@modelcontextprotocol/sdk/types.js';
import { runBridge } from '../../../src/enforce/mcp/bridge.ts';
import { listTools } from '../../../src/enforce/mcp/inspect.ts';
import {
  allTools,
  command,
  fixture,
  opsServer,
  permitAll,
  reviewOf,
  root,
  startTestGate,
  type TestGate,
} from './support/gate.ts';

let gate: TestGate;
before(async () => {
  gate = await startTestGate({
    servers: { fix: fixture(), ops: opsServer },
    policies: permitAll + reviewOf('fix___write'),
    mcp: { sessionsPerAgentMax: 3 },
  });
});
after(() => gate.close());

const textOf = (result: unknown): string => {
  const [first] = (result as CallToolResult).content;
  return first?.type === 'text' ? first.text : '';
};

/** The bridge as an agent starts it, but for the command line. */
const program = (server: string, token = 'crm-bot'): readonly string[] => [
  '--input-type=module',
  '-e',
  `import { runBridge } from ${JSON.stringify(`file://${root}src/enforce/mcp/bridge.ts`)}; process.exitCode = await runBridge(${JSON.stringify({ url: gate.url, server, token })});`,
];

async function viaBridge(server: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [...program(server)], stderr: 'ignore' }),
  );
  return client;
}

test('a client on stdio sees the same tools, and its calls are judged', async () => {
  const client = await viaBridge('ops');
  const direct = await gate.client('ops');
  assert.deepEqual(await allTools(client), await allTools(direct.client));
  assert.match(textOf(await client.callTool({ name: 'list_clusters', arguments: {} })), /clusters/);
  await client.close();
});

test('a held call waits through the bridge, with progress, and runs once', async () => {
  const client = await viaBridge('fix');
  const shown: Progress[] = [];
  const waiting = client.callTool({ name: 'write', arguments: { text: 'x' } }, undefined, {
    onprogress: (one) => shown.push(one),
  });
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  assert.deepEqual(JSON.parse(textOf(await waiting)).args, { text: 'x' });
  assert.match(String(shown[0]?.message), /^Waiting for approval apr_/);
  await client.close();
});

test('the client’s text reaches the gate as it was written: duplicate keys are refused there', async () => {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const ended = runBridge({
    url: gate.url,
    server: 'fix',
    token: 'crm-bot',
    stdin,
    stdout,
    log: () => undefined,
  });
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<{ error?: { code: number; data?: { code: string } }; result?: unknown }> => {
    const line = await lines.next();
    assert.ok(line.done !== true);
    return JSON.parse(line.value) as { error?: { code: number; data?: { code: string } } };
  };
  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } };
  stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: hello })}\n`);
  assert.notEqual((await next()).result, undefined);
  stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  stdin.write(
    '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":{"a":1,"a":2}}}\n',
  );
  assert.equal((await next()).error?.data?.code, 'duplicate_key');
  stdin.write('no json\n');
  assert.equal((await next()).error?.code, -32700);
  stdin.end();
  assert.equal(await ended, 0);
});

test('it ends when its standard input does', async () => {
  const child = spawn(process.execPath, [...program('ops')], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('a session that the gate no longer knows is opened anew', async () => {
  const client = await viaBridge('fix');
  await client.callTool({ name: 'echo', arguments: {} });
  // Further sessions push it out; for the bridge it is as if the gate had been restarted.
  for (let i = 0; i < 3; i += 1) await gate.client('ops');
  assert.deepEqual(
    JSON.parse(textOf(await client.callTool({ name: 'echo', arguments: { again: 1 } }))).args,
    { again: 1 },
  );
  await client.close();
});

test('a gate that is not there: each request is told so', async () => {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const ended = runBridge({
    url: 'http://127.0.0.1:9',
    server: 'fix',
    token: 't',
    stdin,
    stdout,
    log: () => undefined,
  });
  stdin.write('{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}\n');
  const [line] = (await once(createInterface({ input: stdout }), 'line')) as [string];
  const { error } = JSON.parse(line) as { error: { code: number; message: string; data: unknown } };
  assert.deepEqual([error.code, error.data], [-32000, { code: 'upstream_unavailable' }]);
  assert.match(error.message, /^The gate at http:\/\/127.0.0.1:9 did not answer: ECONNREFUSED/);
  stdin.end();
  await ended;
});

test('a gate that refuses says why: the server’s name', async () => {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const lines = createInterface({ input: stdout });
  const ended = runBridge({ url: gate.url, server: 'nowhere', token: 'crm-bot', stdin, stdout });
  stdin.write(
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}\n',
  );
  const [line] = (await once(lines, 'line')) as [string];
  const answer = JSON.parse(line) as { error: { message: string; data: { code: string } } };
  assert.match(answer.error.message, /refused: it has no MCP server of this name\.$/);
  assert.equal(answer.error.data.code, 'not_found');
  stdin.end();
  await ended;
});

test('inspect: all tools of a server, pages and all; or why not, in words', async () => {
  const found = await listTools(fixture());
  assert.ok(found.ok);
  assert.ok(found.value.length > 10);
  assert.ok(found.value.some((tool) => tool['name'] === 'write'));
  const none = await listTools(command(['/nowhere/no-such-program']));
  assert.ok(!none.ok);
  assert.match(none.error, /could not be started/);
  const dead = await listTools(
    command([process.execPath, '-e', 'console.error("no licence"); process.exit(1)']),
  );
  assert.ok(!dead.ok);
  assert.match(dead.error, /its process ended \(exit code 1\); no licence/);
});

test('a client of 2026-07-28 on stdio: its requests get their headers, held calls wait in legs, closing cancels', async () => {
  const client = new ModernClient({ name: 'test', version: '2' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(
    new ModernStdio({ command: process.execPath, args: [...program('fix')], stderr: 'ignore' }),
  );
  assert.equal(client.getProtocolEra(), 'modern');
  assert.ok((await client.listTools()).tools.some((tool) => tool.name === 'write'));
  const waiting = client.callTool({ name: 'write', arguments: { text: 'modern' } });
  await gate.decide(await gate.pending(), 'rosa', 'approve');
  assert.deepEqual(JSON.parse(textOf(await waiting)).args, { text: 'modern' });
  const left = new AbortController();
  const abandoned = client
    .callTool({ name: 'write', arguments: { text: 'left' } }, { signal: left.signal })
    .then(() => 'answered')
    .catch(() => 'left');
  const held = await gate.pending();
  left.abort();
  assert.equal(await abandoned, 'left');
  await gate.decide(held, 'rosa', 'deny');
  await client.close();
});
