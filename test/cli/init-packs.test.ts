/** init with packs: what is written judges as the pack says, and wherever the server differs from the pack it is stricter. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { initCommand } from '../../src/cli/init.ts';
import { fateOf, packPolicies, packProfiles, type PackUse } from '../../src/cli/init-pack-policies.ts';
import { compare, nameOf, packNames, readPack, recognise, type Pack } from '../../src/cli/init-packs.ts';
import { paintOf, type Io } from '../../src/cli/io.ts';
import { parseSettings } from '../../src/config.ts';
import { asAgentId, asSha256Hex } from '../../src/core/ids.ts';
import { isJsonObject, type JsonObject } from '../../src/core/json.ts';
import type { PinnedTool } from '../../src/core/tool.ts';
import type { PolicyWorld } from '../../src/ports/policy.ts';
import { engineWith, noon, quickEngine, short } from '../policy/support/world.ts';
import { root } from '../support/source.ts';
import { inFolder, run, serving, until } from './run.ts';

const packs = packNames().map((name) => readPack(name));
const filesystem = readPack('filesystem');
const kubernetes = readPack('kubernetes');

/** A stdio MCP server that offers what tools.json beside it says. */
const fake = `
const tools = JSON.parse(require('fs').readFileSync('tools.json', 'utf8'));
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  if (id === undefined) return;
  const result = method === 'initialize'
    ? { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'fake', version: '1' } }
    : { tools };
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result }) + '\\n');
}).on('close', () => process.exit(0));
`;

const command = ['--', process.execPath, 'server.cjs'];
const offering = <T>(tools: readonly JsonObject[], work: (folder: string) => Promise<T>): Promise<T> =>
  inFolder({ 'server.cjs': fake, 'tools.json': JSON.stringify(tools) }, work);

const without = (pack: Pack, ...names: string[]): readonly JsonObject[] =>
  pack.tools.filter((tool) => !names.includes(nameOf(tool)));

/** The tool of that name with another schema of one argument. */
const withArgument = (
  pack: Pack,
  name: string,
  argument: string,
  schema: JsonObject,
): readonly JsonObject[] =>
  pack.tools.map((tool) => {
    if (tool['name'] !== name || !isJsonObject(tool['inputSchema'])) return tool;
    const { properties } = tool['inputSchema'];
    return {
      ...tool,
      inputSchema: {
        ...tool['inputSchema'],
        properties: { ...(isJsonObject(properties) ? properties : {}), [argument]: schema },
      },
    };
  });

const pinsOf = (server: string, tools: readonly JsonObject[]): readonly PinnedTool[] =>
  tools.map((definition) => ({
    server,
    tool: nameOf(definition),
    status: 'enabled',
    definition,
    hash: asSha256Hex('0'.repeat(64)),
    seen: null,
    seenHash: null,
    atMs: 0,
  }));

/** Judges as the gate would that is started on what was written. */
async function judging(folder: string, server: string, tools: readonly JsonObject[]) {
  const file = join(folder, 'countersign.yaml');
  const read = parseSettings(readFileSync(file, 'utf8'), file, { secrets: 'ignored' });
  assert.ok(read.ok, JSON.stringify(read));
  const { directory, servers } = read.value.proposal;
  const types = Object.entries(servers[0]?.tools ?? {}).flatMap(([tool, { resource }]) =>
    resource === undefined ? [] : [[`${server}___${tool}`, resource.type]],
  );
  const resourceTypes: Readonly<Record<string, string>> = Object.fromEntries(types);
  const policies = readdirSync(join(folder, 'policies')).map((name) => ({
    file: name,
    text: readFileSync(join(folder, 'policies', name), 'utf8'),
  }));
  const world: PolicyWorld = {
    directory,
    servers: [server],
    tools: pinsOf(server, tools),
    resourceTypes,
    operations: [],
    versions: { policySet: 1, directory: 1, tools: 1 },
  };
  const engine = await engineWith({ policies, schemas: [], entities: null }, world);
  return (tool: string, input: JsonObject = {}): string => {
    const operation = `${server}___${tool}`;
    const resource = { type: resourceTypes[operation] ?? 'Server', id: server };
    return short(
      engine.judge({ agent: asAgentId('agent'), operation, input, resource }, noon, null),
    ).replaceAll(`${server}.`, '');
  };
}

