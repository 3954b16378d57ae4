/**
 * The whole log, from its first entry to its newest checkpoint. What passes is exactly what the checkpoint was signed over: every
 * statement is the one that its leaf was made of, every leaf is in the tree where it says, every tile is the tree's, and every
 * checkpoint that is kept or was given is a beginning of it.
 *
 * Promises: one pass, in the memory of a few segments (and of the actions that are not over); reads nothing twice, so a log that
 * grows meanwhile is verified as it was at the beginning.
 */
import { randomInt } from 'node:crypto';
import type { LogKey } from '../../core/log-key.ts';
import { hashBytes, sameHash } from '../merkle.ts';
import { tileWidth, widthOf } from '../tiles.ts';
import { CheckpointRow, type CheckpointCounts } from './checkpoints.ts';
import { Follow } from './follow.ts';
import { firstDifference, Growing, type Row } from './growing.ts';
import { verifierOfKey, type Trust } from './keys.ts';
import type { LifeCounts } from './life.ts';
import { openPool, type Pool } from './pool.ts';
import { problem, Problems, type Problem } from './problem.ts';
import type { SegmentOutcome } from './segment.ts';
import { readSigned, type SignedCheckpoint } from './signed.ts';
import { cosignedNote, type LogSource } from './source.ts';

/**
 * Which signatures over entries are verified. `auto`: all of a log of up to 200,000 entries; of a larger one 20,000, chosen at
 * random here and now. No edit passes without them, because the tree commits to signatures too: they are what a receipt taken
 * alone rests on.
 */
export type Signatures = 'all' | 'auto' | 'none';

export const signatureLimits = { allMax: 200_000, sample: 20_000 } as const;

/** After so many problems no more are looked for. */
const problemsEnough = 10_000;

export interface WholeOptions {
  readonly trust: Trust;
  /** Signed notes that the auditor has kept. */
  readonly held: readonly { readonly name: string; readonly note: string }[];
  readonly signatures: Signatures;
  /** Told how many entries are done, of how many. */
  readonly progress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
}

export interface WholeReport {
  readonly place: string;
  readonly origin: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  readonly problems: readonly Problem[];
  /** More than are listed, where there are many. */
  readonly problemCount: number;
  readonly warnings: readonly string[];
  /** Entries that are recorded and not in the tree yet; their chain was verified. */
  readonly beyond: number;
  readonly erased: number;
  readonly signatures: { readonly verified: number; readonly of: number };
  readonly checkpoints: CheckpointCounts;
  readonly lives: LifeCounts;
  /** `given`: the auditor's keys. `log`: the log's own, which shows that it is whole, not whose it is. */
  readonly trust: 'given' | 'log';
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
}

/** Stopped by its signal. */
export class Stopped extends Error {}

/** A sentence instead of a report where there is nothing to verify. */
export async function verifyWhole(source: LogSource, options: WholeOptions): Promise<WholeReport | string> {
  const newest = await source.newest();
  if (typeof newest === 'string') return newest;
  const keys = await source.keys();
  const own = keys.flatMap((key) => verifierOfKey(key) ?? []);
  const by = {
    log: options.trust.log.length > 0 ? options.trust.log : own,
    witnesses: options.trust.witnesses,
  };
  // Once the newest one is trusted, so are the keys that its tree names, and the checkpoints that they signed before.
  const pass = new Pass(source, options, { ...by, log: [...by.log, ...own] });
  const signed = readSigned(cosignedNote(newest), by);
  if (typeof signed === 'string')
    pass.problems.add(problem('checkpoint', null, `The newest checkpoint ${signed}.`));
  const rest = await source.own(newest);
  pass.problems.addAll(rest.problems);
  await pass.checkpoints.begin(source, newest, options.held);

  const spkis = new Map(keys.filter((key) => key.use === 'receipt').map((key) => [key.id, key.spki]));
  const pool = openPool(spkis, Math.ceil(newest.size / tileWidth));
  try {
    await pass.segments(pool, newest.size);
  } finally {
    await pool.close();
  }
  if (!pass.gaveUp) await pass.end(keys, newest);
  return {
    place: source.place,
    origin: newest.origin,
    size: newest.size,
    root: newest.root,
    problems: pass.problems.list,
    problemCount: pass.problems.count,
    warnings: [...rest.warnings, ...pass.checkpoints.warnings(newest.size), ...pass.warnings],
    beyond: pass.follow.beyondCount,
    erased: pass.follow.erasedCount,
    signatures: { verified: pass.verified, of: newest.size },
    checkpoints: pass.checkpoints.counts,
    lives: pass.follow.lives.counts,
    trust: options.trust.log.length > 0 ? 'given' : 'log',
    firstAtMs: pass.follow.firstAtMs,
    lastAtMs: pass.follow.lastAtMs,
  };
}

