// Adds to package-lock.json the platform packages that npm left out. Run it after every change of dependencies:
//   npm install && npm run lock
//
// A linter's binary is one optional package a platform. npm leaves those out of the lock that the registry in use does not
// serve (a mirror may hold Linux only), and then `npm ci` stops with "Missing: … from lock file", on every platform.
// An entry that this adds has no integrity, because there was nothing to hash; the next `npm install` where the
// package is served fills it in. Entries that npm wrote stay as they are, so running this twice changes nothing.

import { readFileSync, writeFileSync } from 'node:fs';

const OS = {
  android: 'android',
  darwin: 'darwin',
  freebsd: 'freebsd',
  linux: 'linux',
  openharmony: 'openharmony',
  win32: 'win32',
};
const CPU = {
  arm: 'arm',
  arm64: 'arm64',
  ia32: 'ia32',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  x64: 'x64',
};
const LIBC = { gnu: 'glibc', gnueabihf: 'glibc', musl: 'musl', musleabihf: 'musl' };
/** Parts of such names that say nothing more about the platform. */
const SILENT = new Set(['binding', 'eabi', 'msvc']);

/** What `@oxlint/binding-linux-arm64-musl` says of its platform; undefined where a part of the name is not understood. */
function platform(name) {
  const found = {};
  for (const part of name.slice(name.indexOf('/') + 1).split('-')) {
    if (OS[part]) found.os = [OS[part]];
    else if (CPU[part]) found.cpu = [CPU[part]];
    else if (LIBC[part]) found.libc = [LIBC[part]];
    else if (!SILENT.has(part)) return undefined;
  }
  return found.os && found.cpu ? found : undefined;
}

/** Whether the lock has the dependency where Node would find it from `from` (nested, or hoisted). */
function present(packages, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    if (packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`]) return true;
    if (at === '') return false;
  }
}

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const added = [];
for (const [from, parent] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (present(lock.packages, from, name)) continue;
    const where = platform(name);
    if (where === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
      console.error(
        `complete-lock: cannot tell the platform or the exact version of ${name}@${version} (of ${from})`,
      );
      process.exitCode = 1;
      continue;
    }
    const { os, cpu, libc } = where;
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(parent.dev ? { dev: true } : {}),
      ...(libc ? { libc } : {}),
      optional: true,
      os,
    };
    added.push(`${name}@${version}`);
  }
}

// npm's own order, so that its next run moves nothing.
const packages = Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, 'en'));
lock.packages = Object.fromEntries(packages);
if (added.length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`complete-lock: ${added.length} added${added.map((line) => `\n  ${line}`).join('')}`);
