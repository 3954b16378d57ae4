/** ops-server, spoken to as an agent or a gate would: through the SDK's own client, over stdio. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { LoggingMessageNotificationSchema, type Progress } from '@modelcontextprotocol/sdk/types.js';
import { OpsDatabase } from '../../examples/ops-server/database.ts';
import { registerTools } from '../../examples/ops-server/tools.ts';

const SERVER = fileURLToPath(new URL('../../examples/ops-server/server.ts', import.meta.url));
const EXPORT = { table: 'customers', format: 'csv', destination: 'https://partner.example/upload' };

type Answer = Readonly<{ isError: boolean; text: string; value: Record<string, unknown> }>;

/** A connected client that knows the tools, so that it checks every answer against the tool's output schema. */
async function connect(t: TestContext, ...args: string[]): Promise<Client> {
  const client = new Client({ name: 'ops-server-test', version: '0' });
  t.after(() => client.close());
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [SERVER, ...args], stderr: 'inherit' }),
  );
  await client.listTools();
  return client;
}

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ops-server-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function ask(client: Client, name: string, args: Record<string, unknown> = {}): Promise<Answer> {
  const result = await client.callTool({ name, arguments: args });
  const [first] = result.content as { text: string }[];
  return {
    isError: result.isError === true,
    text: first?.text ?? '',
    value: (result.structuredContent ?? {}) as Record<string, unknown>,
  };
}

async function refused(
  client: Client,
  name: string,
  args: Record<string, unknown>,
  why: RegExp,
): Promise<void> {
  const answer = await ask(client, name, args);
  assert.equal(answer.isError, true, `${name} ${JSON.stringify(args)} should have been refused`);
  assert.match(answer.text, why);
}

test('offers its tools with closed inputs, output schemas and honest hints', async (t) => {
  const client = await connect(t);
  const { tools } = await client.listTools();
  assert.deepEqual(
    tools.map((tool) => [tool.name, tool.annotations?.readOnlyHint]),
    [
      ['list_customers', true],
      ['get_customer', true],
      ['count_rows', true],
      ['export_rows', false],
      ['list_roles', true],
      ['grant_role', false],
      ['list_clusters', true],
      ['describe_region', true],
      ['restart_service', false],
      ['delete_region', false],
      ['list_calls', true],
    ],
  );
  for (const tool of tools) {
    assert.equal(tool.inputSchema['additionalProperties'], false, tool.name);
    assert.ok(tool.outputSchema, tool.name);
  }
  assert.equal(tools.find((tool) => tool.name === 'delete_region')?.annotations?.destructiveHint, true);
});

test('customers: 5,204 of them, the same in every copy', async (t) => {
  const client = await connect(t);
  const counted = await ask(client, 'count_rows', { table: 'customers' });
  assert.equal(counted.value['rows'], 5204);
  assert.deepEqual(counted.value['columns'], [
    { name: 'id', dataClass: 'none' },
    { name: 'name', dataClass: 'personal' },
    { name: 'email', dataClass: 'personal' },
    { name: 'phone', dataClass: 'personal' },
    { name: 'country', dataClass: 'personal' },
    { name: 'plan', dataClass: 'business' },
    { name: 'mrr_cents', dataClass: 'business' },
    { name: 'created_at', dataClass: 'business' },
  ]);
  const one = await ask(client, 'get_customer', { id: 5204 });
  assert.deepEqual(one.value, {
    id: 5204,
    name: 'Elif Urban',
    email: 'elif.urban.5204@example.org',
    phone: '+44 7700 900204',
    country: 'FR',
    plan: 'team',
    mrr_cents: 4500,
    created_at: '2019-02-18',
  });
  assert.deepEqual((await ask(await connect(t), 'get_customer', { id: 5204 })).value, one.value);

  const french = await ask(client, 'list_customers', { country: 'FR', limit: 50 });
  const customers = french.value['customers'] as { country: string }[];
  assert.equal(customers.length, 50);
  assert.ok(customers.every((customer) => customer.country === 'FR'));
  assert.equal(((await ask(client, 'list_customers')).value['customers'] as unknown[]).length, 10);
});

test('a filter counts what it exports, and compares numbers written as text', async (t) => {
  const client = await connect(t);
  for (const where of [
    { column: 'country', equals: 'FR' },
    { column: 'mrr_cents', equals: '4500' },
    { column: 'country', equals: "FR' OR '1'='1" },
  ]) {
    const counted = await ask(client, 'count_rows', { table: 'customers', where });
    const exported = await ask(client, 'export_rows', { ...EXPORT, where });
    assert.equal(exported.value['rows'], counted.value['rows']);
  }
  assert.equal(
    (await ask(client, 'count_rows', { table: 'customers', where: { column: 'mrr_cents', equals: '4500' } }))
      .value['rows'],
    131,
  );
  assert.equal(
    (await ask(client, 'count_rows', { table: 'clusters', where: { column: 'stateful', equals: '1' } }))
      .value['rows'],
    4,
  );
  assert.equal((await ask(client, 'count_rows', { table: 'roles' })).value['rows'], 5);
});

