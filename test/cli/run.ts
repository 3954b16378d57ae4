/** Runs the command line as a process of its own, as people and scripts do. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { root } from '../support/source.ts';

const cli = join(root, 'src', 'cli.ts');

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface How {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Nothing of the caller's environment but what Node needs. */
const base = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };

export function start(
  args: readonly string[],
  how: How = {},
): ChildProcess & { readonly stdout: NodeJS.ReadableStream; readonly stderr: NodeJS.ReadableStream } {
  return spawn(process.execPath, [cli, ...args], {
    cwd: how.cwd ?? root,
    env: { ...base, ...how.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Until it ends by itself. */
export async function run(args: readonly string[], how: How = {}): Promise<Ran> {
  const child = start(args, how);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, out, err };
}

/** A folder with these files, removed at the end. */
export async function inFolder<T>(
  files: Readonly<Record<string, string>>,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-cli-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** A small organisation: refunds need rosa; sam owns the agent. */
export const organisation: Readonly<Record<string, string>> = {
  'countersign.yaml': `
listen: 127.0.0.1:0
roles: { operators: platform, auditors: audit }
people:
  - { id: rosa, name: Rosa Diaz, groups: [data-owners] }
  - { id: sam, name: Sam Lee, groups: [data-owners, platform, audit] }
agents:
  - { id: bot, owners: [sam], groups: [bots] }
operations:
  bill___refund:
    input: { type: object, required: [cents], properties: { cents: { type: integer }, note: { type: string } } }
    profile: { verb: Refund, effect: write, environment: prod, object: input.cents, reversible: false }
`,
  'policies/bill.cedar': `
@id("bots") permit (principal in Group::"bots", action, resource);
@id("refunds") @title("A refund needs a data owner") @approvers("data-owners")
forbid (principal, action == Action::"bill___refund", resource) when { context.input.cents > 100 };
`,
};

/** A gate that serves, by the command line. */
export async function serving<T>(
  folder: string,
  work: (gate: {
    readonly url: string;
    readonly child: ChildProcess;
    readonly err: () => string;
  }) => Promise<T>,
  args: readonly string[] = [],
): Promise<T> {
  const child = start(['serve', ...args], { cwd: folder });
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let out = '';
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString();
        const found = /^listening on (\S+)\n$/.exec(out);
        if (found !== null) resolve(found[1] ?? '');
      });
      child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${err}`)));
    });
    return await work({ url, child, err: () => err });
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
  }
}

/** Waits until something has become true, which it does soon or never. */
export async function until(holds: () => boolean, what: () => string): Promise<void> {
  const begun = performance.now();
  while (!holds()) {
    if (performance.now() - begun > 30_000) throw new Error(`this did not happen in time: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
