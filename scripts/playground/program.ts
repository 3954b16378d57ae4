/**
 * Finds and runs the copy of Microsoft's playground that somebody has installed for themselves. Nothing of it is in this
 * repository, and nothing here installs it: its licence lets people use it to evaluate it and give feedback, and lets nobody pass
 * it on or offer it with a program of their own.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Person } from '../../test/channels/teams/support/platform.ts';

const name = '@microsoft/m365agentsplayground';
/** What this was written against and tried with. */
export const triedWith = '0.2.28';
/** Until it listens. */
const startMs = 30_000;
/** Until it has ended after it was told to. */
const endMs = 3000;

export const howToGet = `The playground is not here. It is Microsoft's, and not part of this repository. To get a copy of your own:

    mkdir playground && cd playground
    npm install --no-save ${name}@${triedWith}

and name that folder: --playground PATH. Read its LICENSE first: it lets you use it "for the purposes of evaluating it and
providing feedback to Microsoft", and neither share nor publish it, nor offer it together with a program of yours.`;

export interface Found {
  /** The package's own folder. */
  readonly folder: string;
  readonly version: string;
}

/** @param path the package's folder, or one that it was installed in. */
export async function findPlayground(path: string): Promise<Found | undefined> {
  for (const folder of [resolve(path), resolve(path, 'node_modules', name)]) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => 'null');
    // A package's own description; its fields are compared.
    const found = JSON.parse(text) as { readonly name?: unknown; readonly version?: unknown } | null;
    if (found?.name === name) return { folder, version: String(found.version) };
  }
  return undefined;
}

export interface Team {
  readonly tenant: string;
  readonly bot: string;
  readonly channel: string;
  /** Who sits before the playground. */
  readonly user: Person;
  /** At least five: with fewer the playground does not start, and says so in its log alone. */
  readonly others: readonly Person[];
}

export interface Playground {
  /** Its pages and its connector. */
  readonly origin: string;
  stop(): Promise<void>;
}

/** Runs it on loopback in a temporary folder, which is its home, too: nothing of it or about it stays. */
export async function startPlayground(
  { folder }: Found,
  team: Team,
  to: { readonly endpoint: string; readonly serviceUrl: string },
): Promise<Playground> {
  const home = await mkdtemp(join(tmpdir(), 'countersign-playground-'));
  await writeFile(join(home, '.m365agentsplayground.yml'), JSON.stringify(worldOf(team)));
  const where = ['-e', to.endpoint, '--service-url', to.serviceUrl, '-p', String(await freePort())];
  const options = [...where, '-c', 'msteams', '--disable-telemetry', 'true'];
  const child = spawn(
    process.execPath,
    ['--import', new URL('loopback.ts', import.meta.url).href, join(folder, 'cli.js'), 'start', ...options],
    {
      cwd: home,
      // Nothing of this machine's: the playground would take names and secrets of an app from there.
      env: { PATH: process.env['PATH'], HOME: home, USERPROFILE: home, BROWSER: 'none' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const stop = async (): Promise<void> => {
    await ended(child);
    await rm(home, { recursive: true, force: true });
  };
  try {
    return { origin: `http://127.0.0.1:${await portOf(child)}`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** It takes another port where the one that it was given is taken in the meantime. */
async function portOf(child: ChildProcess): Promise<string> {
  const { stdout } = child;
  if (stdout === null) throw new TypeError('the playground has no output');
  const ending = AbortSignal.timeout(startMs);
  try {
    for await (const line of createInterface({ input: stdout, signal: ending })) {
      const port = /^Listening on (\d+)$/.exec(line)?.[1];
      if (port === undefined) continue;
      stdout.resume(); // what it writes from here on is read by nobody
      return port;
    }
  } catch (error) {
    if (!ending.aborted) throw error;
  }
  throw new Error('The playground did not start.');
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), endMs);
  await exit;
  clearTimeout(late);
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  return address.port;
}

/** The playground's configuration file, which may be JSON since YAML may. */
const worldOf = ({ tenant, bot, channel, user, others }: Team): object => ({
  version: '0.1.0',
  tenantId: tenant,
  bot: { id: bot, name: 'Countersign' },
  currentUser: memberOf(user),
  users: others.map(memberOf),
  personalChat: { id: 'a:personal' },
  groupChat: { id: '19:meeting_abc@thread.v2', name: 'Group chat' },
  team: {
    id: '19:team@thread.tacv2',
    name: 'Contoso',
    aadGroupId: 'aaaaaaaa-0000-4000-8000-0000000000ff',
    channels: [{ id: channel, name: channelName }],
  },
});

/** As the playground's page shows it. */
export const channelName = 'Data approvals';

const memberOf = ({ name: given, aadObjectId }: Person): object => ({
  // Teams knows a member by their id in the directory as well, and the gate asks with that; the playground knows this one alone.
  id: aadObjectId,
  aadObjectId,
  name: given,
  userPrincipleName: `${given}@contoso.test`,
  givenName: given,
  surname: 'of Contoso',
  email: `${given}@contoso.test`,
});
