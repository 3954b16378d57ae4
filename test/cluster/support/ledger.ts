/**
 * What clients wrote down for themselves: only what they were told in a whole answer. The checker asks afterwards whether all of
 * it is still so. Answers that should not have come are written down too.
 */
import { appendFileSync } from 'node:fs';

export type Fact =
  /** A gate answered in which state an action is, to whoever asked for it (`ask`: under which key), or only looked. */
  | { readonly kind: 'state'; readonly action: string; readonly state: string; readonly ask: string | null }
  | {
      readonly kind: 'reviewed';
      readonly approval: string;
      readonly person: string;
      readonly decision: string;
    }
  /** That somebody's word does not count. */
  | { readonly kind: 'barred'; readonly approval: string; readonly person: string }
  | { readonly kind: 'cancelled'; readonly approval: string }
  | { readonly kind: 'started'; readonly action: string; readonly execution: string }
  | {
      readonly kind: 'outcome';
      readonly action: string;
      readonly execution: string;
      readonly status: string;
    };

export class Ledger {
  readonly facts: Fact[] = [];
  /** Answers that no gate should give, each with who got it for what. */
  readonly surprises: string[] = [];
  /** Checkpoints that were given out, as texts. */
  readonly checkpoints = new Set<string>();
  readonly counts = new Map<string, number>();
  /** When the word was sent that approved an action, and when its waiting agent had heard, by the action. */
  readonly #decided = new Map<string, number>();
  readonly #heard = new Map<string, number>();
  readonly #file: string;

  /** @param file where all of it is kept for whoever looks at a bad run. */
  constructor(file: string) {
    this.#file = file;
  }

  note(fact: Fact): void {
    this.facts.push(fact);
    this.say(fact);
  }

  surprise(what: string): void {
    this.surprises.push(what);
    this.say({ surprise: what });
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** @param sentMs when the person pressed. */
  decided(action: string, sentMs: number): void {
    this.#decided.set(action, sentMs);
  }

  /** An agent that waited was told. */
  heard(action: string): void {
    if (!this.#heard.has(action)) this.#heard.set(action, Date.now());
  }

  /** From a person's decision at one gate until the agent that waits at another has heard, in milliseconds, ascending. */
  get wakes(): readonly number[] {
    return [...this.#heard]
      .flatMap(([action, atMs]) => atMs - (this.#decided.get(action) ?? Number.NaN))
      .filter((ms) => !Number.isNaN(ms))
      .toSorted((a, b) => a - b);
  }

  /** For whoever reads the file afterwards. */
  say(what: object): void {
    appendFileSync(this.#file, `${JSON.stringify({ at: Date.now(), ...what })}\n`);
  }
}
