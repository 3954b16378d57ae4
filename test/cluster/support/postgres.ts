/**
 * A PostgreSQL server of our own on a free port of loopback, that can be killed whole, started again, promoted, and made anew as
 * a copy of another one. It keeps PostgreSQL's own durability settings: what is killed here relies on them. PostgreSQL refuses to
 * run as root, so root runs it as the system's `postgres` user (scripts/with-postgres.mjs).
 */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { endsWithUs, hasEnded, killWhole } from './ended.ts';

const run = promisify(execFile);

const startMsMax = 60_000;
const user = 'countersign';

/** What every server of a run shares. */
export interface Cluster {
  readonly folder: string;
  readonly password: string;
}

interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

function programs(): string {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  const found = folders.find((one) => existsSync(join(one, 'initdb')) && existsSync(join(one, 'postgres')));
  if (found === undefined) throw new Error('no PostgreSQL found: apt-get install postgresql');
  return found;
}

function account(): Account {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** Gives a file or folder to whom PostgreSQL runs as. */
export function give(path: string): void {
  const { uid, gid } = account();
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

/** Settings of every server: a standby that was away finds what it missed, and looks for it again at once. */
const settings = {
  listen_addresses: '127.0.0.1',
  max_connections: '80',
  shared_buffers: '64MB',
  wal_keep_size: '512MB',
  wal_retrieve_retry_interval: '200ms',
  hot_standby_feedback: 'on',
} as const;

export class PostgresServer {
  readonly name: string;
  readonly port: number;
  readonly data: string;
  readonly #cluster: Cluster;
  #process: ChildProcess | undefined;

  constructor(cluster: Cluster, name: string, port: number) {
    this.name = name;
    this.port = port;
    this.data = join(cluster.folder, name);
    this.#cluster = cluster;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /** Makes an empty database. */
  async initialise(): Promise<void> {
    const { folder, password } = this.#cluster;
    const file = join(folder, `${this.name}.password`);
    writeFileSync(file, password, { mode: 0o600 });
    give(file);
    const how = [
      '-U',
      user,
      '-A',
      'scram-sha-256',
      `--pwfile=${file}`,
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
    ];
    await this.#program('initdb', ['-D', this.data, ...how]);
  }

  /** Becomes a copy of another server, and will follow it through `port`. What was here is gone. */
  async copyOf(other: PostgresServer, port: number): Promise<void> {
    rmSync(this.data, { recursive: true, force: true });
    mkdirSync(this.data, { mode: 0o700 });
    give(this.data);
    const from = ['-h', '127.0.0.1', '-p', String(other.port), '-U', user];
    await this.#program('pg_basebackup', [
      '-D',
      this.data,
      ...from,
      '-X',
      'stream',
      '-c',
      'fast',
      '--no-sync',
    ]);
    const { password } = this.#cluster;
    const info = `host=127.0.0.1 port=${port} user=${user} password=${password} application_name=${this.name}`;
    writeFileSync(join(this.data, 'follow.conf'), `primary_conninfo = '${info}'\n`, { mode: 0o600 });
    writeFileSync(join(this.data, 'standby.signal'), '');
    for (const file of ['follow.conf', 'standby.signal']) give(join(this.data, file));
    const conf = join(this.data, 'postgresql.conf');
    const said = "include_if_exists = 'follow.conf'";
    const before = readFileSync(conf, 'utf8');
    if (!before.includes(said)) writeFileSync(conf, `${before}\n${said}\n`);
  }

  /** Resolves when it accepts connections. */
  async start(): Promise<void> {
    const args = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    const child = spawn(
      join(programs(), 'postgres'),
      ['-D', this.data, '-p', String(this.port), '-k', this.#cluster.folder, ...args],
      { ...account(), cwd: this.#cluster.folder, stdio: ['ignore', 'ignore', 'pipe'], detached: true },
    );
    if (child.pid !== undefined) endsWithUs(child.pid);
    this.#process = child;
    child.stderr.pipe(createWriteStream(join(this.#cluster.folder, `${this.name}.log`), { flags: 'a' }));
    await ready(child, this.name);
  }

  /** kill -9 of the postmaster and of everything that it started. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined) return;
    const ended = child.exitCode !== null || child.signalCode !== null ? undefined : once(child, 'exit');
    killWhole(child.pid);
    await ended;
    hasEnded(child.pid);
    this.#process = undefined;
  }

  async promote(): Promise<void> {
    await this.#program('pg_ctl', ['promote', '-D', this.data, '-w', '-t', '60']);
    rmSync(join(this.data, 'follow.conf'), { force: true });
  }

  /** Asks it directly, past every proxy. */
  async query(sql: string, params: readonly unknown[] = []): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({
      connectionString: this.url,
      connectionTimeoutMillis: 10_000,
      query_timeout: 30_000,
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql, [...params])).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  get url(): string {
    return `postgres://${user}:${this.#cluster.password}@127.0.0.1:${this.port}/postgres`;
  }

  async #program(name: string, args: readonly string[]): Promise<void> {
    const env = { ...process.env, PGPASSWORD: this.#cluster.password };
    await run(join(programs(), name), args, { ...account(), cwd: this.#cluster.folder, env });
  }
}

/** How a gate names both, each behind a proxy of its own. */
export const urlOfPair = ({ password }: Cluster, ports: readonly number[]): string =>
  `postgres://${user}:${password}@${ports.map((port) => `127.0.0.1:${port}`).join(',')}/postgres`;

/** Waits for the server's own word, as a primary or as a standby. */
function ready(
  child: ChildProcess & { readonly stderr: NodeJS.ReadableStream },
  name: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    const fail = (why: string): void =>
      reject(new Error(`PostgreSQL ${name} did not start (${why})\n${log.slice(-4000)}`));
    const timer = setTimeout(() => fail(`${startMsMax} ms passed`), startMsMax);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`exit code ${code}`));
    child.stderr.on('data', (chunk: Buffer) => {
      if (log === 'ready') return;
      log += chunk.toString();
      if (!log.includes('ready to accept')) return;
      log = 'ready';
      clearTimeout(timer);
      resolve();
    });
  });
}
