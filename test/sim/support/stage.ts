/**
 * The one scheduler of a simulated life. Whatever a gate asks of the world (its store, its upstream, a channel) waits here until
 * the seed picks it, and comes to what the seed says: it is done, it is not done, or it is done and said to have failed.
 *
 * Promise: between two picks everything has come to rest, so that the next pick depends on the seed alone.
 */
import assert from 'node:assert/strict';
import type { Generator } from './random.ts';
import { outsideOf, Time, type Owner } from './time.ts';

/** What becomes of one effect. */
export type Fate = 'done' | 'not done' | 'done and not told';

interface Parked {
  readonly owner: Owner;
  readonly what: string;
  readonly go: () => void;
}

/** Longest time that the real world may take for what was picked. */
const restMsMax = 60_000;

export class Stage {
  readonly random: Generator;
  readonly time = new Time();
  /** Share of the effects that fail; half of them happen all the same. */
  trouble = 0;
  #parked: Parked[] = [];
  #under = new Map<symbol, string>();
  #rested: (() => void) | undefined;
  /** How many effects were picked, and how many of them failed in each way. */
  readonly counts = { picked: 0, notDone: 0, notTold: 0, crashes: 0 };

  constructor(random: Generator) {
    this.random = random;
  }

  get waiting(): number {
    return this.#parked.length;
  }

  /** Waits until the seed picks it; never, where its gate dies before. */
  turn(owner: Owner, what: string): Promise<void> {
    return new Promise((go) => {
      if (owner.alive) this.#parked.push({ owner, what, go });
    });
  }

  fate(): Fate {
    if (!this.random.chance(this.trouble)) return 'done';
    const fate = this.random.chance(0.5) ? 'not done' : 'done and not told';
    this.counts[fate === 'not done' ? 'notDone' : 'notTold'] += 1;
    return fate;
  }

  /** Something that the real world does, in its own time. */
  async outside<T>(what: string, work: () => Promise<T> | T): Promise<T> {
    const key = Symbol(what);
    this.#under.set(key, what);
    try {
      return await outsideOf(async () => work());
    } finally {
      this.#under.delete(key);
      if (this.#under.size === 0) this.#rested?.();
    }
  }

  /**
   * One effect of a gate: waits for its turn, and comes to what the seed says.
   * @param failed what the gate is told where it failed: answers it, or throws.
   */
  async effect<T>(
    owner: Owner,
    what: string,
    work: () => Promise<T> | T,
    failed: (fate: Exclude<Fate, 'done'>) => T,
  ): Promise<T> {
    await this.turn(owner, what);
    const fate = this.fate();
    if (fate === 'not done') return failed(fate);
    const done = await this.outside(what, work);
    // The answer is under way for as long as the seed likes; a gate that dies meanwhile never has it.
    if (!owner.alive) return never();
    if (this.random.chance(0.2)) await this.turn(owner, `the answer of ${what}`);
    return fate === 'done' ? done : failed(fate);
  }

  /** Resolves once nothing moves by itself any more. */
  async rest(): Promise<void> {
    const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    for (;;) {
      for (let turns = 0; turns < 4; turns += 1) await immediate();
      if (this.#under.size === 0) return;
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), restMsMax);
      await new Promise<void>((resolve, reject) => {
        this.#rested = resolve;
        late.signal.addEventListener('abort', () =>
          reject(new Error(`no answer in ${restMsMax} ms of: ${[...this.#under.values()].join(', ')}`)),
        );
      });
      clearTimeout(timer);
      this.#rested = undefined;
    }
  }

  /** Picks up to so many of what waits, at once, and lets them come to rest. */
  async pick(many = 1): Promise<void> {
    for (let picks = Math.min(many, this.#parked.length); picks > 0; picks -= 1) {
      const at = this.random.below(this.#parked.length);
      const [one] = this.#parked.splice(at, 1);
      assert.ok(one !== undefined);
      this.counts.picked += 1;
      one.go();
    }
    await this.rest();
  }

  /** Lets the next timer fire. */
  async fire(): Promise<void> {
    this.time.fireNext();
    await this.rest();
  }

  /** A gate dies at the `await` where it is: what it had asked for and was not picked yet never happens. */
  kill(owner: Owner): void {
    owner.alive = false;
    this.counts.crashes += 1;
    this.time.drop(owner);
    this.#parked = this.#parked.filter((one) => one.owner !== owner);
  }

  /** What waits, for whoever has to find out why. */
  get parked(): readonly string[] {
    return this.#parked.map(({ owner, what }) => `${owner.name}: ${what}`);
  }
}

export const never = (): Promise<never> => new Promise(() => undefined);
