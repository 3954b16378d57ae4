/** A gate in a process of its own, which can be killed; and of another version of the program, where one is given. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { root } from '../../support/source.ts';

export interface ChildGate {
  readonly url: string;
  readonly pid: number;
  /** Lines that operators read, so far. */
  readonly said: readonly string[];
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
}

/** Resolves when it serves. @param src folder of the program. */
export async function childGate(config: string, src = join(root, 'src')): Promise<ChildGate> {
  const { child, said } = spawnGate(config, src);
  const lines = createInterface({ input: child.stdout ?? assert.fail('stdout is a pipe') });
  const exited = once(child, 'exit').then((): [string] => ['']);
  const url = await new Promise<string>((resolve) => {
    lines.on('line', (line) => {
      const [, at] = /listening on (\S+)/.exec(line) ?? [];
      if (at !== undefined) resolve(at);
    });
    void exited.then(() => resolve(''));
  });
  assert.notEqual(url, '', `it does not serve: ${said.join('\n')}`);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
    return child.exitCode;
  };
  return {
    url,
    pid: child.pid ?? assert.fail('it has a process'),
    said,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  };
}

/** Starts it, and does not wait. It ends with the test's process. */
export function spawnGate(
  config: string,
  src = join(root, 'src'),
  args = ['serve', '--config', config, '--port', '0'],
): { readonly child: ChildProcess; readonly said: readonly string[] } {
  const child = spawn(process.execPath, [join(src, 'cli.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  createInterface({ input: child.stderr ?? assert.fail('stderr is a pipe') }).on('line', (line) =>
    said.push(line),
  );
  const reap = (): void => void child.kill('SIGKILL');
  process.once('exit', reap);
  child.once('exit', () => process.off('exit', reap));
  return { child, said };
}
