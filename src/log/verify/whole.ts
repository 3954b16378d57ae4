/**
 * The whole log, from its first entry to its newest checkpoint. What passes is exactly what the checkpoint was signed over: every
 * statement is the one that its leaf was made of, every leaf is in the tree where it says, every tile is the tree's, and every
 * checkpoint that is kept or was given is a beginning of it.
 *
 * Promises: one pass, in the memory of a few segments (and of the actions that are not over); reads nothing twice, so a log that
 * grows meanwhile is verified as it was at the beginning.
 */
import { randomInt } from 'node:crypto';
import { chain, emptyHead, payloadType, preAuthentication } from '../../core/entry.ts';
import { rangesFrom, rangesIn, type Range } from '../../core/erased.ts';
import { asSha256Hex, type Sha256Hex } from '../../core/ids.ts';
import { sha256Hex } from '../../core/sha256.ts';
import { hashBytes, sameHash } from '../merkle.ts';
import { tileWidth, widthOf } from '../tiles.ts';
import { CheckpointRow, type CheckpointCounts } from './checkpoints.ts';
import { firstDifference, Growing, type Row } from './growing.ts';
import { ToldKeys, verifierOfKey, type Trust } from './keys.ts';
import { Lives, type LifeCounts } from './life.ts';
import { openPool, type Pool } from './pool.ts';
import { problem, Problems, type Problem } from './problem.ts';
import type { SegmentOutcome } from './segment.ts';
import { readSigned, type SignedCheckpoint } from './signed.ts';
import { cosignedNote, type LogSource } from './source.ts';
import { readStatement } from './statement.ts';

/**
 * Which signatures over entries are verified. `auto`: all of a log of up to 200,000 entries; of a larger one 20,000, chosen at
 * random here and now. No edit passes without them, because the tree commits to signatures too: they are what a receipt taken
 * alone rests on.
 */
export type Signatures = 'all' | 'auto' | 'none';

export const signatureLimits = { allMax: 200_000, sample: 20_000 } as const;

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
  pass.problems.add(...rest.problems);
  await pass.checkpoints.begin(source, newest, options.held);

  const spkis = new Map(keys.filter((key) => key.use === 'receipt').map((key) => [key.id, key.spki]));
  const pool = openPool(spkis, Math.ceil(newest.size / tileWidth));
  try {
    await pass.segments(pool, newest.size);
  } finally {
    await pool.close();
  }
  await pass.end(keys, newest);
  return {
    place: source.place,
    origin: newest.origin,
    size: newest.size,
    root: newest.root,
    problems: pass.problems.list,
    problemCount: pass.problems.count,
    warnings: [...rest.warnings, ...pass.checkpoints.warnings(newest.size)],
    beyond: pass.beyond,
    erased: pass.erasedCount,
    signatures: { verified: pass.verified, of: newest.size },
    checkpoints: pass.checkpoints.counts,
    lives: pass.lives.counts,
    trust: options.trust.log.length > 0 ? 'given' : 'log',
    firstAtMs: pass.firstAtMs,
    lastAtMs: pass.lastAtMs,
  };
}

class Pass {
  readonly problems = new Problems();
  readonly lives = new Lives();
  readonly checkpoints: CheckpointRow;
  readonly #source: LogSource;
  readonly #options: WholeOptions;
  readonly #tree = new Growing();
  readonly #told = new ToldKeys();
  /** Blank, and not yet named by an entry that comes later. */
  readonly #blank: Range[] = [];
  readonly #named: Range[] = [];
  /** Null: unknown, after an entry that is missing. */
  #head: Sha256Hex | null = emptyHead;
  beyond = 0;
  erasedCount = 0;
  verified = 0;
  firstAtMs: number | null = null;
  lastAtMs: number | null = null;