class Pass {
  readonly problems = new Problems();
  readonly follow = new Follow(this.problems);
  readonly checkpoints: CheckpointRow;
  readonly #source: LogSource;
  readonly #options: WholeOptions;
  readonly #tree = new Growing();
  verified = 0;

  constructor(
    source: LogSource,
    options: WholeOptions,
    by: { readonly log: readonly SignedCheckpoint['signedBy'][]; readonly witnesses: Trust['witnesses'] },
  ) {
    this.#source = source;
    this.#options = options;
    this.checkpoints = new CheckpointRow(by, options.trust.quorum, this.problems);
  }

  /** So much is wrong that the rest would tell nothing more. */
  get gaveUp(): boolean {
    return this.problems.count > problemsEnough;
  }

  get warnings(): readonly string[] {
    return this.gaveUp
      ? [`It was given up after ${problemsEnough} problems: what comes behind was not looked at.`]
      : [];
  }

  async segments(pool: Pool, size: number): Promise<void> {
    const { progress, signal } = this.#options;
    const ahead: Promise<SegmentOutcome>[] = [];
    let asked = 0;
    const ask = async (): Promise<void> => {
      const n = asked;
      const width = widthOf(0, n, size);
      if (width === 0) return;
      asked += 1;
      const segment = await this.#source.segment(n, width);
      const outcome = pool.check({ segment, signatures: this.#chosen(width, size) });
      // Waited for in its turn.
      outcome.catch(() => undefined);
      ahead.push(outcome);
    };
    for (let n = 0; widthOf(0, n, size) > 0; n += 1) {
      // A checkpoint may claim any size.
      if (this.gaveUp) return;
      if (signal?.aborted === true) throw new Stopped('stopped');
      while (ahead.length < pool.ahead && widthOf(0, asked, size) > 0) await ask();
      const outcome = await ahead.shift();
      if (outcome === undefined) throw new TypeError('a segment was asked for and is not there'); // a bug
      await this.#take(outcome, widthOf(0, n, size));
      progress?.(Math.min(size, (n + 1) * tileWidth), size);
    }
  }

  /** Places whose signatures are verified; null: all. */
  #chosen(width: number, size: number): readonly number[] | null {
    const { signatures } = this.#options;
    if (signatures === 'none') return [];
    if (signatures === 'all' || size <= signatureLimits.allMax) return null;
    const wanted = Math.ceil((tileWidth * signatureLimits.sample) / size);
    return Array.from({ length: wanted }, () => randomInt(width));
  }

  async #take(outcome: SegmentOutcome, width: number): Promise<void> {
    const { hashes, problems } = outcome;
    this.problems.addAll(problems);
    this.verified += outcome.verified;
    for (let at = 0; at < width; at += 1) {
      this.#tree.add(hashes.subarray(at * hashBytes, (at + 1) * hashBytes));
      if (this.checkpoints.awaits(this.#tree.size)) await this.checkpoints.reached(this.#tree);
    }
    for (const row of this.#tree.takeFull()) await this.#compare(row);
    this.follow.segment(outcome, width);
  }

  async #compare(row: Row): Promise<void> {
    const kept = await this.#source.tile(row.level, row.n, row.hashes.length / hashBytes);
    const first = firstDifference(row, kept);
    // The hash of a subtree in which something is wrong already tells nothing more.
    if (first !== undefined && !this.problems.within(first, first + tileWidth ** row.level))
      this.problems.add(
        problem(
          'tile',
          first,
          kept === undefined
            ? `The tile ${row.level}/${row.n} is missing, or has another length than it must have.`
            : `The tile ${row.level}/${row.n} is not that of the entries from ${first} on.`,
        ),
      );
  }

  async end(
    keys: readonly LogKey[],
    newest: { readonly size: number; readonly root: string },
  ): Promise<void> {
    for (const row of this.#tree.partial()) await this.#compare(row);
    const root = this.#tree.root();
    if (!sameHash(root, Buffer.from(newest.root, 'base64')))
      this.problems.add(
        problem('root', null, `The entries do not make the tree that the newest checkpoint was signed over.`),
      );
    await this.checkpoints.end(newest.size);
    await this.follow.beyond(this.#source.rest(newest.size), newest.size);
    this.follow.end(keys, this.#options.trust);
  }
}
