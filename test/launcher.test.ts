/** bin/node.mjs: the right Node, the child's exit code and signal, and each signal delivered once. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { root } from './support/source.ts';

const launcher = join(root, 'bin/node.mjs');

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** Runs Node with these arguments and no terminal; sends `signal` once the program has printed "ready". */
async function run(
  args: readonly string[],
  { signal, env = process.env }: { readonly signal?: NodeJS.Signals; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let out = '';
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const before = out;
    out += text;
    if (signal !== undefined && !before.includes('ready') && out.includes('ready')) child.kill(signal);
  });
  await once(child, 'close');
  return { code: child.exitCode, signal: child.signalCode, out, err };
}

/** The launcher alone, as where the optional dependencies were left out. */
function bare(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-launcher-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'bin'));
  cpSync(launcher, join(folder, 'bin/node.mjs'));
  return join(folder, 'bin/node.mjs');
}

test('the program runs under the packaged Node, and so does what it starts as node', async () => {
  const print = 'console.log(process.version);';
  const nested = `${print} require('node:child_process').execFileSync('node', ['-e', '${print}'], { stdio: 'inherit' });`;
  const { out } = await run([launcher, '-e', nested]);
  const [outer = '', inner] = out.trim().split('\n');
  assert.ok(Number(/^v(\d+)\./.exec(outer)?.[1]) >= 26, outer);
  assert.equal(inner, outer);
});

test('tests keep compiled sources with what is installed, or where they are told to; programs keep none', async () => {
  const { NODE_COMPILE_CACHE: _ours, ...env } = process.env;
  const kept = async (args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<string> =>
    (
      await run([launcher, '-p', 'process.env.NODE_COMPILE_CACHE', ...args], { env: { ...env, ...more } })
    ).out.trim();
  assert.equal(await kept([]), 'undefined');
  assert.equal(await kept(['x', '--test']), join(root, 'node_modules/.cache/compiled'));
  const elsewhere = join(root, 'node_modules/.cache/elsewhere');
  assert.equal(await kept(['x', '--test'], { NODE_COMPILE_CACHE: elsewhere }), elsewhere);
});

test('arguments, output and the exit code are passed on', async () => {
  const ended = await run([
    launcher,
    '-e',
    'console.log(process.argv[1]); console.error("e"); process.exit(7)',
    'a b',
  ]);
  assert.deepEqual(ended, { code: 7, signal: null, out: 'a b\n', err: 'e\n' });
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} reaches the program once, and its exit code comes back`, async () => {
    const count = `let n = 0; process.on('${signal}', () => { n += 1; setTimeout(() => process.exit(40 + n), 200); });`;
    const ended = await run([launcher, '-e', `${count} setInterval(() => {}, 1000); console.log('ready');`], {
      signal,
    });
    assert.equal(ended.code, 41);
  });
}

test('a program that dies of a signal takes the launcher along the same way', async () => {
  assert.equal(
    (await run([launcher, '-e', 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000);']))
      .signal,
    'SIGTERM',
  );
  assert.equal(
    (await run([launcher, '-e', 'setInterval(() => {}, 1000); console.log("ready");'], { signal: 'SIGINT' }))
      .signal,
    'SIGINT',
  );
});

test('under npm, a program ends when the shell that npm started it with is gone', async () => {
  const program = `process.on('SIGTERM', () => { console.log('told'); process.exit(); }); setInterval(() => {}, 1000); console.log('ready');`;
  const script = `"${process.execPath}" "${launcher}" -e "${program}"; true`;
  const shell = spawn('sh', ['-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, npm_lifecycle_event: 'start' },
  });
  let out = '';
  shell.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    if (text.includes('ready')) shell.kill('SIGKILL');
  });
  await once(shell, 'close'); // of its output, which the program holds open
  assert.equal(out, 'ready\ntold\n');
});

test('without the package, a Node that is new enough runs the program itself', async (t) => {
  const { code, out } = await run([bare(t), '-p', 'process.execPath']);
  assert.equal(code, 0);
  assert.equal(out.trim(), process.execPath);
});

test('without the package, an old Node says what to do', async (t) => {
  const pretend =
    'data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } });';
  const { code, err } = await run(['--import', pretend, bare(t), '-v']);
  assert.equal(code, 1);
  assert.match(err, /needs Node 24\.12 or newer; this is 20\.20\.2 on .*\n.*npm ci/);
});
