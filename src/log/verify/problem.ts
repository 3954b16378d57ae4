/** What is wrong with a log: one sentence each, with the index where it shows. The first by index is the one that is named first. */

/**
 * `finding`: the log is whole, and what it tells of is against the gate's own rules. All others: it is not whole, or not what was
 * signed.
 */
export type ProblemCode =
  | 'missing'
  | 'unreadable'
  | 'misplaced'
  | 'altered'
  | 'row'
  | 'time'
  | 'chain'
  | 'leaf'
  | 'tile'
  | 'signature'
  | 'key'
  | 'erased'
  | 'root'
  | 'checkpoint'
  | 'fork'
  | 'rolled_back'
  | 'not_witnessed'
  | 'file'
  | 'finding';

export interface Problem {
  readonly code: ProblemCode;
  /** The entry where it shows; null: of the log as a whole. */
  readonly index: number | null;
  /** A sentence. May hold text of the log: show it escaped. */
  readonly text: string;
}

export const problem = (code: ProblemCode, index: number | null, text: string): Problem => ({
  code,
  index,
  text,
});

/** Problems that are kept; of more only their number is known. */
export const problemsMax = 100;

/** A bounded list, in the order of indexes; what is about no entry stands at its end. */
export class Problems {
  #kept: Problem[] = [];
  #count = 0;

  add(one: Problem): void {
    this.addAll([one]);
  }

  /** Any number of them: not as arguments of a call, which a very large number would overflow the stack with. */
  addAll(some: readonly Problem[]): void {
    if (some.length === 0) return;
    this.#count += some.length;
    const place = (one: Problem): number => one.index ?? Infinity;
    this.#kept = [...this.#kept, ...some].toSorted((a, b) => place(a) - place(b)).slice(0, problemsMax);
  }

  /** Whether one is known at an entry from here to there, exclusive: what is wrong above it may only follow from that. */
  within(from: number, to: number): boolean {
    return this.#kept.some(
      ({ index, code }) => index !== null && index >= from && index < to && code !== 'finding',
    );
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  get list(): readonly Problem[] {
    return this.#kept;
  }
}