test('each export is kept whole, with progress and a log message', async (t) => {
  const file = join(scratch(t), 'ops.db');
  const client = await connect(t, file);
  const logged: unknown[] = [];
  client.setNotificationHandler(
    LoggingMessageNotificationSchema,
    ({ params }) => void logged.push(params.data),
  );
  const heard: Progress[] = [];

  const first = await client.callTool({ name: 'export_rows', arguments: EXPORT }, undefined, {
    onprogress: (each) => heard.push(each),
  });
  const second = await ask(client, 'export_rows', {
    ...EXPORT,
    format: 'json',
    destination: 'customers.json',
  });

  assert.deepEqual(
    heard.map(({ progress, total }) => [progress, total]),
    [1000, 2000, 3000, 4000, 5000, 5204].map((done) => [done, 5204]),
  );
  assert.deepEqual(logged, [
    'export 1: 5204 rows of customers to https://partner.example/upload',
    'export 2: 5204 rows of customers to customers.json',
  ]);
  const db = new DatabaseSync(file, { readOnly: true });
  t.after(() => db.close());
  const kept = db.prepare('SELECT * FROM exports ORDER BY id').all();
  const answers = [first.structuredContent, second.value] as {
    exportId: number;
    rows: number;
    bytes: number;
  }[];
  assert.deepEqual(
    kept.map(({ id, rows, bytes }) => ({ exportId: id, rows, bytes })),
    answers.map((answer) => ({ ...answer })),
  );
  const [csv, json] = kept.map((each) => String(each['body']));
  assert.equal(Buffer.byteLength(csv ?? ''), answers[0]?.bytes);
  assert.equal(csv?.split('\r\n').length, 1 + 5204 + 1);
  assert.match(csv ?? '', /^id,name,email,phone,country,plan,mrr_cents,created_at\r\n1,Bram Bauer,/);
  assert.equal((JSON.parse(json ?? '') as unknown[]).length, 5204);

  const { total, calls } = (await ask(client, 'list_calls', { tool: 'export_rows' })).value as {
    total: number;
    calls: { args: unknown }[];
  };
  assert.equal(total, 2);
  assert.deepEqual(
    calls.map((call) => call.args),
    [EXPORT, { ...EXPORT, format: 'json', destination: 'customers.json' }],
  );
});

