/**
 * From `git clone` to the first held call, as a newcomer's machine goes through it, in an empty folder: the two ways of the README. The
 * demo (`npm start`), where an agent of ours asks; and a server of one's own (`init`, `serve`, a token, a client). Nobody types
 * here: what is measured is what they wait for.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Measurement } from './measurement.ts';
import { fileOf } from './process.ts';
import { Series, summary } from './stats.ts';

/** An installation is long, and the same each time. */
const roundsMax = 3;
/** How long one step may take. */
const stepMsMax = 300_000;

const run = promisify(execFile);

const names = [
  'git clone',
  'npm ci',
  'npm start, until the gate runs',
  'until the demo’s agent is held',
  'clone to first held call, demo',
  'init of one’s own server',
  'serve, until the gate runs',
  'token, client, until its call is held',
  'clone to first held call, own server',
] as const;
type Step = (typeof names)[number];

export function firstHour(folder: string): Measurement {
  const series = new Map(names.map((name) => [name, new Series(name)]));
  let rounds = 0;
  return {
    name: 'first-hour',
    async round() {
      if (rounds >= roundsMax) return;
      rounds += 1;
      const home = join(folder, `newcomer-${rounds}`);
      for (const [step, seconds] of await newcomer(home)) series.get(step)?.slice([seconds]);
      rmSync(home, { recursive: true, force: true });
    },
    tables: () => [
      {
        title: 'From clone to the first held call',
        method:
          'A clone of this checkout’s last commit, `npm ci`, and then the two ways of the README, one after the other. npm’s own cache is as this machine has it, and the clone comes from this disk.',
        unit: 's',
        variants: [...series.values()].map(summary),
        comparisons: [],
        goals: [],
        notes: ['nobody types: it is what a newcomer waits for'],
      },
    ],
    close: async () => undefined,
  };
}

async function newcomer(home: string): Promise<ReadonlyMap<Step, number>> {
  const took = new Map<Step, number>();
  const timed = async <T>(step: Step, work: Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await work;
    took.set(step, (performance.now() - from) / 1000);
    return result;
  };
  const sum = (...steps: readonly Step[]): number =>
    steps.reduce((total, step) => total + (took.get(step) ?? Number.NaN), 0);
  const options = { timeout: stepMsMax };
  await timed('git clone', run('git', ['clone', '--quiet', pathToFileURL(fileOf('..')).href, home], options));
  await timed('npm ci', run('npm', ['ci'], { ...options, cwd: home, maxBuffer: 2 ** 24 }));
  await demo(home, timed);
  took.set(
    'clone to first held call, demo',
    sum('git clone', 'npm ci', 'npm start, until the gate runs', 'until the demo’s agent is held'),
  );
  await own(home, timed);
  took.set(
    'clone to first held call, own server',
    sum(
      'git clone',
      'npm ci',
      'init of one’s own server',
      'serve, until the gate runs',
      'token, client, until its call is held',
    ),
  );
  return took;
}

type Timed = <T>(step: Step, work: Promise<T>) => Promise<T>;

async function demo(home: string, timed: Timed): Promise<void> {
  const started = program(home, ['start', '-s', '--', '--port', '0']);
  try {
    await timed('npm start, until the gate runs', started.says(/The gate runs at /));
    await timed('until the demo’s agent is held', started.says(/ held: .*\/approvals\/apr_/));
  } finally {
    await started.stop();
  }
}

async function own(home: string, timed: Timed): Promise<void> {
  mkdirSync(join(home, 'sandbox'));
  const cli = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run('npm', ['run', '-s', 'cli', '--', ...args], {
      cwd: home,
      timeout: stepMsMax,
    });
    return stdout.trim();
  };
  const server = ['node', 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js', './sandbox'];
  await timed('init of one’s own server', cli('init', 'files', '--yes', '--', ...server));
  const config = ['--config', 'countersign.yaml'];
  const serve = program(home, ['run', '-s', 'cli', '--', 'serve', ...config, '--port', '0']);
  try {
    const line = await timed('serve, until the gate runs', serve.says(/^listening on (\S+)$/));
    const origin = line.replace('listening on ', '');
    await timed('token, client, until its call is held', held(origin, cli, config));
  } finally {
    await serve.stop();
  }
}

/** A client of the agent's calls a tool; resolves once the reviewer sees it. */
async function held(
  origin: string,
  cli: (...args: readonly string[]) => Promise<string>,
  config: readonly string[],
): Promise<void> {
  const agent = await cli('token', 'agent', 'agent', ...config);
  const reviewer = await cli('token', 'person', 'reviewer', ...config);
  const client = new Client({ name: 'newcomer', version: '1' });
  const headers = { authorization: `Bearer ${agent}` };
  const transport = new StreamableHTTPClientTransport(new URL(`${origin}/mcp/files`), {
    requestInit: { headers },
  });
  await client.connect(transport);
  const call = client.callTool({ name: 'create_directory', arguments: { path: 'sandbox/first' } });
  // It stays held, and ends with the gate.
  call.catch(() => undefined);
  const end = performance.now() + stepMsMax;
  for (;;) {
    const response = await fetch(`${origin}/v1/approvals?status=pending`, {
      headers: { authorization: `Bearer ${reviewer}` },
    });
    // The API's own shape (design §8).
    const { items = [] } = (await response.json()) as { readonly items?: readonly unknown[] };
    if (items.length > 0) break;
    if (performance.now() > end) throw new Error('The call was not held.');
    await pause(10);
  }
  await client.close();
}

interface Program {
  /** Resolves with the first line that matches; rejects where the program ends before. */
  says(pattern: RegExp): Promise<string>;
  stop(): Promise<void>;
}

/** `npm ARGS` in a process group of its own: npm does not pass on every signal. */
function program(home: string, args: readonly string[]): Program {
  const child: ChildProcess = spawn('npm', args, {
    cwd: home,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const lines: string[] = [];
  const look = new Set<() => void>();
  let over = false;
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface(stream).on('line', (line) => {
      lines.push(line);
      for (const one of look) one();
    });
  }
  const exited = once(child, 'exit').then(() => {
    over = true;
    for (const one of look) one();
  });
  return {
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error('It said nothing in time.')), stepMsMax);
        const check = (): void => {
          const line = lines.find((one) => pattern.test(one));
          if (line === undefined && !over) return;
          clearTimeout(late);
          look.delete(check);
          if (line === undefined) reject(new Error(`npm ${args[0] ?? ''} ended: ${lines.at(-1) ?? ''}`));
          else resolve(line);
        };
        look.add(check);
        check();
      }),
    stop: async () => {
      if (over || child.pid === undefined) return;
      process.kill(-child.pid, 'SIGTERM');
      await exited;
    },
  };
}
