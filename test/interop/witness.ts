/**
 * A witness that is not ours, on loopback: litewitness cosigns our checkpoints when the gate's own client asks it, and refuses a log
 * that was rewritten, cut and grown again, or rolled back, although each is signed with the log's real key.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkpointText } from '../../src/log/checkpoint.ts';
import { consistencyProof, hashLeaf, rootAt, rootOf, type Hash, type NodeAt } from '../../src/log/merkle.ts';
import { noteWith, readNote, signLine, verifierOf, verifyNote, vkeyOf } from '../../src/log/note.ts';
import { rowsOf } from '../../src/log/tiles.ts';
import { askWitness } from '../../src/log/witness.ts';
import type { WitnessSettings } from '../../src/ports/log-settings.ts';
import { freePort } from '../support/ports.ts';
import type { Check, Place } from './check.ts';

const execute = promisify(execFile);
const name = 'witness.test/w1';
/** How long it may take to listen. */
const startMsMax = 20_000;

interface Running {
  readonly settings: WitnessSettings;
  close(): Promise<void>;
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, 'exit');
}

/** A witness that knows our log, with a key in an agent of its own. */
async function start({ debian, folder, fixture }: Place): Promise<Running> {
  const at = join(folder, 'witness');
  await mkdir(at, { recursive: true, mode: 0o700 });
  const bin = (program: string): string => join(debian.root, 'usr/bin', program);
  const [socket, key, db] = [join(at, 'agent.sock'), join(at, 'key'), join(at, 'witness.db')];
  await execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  const running: ChildProcess[] = [agent];
  const close = async (): Promise<void> => {
    for (const one of running) await stopped(one);
  };
  try {
    await until('the agent holds the key', async () => {
      await execute('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
      return true;
    });
    await execute(bin('witnessctl'), ['add-log', '-db', db, '-origin', fixture.keys.origin]);
    const logKey = ['-origin', fixture.keys.origin, '-key', fixture.vkey];
    await execute(bin('witnessctl'), ['add-key', '-db', db, ...logKey]);
    const { stdout } = await execute('ssh-keygen', ['-l', '-f', `${key}.pub`]);
    const fingerprint = stdout.split(' ')[1] ?? '';
    const listen = `127.0.0.1:${await freePort()}`;
    const options = ['-name', name, '-key', fingerprint, '-ssh-agent', socket, '-db', db, '-listen', listen];
    const witness = spawn(bin('litewitness'), options, { stdio: 'ignore' });
    running.push(witness);
    await until('litewitness listens', async () => (await fetch(`http://${listen}/`)).status > 0);
    return {
      settings: { key: vkeyOf(name, await publicKeyIn(`${key}.pub`), 4), url: `http://${listen}` },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + startMsMax;
  for (;;) {
    if (await holds().catch(() => false)) return;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** OpenSSH's public key file (RFC 4253, section 6.6; RFC 8709): the last 32 bytes are the key. */
async function publicKeyIn(file: string): Promise<ReturnType<typeof createPublicKey>> {
  const [, text = ''] = (await readFile(file, 'utf8')).split(' ');
  const raw = Buffer.from(text, 'base64').subarray(-32);
  return createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]),
    format: 'der',
    type: 'spki',
  });
}

const demand = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};

async function witnessed(place: Place): Promise<string> {
  const running = await start(place);
  try {
    return await asked(place, running.settings);
  } finally {
    await running.close();
  }
}

async function asked({ fixture }: Place, settings: WitnessSettings): Promise<string> {
  const { store, keys, size } = fixture;
  const leaves: Hash[] = [];
  for (let n = 0; leaves.length < size; n += 1) {
    const [row = []] = rowsOf((await store.tile(0, n)) ?? new Uint8Array());
    leaves.push(...row);
  }
  /** A tree of these leaves, signed with the log's real key and sent as what follows from what the witness saw. */
  const send = async (old: number, all: readonly Hash[]): ReturnType<typeof askWitness> => {
    const of = all.length;
    const nodes: NodeAt = (height, index) =>
      rootOf(all.slice(index * 2 ** height, (index + 1) * 2 ** height));
    const text = checkpointText({ origin: keys.origin, size: of, root: await rootAt(of, nodes) });
    const note = noteWith(text, [signLine(text, keys.origin, keys.log)]);
    const proof = old === 0 || old >= of ? [] : await consistencyProof(old, of, nodes);
    const answer = await askWitness(settings, { old, proof, note, size: of });
    if (answer.ok) demand(cosigns(text, answer.value.line, settings.key), 'its cosignature verifies');
    return answer;
  };
  const refused = async (what: string, old: number, all: readonly Hash[]): Promise<void> => {
    const answer = await send(old, all);
    demand(!answer.ok && answer.error.fork, `${what}: ${answer.ok ? 'cosigned' : answer.error.detail}`);
  };
  const taken = async (what: string, old: number, all: readonly Hash[]): Promise<void> => {
    const answer = await send(old, all);
    demand(answer.ok, `${what}: ${answer.ok ? '' : answer.error.detail}`);
  };
  const half = Math.floor(size / 2);
  const other = hashLeaf(Buffer.from('another'));
  await taken('the first checkpoint', 0, leaves.slice(0, half));
  const stale = await send(half - 1, leaves);
  demand(!stale.ok && stale.error.at === half, 'it says from where to go on');
  await refused('a log with entry 10 rewritten', half, leaves.with(10, other));
  await refused('a log that was cut and grown again', half, [
    ...leaves.slice(0, half - 100),
    ...Array<Hash>(200).fill(other),
  ]);
  await refused('another root for the same size', half, leaves.slice(0, half).with(10, other));
  await refused('a log that was rolled back', half - 50, leaves.slice(0, half - 50));
  await taken('the log that goes on', half, leaves);
  return 'two checkpoints cosigned; one rewritten, one cut and regrown, one altered and one rolled back refused';
}

function cosigns(text: string, line: string, vkey: string): boolean {
  const read = readNote(noteWith(text, [line]));
  const verifier = verifierOf(vkey);
  return read !== undefined && verifier !== undefined && verifyNote(read, [verifier])?.length === 1;
}

export const witnessChecks: readonly Check[] = [
  {
    name: 'litewitness cosigns what follows, and no fork',
    verifier: 'torchwood',
    packages: ['torchwood'],
    commands: ['ssh-agent', 'ssh-add', 'ssh-keygen'],
    run: witnessed,
  },
];