test('a cancelled export leaves no trace', async (t) => {
  // In memory, because over stdio the cancellation races the export's last step.
  const server = new McpServer({ name: 'ops-server', version: '0' }, { capabilities: { logging: {} } });
  registerTools(server, new OpsDatabase(':memory:'));
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await server.connect(theirs);
  const client = new Client({ name: 'ops-server-test', version: '0' });
  t.after(() => client.close());
  await client.connect(ours);

  const stop = new AbortController();
  const heard: number[] = [];
  const onprogress = ({ progress }: Progress) => {
    heard.push(progress);
    stop.abort('enough');
  };
  const options = { signal: stop.signal, onprogress };
  await assert.rejects(
    client.callTool({ name: 'export_rows', arguments: EXPORT }, undefined, options),
    /enough/,
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(heard, [1000]);
  assert.equal((await ask(client, 'list_calls')).value['total'], 0);
});

test('roles: a grant adds, expires, and is seen before and after', async (t) => {
  const file = join(scratch(t), 'ops.db');
  const client = await connect(t, file);
  const held = async () => (await ask(client, 'list_roles', { principal: 'ops-agent' })).value['roles'];
  const viewer = { principal: 'ops-agent', role: 'viewer', scope: 'prod' };
  const admin = { principal: 'ops-agent', role: 'admin', scope: 'prod' };
  assert.deepEqual(await held(), [viewer]);
  assert.deepEqual(
    (await ask(client, 'grant_role', { ...admin, expires: '2999-01-01T00:00:00Z' })).value['roles'],
    [{ ...admin, expires: '2999-01-01T00:00:00Z' }, viewer],
  );
  assert.deepEqual((await ask(client, 'grant_role', admin)).value['roles'], [admin, viewer]);

  // Time passes for the viewer's role.
  const db = new DatabaseSync(file);
  db.exec(
    "UPDATE roles SET expires = '2020-01-01T00:00:00Z' WHERE principal = 'ops-agent' AND role = 'viewer'",
  );
  db.close();
  assert.deepEqual(await held(), [admin]);
  await refused(client, 'grant_role', { ...admin, expires: '2001-01-01T00:00:00Z' }, /in the past/);
  assert.equal((await ask(client, 'list_calls', { tool: 'grant_role' })).value['total'], 2);
  assert.equal(((await ask(client, 'list_roles')).value['roles'] as unknown[]).length, 5);
});

test('clusters: restarted one service at a time, described, deleted with their volumes', async (t) => {
  const client = await connect(t);
  const names = async () =>
    ((await ask(client, 'list_clusters')).value['clusters'] as { name: string }[]).map((each) => each.name);
  assert.equal((await names()).length, 6);

  await ask(client, 'restart_service', { cluster: 'eu-west-1-core', service: 'api' });
  const again = await ask(client, 'restart_service', { cluster: 'eu-west-1-core', service: 'api' });
  assert.equal(again.value['restarts'], 2);
  await refused(client, 'restart_service', { cluster: 'eu-west-1-core', service: 'cron' }, /no service cron/);

  const before = (await ask(client, 'describe_region', { region: 'eu-west-1' })).value;
  assert.deepEqual(before['statefulVolumes'], [
    { cluster: 'eu-west-1-core', service: 'postgres', gb: 800 },
    { cluster: 'eu-west-1-core', service: 'redis', gb: 32 },
  ]);
  await refused(client, 'delete_region', { region: 'eu-west-1', confirm: 'yes' }, /confirm/);
  assert.equal((await names()).length, 6);
  const gone = await ask(client, 'delete_region', { region: 'eu-west-1', confirm: 'eu-west-1' });
  assert.deepEqual(gone.value, {
    region: 'eu-west-1',
    clusters: ['eu-west-1-core', 'eu-west-1-edge'],
    volumes: before['statefulVolumes'],
  });
  assert.deepEqual(
    (await names()).filter((name) => name.startsWith('eu-west-1')),
    [],
  );
  await refused(client, 'delete_region', { region: 'eu-west-1', confirm: 'eu-west-1' }, /has no clusters/);
  const { calls } = (await ask(client, 'list_calls')).value as { calls: { tool: string }[] };
  assert.deepEqual(
    calls.map((call) => call.tool),
    ['restart_service', 'restart_service', 'delete_region'],
  );
});

test('invalid input is an error result and runs nothing', async (t) => {
  const client = await connect(t);
  await refused(client, 'list_customers', { limit: 51 }, /limit/);
  await refused(client, 'list_customers', { limit: 2.5 }, /limit/);
  await refused(client, 'get_customer', { id: 5205 }, /no customer 5205/);
  await refused(client, 'get_customer', { id: '1' }, /id/);
  await refused(client, 'count_rows', { table: 'calls' }, /table/);
  await refused(
    client,
    'count_rows',
    { table: 'roles', where: { column: '1=1 --', equals: '' } },
    /has no column/,
  );
  await refused(
    client,
    'count_rows',
    { table: 'roles', where: { column: 'constructor', equals: '' } },
    /has no column/,
  );
  await refused(client, 'export_rows', { ...EXPORT, destination: '' }, /destination/);
  await refused(
    client,
    'export_rows',
    { ...EXPORT, countersign_reason: 'stripped by the gate' },
    /countersign_reason/,
  );
  await refused(client, 'grant_role', { principal: 'ops-agent', role: 'owner', scope: 'prod' }, /role/);
  await refused(
    client,
    'grant_role',
    { principal: 'ops-agent', role: 'admin', scope: 'prod', expires: 'tomorrow' },
    /expires/,
  );
  await refused(client, 'describe_region', { region: 'mars-1' }, /region/);
  await refused(client, 'list_clusters', { region: 'eu-west-1' }, /region/);
  await refused(client, 'no_such_tool', {}, /not found/);
  assert.equal((await ask(client, 'list_calls')).value['total'], 0);
});

test('has a runbook to read and a prompt for triage', async (t) => {
  const client = await connect(t);
  assert.deepEqual(
    (await client.listResources()).resources.map((each) => each.uri),
    ['ops://runbook'],
  );
  const [runbook] = (await client.readResource({ uri: 'ops://runbook' })).contents;
  assert.ok(runbook !== undefined && 'text' in runbook && runbook.text.startsWith('# Operations runbook'));

  assert.deepEqual(
    (await client.listPrompts()).prompts.map((each) => each.name),
    ['triage-incident'],
  );
  const prompt = await client.getPrompt({
    name: 'triage-incident',
    arguments: { cluster: 'eu-west-1-core' },
  });
  const [ask1, with1] = prompt.messages;
  assert.ok(ask1?.content.type === 'text' && ask1.content.text.includes('eu-west-1-core'));
  assert.equal(with1?.content.type, 'resource');
});

test('a file keeps its state, is seeded once by many processes, and is nobody else’s', async (t) => {
  const folder = scratch(t);
  const file = join(folder, 'ops.db');
  const clients = await Promise.all(Array.from({ length: 4 }, () => connect(t, file)));
  await Promise.all(clients.map((client) => ask(client, 'export_rows', EXPORT)));
  await Promise.all(clients.map((client) => client.close()));
  const later = await connect(t, file);
  assert.equal((await ask(later, 'count_rows', { table: 'customers' })).value['rows'], 5204);
  assert.equal((await ask(later, 'list_calls')).value['total'], 4);

  const foreign = join(folder, 'foreign.db');
  const db = new DatabaseSync(foreign);
  db.exec('CREATE TABLE theirs (a)');
  db.close();
  const text = join(folder, 'notes.txt');
  writeFileSync(text, 'not a database, and long enough not to be taken for an empty one'.repeat(20));
  for (const path of [foreign, text, join(folder, 'absent', 'ops.db')]) {
    const client = new Client({ name: 'ops-server-test', version: '0' });
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [SERVER, path],
      stderr: 'ignore',
    });
    await assert.rejects(client.connect(transport), /closed/i, path);
  }
});
