/**
 * A PostgreSQL of a measurement's own: PostgreSQL's durability settings (fsync, full page writes and synchronous commits are on
 * while the clock runs), listening on loopback, gone afterwards. PostgreSQL refuses to run as root, so root runs it as the
 * system's `postgres` user.
 */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const startMsMax = 60_000;

export type Settings = Readonly<Record<string, string>>;

/** As an operator would set them for a database of some gigabytes; everything else is PostgreSQL's default. */
const sized: Settings = {
  shared_buffers: '2GB',
  max_wal_size: '8GB',
  max_connections: '200',
  effective_cache_size: '8GB',
};

/** For making a database, never for measuring: a crash would leave nothing of use. */
export const whileFilling: Settings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  maintenance_work_mem: '1GB',
};

export interface Postgres {
  readonly url: string;
  /** `pgbench`, `psql` and the like. */
  program(name: string): string;
  /** Runs statements with psql. */
  sql(text: string): Promise<string>;
  restart(settings?: Settings): Promise<void>;
  stop(): Promise<void>;
}

/** The folder with initdb and postgres; Debian keeps them out of PATH. */
function programs(): string {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  const found = folders.find((folder) => existsSync(join(folder, 'initdb')));
  if (found === undefined)
    throw new Error('There is no PostgreSQL here (Debian: apt-get install postgresql).');
  return found;
}

function account(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port was given.');
  return address.port;
}

/** @param beside the cluster's folder is made beside this one. @param kept a folder that is used as it is, and stays. */
export async function startPostgres(
  beside: string,
  settings: Settings = {},
  kept?: string,
): Promise<Postgres> {
  const bin = programs();
  const as = account();
  const folder = kept ?? mkdtempSync(join(dirname(beside), 'countersign-bench-pg-'));
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  if (!existsSync(data)) {
    chmodSync(folder, 0o700);
    writeFileSync(passwordFile, randomBytes(16).toString('hex'));
    if (as.uid !== undefined && as.gid !== undefined)
      for (const path of [folder, passwordFile]) chownSync(path, as.uid, as.gid);
    const how = ['-D', data, '-U', 'countersign', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
    execFileSync(join(bin, 'initdb'), [...how, '-E', 'UTF8', '--locale=C', '--no-sync'], {
      ...as,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const password = readFileSync(passwordFile, 'utf8');
  const port = await freePort();
  const url = `postgres://countersign:${password}@127.0.0.1:${port}/postgres`;
  const run = (more: Settings): Promise<ChildProcess> => {
    const options = { ...sized, listen_addresses: '127.0.0.1', ...more };
    const args = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), '-k', folder, ...args], {
      ...as,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return ready(server);
  };
  let server = await run(settings);
  const end = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGINT'); // "fast": it ends the sessions and does not wait for them
    await ended;
  };
  return {
    url,
    program: (name) => join(bin, name),
    sql: async (text) =>
      (
        await promisify(execFile)(join(bin, 'psql'), [
          '-qXAt',
          '-v',
          'ON_ERROR_STOP=1',
          '-d',
          url,
          '-c',
          text,
        ])
      ).stdout,
    async restart(more = {}) {
      await end();
      server = await run(more);
    },
    async stop() {
      await end();
      if (kept === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits for the server's own word. */
function ready(server: ChildProcess): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const fail = (why: string): void => {
      server.kill('SIGKILL');
      reject(new Error(`PostgreSQL did not start (${why}): ${said.slice(-5).join(' / ')}`));
    };
    const late = setTimeout(() => fail('no word in time'), startMsMax);
    server.once('exit', () => fail('it ended'));
    if (server.stderr === null) return fail('it has no output');
    createInterface(server.stderr).on('line', (line) => {
      said.push(line);
      if (said.length > 40) said.shift();
      if (!line.includes('database system is ready to accept connections')) return;
      clearTimeout(late);
      resolve(server);
    });
  });
}
