/** Processes and sessions: one process per agent connection, its environment, its end, its revival, and the caps. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import {
  command,
  eventually,
  permitAll,
  root,
  startTestGate,
  type GateOptions,
  type TestGate,
} from './support/gate.ts';

let folder: string;
let gate: TestGate | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-sessions-'));
});
afterEach(async () => {
  await gate?.close();
  gate = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function start(more: Partial<GateOptions> = {}): Promise<TestGate> {
  const env = { FIXTURE_LOG: join(folder, 'log'), EXTRA: 'configured' };
  const upstream = command([process.execPath, `${root}test/enforce/mcp/support/fixture.ts`], env);
  gate = await startTestGate({
    servers: {
      fix: {
        ...upstream,
        kind: 'command',
        argv: [process.execPath, `${root}test/enforce/mcp/support/fixture.ts`],
        cwd: folder,
        env,
      },
    },
    policies: permitAll,
    ...more,
  });
  return gate;
}

interface Seen {
  readonly env: readonly string[];
  readonly cwd: string;
  readonly pid: number;
}
type Client = Awaited<ReturnType<TestGate['client']>>['client'];
async function look(client: Client): Promise<Seen> {
  const result = (await client.callTool({ name: 'env', arguments: {} })) as CallToolResult;
  const [first] = result.content;
  return JSON.parse(first?.type === 'text' ? first.text : '{}') as Seen;
}
/** A process that has ended; a signal of 0 only asks. */
const gone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};
const starts = (): number =>
  readFileSync(join(folder, 'log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"started"')).length;

test('a process sees PATH, HOME and what the configuration names, in the configured folder', async () => {
  process.env['COUNTERSIGN_TOKEN'] = 'secret of the gate';
  process.env['LOGNAME'] = 'somebody';
  const { client } = await (await start()).client('fix');
  const { env, cwd } = await look(client);
  assert.deepEqual(env, ['EXTRA', 'FIXTURE_LOG', 'HOME', 'PATH']);
  assert.equal(cwd, folder);
  assert.ok(gate?.log.includes('fix: fixture started'), 'its standard error is logged');
});

test('each agent connection has a process of its own', async () => {
  const made = await start();
  const [one, two] = [await made.client('fix'), await made.client('fix')];
  const [a, b] = [await look(one.client), await look(two.client)];
  assert.notEqual(a.pid, b.pid);
  assert.equal((await look(one.client)).pid, a.pid);
});

test('a process ends with its session', async () => {
  const { client, transport } = await (await start()).client('fix');
  const { pid } = await look(client);
  await transport.terminateSession();
  await eventually(() => gone(pid), 'the end of the process');
});

test('all processes end with the gate', async () => {
  const made = await start();
  const { pid } = await look((await made.client('fix')).client);
  await made.front.close();
  assert.ok(gone(pid));
});

test('an idle process is stopped; the next request starts another, with what the agent had set', async () => {
  const { client } = await (await start({ mcp: { idleMs: 50 } })).client('fix');
  await client.setLoggingLevel('warning');
  const { pid } = await look(client);
  await eventually(() => gone(pid), 'the end of the idle process');
  const level = (await client.callTool({ name: 'level', arguments: {} })) as CallToolResult;
  assert.deepEqual(level.content, [{ type: 'text', text: '"warning"' }]);
  assert.equal(starts(), 2);
});

test('a request in flight keeps its process', async () => {
  const { client } = await (await start({ mcp: { idleMs: 20 } })).client('fix');
  const { pid } = await look(client);
  const slow = client.callTool({ name: 'slow', arguments: {} });
  await new Promise((resolve) => setTimeout(resolve, 200));
  // Where the first was idle for so long that it was stopped, another runs the call while the first takes its time to end.
  await eventually(() => gone(pid) === starts() > 1, 'the process of the slow call is the one that lives');
  assert.deepEqual((await slow).content, [{ type: 'text', text: '"done"' }]);
});

test('a process that dies is replaced at the next request', async () => {
  const { client } = await (await start()).client('fix');
  const { pid } = await look(client);
  process.kill(pid, 'SIGKILL');
  await eventually(() => gone(pid), 'the end of the process');
  const next = await eventually(async () => look(client).catch(() => undefined), 'an answer');
  assert.notEqual(next.pid, pid);
});

test('a request that passes is told of a process that died under it', async () => {
  const { client } = await (await start()).client('fix');
  const dying = client.callTool({ name: 'die', arguments: {} });
  const waiting = client.callTool({ name: 'slow', arguments: {} });
  const [first] = ((await dying) as CallToolResult).content;
  assert.match(first?.type === 'text' ? first.text : '', /^Outcome unknown/);
  assert.equal((await waiting).isError, true);
});

test('too many sessions of one agent cost that agent its least recently used idle one', async () => {
  const made = await start({ mcp: { sessionsPerAgentMax: 2 } });
  const one = await made.client('fix');
  const other = await made.client('fix', {}, 'other-bot');
  const two = await made.client('fix');
  await look(one.client);
  await made.client('fix');
  await assert.rejects(look(two.client), /404|Session not found/);
  await look(one.client);
  await look(other.client);
});

test('where all are busy, a further session is refused', async () => {
  const made = await start({ mcp: { sessionsPerAgentMax: 1 } });
  const { client } = await made.client('fix');
  const slow = client.callTool({ name: 'slow', arguments: {} });
  await eventually(() => readFileSync(join(folder, 'log'), 'utf8').includes('"slow"'), 'the slow call');
  await assert.rejects(made.client('fix'), (error: { code: number; data: unknown }) => {
    assert.deepEqual([error.code, error.data], [-32000, { code: 'quota' }]);
    return true;
  });
  await slow;
});

test('a ping is answered by the gate, and starts nothing', async () => {
  const { client } = await (await start({ mcp: { idleMs: 30 } })).client('fix');
  const { pid } = await look(client);
  // A busy machine may have let it idle, and started it again, before that.
  const begun = starts();
  await eventually(async () => {
    await client.ping();
    return gone(pid);
  }, 'the end of the idle process');
  await client.ping();
  assert.equal(starts(), begun);
});
