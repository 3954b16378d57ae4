/**
 * Other MCP proxies, as programs of their own and with their own defaults, from bench/proxies: `npm ci` there when they are first
 * asked for, which is the only thing in this folder that needs a network.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fileOf, type Serving } from './process.ts';

/** How long one may take until it listens. */
const startMsMax = 20_000;
const installMsMax = 300_000;

const folder = fileOf('proxies');
const inside = (path: string): string => `${folder}/node_modules/${path}`;

/** Installs them where they are not; answers `name version` of each. */
export async function installRivals(): Promise<readonly string[]> {
  if (!existsSync(inside('supergateway'))) {
    console.error('installing bench/proxies');
    const args = ['ci', '--no-audit', '--no-fund', '--ignore-scripts'];
    await promisify(execFile)('npm', args, { cwd: folder, timeout: installMsMax });
  }
  return ['@civic/passthrough-mcp-server', 'supergateway'].map((name) => {
    // A package's own manifest: `version` is a text in each that npm installs.
    const { version } = JSON.parse(readFileSync(inside(`${name}/package.json`), 'utf8')) as {
      readonly version: string;
    };
    return `${name} ${version}`;
  });
}

/** HTTP to HTTP. Its command line logs to standard output whatever happens; that is thrown away. */
export async function startPassthrough(upstream: string): Promise<Serving> {
  const port = await freePort();
  const { origin, pathname } = new URL(upstream);
  return started(port, [inside('@civic/passthrough-mcp-server/dist/cli.js')], {
    PORT: String(port),
    TARGET_SERVER_URL: origin,
    TARGET_SERVER_MCP_PATH: pathname,
  });
}

/** HTTP to stdio, with sessions as its readers are told to, and without its log, which has every message in it. */
export async function startSupergateway(): Promise<Serving> {
  const port = await freePort();
  const command = [process.execPath, fileOf('upstream.ts'), 'stdio'].map((part) => `"${part}"`).join(' ');
  const args = [
    '--stdio',
    command,
    '--outputTransport',
    'streamableHttp',
    '--stateful',
    '--logLevel',
    'none',
  ];
  return started(port, [inside('supergateway/dist/index.js'), ...args, '--port', String(port)], {});
}

async function started(
  port: number,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Serving> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  const end = performance.now() + startMsMax;
  while (!(await listens(port))) {
    if (child.exitCode !== null || performance.now() > end) {
      await stop();
      throw new Error(`${args[0]?.replace(folder, '') ?? ''} did not start.`);
    }
    await pause(50);
  }
  // It has a pid: it listens.
  return { url: `http://127.0.0.1:${port}/mcp`, pid: child.pid ?? 0, stop };
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('There is no port.');
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return address.port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
