/** init, on real servers: what it proposes starts as it is, holds everything it was not told about, and overwrites nothing. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { configText, policyText, type Proposal } from '../../src/cli/init-files.ts';
import { proposeTools } from '../../src/cli/init-profile.ts';
import { parseSettings } from '../../src/config.ts';
import { createPolicyEngine } from '../../src/policy/engine.ts';
import { freePort } from '../support/ports.ts';
import { root } from '../support/source.ts';
import { quickEngine } from '../policy/support/world.ts';
import { inFolder, run, serving, start, until } from './run.ts';

const filesystem = join(root, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js');
const everything = join(root, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js');

test('a command: the proposal serves at once, and an agent on stdio finds every tool held', () =>
  inFolder({ 'shared/a.txt': 'hello' }, async (folder) => {
    const made = await run(['init', 'files', '--yes', '--', process.execPath, filesystem, './shared'], {
      cwd: folder,
    });
    assert.equal(made.code, 0, made.err);
    assert.match(made.out, /from the pack filesystem: 0 of 14 tools run without asking\./);
    assert.match(made.out, /mcp files --url http:\/\/localhost:7788/);

    const again = await run(['init', 'files', '--yes', '--', process.execPath, filesystem, './shared'], {
      cwd: folder,
    });
    assert.equal(again.code, 1);
    assert.match(again.err, /countersign\.yaml exists already, and init writes over nothing/);

    const token = (await run(['token', 'agent', 'agent'], { cwd: folder })).out.trim();
    // The configuration says a fixed port; tests take any.
    const config = join(folder, 'countersign.yaml');
    assert.match(readFileSync(config, 'utf8'), /127\.0\.0\.1:7788/);
    await serving(
      folder,
      async ({ url, err }) => {
        const client = new Client({ name: 'test', version: '1' });
        const transport = new StdioClientTransport({
          command: process.execPath,
          args: [join(root, 'src/cli.ts'), 'mcp', 'files', '--url', url],
          env: { PATH: process.env['PATH'] ?? '', COUNTERSIGN_TOKEN: token },
        });
        await client.connect(transport);
        const { tools } = await client.listTools();
        assert.equal(tools.length, 14);
        const controller = new AbortController();
        const held = client.callTool(
          { name: 'read_text_file', arguments: { path: 'shared/a.txt' } },
          undefined,
          { signal: controller.signal },
        );
        held.catch(() => undefined);
        for (let tries = 0; tries < 200 && !err().includes('Approval needed'); tries += 1)
          await new Promise((resolve) => setTimeout(resolve, 50));
        assert.match(err(), /Approval needed: Read shared\/a\.txt/);
        controller.abort();
        await client.close();
      },
      ['--port', '0'],
    );
  }));

test('a URL, with a header whose value stays in the environment', () =>
  inFolder({}, async (folder) => {
    const port = await freePort();
    const server = spawn(process.execPath, [everything, 'streamableHttp'], {
      env: { PATH: process.env['PATH'] ?? '', PORT: String(port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await Promise.race([once(server.stderr, 'data'), once(server.stdout, 'data')]);
    try {
      const url = `http://127.0.0.1:${port}/mcp`;
      const missing = await run(['init', 'all', url, '--header', 'authorization=ALL_TOKEN', '--yes'], {
        cwd: folder,
      });
      assert.match(missing.err, /The environment variable ALL_TOKEN is not set/);
      const made = await run(['init', 'all', url, '--header', 'authorization=ALL_TOKEN', '--yes'], {
        cwd: folder,
        env: { ALL_TOKEN: 'Bearer very-secret' },
      });
      assert.equal(made.code, 0, made.err);
      const text = readFileSync(join(folder, 'countersign.yaml'), 'utf8');
      assert.match(text, /headers: \{ authorization: \{ fromEnv: ALL_TOKEN \} \}/);
      assert.ok(!text.includes('very-secret') && !made.out.includes('very-secret'));
      const read = parseSettings(text, join(folder, 'countersign.yaml'), { env: { ALL_TOKEN: 'Bearer x' } });
      assert.ok(read.ok);
    } finally {
      server.kill();
    }
  }));

test('a server that is none leaves nothing behind', () =>
  inFolder({}, async (folder) => {
    const none = await run(
      ['init', 'x', '--yes', '--', process.execPath, '-e', 'console.error("no such luck"); process.exit(3)'],
      { cwd: folder },
    );
    assert.equal(none.code, 1);
    assert.match(none.err, /The server did not tell its tools: .*no such luck/);
    const missing = await run(['init', 'x', '--yes', '--', '/nowhere/server'], { cwd: folder });
    assert.match(missing.err, /The server did not tell its tools: /);
    assert.match(missing.err, /it is given PATH and HOME only.*--env/);
    assert.deepEqual(readdirSync(folder), []);
    mkdirSync(join(folder, 'policies'));
    assert.ok(!existsSync(join(folder, 'countersign.yaml')));
  }));

const tool = (name: string, annotations: Record<string, boolean> = {}, required: readonly string[] = []) => ({
  name,
  annotations,
  inputSchema: {
    type: 'object',
    required: [...required],
    properties: Object.fromEntries(required.map((one) => [one, { type: 'string' }])),
  },
});

test('effects are guessed with care: a name that changes something outweighs what its server says', () => {
  const effectOf = (name: string, annotations?: Record<string, boolean>) =>
    proposeTools([tool(name, annotations)])[0]?.profile.effect;
  assert.equal(effectOf('get_user'), 'read');
  assert.equal(effectOf('listFiles'), 'read');
  assert.equal(effectOf('get_user', { readOnlyHint: false }), 'execute');
  assert.equal(effectOf('frobnicate'), 'execute');
  assert.equal(effectOf('frobnicate', { readOnlyHint: true }), 'read');
  assert.equal(effectOf('delete_user', { readOnlyHint: true }), 'delete');
  assert.equal(effectOf('get_and_delete'), 'delete');
  assert.equal(effectOf('export_rows'), 'export');
  assert.equal(effectOf('grantRole'), 'grant');
  assert.equal(effectOf('run_query', { readOnlyHint: true }), 'execute');
  assert.equal(effectOf('create-issue'), 'write');
  // "open" looks or changes: the server's hint decides what is offered as a read, and the operator confirms it.
  assert.equal(effectOf('open_nodes', { readOnlyHint: true }), 'read');
  assert.equal(effectOf('open_issue'), 'write');
  assert.equal(effectOf('open_and_delete', { readOnlyHint: true }), 'delete');
  assert.deepEqual(proposeTools([tool('delete_table', {}, ['table'])])[0]?.profile, {
    verb: 'Delete',
    effect: 'delete',
    object: 'input.table',
    reversible: false,
  });
  const names = { type: 'array', items: { type: 'string' } };
  const many = (required: readonly string[]) => ({
    name: 'delete_entities',
    inputSchema: { type: 'object', required: [...required], properties: { names, more: names } },
  });
  assert.equal(proposeTools([many(['names'])])[0]?.profile.object, 'input.names');
  assert.equal(proposeTools([many(['names', 'more'])])[0]?.profile.object, undefined);
});

test('whatever was chosen and whatever tools are called, what is written is valid and judges as it says', async () => {
  const definitions = [tool('get_user', { readOnlyHint: true }), tool('odd"name\\x'), tool('drop_all')];
  const tools = proposeTools(definitions);
  for (const free of [[], ['get_user'], ['get_user', 'odd"name\\x', 'drop_all']]) {
    const proposal: Proposal = {
      server: 'crm',
      upstream: { kind: 'url', url: 'https://crm.example.com/mcp', headers: {} },
      fromEnv: {},
      tools,
      free: new Set(free),
      agent: 'bot',
      owner: { id: 'sam', name: 'Sam: "the owner" # no comment' },
      reviewers: [{ id: 'null', name: 'yes' }],
      pack: null,
      observe: false,
    };
    const read = parseSettings(configText(proposal), '/tmp/c.yaml');
    assert.ok(read.ok, JSON.stringify(read));
    assert.deepEqual(read.value.warnings, []);
    assert.deepEqual(
      read.value.proposal.directory.people.map((one) => one.name),
      ['Sam: "the owner" # no comment', 'yes'],
    );
    assert.deepEqual(
      Object.keys(read.value.proposal.servers[0]?.tools ?? {}),
      definitions.map((one) => one.name),
    );
    const checked = await createPolicyEngine().check(
      { policies: [{ file: 'crm.cedar', text: policyText(proposal) }], schemas: [], entities: null },
      {
        directory: read.value.proposal.directory,
        servers: ['crm'],
        tools: [],
        resourceTypes: {},
        operations: [],
        versions: { policySet: 0, directory: 0, tools: 0 },
      },
    );
    assert.deepEqual(
      checked.problems.filter((one) => one.severity === 'error'),
      [],
    );
  }
});

test('a server with hundreds of tools gets policies that are small enough each', async () => {
  const definitions = Array.from({ length: 400 }, (_, index) =>
    tool(`tool_number_${index}_with_a_long_name`),
  );
  const proposal: Proposal = {
    server: 'big',
    upstream: { kind: 'command', argv: ['x'], cwd: '/', env: {} },
    fromEnv: {},
    tools: proposeTools(definitions),
    free: new Set(),
    pack: null,
    observe: false,
    agent: 'bot',
    owner: { id: 'sam', name: 'Sam' },
    reviewers: [{ id: 'rosa', name: 'Rosa' }],
  };
  const text = policyText(proposal);
  const { problems } = await quickEngine().check(
    { policies: [{ file: 'big.cedar', text }], schemas: [], entities: null },
    {
      directory: { people: [], agents: [], roles: { operators: null, auditors: null } },
      servers: ['big'],
      tools: [],
      resourceTypes: {},
      operations: [],
      versions: { policySet: 0, directory: 0, tools: 0 },
    },
  );
  assert.deepEqual(
    problems.filter((one) => one.severity === 'error'),
    [],
  );
  assert.equal(text.match(/Action::"big___tool_number_399_/g)?.length, 2);
});

test('Ctrl-C while the server starts ends the server too', () =>
  inFolder({}, async (folder) => {
    const stubborn =
      "require('fs').writeFileSync('pid', String(process.pid)); process.stdin.resume(); setInterval(() => {}, 1000)";
    const child = start(['init', 'x', '--yes', '--', process.execPath, '-e', stubborn], { cwd: folder });
    const ended = once(child, 'exit') as Promise<[number | null]>;
    const file = join(folder, 'pid');
    await until(
      () => existsSync(file) && readFileSync(file, 'utf8') !== '',
      () => 'the server started',
    );
    const pid = Number(readFileSync(file, 'utf8'));
    assert.doesNotThrow(() => process.kill(pid, 0));
    try {
      child.kill('SIGINT');
      // A person who presses it twice does not leave the server behind either.
      child.kill('SIGINT');
      const [code] = await ended;
      assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
      assert.equal(code, 130);
    } finally {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // gone, as it should be
      }
    }
    assert.ok(!existsSync(join(folder, 'countersign.yaml')));
  }));
