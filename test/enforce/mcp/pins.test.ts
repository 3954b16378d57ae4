/** Pinned definitions: what changes after it was accepted does not run, whoever approved what. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { acceptTool } from '../../../src/app/review.ts';
import { asPersonId, asSha256Hex } from '../../../src/core/ids.ts';
import type { Parts } from '../../../src/app/parts.ts';
import {
  allTools,
  command,
  eventually,
  permitAll,
  reviewOf,
  root,
  startTestGate,
  type GateOptions,
  type TestGate,
} from './support/gate.ts';

let folder: string;
let gate: TestGate | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-pins-'));
});
afterEach(async () => {
  await gate?.close();
  gate = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const logFile = (): string => join(folder, 'log');
/** What the upstream says from its next listing on. */
const say = (state: Record<string, unknown>): void =>
  writeFileSync(join(folder, 'state'), JSON.stringify(state));

async function start(more: Partial<GateOptions> = {}): Promise<TestGate> {
  const upstream = command([process.execPath, `${root}test/enforce/mcp/support/fixture.ts`], {
    FIXTURE_LOG: logFile(),
    FIXTURE_STATE: join(folder, 'state'),
  });
  gate = await startTestGate({
    servers: { fix: upstream },
    policies: permitAll + reviewOf('fix___write'),
    limits: { holdMs: 300, holdProgressMs: 30_000 },
    ...more,
  });
  return gate;
}

/** What an operator who looks at the tool `write` now would accept. */
async function shown({ store }: Parts): Promise<Parameters<typeof acceptTool>[2]> {
  const row = (await store.tools('fix')).find((one) => one.tool === 'write');
  return { server: 'fix', tool: 'write', hash: row?.seenHash ?? row?.hash ?? asSha256Hex('') };
}

const ran = (): number =>
  readFileSync(logFile(), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"name":"write"')).length;
const pids = (): readonly number[] =>
  readFileSync(logFile(), 'utf8')
    .split('\n')
    .flatMap((line) =>
      line.includes('"started"') ? [(JSON.parse(line) as { started: number }).started] : [],
    );
const text = (result: unknown): string => {
  const [first] = (result as CallToolResult).content;
  return first?.type === 'text' ? first.text : '';
};
const write = (
  client: Awaited<ReturnType<TestGate['client']>>['client'],
  patient = false,
): Promise<unknown> =>
  client.callTool(
    { name: 'write', arguments: { text: 'x' } },
    undefined,
    patient ? { onprogress: () => undefined } : {},
  );

test('first sight pins each tool once; what is unchanged writes nothing', async () => {
  const { client } = await (await start()).client('fix');
  assert.ok(gate !== undefined);
  const tools = await allTools(client);
  assert.equal((await gate.entries('tool.pinned')).length, tools.length);
  const { size } = await gate.store.head();
  await allTools(client);
  await allTools((await gate.client('fix')).client);
  assert.equal((await gate.store.head()).size, size);
});

test('a tool that was never listed by the agent is pinned and judged all the same', async () => {
  const { client } = await (await start()).client('fix');
  assert.match(text(await write(client)), /^Not run yet/);
  assert.ok((await gate?.entries('tool.pinned'))?.some((entry) => entry.data['operation'] === 'fix___write'));
});

test('a changed definition disables the tool, hides it, and says so until an operator accepts it', async () => {
  const first = await (await start({ policies: permitAll })).client('fix');
  assert.ok(gate !== undefined);
  await write(first.client);
  assert.equal(ran(), 1);
  say({ description: 'Writes a text, and mails it to mallory.' });
  const { client } = await gate.client('fix');
  assert.equal(
    text(await write(client)),
    'Not run (tool_disabled): This tool’s definition changed after it was accepted; an operator has to accept it again.',
  );
  assert.ok(!(await allTools(client)).some((tool) => tool.name === 'write'));
  assert.equal((await gate.entries('tool.disabled')).length, 1);
  assert.equal(ran(), 1);
  assert.ok((await acceptTool(gate.parts, asPersonId('sam'), await shown(gate.parts))).ok);
  assert.ok((await allTools(client)).some((tool) => tool.name === 'write'));
  await write(client);
  assert.equal(ran(), 2);
});

test('a definition that changes without a word is found within the time that a list is believed', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const { client } = await (await start({ policies: permitAll })).client('fix');
  await write(client);
  say({ description: 'Deletes everything.' });
  t.mock.timers.setTime(Date.now() + 30_000);
  assert.match(text(await write(client)), /^Not run \(tool_disabled\)/);
  assert.equal(ran(), 1);
});

test('a definition that changes while people decide: approved, and yet it does not run', async () => {
  const { client } = await (await start()).client('fix');
  assert.ok(gate !== undefined);
  const waiting = write(client, true);
  const held = await gate.pending();
  say({ description: 'Something else.' });
  await gate.decide(held, 'rosa', 'approve');
  assert.match(text(await waiting), /^Denied \(policy_changed\): /);
  assert.equal(ran(), 0);
  const now = await gate.store.caseBy({ action: held.asked.id });
  assert.deepEqual([now?.ending?.code, now?.execution], ['policy_changed', null]);
});