test('--pack: its reads run, the rest is held, under the server’s own name', () =>
  offering(filesystem.tools, async (folder) => {
    const made = await run(['init', 'my-files', '--pack', 'filesystem', '--yes', ...command], {
      cwd: folder,
    });
    assert.equal(made.code, 0, made.err);
    assert.match(made.err, /offers exactly the tools of the pack filesystem/);
    assert.match(made.out, /10 of 14 tools run without asking/);
    const verdict = await judging(folder, 'my-files', filesystem.tools);
    assert.equal(verdict('read_text_file', { path: 'a' }), 'allow');
    assert.equal(verdict('write_file', { path: 'a', content: '' }), 'review:review');
    assert.equal(verdict('edit_file', { path: 'a', edits: [] }), 'review:review-edits');
    const config = readFileSync(join(folder, 'countersign.yaml'), 'utf8');
    assert.match(config, /before: \{ tool: read_text_file, input: \{ path: input\.path \} \}/);
  }));

test('a gate serves what a pack proposed: a read runs at once, a write waits', () =>
  inFolder({ 'shared/a.txt': 'hello' }, async (folder) => {
    const server = join(root, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js');
    const words = [
      'init',
      'files',
      '--pack',
      'filesystem',
      '--yes',
      '--',
      process.execPath,
      server,
      './shared',
    ];
    const made = await run(words, { cwd: folder });
    assert.equal(made.code, 0, made.err);
    const token = (await run(['token', 'agent', 'agent'], { cwd: folder })).out.trim();
    await serving(
      folder,
      async ({ url, err }) => {
        const client = new Client({ name: 'test', version: '1' });
        const headers = { authorization: `Bearer ${token}` };
        const at = new URL(`${url}/mcp/files`);
        await client.connect(new StreamableHTTPClientTransport(at, { requestInit: { headers } }));
        const path = join(folder, 'shared/a.txt');
        const read = await client.callTool({ name: 'read_text_file', arguments: { path } });
        assert.match(JSON.stringify(read), /hello/);
        const stop = new AbortController();
        const write = client.callTool(
          { name: 'write_file', arguments: { path, content: 'other' } },
          undefined,
          { signal: stop.signal },
        );
        write.catch(() => undefined);
        await until(
          () => err().includes('Approval needed'),
          () => err(),
        );
        assert.match(err(), /Approval needed: Write /);
        assert.equal(readFileSync(path, 'utf8'), 'hello');
        stop.abort();
        await client.close();
      },
      ['--port', '0'],
    );
  }));

test('without --pack, --yes takes of a recognised server what is stricter: everything held, and what the pack denies denied', () =>
  offering(kubernetes.tools, async (folder) => {
    const made = await run(['init', 'k8s', '--yes', ...command], { cwd: folder });
    assert.equal(made.code, 0, made.err);
    assert.match(
      made.err,
      /These are the tools of mcp-server-kubernetes \(23 of 23 names\), for which there is the pack kubernetes/,
    );
    assert.match(made.out, /0 of 23 tools run without asking/);
    const verdict = await judging(folder, 'k8s', kubernetes.tools);
    for (const tool of kubernetes.tools) {
      const input = { resourceType: 'pods', name: 'a', operation: 'list', subCommand: 'status' };
      assert.notEqual(verdict(nameOf(tool), input), 'allow', nameOf(tool));
    }
    assert.equal(verdict('kubectl_get', { resourceType: 'pods' }), 'review:unread-tools');
    assert.equal(verdict('kubectl_generic', { command: 'get' }), 'forbidden');
    assert.equal(verdict('exec_in_pod', { name: 'a', command: ['id'] }), 'review:two,unread-tools');
    // Three people, or whoever asks for what needs two would be denied.
    const config = readFileSync(join(folder, 'countersign.yaml'), 'utf8');
    assert.equal(config.match(/groups: \[ reviewers, operators \]/g)?.length, 2);
  }));

test('what the server has anew is held, what it has no more is left out, and what has changed is held', async () => {
  const grown = [
    ...withArgument(filesystem, 'read_text_file', 'deleteAfter', { type: 'boolean' }).filter(
      (tool) => tool['name'] !== 'move_file',
    ),
    {
      name: 'get_wiped',
      annotations: { readOnlyHint: true },
      inputSchema: { type: 'object', properties: {} },
    },
  ];
  await offering(grown, async (folder) => {
    const made = await run(['init', 'files', '--pack', 'filesystem', '--yes', ...command], { cwd: folder });
    assert.equal(made.code, 0, made.err);
    assert.match(made.err, /new, and so held for a reviewer: get_wiped/);
    assert.match(
      made.err,
      /not as the pack knows them, and so held for a reviewer: read_text_file \(deleteAfter\)/,
    );
    assert.match(made.err, /not offered, and so left out: move_file/);
    const verdict = await judging(folder, 'files', grown);
    assert.equal(verdict('get_wiped'), 'review:unread-tools');
    assert.equal(verdict('read_text_file', { path: 'a' }), 'review:unread-tools');
    assert.equal(verdict('read_file', { path: 'a' }), 'allow');
    assert.equal(verdict('move_file', { source: 'a', destination: 'b' }), 'no_permit');
    const policies = readFileSync(join(folder, 'policies/files.cedar'), 'utf8');
    assert.ok(!policies.includes('move_file'));
    // A look runs unasked, so it is no tool that nobody has read: write_file shows nothing of what was there before.
    const config = readFileSync(join(folder, 'countersign.yaml'), 'utf8');
    assert.ok(!config.includes('before:'));
  });
});

test('a changed tool that the pack’s policies cannot read is in no policy, and denied', async () => {
  const odd = withArgument(kubernetes, 'kubectl_get', 'resourceType', {
    anyOf: [{ type: 'string' }, { type: 'number' }],
  });
  await offering(odd, async (folder) => {
    const made = await run(['init', 'k8s', '--pack', 'kubernetes', '--yes', ...command], { cwd: folder });
    assert.equal(made.code, 0, made.err);
    assert.match(made.err, /no policy permits them, and they are denied: kubectl_get/);
    const verdict = await judging(folder, 'k8s', odd);
    assert.equal(verdict('kubectl_get', { resourceType: 'pods' }), 'no_permit');
    assert.equal(verdict('kubectl_describe', { resourceType: 'pods', name: 'a' }), 'allow');
  });
});

test('a pack that is none, or is for another server, is refused and nothing is written', () =>
  offering(kubernetes.tools, async (folder) => {
    const none = await run(['init', 'x', '--pack', 'gitub', '--yes', ...command], { cwd: folder });
    assert.equal(none.code, 1);
    assert.match(none.err, /There is no pack “gitub”; there are filesystem, github, /);
    const other = await run(['init', 'x', '--pack', 'github', '--yes', ...command], { cwd: folder });
    assert.equal(other.code, 1);
    assert.match(other.err, /offers none of the tools of the pack github/);
    assert.deepEqual(readdirSync(folder), ['server.cjs', 'tools.json']);
    const list = await run(['init', '--list-packs'], { cwd: folder });
    assert.equal(list.out.trim().split('\n').length, packs.length);
    assert.match(list.out, /^slack {7}slack-mcp-server 1\.3\.0, 22 tools$/m);
  }));

test('--observe writes a server that is observed, and says what comes next', () =>
  offering(filesystem.tools, async (folder) => {
    const made = await run(['init', 'files', '--observe', '--yes', ...command], { cwd: folder });
    assert.equal(made.code, 0, made.err);
    assert.match(made.out, /nothing is held or denied yet/);
    assert.match(made.out, /report --last 7d/);
    const file = join(folder, 'countersign.yaml');
    const read = parseSettings(readFileSync(file, 'utf8'), file);
    assert.ok(read.ok, JSON.stringify(read));
    assert.equal(read.value.proposal.servers[0]?.mode, 'observe');
  }));

/** The operator's side of a terminal: answers in order. */
function terminal(folder: string, answers: readonly string[]) {
  const lines: string[] = [];
  const left = [...answers];
  const io: Io = {
    out: (line) => void lines.push(line),
    say: (line) => void lines.push(line),
    env: {},
    interactive: true,
    paint: paintOf(false),
    paintErr: paintOf(false),
    ask: (question) => {
      lines.push(question);
      const answer = left.shift();
      return answer === undefined ? Promise.reject(new Error(`asked: ${question}`)) : Promise.resolve(answer);
    },
    path: (typed) => join(folder, typed),
    typed: (path) => path,
    command: (words) => words,
    program: (words) => words,
  };
  return { io, lines, left };
}

const init = (io: Io): Promise<number> =>
  initCommand.run({ words: ['files'], rest: command.slice(1), values: {}, switches: new Set() }, io);

test('an operator who agrees has the pack, and is not asked about single reads', () =>
  offering(filesystem.tools, async (folder) => {
    const { io, lines, left } = terminal(folder, ['maybe', 'yes', 'rosa', '', 'sam', '', 'bot']);
    assert.equal(await init(io), 0);
    assert.deepEqual(left, []);
    assert.ok(lines.includes('Please type yes or no.'));
    assert.ok(lines.some((line) => line.includes('10 of 14 tools run without asking')));
    assert.match(readFileSync(join(folder, 'countersign.yaml'), 'utf8'), /id: bot, owners: \[ rosa \]/);
  }));

test('an operator who does not agree is asked which reads may run, as for any server', () =>
  offering(filesystem.tools, async (folder) => {
    const { io, lines, left } = terminal(folder, ['n', '1', 'rosa', '', 'sam', '', 'bot']);
    assert.equal(await init(io), 0);
    assert.deepEqual(left, []);
    assert.ok(lines.some((line) => line.includes('1 of 14 tools run without asking')));
    assert.ok(!readFileSync(join(folder, 'policies/files.cedar'), 'utf8').includes('the pack'));
  }));

const useOf = (pack: Pack, tools: readonly JsonObject[], more: Partial<PackUse> = {}): PackUse => ({
  pack,
  compared: compare(pack, tools),
  chosen: true,
  denied: new Set(),
  ...more,
});

test('every pack is written as it must be to be taken apart: whole, it is left as it is', () => {
  for (const pack of packs) {
    assert.equal(packPolicies(useOf(pack, pack.tools), pack.name), pack.policies.trim());
    for (const block of pack.policies.trim().split(/\n{2,}/)) {
      const isPolicy = /^(?:permit|forbid) \(/m.test(block);
      if (!isPolicy)
        assert.ok(
          block.split('\n').every((line) => line.startsWith('//')),
          block,
        );
      else assert.match(block, /^@id\("[\w.-]+"\)$[\s\S]*Action::"[\s\S]*;$/m, block);
    }
  }
});

test('with any tools left out, a pack’s policies still load, and name none of them', async () => {
  for (const pack of packs.filter((one) => one.tools.length > 1)) {
    for (const round of [0, 1, 2]) {
      const tools = pack.tools.filter((_, index) => index % 3 !== round);
      const text = packPolicies(useOf(pack, tools), 'odd.name-1');
      const { problems } = await quickEngine().check(
        { policies: [{ file: 'p.cedar', text }], schemas: [], entities: null },
        {
          directory: { people: [], agents: [], roles: { operators: null, auditors: null } },
          servers: ['odd.name-1'],
          tools: pinsOf('odd.name-1', tools),
          resourceTypes: Object.fromEntries(
            Object.entries(pack.profiles).flatMap(([tool, { resource }]) =>
              resource === undefined ? [] : [[`odd.name-1___${tool}`, resource.type]],
            ),
          ),
          operations: [],
          versions: { policySet: 0, directory: 0, tools: 0 },
        },
      );
      const wrong = problems.filter(
        (one) => !/^(?:nobody|no agent) is in the group/.test(one.message) && one.severity !== 'info',
      );
      assert.deepEqual(wrong, [], `${pack.name} ${round}`);
      assert.ok(!text.includes(`${pack.name}___`) && !text.includes(`@id("${pack.name}`));
    }
  }
});

test('servers are told apart by their tools, not by one name', () => {
  const query = (schema: JsonObject): readonly JsonObject[] => [{ name: 'query', inputSchema: schema }];
  assert.equal(
    recognise(query({ type: 'object', properties: { sql: { type: 'string' } } }))?.name,
    'postgres',
  );
  assert.equal(recognise(query({ type: 'object', properties: { question: { type: 'string' } } })), undefined);
  assert.equal(recognise([]), undefined);
  assert.equal(recognise(without(filesystem, 'move_file'))?.name, 'filesystem');
  // Three of fourteen say little.
  assert.equal(recognise(filesystem.tools.slice(0, 3)), undefined);
  const foreign = Array.from({ length: 5 }, (_, index) => ({ name: `other_${index}`, inputSchema: {} }));
  assert.equal(recognise([...filesystem.tools, ...foreign]), undefined);
});

test('words for people are no difference; arguments, defaults and hints are', () => {
  const [first] = filesystem.tools;
  assert.ok(first !== undefined && isJsonObject(first['inputSchema']));
  const said = (tool: JsonObject) => compare(filesystem, [tool]);
  assert.deepEqual(said({ ...first, title: 'x', description: 'y' }).same, ['read_file']);
  const described = { ...first['inputSchema'], description: 'z', $schema: 'other' };
  assert.deepEqual(said({ ...first, inputSchema: described }).same, ['read_file']);
  // An argument that is called like a word for people is an argument.
  const titled = withArgument(filesystem, 'read_file', 'title', { type: 'string' });
  assert.deepEqual(compare(filesystem, titled).changed, [{ name: 'read_file', arguments: ['title'] }]);
  const byDefault = withArgument(kubernetes, 'kubectl_apply', 'dryRun', { type: 'boolean', default: true });
  assert.deepEqual(compare(kubernetes, byDefault).changed, [
    { name: 'kubectl_apply', arguments: ['dryRun'] },
  ]);
  const writes = { ...first, annotations: { readOnlyHint: false } };
  assert.deepEqual(said(writes).changed, [{ name: 'read_file', arguments: [] }]);
});

test('what is said of a tool is no more than what its policies do', () => {
  const use = useOf(filesystem, filesystem.tools);
  assert.equal(fateOf(use, 'read_file'), 'allow');
  assert.equal(fateOf(use, 'edit_file'), 'depends');
  assert.equal(fateOf({ ...use, chosen: false }, 'read_file'), 'held');
  assert.equal(fateOf({ ...use, chosen: false }, 'edit_file'), 'held');
  assert.equal(fateOf({ ...use, denied: new Set(['read_file']) }, 'read_file'), 'denied');
  assert.equal(fateOf(use, 'never_seen'), 'held');
  const without_ = useOf(filesystem, without(filesystem, 'read_text_file'));
  assert.equal(packProfiles(without_)['write_file']?.before, undefined);
  assert.equal(packProfiles(use)['write_file']?.before?.tool, 'read_text_file');
});
