/** When the tree is looked at: soon after a commit, at a pace while there is always something, and now and then anyway. */
import { performance } from 'node:perf_hooks';

/** What a round came to. `more`: there is more to publish, now. */
export type Round = 'done' | 'more';

export const roundLimits = {
  /** From one publishing to the next, while there is always something. */
  pauseMs: 200,
  /** From a commit to the publishing, where there was nothing: who waits for the commit is answered meanwhile. */
  soonMs: 10,
  /** How often is looked for what nobody has told of. */
  lookMs: 1000,
} as const;

/** Runs rounds one after another, never two at once. */
export class Rounds {
  readonly #round: () => Promise<Round>;
  #timer: NodeJS.Timeout | undefined;
  #firesAtMs = Number.POSITIVE_INFINITY;
  #publishedAtMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  /** Asked for while one ran. */
  #again = false;
  #stopped = false;

  /** @param round never rejects. */
  constructor(round: () => Promise<Round>) {
    this.#round = round;
  }

  /** Resolves after the first round. */
  start(): Promise<void> {
    return (this.#running = this.#run());
  }

  /** Something was published just now. */
  published(): void {
    this.#publishedAtMs = performance.now();
  }

  /** A round soon: at once where it was idle, else when the pause is over. */
  soon(): void {
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    const { soonMs, pauseMs } = roundLimits;
    this.#arm(Math.max(soonMs, this.#publishedAtMs + pauseMs - performance.now()));
  }

  /** Resolves when no round runs any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #arm(ms: number): void {
    const firesAtMs = performance.now() + ms;
    if (this.#stopped || firesAtMs >= this.#firesAtMs) return;
    clearTimeout(this.#timer);
    this.#firesAtMs = firesAtMs;
    this.#timer = setTimeout(() => {
      this.#firesAtMs = Number.POSITIVE_INFINITY;
      this.#running = this.#run();
    }, ms).unref();
  }

  async #run(): Promise<void> {
    this.#again = false;
    const round = await this.#round();
    this.#running = undefined;
    if (round === 'more') this.#arm(0);
    else if (this.#again) this.soon();
    this.#arm(roundLimits.lookMs);
  }
}
