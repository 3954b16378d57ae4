/**
 * The database's time, read off a clock of this process that runs steadily: the machine's own may be set meanwhile. Promise: it goes
 * forward, or stands still for `standMsMax` until the database's has come after it; it jumps back where that would not be enough.
 */
import type { Clock } from '../ports/clock.ts';

/** By so much it may be ahead of the database and wait. */
const standMsMax = 5_000;

/** One question of the time: when it was sent and answered by the steady clock, in milliseconds, and what was answered. */
export interface Sample {
  readonly sentMs: number;
  readonly gotMs: number;
  readonly databaseMs: number;
}

export class DatabaseClock implements Clock {
  /** From the steady clock to the database's, and how far that may be off. */
  #offsetMs: number;
  #offMs = Number.POSITIVE_INFINITY;
  #lastMs = 0;
  readonly #steadyMs: () => number;

  /** @param steadyMs never set by anybody; until the first sample the machine's time is taken for the database's. */
  constructor(machineMs: number, steadyMs: () => number = () => performance.now()) {
    this.#steadyMs = steadyMs;
    this.#offsetMs = machineMs - steadyMs();
  }

  nowMs(): number {
    const nowMs = Math.floor(this.#steadyMs() + this.#offsetMs);
    if (nowMs < this.#lastMs && this.#lastMs - nowMs <= standMsMax) return this.#lastMs;
    this.#lastMs = nowMs;
    return nowMs;
  }

  /** The answer was made at some moment between: half of the way is off by half of the way at most. */
  measured({ sentMs, gotMs, databaseMs }: Sample): void {
    const offMs = Math.max(0, gotMs - sentMs) / 2;
    const offsetMs = databaseMs - (sentMs + gotMs) / 2;
    // What a slower answer says agrees with what a faster one said: that is nothing new.
    if (Math.abs(offsetMs - this.#offsetMs) <= offMs && offMs >= this.#offMs) return;
    this.#offsetMs = offsetMs;
    this.#offMs = offMs;
  }
}
