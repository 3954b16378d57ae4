/** Keeps actions and faults in step: a fault comes once its share of the actions has begun, and no action runs far ahead of them. */
import { pause } from './random.ts';

/** How long a fault waits for the actions before it; then it comes anyway. */
const progressMsMax = 60_000;
/** Actions may run ahead of the faults by so many shares. */
const aheadMax = 1.5;

export class Pace {
  readonly #share: number;
  #begun = 0;
  #mended = 0;

  constructor(actions: number, faults: number) {
    this.#share = actions / (faults + 1);
  }

  /** Before the n-th action begins. */
  async action(n: number): Promise<void> {
    while (this.#isAhead(n)) await pause(20);
    this.#begun += 1;
  }

  /** Before the next fault. */
  async fault(): Promise<void> {
    const end = Date.now() + progressMsMax;
    while (this.#isEarly() && Date.now() < end) await pause(10);
  }

  /** A fault is mended. */
  mended(): void {
    this.#mended += 1;
  }

  /** There are no more. */
  over(): void {
    this.#mended = Number.POSITIVE_INFINITY;
  }

  #isAhead(n: number): boolean {
    return n > (this.#mended + aheadMax) * this.#share;
  }

  #isEarly(): boolean {
    return this.#begun < (this.#mended + 1) * this.#share;
  }
}
