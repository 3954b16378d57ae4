/** `log verify --consistency OLD NEW`: whether the older of two checkpoints is a beginning of the newer one. */
import { counted, grouped } from '../core/render/shown.ts';
import { visibleLine } from '../core/visible.ts';
import { consistencyProof, rootAt, sameHash } from '../log/merkle.ts';
import { noteBytesMax } from '../log/note.ts';
import { nodesOf, TileMissing, widthOf } from '../log/tiles.ts';
import { verifierOfKey } from '../log/verify/keys.ts';
import { consistent, hashesOf } from '../log/verify/receipt.ts';
import { readSigned, type SignedCheckpoint } from '../log/verify/signed.ts';
import type { LogSource } from '../log/verify/source.ts';
import { Failure, UsageError, type Args } from './command.ts';
import type { Io } from './io.ts';
import { mustHaveKeys, openSource, textIn, trustOf } from './log-source.ts';

/** Answers the exit code. */
export async function consistency(args: Args, io: Io): Promise<number> {
  const [oldName, newName, folder] = args.words;
  if (oldName === undefined || newName === undefined)
    throw new UsageError('--consistency wants two checkpoints: OLD NEW.');
  const proofName = args.values['consistency-proof'];
  if (proofName !== undefined && folder !== undefined)
    throw new UsageError('Name a log, or a proof with --consistency-proof, not both.');
  const given = await trustOf(args, io);
  const opened = proofName === undefined ? await openSource(folder, args, io) : undefined;
  try {
    const own =
      given.log.length > 0 || opened === undefined
        ? []
        : (await opened.source.keys()).flatMap((key) => verifierOfKey(key) ?? []);
    const trust = { ...given, log: [...given.log, ...own] };
    mustHaveKeys(trust);
    const read = async (name: string): Promise<SignedCheckpoint> => {
      const signed = readSigned(await textIn(io.path(name), name, noteBytesMax), trust);
      if (typeof signed === 'string') throw new Failure(`${name} ${signed}.`);
      return signed;
    };
    const [older, newer] = [await read(oldName), await read(newName)];
    const no = await inconsistency({ older, newer }, opened?.source, proofName, io);
    const ok = no === undefined;
    if (args.switches.has('json'))
      io.out(
        JSON.stringify(
          { ok, old: older.size, new: newer.size, origin: newer.origin, ...(ok ? {} : { problem: no }) },
          null,
          2,
        ),
      );
    else if (ok) {
      io.out(
        `${io.paint.good('OK')} ${visibleLine(`The log of ${newer.origin} with ${counted(newer.size, 'entry', 'entries')} begins with the one of ${grouped(older.size)}: nothing of it was changed.`)}`,
      );
      if (given.log.length === 0) io.out('  The keys were taken from the log itself: give yours with --key.');
    } else io.out(`${io.paint.bad('BROKEN')} ${visibleLine(no)}`);
    return ok ? 0 : 1;
  } finally {
    await opened?.close();
  }
}

async function inconsistency(
  { older, newer }: { readonly older: SignedCheckpoint; readonly newer: SignedCheckpoint },
  source: LogSource | undefined,
  proofName: string | undefined,
  io: Io,
): Promise<string | undefined> {
  if (proofName !== undefined) {
    const hashes = hashesOf(await textIn(io.path(proofName), proofName, noteBytesMax));
    if (hashes === undefined) throw new Failure(`${proofName} is no proof: hashes, base64, one a line.`);
    return consistent(older, newer, hashes);
  }
  if (source === undefined) throw new TypeError('a log or a proof'); // a bug
  const newest = await source.newest();
  if (typeof newest === 'string') throw new Failure(newest);
  if (older.size > newer.size) return consistent(older, newer, []);
  if (newer.size > newest.size)
    throw new Failure(
      `The log in ${source.place} has ${newest.size} entries, and the newer checkpoint ${newer.size}: it cannot show this.`,
    );
  const nodeAt = nodesOf((level, n) => source.tile(level, n, widthOf(level, n, newest.size)));
  try {
    if (!sameHash(await rootAt(newer.size, nodeAt), newer.root))
      return `The newer checkpoint is not of the log in ${source.place}.`;
    return consistent(
      older,
      newer,
      older.size === 0 ? [] : await consistencyProof(older.size, newer.size, nodeAt),
    );
  } catch (error) {
    if (error instanceof TileMissing) return `The log in ${source.place} is damaged: ${error.message}.`;
    throw error;
  }
}
