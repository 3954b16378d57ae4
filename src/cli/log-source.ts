/** Where `log verify` and `log copy` read the log, and the keys and checkpoints that an auditor brings. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { noteBytesMax, verifierOf, type Verifier } from '../log/note.ts';
import { folderSource } from '../log/verify/folder.ts';
import { keysOfText, type Trust } from '../log/verify/keys.ts';
import type { LogSource } from '../log/verify/source.ts';
import { storeSource } from '../log/verify/store-source.ts';
import { openStore } from '../main.ts';
import { Failure, UsageError, type Args } from './command.ts';
import { exists, settingsOf } from './files.ts';
import type { Io } from './io.ts';

export interface OpenSource {
  readonly source: LogSource;
  /** Of the configuration, where the log is in a store. */
  readonly witnesses: readonly Verifier[];
  close(): Promise<void>;
}

/** Checkpoints that are given at once. */
const heldMax = 1000;
/** A list of keys. */
const keysBytesMax = 1_048_576;

/** The log in a folder; or, where none is named, in the store of the configuration. */
export async function openSource(folder: string | undefined, args: Args, io: Io): Promise<OpenSource> {
  if (folder !== undefined) {
    const path = io.path(folder);
    if (args.values['config'] !== undefined)
      throw new UsageError('Name a folder, or a configuration with --config, not both.');
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() !== true) throw new Failure(`There is no folder ${folder}.`);
    return {
      source: folderSource(path, `the folder ${folder}`),
      witnesses: [],
      close: () => Promise.resolve(),
    };
  }
  const settings = await settingsOf(args, io, 'ignored');
  const witnesses = settings.log.witnesses.flatMap(({ key }) => verifierOf(key) ?? []);
  if (settings.store.kind === 'sqlite') {
    const { directory } = settings.store;
    if (!(await exists(directory)))
      throw new Failure(
        `There is no store at ${io.typed(directory)} yet; a gate makes it when it first runs.`,
      );
    const { readSqliteLog } = await import('../store/sqlite-read.ts');
    const log = await readSqliteLog(directory);
    return {
      source: storeSource(log, `the store in ${io.typed(directory)}`),
      witnesses,
      close: () => Promise.resolve(log.close()),
    };
  }
  const store = await openStore(settings, { exclusive: false });
  return { source: storeSource(store, 'the store in PostgreSQL'), witnesses, close: () => store.close() };
}

/** What is trusted: `--key`, `--keys`, `--trusted-root`, `--witness`, `--quorum`. */
export async function trustOf(
  args: Args,
  io: Io,
  witnessesOfConfig: readonly Verifier[] = [],
): Promise<Trust> {
  const log: Verifier[] = verifiersIn(args.values['key'], '--key', 1);
  const receipt = new Set<string>();
  for (const option of ['keys', 'trusted-root']) {
    const typed = args.values[option];
    if (typed === undefined) continue;
    const read = keysOfText(await textIn(io.path(typed), typed, keysBytesMax));
    if (typeof read === 'string') throw new Failure(`${typed} cannot be read as keys: ${read}.`);
    log.push(...read.log);
    for (const id of read.receipt) receipt.add(id);
  }
  const given = verifiersIn(args.values['witness'], '--witness', 4);
  const witnesses = given.length > 0 ? given : witnessesOfConfig;
  const typedQuorum = args.values['quorum'];
  if (typedQuorum !== undefined && !/^[1-9]\d?$/.test(typedQuorum))
    throw new UsageError(`--quorum ${typedQuorum} is no number of witnesses.`);
  const quorum = typedQuorum === undefined ? (given.length > 0 ? 1 : 0) : Number(typedQuorum);
  if (quorum > witnesses.length)
    throw new UsageError(
      `--quorum is ${quorum}, and there ${witnesses.length === 1 ? 'is 1 witness' : `are ${witnesses.length} witnesses`}: name them with --witness.`,
    );
  return { log, receipt, witnesses, quorum };
}

/** A usage error where no key of a log is trusted. */
export function mustHaveKeys({ log: keys }: Trust): void {
  if (keys.length === 0)
    throw new UsageError(
      'A receipt proves nothing without the key of the log: give it with --key, --keys or --trusted-root.',
    );
}

/** Verifier keys, with commas between them. */
function verifiersIn(typed: string | undefined, option: string, type: Verifier['type']): Verifier[] {
  return (typed ?? '')
    .split(',')
    .filter((one) => one.trim() !== '')
    .map((one) => {
      const verifier = verifierOf(one.trim());
      if (verifier === undefined)
        throw new UsageError(
          `${option} “${one.trim()}” is no verifier key; it looks like NAME+0a1b2c3d+BASE64.`,
        );
      if (verifier.type !== type)
        throw new UsageError(
          type === 1
            ? `${option} “${verifier.name}” is the key of a witness; give it with --witness.`
            : `${option} “${verifier.name}” is the key of a log; give it with --key.`,
        );
      return verifier;
    });
}

/** Checkpoints that the auditor has kept: a file with one note, or a folder of such files. */
export async function heldCheckpoints(
  args: Args,
  io: Io,
): Promise<readonly { readonly name: string; readonly note: string }[]> {
  const typed = args.values['checkpoint'];
  if (typed === undefined) return [];
  const path = io.path(typed);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return [{ name: typed, note: await textIn(path, typed, noteBytesMax) }];
  const names = (await readdir(path)).toSorted();
  if (names.length > heldMax) throw new Failure(`${typed} holds more than ${heldMax} files.`);
  const held: { readonly name: string; readonly note: string }[] = [];
  for (const name of names)
    held.push({ name: join(typed, name), note: await textIn(join(path, name), name, noteBytesMax) });
  return held;
}

/** A file's text. */
export async function textIn(path: string, typed: string, bytesMax: number): Promise<string> {
  return (await bytesIn(path, typed, bytesMax)).toString('utf8');
}

/** A file's bytes; a failure that names it as it was typed. */
export async function bytesIn(path: string, typed: string, bytesMax: number): Promise<Buffer> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new Failure(`There is no file ${typed}.`);
  if (!found.isFile()) throw new Failure(`${typed} is no file.`);
  if (found.size > bytesMax) throw new Failure(`${typed} is larger than ${bytesMax} bytes.`);
  return readFile(path);
}
