/** What only the order of entries shows: the chain, the times, which keys and payloads came and went, and what became of actions. */
import { chain, emptyHead, payloadType, preAuthentication } from '../../core/entry.ts';
import { rangesFrom, rangesIn, type Range } from '../../core/erased.ts';
import { asSha256Hex, type Sha256Hex } from '../../core/ids.ts';
import type { LogKey } from '../../core/log-key.ts';
import { sha256Hex } from '../../core/sha256.ts';
import { tileWidth } from '../tiles.ts';
import { ToldKeys, type Trust } from './keys.ts';
import { Lives } from './life.ts';
import type { LoggedEntry } from './line.ts';
import { problem, type Problem, type Problems } from './problem.ts';
import type { SegmentOutcome } from './segment.ts';
import { readStatement, type EntryFacts } from './statement.ts';

export class Follow {
  readonly lives = new Lives();
  readonly #problems: Problems;
  readonly #told = new ToldKeys();
  /** Payloads that are gone, and those that entries say were erased. */
  readonly #blank: Range[] = [];
  readonly #named: Range[] = [];
  /** Null: unknown, after an entry that is missing. */
  #head: Sha256Hex | null = emptyHead;
  beyondCount = 0;
  erasedCount = 0;
  firstAtMs: number | null = null;
  lastAtMs: number | null = null;

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  segment(outcome: SegmentOutcome, width: number): void {
    for (const [key, first, last] of outcome.signed) this.#told.signed(key, first, last);
    const facts = new Map(outcome.facts.map((one) => [one.index, one]));
    const erased = new Map(outcome.erased);
    for (let at = 0; at < width; at += 1) {
      const index = outcome.n * tileWidth + at;
      const before = this.#head;
      const gone = erased.get(index);
      if (gone !== undefined) this.#erased(index, gone);
      const entry = facts.get(index);
      if (entry !== undefined) this.#entry(entry, before);
      const pae = outcome.paes[at];
      const told = outcome.heads[at];
      // After a hole the chain goes on from what the next row, or the next entry that names it, says.
      const known = before ?? entry?.headBefore ?? null;
      const after = pae === undefined || known === null ? null : chain(asSha256Hex(known), asSha256Hex(pae));
      if (told !== undefined && after !== null && told !== after)
        this.#wrong('chain', index, 'does not follow from the one before it');
      this.#head = told === undefined ? after : asSha256Hex(told);
    }
  }

  /** What is recorded and not in the tree yet. */
  async beyond(rest: AsyncIterable<Omit<LoggedEntry, 'keyId' | 'signature'>>, size: number): Promise<void> {
    let index = size;
    for await (const entry of rest) {
      if (entry.index !== index) {
        this.#wrong('missing', index, 'is missing');
        return;
      }
      this.#beyondOne(entry);
      this.beyondCount += 1;
      index += 1;
    }
  }

  #beyondOne({ index, statement, pae, row }: Omit<LoggedEntry, 'keyId' | 'signature'>): void {
    const made = sha256Hex(preAuthentication(payloadType, statement));
    const head = this.#head;
    if (statement === '') this.#wrong('erased', index, 'has no payload, and is in no tree yet');
    else {
      if (made !== pae) this.#wrong('altered', index, 'was changed');
      const facts = readStatement(statement, index);
      if (typeof facts === 'string')
        this.#wrong('altered', index, `is not what it should be: its statement ${facts}`);
      else {
        if (row !== null && (row.atMs !== facts.atMs || row.type !== facts.type))
          this.#wrong('row', index, 'has another time or type in its row than in its statement');
        this.#entry(facts, head);
      }
    }
    if (head !== null && row !== null && chain(head, asSha256Hex(pae ?? made)) !== row.head)
      this.#wrong('chain', index, 'does not follow from the one before it');
    this.#head = row === null ? null : asSha256Hex(row.head);
  }

  /** @param keys as they are kept beside the log. */
  end(keys: readonly LogKey[], trust: Trust): void {
    const named = rangesFrom(this.#named);
    for (const [from, to] of this.#blank) {
      let index = from;
      while (index <= to && named.has(index)) index += 1;
      if (index <= to)
        this.#problems.add(
          problem(
            'erased',
            index,
            `The payload of entry ${index} is gone, and no later entry says that it was erased.`,
          ),
        );
    }
    this.#problems.addAll(this.#told.check(keys, trust));
    this.#problems.addAll(this.lives.end());
  }

  #wrong(code: Problem['code'], index: number, text: string): void {
    this.#problems.add(problem(code, index, `Entry ${index} ${text}.`));
  }

  #time(index: number, atMs: number): void {
    if (this.lastAtMs !== null && atMs < this.lastAtMs)
      this.#wrong('time', index, 'is of an earlier time than the one before it');
    this.firstAtMs ??= atMs;
    this.lastAtMs = atMs;
  }

  #entry(entry: EntryFacts, before: Sha256Hex | null): void {
    const { index, atMs, headBefore } = entry;
    this.#time(index, atMs);
    if (headBefore !== null && before !== null && headBefore !== before)
      this.#wrong('chain', index, 'was written after other entries than stand before it');
    if (entry.type === 'key.begun' || entry.type === 'key.ended') this.#told.see(entry);
    if (entry.type === 'payloads.erased')
      // One by one: a million arguments of one call overflow the stack.
      for (const range of rangesIn(entry.data)) if (range[1] < index) this.#named.push(range);
    this.#problems.addAll(this.lives.see(entry));
  }

  #erased(index: number, atMs: number | null): void {
    this.erasedCount += 1;
    if (atMs !== null) this.#time(index, atMs);
    this.lives.erased(index);
    const last = this.#blank.at(-1);
    if (last !== undefined && last[1] === index - 1) this.#blank[this.#blank.length - 1] = [last[0], index];
    else this.#blank.push([index, index]);
  }
}