  constructor(
    source: LogSource,
    options: WholeOptions,
    by: { readonly log: readonly SignedCheckpoint['signedBy'][]; readonly witnesses: Trust['witnesses'] },
  ) {
    this.#source = source;
    this.#options = options;
    this.checkpoints = new CheckpointRow(by, options.trust.quorum, this.problems);
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
    const { n, hashes, problems } = outcome;
    this.problems.add(...problems);
    this.verified += outcome.verified;
    for (const [key, first, last] of outcome.signed) this.#told.signed(key, first, last);
    for (let at = 0; at < width; at += 1) {
      this.#tree.add(hashes.subarray(at * hashBytes, (at + 1) * hashBytes));
      if (this.checkpoints.awaits(this.#tree.size)) await this.checkpoints.reached(this.#tree);
    }
    for (const row of this.#tree.takeFull()) await this.#compare(row);
    this.#follow(outcome, n * tileWidth, width);
  }

  /** The chain, the times, and what the entries tell, in order. */
  #follow(outcome: SegmentOutcome, first: number, width: number): void {
    const facts = new Map(outcome.facts.map((one) => [one.index, one]));
    const erased = new Set(outcome.erased);
    for (let at = 0; at < width; at += 1) {
      const index = first + at;
      const before = this.#head;
      if (erased.has(index)) this.#erased(index);
      const entry = facts.get(index);
      if (entry !== undefined) this.#entry(entry, before);
      const pae = outcome.paes[at];
      const told = outcome.heads[at];
      // After a hole the chain goes on from what the next row, or the next entry that names it, says.
      const known = before ?? entry?.headBefore ?? null;
      const after = pae === undefined || known === null ? null : chain(asSha256Hex(known), asSha256Hex(pae));
      if (told !== undefined && after !== null && told !== after)
        this.problems.add(problem('chain', index, `Entry ${index} does not follow from the one before it.`));
      this.#head = told === undefined ? after : asSha256Hex(told);
    }
  }

  #entry(entry: SegmentOutcome['facts'][number], before: Sha256Hex | null): void {
    const { index, atMs, headBefore } = entry;
    if (this.lastAtMs !== null && atMs < this.lastAtMs)
      this.problems.add(
        problem('time', index, `Entry ${index} is of an earlier time than the one before it.`),
      );
    this.firstAtMs ??= atMs;
    this.lastAtMs = atMs;
    if (headBefore !== null && before !== null && headBefore !== before)
      this.problems.add(
        problem('chain', index, `Entry ${index} was written after other entries than stand before it.`),
      );
    if (entry.type === 'key.begun' || entry.type === 'key.ended') this.#told.see(entry);
    if (entry.type === 'payloads.erased')
      this.#named.push(...rangesIn(entry.data).filter(([, to]) => to < index));
    this.problems.add(...this.lives.see(entry));
  }

  #erased(index: number): void {
    this.erasedCount += 1;
    this.lives.erased(index);
    const last = this.#blank.at(-1);
    if (last !== undefined && last[1] === index - 1) this.#blank[this.#blank.length - 1] = [last[0], index];
    else this.#blank.push([index, index]);
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
    keys: Parameters<ToldKeys['check']>[0],
    newest: { readonly size: number; readonly root: string },
  ): Promise<void> {
    for (const row of this.#tree.partial()) await this.#compare(row);
    const root = this.#tree.root();
    if (!sameHash(root, Buffer.from(newest.root, 'base64')))
      this.problems.add(
        problem('root', null, `The entries do not make the tree that the newest checkpoint was signed over.`),
      );
    await this.checkpoints.end(newest.size);
    await this.#beyond(newest.size);
    const named = rangesFrom(this.#named);
    for (const [from, to] of this.#blank) {
      const gone = Array.from({ length: to - from + 1 }, (_, at) => from + at).find((one) => !named.has(one));
      if (gone !== undefined)
        this.problems.add(
          problem(
            'erased',
            gone,
            `The payload of entry ${gone} is gone, and no later entry says that it was erased.`,
          ),
        );
    }
    this.problems.add(...this.#told.check(keys, this.#options.trust), ...this.lives.end());
  }

  /** What is recorded and not in the tree yet: its chain. */
  async #beyond(size: number): Promise<void> {
    let index = size;
    for await (const entry of this.#source.rest(size)) {
      const { statement, pae, row } = entry;
      const wrong = (code: Problem['code'], text: string): void =>
        this.problems.add(problem(code, index, `Entry ${index} ${text}.`));
      if (entry.index !== index) {
        wrong('missing', 'is missing');
        return;
      }
      const made = sha256Hex(preAuthentication(payloadType, statement));
      if (statement === '') wrong('erased', 'has no payload, and is in no tree yet');
      else if (made !== pae) wrong('altered', 'was changed');
      const head = this.#head;
      const facts = statement === '' ? 'is gone' : readStatement(statement, index);
      if (typeof facts === 'string') wrong('altered', `is not what it should be: its statement ${facts}`);
      else {
        if (row !== null && (row.atMs !== facts.atMs || row.type !== facts.type))
          wrong('row', 'has another time or type in its row than in its statement');
        this.#entry(facts, head);
      }
      if (head !== null && row !== null && chain(head, asSha256Hex(pae ?? made)) !== row.head)
        wrong('chain', 'does not follow from the one before it');
      this.#head = row === null ? null : asSha256Hex(row.head);
      this.beyond += 1;
      index += 1;
    }
  }
}
