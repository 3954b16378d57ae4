/**
 * What a reader must know of the machine to judge a number. Nothing in here names the machine: no host name, no user, no
 * path of it.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import {
  arch,
  availableParallelism,
  cpus,
  homedir,
  loadavg,
  platform,
  release,
  tmpdir,
  totalmem,
} from 'node:os';
import { join } from 'node:path';

export interface Machine {
  readonly platform: string;
  readonly kernel: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  /** Of the last minute when the run began, by `uptime`: more than a little says that the machine was not ours alone. */
  readonly loadBefore: number;
  /** Of the folder that the databases were in. */
  readonly fileSystem: string;
}

/** `f_type` of statfs(2), for where there is no /proc/mounts to read. */
const magic: Readonly<Record<number, string>> = {
  0xef53: 'ext2/3/4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x01021994: 'tmpfs',
  0x858458f6: 'ramfs',
  0x794c7630: 'overlay',
  0x2fc12fc1: 'zfs',
  0x6969: 'nfs',
};

export function fileSystemOf(folder: string): string {
  const mounts = existsSync('/proc/mounts') ? readFileSync('/proc/mounts', 'utf8').split('\n') : [];
  const found = mounts
    .map((line) => line.split(' '))
    .filter(([, at = '']) => at === '/' || `${folder}/`.startsWith(`${at}/`))
    .toSorted(([, a = ''], [, b = '']) => a.length - b.length)
    .at(-1);
  return found?.[2] ?? magic[statfsSync(folder).type] ?? `type 0x${statfsSync(folder).type.toString(16)}`;
}

const inMemory: ReadonlySet<string> = new Set(['tmpfs', 'ramfs', 'devtmpfs']);

/** A new folder on a real disk, if there is one to be found: on a file system in memory fdatasync costs nothing. */
export function scratchFolder(wanted: string | undefined): { readonly folder: string; remove(): void } {
  const candidates = wanted === undefined ? [tmpdir(), '/var/tmp', homedir()] : [wanted];
  const usable = candidates.filter((each) => existsSync(each));
  const parent = usable.find((each) => !inMemory.has(fileSystemOf(each))) ?? usable[0];
  if (parent === undefined) throw new Error('There is no folder to measure in; name one with --dir.');
  const folder = mkdtempSync(join(parent, 'countersign-bench-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export const machineOf = (folder: string): Machine => ({
  platform: `${platform()} ${arch()}`,
  kernel: release(),
  cores: availableParallelism(),
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  loadBefore: loadavg()[0] ?? 0,
  fileSystem: fileSystemOf(folder),
});

const packages = [
  '@modelcontextprotocol/sdk',
  '@cedar-policy/cedar-wasm',
  '@hono/node-server',
  'hono',
  'ajv',
];

export function versions(): Readonly<Record<string, string>> {
  const versionIn = (path: string): string => {
    // A package's own manifest: `version` is a text in each that npm installs.
    const manifest = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string };
    return manifest.version;
  };
  return {
    countersign: versionIn('../package.json'),
    node: process.versions.node,
    sqlite: process.versions['sqlite'] ?? 'unknown',
    ...Object.fromEntries(packages.map((name) => [name, versionIn(`../node_modules/${name}/package.json`)])),
  };
}
