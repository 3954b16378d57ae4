// `npm run sim`: lives every simulation, on both stores where PostgreSQL is there. Where it is not, it says so, and how to have it.
//
// The servers and folders of simulated lives are in memory where the machine has such a folder: what a disk loses is tested
// elsewhere (test/store/crash.test.ts), and waiting for it would be most of a life.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const debian = '/usr/lib/postgresql';
const folders = [
  ...(existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : []),
  ...(process.env.PATH ?? '').split(delimiter),
];
const there =
  (process.env.DATABASE_URL ?? '') !== '' || folders.some((folder) => existsSync(join(folder, 'initdb')));

const lives = ['--test', '--test-concurrency=3', '--test-timeout=900000', 'test/sim/**/*.test.ts'];
const how = there ? ['scripts/with-postgres.mjs', 'node', ...lives] : lives;
if (!there)
  process.stderr.write(
    'PostgreSQL is not here, so the lives on it are SKIPPED, and only those on the embedded store are lived.\n' +
      'To live them too: apt-get install postgresql, or DATABASE_URL=postgres://… npm run sim\n\n',
  );
const env = { ...process.env, ...(existsSync('/dev/shm') ? { TMPDIR: '/dev/shm' } : {}) };
const child = spawn(process.execPath, how, { stdio: 'inherit', env });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => {
  if (!there) process.stderr.write('\nSKIPPED: the lives on PostgreSQL, which is not here.\n');
  process.exitCode = code ?? 1;
});
