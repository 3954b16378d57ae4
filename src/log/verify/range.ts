/**
 * Some of the entries, without reading the others: their statements, leaves and tiles, and that these tiles are in the tree of the
 * newest checkpoint. Whole tiles are looked at, so the answer is about a little more than was asked for. What needs the entries
 * before and after (the chain from the beginning, what became of each action, whether an erasure is recorded) is not looked at.
 */
import { chain } from '../../core/entry.ts';
import { asSha256Hex } from '../../core/ids.ts';
import type { LogKey } from '../../core/log-key.ts';
import type { StoredCheckpoint } from '../../ports/log-store.ts';
import { rootAt, sameHash, type Hash } from '../merkle.ts';
import { nodesOf, rowsOf, TileMissing, tileWidth, widthOf } from '../tiles.ts';
import { verifierOfKey, type Trust } from './keys.ts';
import { openPool } from './pool.ts';
import { problem, Problems } from './problem.ts';
import type { SegmentOutcome } from './segment.ts';
import { readSigned } from './signed.ts';
import { cosignedNote, type LogSource } from './source.ts';
import { Stopped, type WholeOptions, type WholeReport } from './whole.ts';

export type RangeOptions = Omit<WholeOptions, 'held' | 'signatures'>;

export interface RangeReport extends Omit<WholeReport, 'lives' | 'beyond' | 'checkpoints'> {
  /** First and last entry that were looked at. */
  readonly from: number;
  readonly to: number;
}

/** @param range inclusive. A sentence where there is no such range. */
export async function verifyRange(
  source: LogSource,
  range: { readonly from: number; readonly to: number },
  options: RangeOptions,
): Promise<RangeReport | string> {
  const newest = await source.newest();
  if (typeof newest === 'string') return newest;
  const { size } = newest;
  if (range.to >= size || range.from > range.to)
    return `There are no entries from ${range.from} to ${range.to}: the newest checkpoint covers those from 0 to ${size - 1}.`;
  const keys = await source.keys();
  const problems = new Problems();
  checkNewest(newest, keys, options.trust, problems);
  const climb = new Climb(source, size);
  if (!(await climb.rootIs(Buffer.from(newest.root, 'base64'))))
    problems.add(
      problem('root', null, 'The tiles do not make the tree that the newest checkpoint was signed over.'),
    );
  const [first, last] = [Math.floor(range.from / tileWidth), Math.floor(range.to / tileWidth)];
  const line = new Line(problems);
  const spkis = new Map(keys.filter((key) => key.use === 'receipt').map((key) => [key.id, key.spki]));
  const pool = openPool(spkis, last - first + 1);
  try {
    for (let n = first; n <= last; n += pool.ahead) {
      if (options.signal?.aborted === true) throw new Stopped('stopped');
      const numbers = Array.from({ length: Math.min(pool.ahead, last - n + 1) }, (_, at) => n + at);
      const outcomes = await Promise.all(
        numbers.map(async (one) =>
          pool.check({ segment: await source.segment(one, widthOf(0, one, size)), signatures: null }),
        ),
      );
      for (const outcome of outcomes) {
        line.follow(outcome, options.trust);
        const different = await climb.from(outcome.n, outcome.hashes);
        if (different !== undefined) problems.add(problem('tile', outcome.n * tileWidth, different));
        options.progress?.(outcome.n - first + 1, last - first + 1);
      }
    }
  } finally {
    await pool.close();
  }
  const [from, to] = [first * tileWidth, Math.min(size, (last + 1) * tileWidth) - 1];
  return {
    place: source.place,
    origin: newest.origin,
    size,
    root: newest.root,
    from,
    to,
    problems: problems.list,
    problemCount: problems.count,
    warnings:
      line.erased === 0
        ? []
        : [
            `${line.erased} of these payloads are gone; whether a later entry says that they were erased is seen only when the whole log is verified.`,
          ],
    erased: line.erased,
    signatures: { verified: line.verified, of: to - from + 1 },
    trust: options.trust.log.length > 0 ? 'given' : 'log',
    firstAtMs: line.firstAtMs,
    lastAtMs: line.lastAtMs,
  };
}

