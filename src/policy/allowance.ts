/** How long something may take that is good to have and must hold up nobody: each time, and in each second together. */

/** Saved up while nothing is spent: so many seconds' worth. */
const savedSecondsMax = 2;

export class Allowance {
  readonly #eachMs: number;
  readonly #perSecondMs: number;
  #leftMs: number;
  #atMs = performance.now();

  constructor(eachMs: number, perSecondMs: number) {
    this.#eachMs = eachMs;
    this.#perSecondMs = perSecondMs;
    this.#leftMs = perSecondMs * savedSecondsMax;
  }

  /** Does the work, telling it how many milliseconds it may take; less than nothing where all is spent. */
  spend<T>(work: (msMax: number) => T): T {
    const startMs = performance.now();
    this.#leftMs = Math.min(
      this.#perSecondMs * savedSecondsMax,
      this.#leftMs + ((startMs - this.#atMs) / 1000) * this.#perSecondMs,
    );
    try {
      return work(this.#leftMs <= 0 ? -1 : Math.min(this.#eachMs, this.#leftMs));
    } finally {
      this.#atMs = performance.now();
      this.#leftMs -= this.#atMs - startMs;
    }
  }
}
