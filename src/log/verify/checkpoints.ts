/**
 * Every checkpoint that is kept, and those that an auditor holds, against the tree as it grows: one that is no beginning of it shows
 * that the log was rewritten, cut and grown again, or shown in another form to somebody else.
 */
import { sameHash } from '../merkle.ts';
import type { StoredCheckpoint } from '../../ports/log-store.ts';
import type { Growing } from './growing.ts';
import { problem, type Problem, type Problems } from './problem.ts';
import { readKept, readSigned, type SignedCheckpoint } from './signed.ts';
import type { LogSource } from './source.ts';

export interface CheckpointCounts {
  /** Of those that are kept. */
  readonly kept: number;
  /** Of those that were given. */
  readonly held: number;
  /** The largest that has the quorum of witnesses; null: none, or no witnesses were given. */
  readonly witnessed: { readonly size: number; readonly atMs: number; readonly by: readonly string[] } | null;
  /** The largest with a time stamp that holds, and the name in its certificate, which nobody checked; null: none has one. */
  readonly stamped: { readonly size: number; readonly by: string } | null;
}

interface Awaited {
  readonly signed: SignedCheckpoint;
  readonly name: string;
  /** The auditor's own: only what they kept themselves tells them how far the log is still the one that they knew. */
  readonly theirs: boolean;
}

export class CheckpointRow {
  readonly #by: Parameters<typeof readSigned>[1];
  readonly #quorum: number;
  readonly #problems: Problems;
  #kept: AsyncIterator<StoredCheckpoint | Problem> | undefined;
  /** The next of those that are kept; undefined: none is left. */
  #next: Awaited | undefined;
  #held: readonly Awaited[] = [];
  #lastSize = 0;
  #counts = { kept: 0, held: 0 };
  #witnessed: CheckpointCounts['witnessed'] = null;
  #stamped: CheckpointCounts['stamped'] = null;
  /** The largest so far that are beginnings of this tree: of the auditor's own, and of all. */
  #fits = { theirs: 0, any: 0 };

  constructor(by: Parameters<typeof readSigned>[1], quorum: number, problems: Problems) {
    this.#by = by;
    this.#quorum = quorum;
    this.#problems = problems;
  }

  async begin(
    source: LogSource,
    newest: StoredCheckpoint,
    held: readonly { readonly name: string; readonly note: string }[],
  ): Promise<void> {
    this.#kept = source.checkpoints()[Symbol.asyncIterator]();
    const given: Awaited[] = [];
    for (const { name, note } of held) {
      const signed = readSigned(note, this.#by);
      if (typeof signed === 'string')
        this.#problems.add(problem('checkpoint', null, `${name} ${signed}: nothing follows from it.`));
      else given.push({ signed, name: `the checkpoint in ${name}`, theirs: true });
    }
    this.#counts.held = given.length;
    const signed = readSigned(newest.note, this.#by);
    if (typeof signed !== 'string') given.push({ signed, name: 'the newest checkpoint', theirs: false });
    this.#held = given.toSorted((a, b) => a.signed.size - b.signed.size);
    await this.#advance();
    // A checkpoint of nothing says nothing.
    while (this.#next?.signed.size === 0) await this.#advance();
  }

  get counts(): CheckpointCounts {
    return { ...this.#counts, witnessed: this.#witnessed, stamped: this.#stamped };
  }

  warnings(size: number): readonly string[] {
    const { size: witnessed = 0 } = this.#witnessed ?? {};
    return this.#by.witnesses.length > 0 && witnessed < size
      ? [
          `The entries from ${witnessed} on are not witnessed yet: only a checkpoint that you keep shows if they change.`,
        ]
      : [];
  }

  /** Whether a checkpoint is of this size. */
  awaits(size: number): boolean {
    return this.#next?.signed.size === size || this.#held[0]?.signed.size === size;
  }

  /** The tree has come to such a size. */
  async reached(tree: Growing): Promise<void> {
    const root = tree.root();
    while (this.#held[0]?.signed.size === tree.size) {
      const [one, ...rest] = this.#held;
      this.#held = rest;
      if (one !== undefined) this.#compare(one, root);
    }
    while (this.#next?.signed.size === tree.size) {
      this.#compare(this.#next, root);
      await this.#advance();
    }
  }

  #compare({ signed, name, theirs }: Awaited, root: Uint8Array): void {
    const { size, origin } = signed;
    if (!sameHash(signed.root, root)) {
      // What is wrong with an entry below is named there; that the log's own checkpoints do not fit follows from it.
      if (!theirs && this.#problems.within(this.#fits.any, size)) return;
      const from = theirs ? this.#fits.theirs : this.#fits.any;
      const since =
        from === 0
          ? ''
          : ` It still is the one of the checkpoint at ${from}${theirs ? ' that you gave' : ''}.`;
      this.#problems.add(
        problem(
          'fork',
          from,
          `This is not the log that ${name} was signed over (${origin}, ${size} entries): it was rewritten, or you are shown another one than somebody else.${since}`,
        ),
      );
      return;
    }
    this.#fits = { theirs: theirs ? size : this.#fits.theirs, any: size };
    if (signed.witnesses.length < Math.max(1, this.#quorum)) return;
    const atMs = Math.max(...signed.witnesses.map((one) => one.atMs));
    this.#witnessed = { size: signed.size, atMs, by: signed.witnesses.map(({ verifier }) => verifier.name) };
  }

  /** What is larger than the tree. */
  async end(size: number): Promise<void> {
    const larger = [...this.#held];
    for (; this.#next !== undefined; await this.#advance()) larger.push(this.#next);
    for (const { signed, name } of larger)
      if (signed.size > 0)
        this.#problems.add(
          problem(
            'rolled_back',
            size,
            `The log had ${signed.size} entries when ${name} was signed (${signed.origin}), and has ${size} here: entries from ${size} on were removed, or are kept from you.`,
          ),
        );
    if (this.#quorum > 0 && this.#witnessed === null)
      this.#problems.add(
        problem(
          'not_witnessed',
          null,
          `No checkpoint is cosigned by ${this.#quorum} of the witnesses that you gave.`,
        ),
      );
  }

  async #advance(): Promise<void> {
    for (;;) {
      const step = await this.#kept?.next();
      if (step === undefined || step.done === true) {
        this.#next = undefined;
        return;
      }
      const one = step.value;
      if ('code' in one) {
        this.#problems.add(one);
        continue;
      }
      this.#counts.kept += 1;
      const { signed, stampedBy, problems } = await readKept(one, this.#by);
      this.#problems.addAll(problems);
      if (signed === null) continue;
      if (signed.size < this.#lastSize)
        this.#problems.add(
          problem('checkpoint', null, `The checkpoint at ${signed.size} is kept out of its order.`),
        );
      else {
        this.#lastSize = signed.size;
        if (stampedBy !== null) this.#stamped = { size: signed.size, by: stampedBy };
        this.#next = { signed, name: 'a checkpoint that is kept', theirs: false };
        return;
      }
    }
  }
}
