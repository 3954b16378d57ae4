/** Programs of our own that the measurements need: started, waited for, and ended with the run. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** How long a program may take until it says where it listens. */
const startMsMax = 20_000;

export const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export interface Serving {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts a program of this repository that prints `listening on URL`. */
export async function serving(
  script: string,
  args: readonly string[],
  nodeArgs: readonly string[] = [],
): Promise<Serving> {
  const child = spawn(process.execPath, [...nodeArgs, fileOf(script), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  createInterface(child.stderr).on('line', (line) => {
    said.push(line);
    if (said.length > 40) said.shift();
  });
  const url = await urlOf(child).catch((error: unknown) => {
    child.kill();
    throw new Error(`${script} did not start: ${said.join(' / ') || String(error)}`);
  });
  return {
    url,
    pid: child.pid ?? 0, // it has one: it has spoken
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

function urlOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('It said nothing in time.')), startMsMax);
    child.once('exit', () => reject(new Error('It ended.')));
    if (child.stdout === null) return reject(new Error('It has no output.'));
    createInterface(child.stdout).on('line', (line) => {
      const url = /^listening on (\S+)$/.exec(line)?.[1];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(url);
    });
  });
}

/** Runs the command line from the checkout; answers its output. */
export async function cli(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [fileOf('../src/cli.ts'), ...args]).catch(
    (error: unknown) => {
      // execFile's errors have what the program said; its own message is the command.
      const { stderr = '' } = error as { readonly stderr?: string };
      throw new Error(`countersign ${args[0] ?? ''}: ${stderr.trim().split('\n').at(-1) ?? ''}`);
    },
  );
  return stdout.trim();
}