/** Who signed the newest checkpoint. */
function checkNewest(
  newest: StoredCheckpoint,
  keys: readonly LogKey[],
  trust: Trust,
  problems: Problems,
): void {
  const own = keys.flatMap((key) => verifierOfKey(key) ?? []);
  const by = { log: trust.log.length > 0 ? trust.log : own, witnesses: trust.witnesses };
  const signed = readSigned(cosignedNote(newest), by);
  if (typeof signed === 'string')
    problems.add(problem('checkpoint', null, `The newest checkpoint ${signed}.`));
  else if (trust.quorum > signed.witnesses.length)
    problems.add(
      problem(
        'not_witnessed',
        null,
        `The newest checkpoint is not cosigned by ${trust.quorum} of the witnesses that you gave.`,
      ),
    );
}

/** What was found in the range, its times and its chain; the chain from the first entry that names the head before it. */
class Line {
  readonly #problems: Problems;
  #head: string | null = null;
  erased = 0;
  verified = 0;
  firstAtMs: number | null = null;
  lastAtMs: number | null = null;

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  follow(outcome: SegmentOutcome, trust: Trust): void {
    const { n, facts, paes, heads } = outcome;
    this.#problems.addAll(outcome.problems);
    this.erased += outcome.erased.length;
    this.verified += outcome.verified;
    for (const [key, first] of outcome.signed)
      if (trust.receipt.size > 0 && !trust.receipt.has(key))
        this.#problems.add(
          problem(
            'key',
            first,
            `Entry ${first} is signed by the key ${key}, which is not among those you gave.`,
          ),
        );
    const byIndex = new Map(facts.map((one) => [one.index, one]));
    for (const [at, pae] of paes.entries()) {
      const index = n * tileWidth + at;
      const entry = byIndex.get(index);
      if (entry !== undefined) {
        if (this.lastAtMs !== null && entry.atMs < this.lastAtMs)
          this.#problems.add(
            problem('time', index, `Entry ${index} is of an earlier time than the one before it.`),
          );
        this.firstAtMs ??= entry.atMs;
        this.lastAtMs = entry.atMs;
        if (entry.headBefore !== null && this.#head !== null && entry.headBefore !== this.#head)
          this.#problems.add(
            problem('chain', index, `Entry ${index} was written after other entries than stand before it.`),
          );
      }
      const before = this.#head ?? entry?.headBefore ?? null;
      const after =
        before === null || pae === undefined ? null : chain(asSha256Hex(before), asSha256Hex(pae));
      const told = heads[at];
      if (told !== undefined && after !== null && told !== after)
        this.#problems.add(problem('chain', index, `Entry ${index} does not follow from the one before it.`));
      this.#head = told ?? after;
    }
  }
}

/** From tiles of level 0 up to the root, each tile once. */
class Climb {
  readonly #source: LogSource;
  readonly #size: number;
  readonly #climbed = new Set<string>();

  constructor(source: LogSource, size: number) {
    this.#source = source;
    this.#size = size;
  }

  async rootIs(root: Hash): Promise<boolean> {
    try {
      return sameHash(
        await rootAt(
          this.#size,
          nodesOf((level, n) => this.#tile(level, n)),
        ),
        root,
      );
    } catch (error) {
      if (error instanceof TileMissing) return false;
      throw error;
    }
  }

  /** A sentence where a tile is not the one that the tiles above it stand for. */
  async from(n: number, hashes: Uint8Array): Promise<string | undefined> {
    let [level, number, tile] = [0, n, hashes];
    // The hashes of a tile at the right edge are part of the root itself, which was compared; level 0 is compared with its tile.
    for (;;) {
      if (widthOf(level, number, this.#size) < tileWidth) return undefined;
      const [up, at] = [Math.floor(number / tileWidth), number % tileWidth];
      const [top] = rowsOf(tile)[8] ?? [];
      const above = await this.#tile(level + 1, up);
      const told = above?.subarray(at * 32, (at + 1) * 32);
      if (top === undefined || told?.length !== 32 || !sameHash(top, told))
        return `The tile ${level}/${number} is not the one that the tile ${level + 1}/${up} stands for.`;
      const name = `${level + 1}/${up}`;
      if (this.#climbed.has(name) || above === undefined) return undefined;
      this.#climbed.add(name);
      [level, number, tile] = [level + 1, up, above];
    }
  }

  async #tile(level: number, n: number): Promise<Uint8Array | undefined> {
    const width = widthOf(level, n, this.#size);
    const tile = await this.#source.tile(level, n, width);
    return tile?.subarray(0, width * 32);
  }
}
