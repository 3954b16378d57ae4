/**
 * A real PgBouncer in transaction mode before the server of `DATABASE_URL`, as Debian ships it and with nothing allowed that it
 * does not allow by itself. PgBouncer refuses to run as root, so root runs it as the system's `postgres` user.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openPostgres } from '../../src/store/postgres.ts';
import { freePort } from '../support/ports.ts';
import { channels, until, type Bench } from '../store/bench.ts';
import { postgresBench, serverUrl } from './bench.ts';

/** Debian keeps it out of PATH. */
const program = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/usr/local/bin/pgbouncer'].find((one) =>
  existsSync(one),
);

interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

export class Pooler {
  readonly port: number;
  /** Databases as it knows them: each leads to a schema of the one that there is. */
  readonly #databases: string[] = [];
  readonly #folder: string;
  readonly #as: Account;
  #child: ChildProcess | undefined;

  private constructor(port: number, folder: string, as: Account) {
    this.port = port;
    this.#folder = folder;
    this.#as = as;
  }

  static async start(): Promise<Pooler> {
    const { username, password } = new URL(serverUrl);
    const folder = mkdtempSync(join(tmpdir(), 'countersign-pooler-'));
    const own = await freePort();
    const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
    const as = process.getuid?.() === 0 ? { uid: id('-u'), gid: id('-g') } : {};
    const users = join(folder, 'users.txt');
    writeFileSync(users, `"${username}" "${password}"\n`, { mode: 0o600 });
    const pooler = new Pooler(own, folder, as);
    pooler.#write();
    if (as.uid !== undefined && as.gid !== undefined)
      for (const path of [folder, users, pooler.#file]) chownSync(path, as.uid, as.gid);
    await pooler.run();
    return pooler;
  }

  get #file(): string {
    return join(this.#folder, 'pgbouncer.ini');
  }

  #write(): void {
    const settings = [
      '[databases]',
      ...this.#databases,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${this.port}`,
      'unix_socket_dir =',
      'auth_type = scram-sha-256',
      `auth_file = ${join(this.#folder, 'users.txt')}`,
      'pool_mode = transaction',
      'max_client_conn = 300',
      'default_pool_size = 6',
      'server_login_retry = 1',
      // Each test has a database, as the pooler sees it; what it leaves idle must not use up the server's connections.
      'server_idle_timeout = 2',
    ];
    writeFileSync(this.#file, `${settings.join('\n')}\n`, { mode: 0o600 });
  }

  /** A database of this name that is a schema of that name. @param also statements at the beginning of each session of the server. */
  async add(name: string, also: readonly string[] = []): Promise<string> {
    const { hostname, port, pathname } = new URL(serverUrl);
    const begin = [`SET search_path = ${name}`, ...also].join('; ');
    this.#databases.push(
      `${name} = host=${hostname} port=${port} dbname=${pathname.slice(1)} pool_size=6 connect_query='${begin}'`,
    );
    this.#write();
    this.#child?.kill('SIGHUP');
    const url = Object.assign(new URL(serverUrl), {
      host: `127.0.0.1:${this.port}`,
      pathname: `/${name}`,
    }).href;
    await until('it knows the database', () =>
      alone(url, 'SELECT 1').then(
        () => true,
        () => false,
      ),
    );
    return url;
  }

  async run(): Promise<void> {
    if (program === undefined) throw new Error('no PgBouncer found: apt-get install pgbouncer');
    const child = spawn(program, [join(this.#folder, 'pgbouncer.ini')], {
      ...this.#as,
      cwd: this.#folder,
      stdio: 'ignore',
    });
    this.#child = child;
    await until('PgBouncer listens', () => {
      if (child.exitCode !== null) throw new Error(`PgBouncer ended with ${child.exitCode}`);
      return new Promise((resolve) => {
        const socket = connect(this.port, '127.0.0.1');
        socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
        socket.on('connect', () => socket.destroy());
      });
    });
  }

  /** kill -9: every connection through it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export interface PooledBench extends Bench {
  /** Through the pooler. */
  readonly url: string;
  readonly direct: string;
}

/** A schema of one's own, which the pooler chooses: the search path of a session is nobody's behind it. */
export async function pooledBench(pooler: Pooler, also: readonly string[] = []): Promise<PooledBench> {
  const bench = await postgresBench();
  const schema = new URL(bench.url).searchParams.get('options')?.split('=')[1] ?? '';
  const url = await pooler.add(schema, also);
  return {
    ...bench,
    url,
    direct: bench.url,
    open: ({ exclusive: _one, ...options }) => openPostgres({ url, direct: bench.url, channels, ...options }),
  };
}

/** One statement on a connection of its own. */
async function alone(to: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: to });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
