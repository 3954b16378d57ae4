/** The end of a process upstream: what it started in turn ends with it, however it ends (npx and shell wrappers leave servers behind). */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openProcess } from '../../../src/enforce/mcp/stdio.ts';
import type { Pipe } from '../../../src/enforce/mcp/pipe.ts';
import { eventually } from './support/gate.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-stdio-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A process that has ended; one that nobody has collected yet has ended too. */
const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return process.platform === 'linux' && / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
};

interface Left {
  readonly pipe: Pipe;
  readonly closed: Promise<string>;
  /** What the process started. */
  readonly pid: number;
}
let count = 0;

/** A process that starts another and ends, by `ends`, without it. @param sleeper what the other does. */
async function start(ends: string, sleeper: string, stdio: 'ignore' | 'inherit'): Promise<Left> {
  count += 1;
  const file = join(folder, `pid${count}`);
  const ready = `require('node:fs').writeFileSync(${JSON.stringify(file)}, String(process.pid))`;
  const inner = JSON.stringify(`${sleeper}; setInterval(() => {}, 1000); ${ready}`);
  const script = `require('node:child_process').spawn(process.execPath, ['-e', ${inner}], { stdio: '${stdio}' }); ${ends}`;
  const { promise: closed, resolve } = Promise.withResolvers<string>();
  const pipe = openProcess(
    { kind: 'command', argv: [process.execPath, '-e', script], cwd: folder, env: { FILE: file } },
    { message: () => undefined, failed: () => undefined, closed: resolve },
    () => undefined,
  );
  await eventually(() => existsSync(file) && readFileSync(file, 'utf8') !== '', 'the process that it starts');
  return { pipe, closed, pid: Number(readFileSync(file, 'utf8')) };
}

const onEnd = "process.stdin.resume().on('end', () => process.exit(0))";

for (const stdio of ['ignore', 'inherit'] as const) {
  test(`it ends when its input does, and leaves a process behind (${stdio}): that one ends too`, async () => {
    const { pipe, pid } = await start(onEnd, '', stdio);
    assert.equal(isGone(pid), false);
    await pipe.close();
    assert.equal(isGone(pid), true);
  });
}

test('what was left behind and does not listen is forced to end', async () => {
  const { pipe, pid } = await start(onEnd, "process.on('SIGTERM', () => {})", 'ignore');
  await pipe.close();
  assert.equal(isGone(pid), true);
});

test('it ends by itself: what it started ends with it, and the end is told', async () => {
  const dies =
    "const look = setInterval(() => require('node:fs').existsSync(process.env.FILE) && process.exit(3), 10)";
  const { pipe, pid, closed } = await start(dies, '', 'inherit');
  assert.match(await closed, /exit code 3/);
  await eventually(() => isGone(pid), 'the end of what it started');
  await pipe.close();
});
