/** The official inspector, unchanged, in CLI mode: through the gate it sees what it sees directly. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, people, startTestGate, type TestGate } from '../support/gate.ts';

const require = createRequire(import.meta.url);
const inspector = join(
  dirname(require.resolve('@modelcontextprotocol/inspector/package.json')),
  'clients/launcher/build/index.js',
);
const everything = require.resolve('@modelcontextprotocol/server-everything/dist/index.js');
const filesystem = require.resolve('@modelcontextprotocol/server-filesystem/dist/index.js');

const policies = `
@id("all") permit (principal, action, resource);
@id("write.asks") @title("Writing files needs a data owner") @approvers("data-owners")
forbid (principal, action == Action::"files___write_file", resource);
@id("no.moves") @title("Files stay where they are")
forbid (principal, action == Action::"files___move_file", resource);
`;

let gate: TestGate;
let agent: string;
let rosa: string;
let files: string;

before(async () => {
  gate = await startTestGate({
    policies,
    config: `${people}
servers:
  everything: { command: [${JSON.stringify(process.execPath)}, ${JSON.stringify(everything)}, stdio] }
  files: { command: [${JSON.stringify(process.execPath)}, ${JSON.stringify(filesystem)}, files] }
`,
  });
  files = join(gate.folder, 'files');
  await mkdir(files);
  await writeFile(join(files, 'note.txt'), 'seven');
  agent = await gate.token('agent', 'crm-bot');
  rosa = await gate.token('person', 'rosa');
});
after(() => gate.stop());

/** Runs the inspector; answers what it prints on stdout. */
function inspect(
  target: readonly string[],
  method: readonly string[],
): Promise<{ readonly code: number | null; readonly printed: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [inspector, '--cli', ...target, '--method', ...method], {
      cwd: gate.folder,
    });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    child.stderr.resume(); // a server that is run directly says what it likes there
    child.on('close', (code) => resolve({ code, printed }));
  });
}

const through = (server: string) => [
  `${gate.gate().url}/mcp/${server}`,
  '--transport',
  'http',
  '--header',
  `Authorization: Bearer ${agent}`,
];
const direct = {
  everything: [process.execPath, everything, 'stdio'],
  files: [process.execPath, filesystem, 'files'],
} as const;

async function same(server: 'everything' | 'files', ...method: string[]): Promise<void> {
  const [gated, plain] = await Promise.all([
    inspect(through(server), method),
    inspect(direct[server], method),
  ]);
  assert.equal(plain.code, 0, plain.printed);
  assert.equal(gated.code, 0, gated.printed);
  // The one thing that the gate adds: an optional argument for the agent's reason.
  const parsed = JSON.parse(gated.printed, (key, value: unknown) =>
    key === 'countersign_reason' ? undefined : value,
  ) as unknown;
  assert.deepEqual(parsed, withoutRoots(JSON.parse(plain.printed)));
}

/** The one thing that it takes away: a tool for clients that offer roots, which the gate does not pass. */
const withoutRoots = (printed: { readonly tools?: readonly { readonly name: string }[] }): unknown =>
  printed.tools === undefined
    ? printed
    : { ...printed, tools: printed.tools.filter((tool) => tool.name !== 'get-roots-list') };

test('the everything server: tools, a call, resources and prompts are the same', async () => {
  await same('everything', 'tools/list');
  await same('everything', 'tools/call', '--tool-name', 'echo', '--tool-arg', 'message=hello');
  await same('everything', 'tools/call', '--tool-name', 'get-sum', '--tool-arg', 'a=2', 'b=3');
  await same('everything', 'resources/list');
  await same('everything', 'prompts/list');
});

test('the filesystem server: tools and a read are the same', async () => {
  await same('files', 'tools/list');
  await same(
    'files',
    'tools/call',
    '--tool-name',
    'read_text_file',
    '--tool-arg',
    `path=${join(files, 'note.txt')}`,
  );
});

test('a held write waits for its person, and then runs', async () => {
  const target = join(files, 'made.txt');
  const waiting = inspect(through('files'), [
    'tools/call',
    '--tool-name',
    'write_file',
    '--tool-arg',
    `path=${target}`,
    'content=approved',
  ]);
  let approval: { id: string; digest: string } | undefined;
  await eventually(async () => {
    const list = await gate.call(rosa, 'GET', '/v1/approvals?status=pending');
    approval = list.body.items[0];
    return approval !== undefined;
  }, 'the write is held');
  assert.ok(approval);
  assert.equal(
    (
      await gate.call(rosa, 'POST', `/v1/approvals/${approval.id}/reviews`, {
        decision: 'approve',
        digest: approval.digest,
      })
    ).status,
    201,
  );
  const { printed } = await waiting;
  assert.match(printed, /Successfully wrote/);
});

test('a denied call is told why, in one sentence', async () => {
  const { printed } = await inspect(through('files'), [
    'tools/call',
    '--tool-name',
    'move_file',
    '--tool-arg',
    `source=${join(files, 'note.txt')}`,
    `destination=${join(files, 'gone.txt')}`,
  ]);
  assert.match(printed, /Denied \(forbidden\): .*Files stay where they are/);
});