test('a definition that changes in a running process, with list_changed: pinned again before the agent hears of it', async () => {
  const { client } = await (await start({ policies: permitAll })).client('fix');
  assert.ok(gate !== undefined);
  await write(client);
  say({ description: 'Changed at run time.' });
  process.kill(pids()[0] ?? 0, 'SIGUSR2');
  await eventually(
    async () => ((await gate?.entries('tool.disabled')) ?? []).length === 1,
    'the tool disabled',
  );
  assert.match(text(await write(client)), /^Not run \(tool_disabled\)/);
  assert.equal(ran(), 1);
});

test('an upstream that no longer offers the tool does not use up the grant', async () => {
  const { client } = await (await start()).client('fix');
  assert.ok(gate !== undefined);
  const waiting = client.callTool({ name: 'sometimes', arguments: {} });
  assert.notEqual((await waiting).isError, true);
  await gate.propose(permitAll + reviewOf('fix___sometimes'));
  const held = client.callTool({ name: 'sometimes', arguments: {} }, undefined, {
    onprogress: () => undefined,
  });
  const approval = await gate.pending();
  say({ hidden: true });
  await gate.decide(approval, 'rosa', 'approve');
  assert.match(text(await held), /^Not run \(tool_disabled\): The server no longer offers this tool/);
  assert.equal((await gate.store.caseBy({ action: approval.asked.id }))?.grant?.consumedAtMs, null);
  say({});
  assert.notEqual((await client.callTool({ name: 'peek', arguments: {} })).isError, true);
});

test('a connection that saw the tool before it changed looks again once it is accepted', async () => {
  const old = await (await start({ policies: permitAll })).client('fix');
  assert.ok(gate !== undefined);
  await write(old.client);
  say({ description: 'The next version.' });
  await allTools((await gate.client('fix')).client);
  assert.match(text(await write(old.client)), /^Not run \(tool_disabled\)/);
  assert.ok((await acceptTool(gate.parts, asPersonId('sam'), await shown(gate.parts))).ok);
  assert.doesNotMatch(text(await write(old.client)), /^Not run/);
  assert.equal(ran(), 2);
});

test('pin: manual waits for an operator', async () => {
  const { client } = await (await start({ pin: 'manual', policies: permitAll })).client('fix');
  assert.ok(gate !== undefined);
  assert.deepEqual(await allTools(client), []);
  assert.equal(
    text(await write(client)),
    'Not run (tool_disabled): This tool waits until an operator accepts it.',
  );
  assert.ok((await acceptTool(gate.parts, asPersonId('sam'), await shown(gate.parts))).ok);
  assert.deepEqual(
    (await allTools(client)).map((tool) => tool.name),
    ['write'],
  );
  await write(client);
  assert.equal(ran(), 1);
});

test('a policy that changes while people decide: approved, and yet it does not run', async () => {
  const { client } = await (await start()).client('fix');
  assert.ok(gate !== undefined);
  const waiting = write(client, true);
  const held = await gate.pending();
  await gate.propose(
    `${permitAll}${reviewOf('fix___write')}@id("never") @title("Never") forbid (principal, action == Action::"fix___write", resource);\n`,
  );
  await client.callTool({ name: 'peek', arguments: {} }); // in force
  const decided = gate.decide(held, 'rosa', 'approve').catch(() => undefined);
  const said = text(await waiting);
  await decided;
  assert.match(said, /^Denied \((?:policy_changed|forbidden)\)/);
  assert.equal(ran(), 0);
});

test('an upstream that is replaced in the configuration while people decide is not called for what was approved', async () => {
  const { client } = await (await start()).client('fix');
  assert.ok(gate !== undefined);
  const waiting = write(client, true);
  const held = await gate.pending();
  const before = gate.settings.get('fix');
  assert.ok(before !== undefined && before.upstream.kind === 'command');
  gate.settings.set('fix', {
    ...before,
    upstream: { ...before.upstream, argv: [...before.upstream.argv, 'other'] },
  });
  await gate.propose(permitAll + reviewOf('fix___write'));
  await gate.decide(held, 'rosa', 'approve').catch(() => undefined);
  assert.match(text(await waiting), /^Denied \(policy_changed\)/);
  assert.equal(ran(), 0);
});

test('the operator’s terminal says what was pinned, what changed, and what waits', async () => {
  const first = await start();
  const said = (log: readonly string[], pattern: RegExp): Promise<boolean> =>
    eventually(() => log.some((line) => pattern.test(line)), String(pattern));
  await allTools((await first.client('fix')).client);
  await said(first.log, /^fix: pinned \d+ tools?, .*\bwrite\b/);
  say({ description: 'Writes to another place.' });
  await allTools((await first.client('fix')).client);
  await said(
    first.log,
    /^fix: changed since accepted, and off until an operator accepts \(page Servers\): 1 tool, write$/,
  );
  await first.close();
  const manual = await start({ pin: 'manual' });
  await allTools((await manual.client('fix')).client);
  await said(manual.log, /^fix: off until an operator accepts \(page Servers\): \d+ tools?, /);
});
