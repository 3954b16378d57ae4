// Runs a command with DATABASE_URL naming a fresh PostgreSQL, and ends with the command's exit code:
//   node bin/node.mjs scripts/with-postgres.mjs node --test …
//
// A DATABASE_URL that is already set is used as it is. Otherwise a cluster is made in a temporary folder, listens on a free
// port of 127.0.0.1 under a random password, and is gone afterwards. It keeps PostgreSQL's own durability settings: tests that
// kill things rely on them. PostgreSQL refuses to run as root, so root runs it as the system's `postgres` user.
//
// Where pgaudit is installed (Debian: postgresql-15-pgaudit) it is loaded, logs nothing until a session asks it to, and
// PGAUDIT_LOG names the file that is the server's log.

import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  createWriteStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const START_MS_MAX = 30_000;
const LOG_CHARS_MAX = 4_000;
const READY = 'database system is ready to accept connections';

/** The folder with initdb and postgres. Debian keeps them out of PATH. */
function programs() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  const found = folders.find(
    (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')),
  );
  if (found === undefined)
    throw new Error(
      'no PostgreSQL found: install it (Debian: apt-get install postgresql), or set DATABASE_URL',
    );
  return found;
}

/** Who PostgreSQL runs as: us, or its own user where we are root. */
function account() {
  if (process.getuid?.() !== 0) return {};
  const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function makeCluster({ bin, data, passwordFile }, options) {
  const settings = ['-D', data, '-U', 'countersign', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
  execFileSync(join(bin, 'initdb'), [...settings, '-E', 'UTF8', '--locale=C', '--no-sync'], {
    ...options,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Starts a cluster. `stop` shuts it down and removes its folder; it may be called twice. */
async function start() {
  const bin = programs();
  const as = account();
  const folder = mkdtempSync(join(tmpdir(), 'countersign-pg-'));
  const data = join(folder, 'data');
  const password = randomBytes(16).toString('hex');
  let server;
  const stop = async () => {
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      const ended = once(server, 'exit');
      server.kill('SIGINT'); // "fast": it ends the sessions and does not wait for them
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    chmodSync(folder, 0o700);
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, password);
    if (as.uid !== undefined) for (const path of [folder, passwordFile]) chownSync(path, as.uid, as.gid);
    const options = { ...as, cwd: folder };
    makeCluster({ bin, data, passwordFile }, options);
    const port = await freePort();
    const audit = existsSync(join(bin, '..', 'lib', 'pgaudit.so'));
    const log = audit ? join(folder, 'server.log') : undefined;
    const auditing = [
      'shared_preload_libraries=pgaudit',
      'log_timezone=UTC',
      'log_line_prefix=%m [%p] %q%u@%d %a ',
    ];
    // A process group of its own: Ctrl-C is for the command first, and for us to stop the server after it.
    server = spawn(
      join(bin, 'postgres'),
      [
        '-D',
        data,
        '-p',
        String(port),
        '-k',
        folder,
        '-c',
        'listen_addresses=127.0.0.1',
        ...(audit ? auditing.flatMap((setting) => ['-c', setting]) : []),
      ],
      {
        ...options,
        stdio: ['ignore', 'ignore', 'pipe'],
        detached: true,
      },
    );
    if (log !== undefined) server.stderr.pipe(createWriteStream(log));
    await ready(server);
    return { url: `postgres://countersign:${password}@127.0.0.1:${port}/postgres`, log, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits for the server's own word; its log is drained, and shown only where it does not start. */
function ready(server) {
  return new Promise((resolve, reject) => {
    let log = '';
    const fail = (why) => reject(new Error(`PostgreSQL did not start (${why})\n${log}`));
    const timer = setTimeout(() => fail(`${START_MS_MAX} ms passed`), START_MS_MAX);
    server.on('error', (error) => fail(error.message));
    server.on('exit', (code) => fail(`exit code ${code}`));
    server.stderr.setEncoding('utf8').on('data', (text) => {
      log = (log + text).slice(-LOG_CHARS_MAX);
      if (!log.includes(READY)) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

async function run(command, args, { url, log }) {
  const logged = log === undefined ? {} : { PGAUDIT_LOG: log };
  const env = { ...process.env, DATABASE_URL: url, ...logged };
  const child = spawn(command, args, { stdio: 'inherit', env });
  // As in bin/node.mjs: a terminal tells the child itself. Either way we live on, to clean up after it.
  const terminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => terminal || child.kill(signal));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code, signal] = await once(child, 'exit');
  return code ?? 128 + (constants.signals[signal] ?? 0);
}

const [command, ...args] = process.argv.slice(2);
if (command === undefined) {
  console.error('usage: with-postgres.mjs COMMAND [ARGUMENT…]');
  process.exit(2);
}
const given = process.env.DATABASE_URL;
const cluster = given ? { url: given, stop: async () => {} } : await start();
try {
  process.exitCode = await run(command, args, cluster);
} finally {
  await cluster.stop();
}
