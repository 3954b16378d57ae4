/**
 * Verifiers that are not ours, out of Debian: fetched with a package list of our own and unpacked into a folder of our own, so that
 * nothing of the machine changes. What is not there is a reason, never a failure: versions in a moving suite come and go.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The suite that has all of them; older ones have verifiers that cannot read what is new in Sigstore. */
const suite = 'sid';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const apt = '/usr/bin/apt-get';
/** Fetching one set of packages. */
const fetchMsMax = 180_000;

export interface Debian {
  /** Where packages are unpacked: `root/usr/bin/cosign`. */
  readonly root: string;
  /** Fetches and unpacks packages; a reason where one cannot be had. */
  need(packages: readonly string[]): Promise<string | null>;
  /** The version of a package that was fetched. */
  versionOf(name: string): string;
}

/** @param folder of our own; what it holds already is used again. */
export async function debianIn(folder: string): Promise<Debian> {
  const root = join(folder, 'root');
  const packages = join(folder, 'packages');
  const options = await prepared(folder);
  const known = new Map<string, string>();
  return {
    root,
    async need(names) {
      if (typeof options === 'string') return options;
      for (const name of names) {
        if (known.has(name)) continue;
        const version = await candidate(name, options);
        if (version === undefined) return `Debian ${suite} has no package ${name} for this machine now`;
        const fetched = await fetchOne(name, { packages, root, options });
        if (fetched !== null) return fetched;
        known.set(name, version);
      }
      return null;
    },
    versionOf: (name) => known.get(name) ?? 'of unknown version',
  };
}

/** Options that keep apt to our own folder; in words why there is none. */
async function prepared(folder: string): Promise<readonly string[] | string> {
  if (!existsSync(apt) || !existsSync('/usr/bin/dpkg')) return 'there is no apt here';
  if (!existsSync(keyring)) return `${keyring} is not here, so nothing fetched could be trusted`;
  for (const name of ['lists/partial', 'cache/archives/partial', 'root', 'packages'])
    await mkdir(join(folder, name), { recursive: true });
  const list = join(folder, 'sources.list');
  await writeFile(list, `deb [signed-by=${keyring}] http://deb.debian.org/debian ${suite} main\n`);
  const options = [
    `Dir::Etc::sourcelist=${list}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${join(folder, 'lists')}`,
    `Dir::Cache=${join(folder, 'cache')}`,
    'APT::Sandbox::User=',
    'Acquire::Retries=2',
    'Acquire::http::Timeout=30',
  ].flatMap((one) => ['-o', one]);
  try {
    await run(apt, [...options, '-qq', '-o', 'APT::Update::Error-Mode=any', 'update'], {
      timeout: fetchMsMax,
    });
    return options;
  } catch (error) {
    return `the package list of Debian ${suite} could not be fetched (${lastLine(error)})`;
  }
}

async function candidate(name: string, options: readonly string[]): Promise<string | undefined> {
  const { stdout } = await run('/usr/bin/apt-cache', [...options, 'policy', name]);
  const version = /Candidate: (\S+)/.exec(stdout)?.[1];
  return version === '(none)' ? undefined : version;
}

async function fetchOne(
  name: string,
  at: { readonly packages: string; readonly root: string; readonly options: readonly string[] },
): Promise<string | null> {
  try {
    const has = async (): Promise<string | undefined> =>
      (await readdir(at.packages)).find((file) => file.startsWith(`${name}_`));
    if ((await has()) === undefined)
      await run(apt, [...at.options, '-qq', 'download', name], { cwd: at.packages, timeout: fetchMsMax });
    await run('/usr/bin/dpkg', ['-x', join(at.packages, (await has()) ?? ''), at.root]);
    return null;
  } catch (error) {
    return `${name} could not be fetched (${lastLine(error)})`;
  }
}

/** What a program said last. */
export function lastLine(error: unknown): string {
  const said =
    error instanceof Error && 'stderr' in error && String(error.stderr).trim() !== ''
      ? String(error.stderr)
      : String(error);
  return said.trim().split('\n').at(-1) ?? '';
}
