/**
 * When the outbox of one channel is looked at. Woken by every commit that wrote notices and by the clock; one delivery after
 * another. Hides leases, pauses, and that a channel which cannot be reached at all is tried with one notice at a time: the
 * others are put back until then, said to be failing, and not tried each.
 *
 * RULE nobody-buried: a notice holds up no other, whatever comes of it. An agent chooses what an action says, and a receiver may
 * break of it: a channel that was out of reach is tried with each of its notices in turn, the newcomers first.
 */
import type { Clock } from '../ports/clock.ts';
import type { ChannelFailure } from '../ports/channel.ts';
import type { Due } from '../ports/store.ts';

/** Notices that one channel is given at a time. */
const takeMax = 20;
/** The same while it is out of reach: the others cost only being put back, and any of them may be the one that gets through. */
const takeDownMax = 500;
/** Notices that are remembered because the channel was out of reach when they were tried. */
const brokeMax = 1000;
/** For how long they are ours: longer than any delivery takes. After a crash they come back after that. */
export const leaseMs = 60_000;
/** Of a lease, how long deliveries are begun: the rest is for the one that is under way. */
const beginMs = 15_000;
/** The outbox is looked at again at least this often. */
const lookAgainMs = 30_000;
/**
 * From a commit that wrote notices to the look at them: whoever waits for the commit goes first, and what follows within a moment
 * (approved, started, succeeded) is told as one.
 */
export const gatherMs = 50;
/** After a fault of the store. */
export const faultPauseMs = 1000;

/** What became of a notice that was tried. */
export interface Attempted {
  /** After how long it is due again; undefined where it is not: it was delivered, or it is given up with an entry. */
  readonly pauseMs: number | undefined;
  /** Why it was not delivered; null where it was. */
  readonly failure: ChannelFailure | null;
}

/** The outbox of one channel, and how one of its notices is delivered. All of them reject where the store fails. */
export interface Outbox {
  take(leaseMs: number, max: number): Promise<readonly Due[]>;
  /** @param failures how often in a row the channel as a whole could not be reached. */
  deliver(notice: Due, failures: number): Promise<Attempted>;
  /** As `deliver` after this failure, and without trying; answers after how long it is due again. */
  fail(notice: Due, failure: ChannelFailure, failures: number): Promise<number | undefined>;
  /** Puts it back at once, as if it had not been taken. */
  putBack(notice: Due): Promise<void>;
}

export class Loop {
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #gatherForMs: number;
  #running: Promise<void> | undefined;
  #wokenMeanwhile = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #gathering: NodeJS.Timeout | undefined;
  /** When that is over, by the process's own clock. */
  #gatheredAtMs = Infinity;
  /** The channel as a whole could not be reached, so often in a row; it is left alone until then. */
  #down: { readonly failure: ChannelFailure; readonly failures: number; readonly untilMs: number } | null =
    null;
  /** Notices that it is given at a time now: no more than there was time for. Taking one counts as a try of it. */
  #takes = takeMax;
  /** How often the channel was out of reach when this notice was tried. */
  readonly #broke = new Map<Due['id'], number>();

  /** @param gatherForMs from a commit to the look at what it wrote. */
  constructor(outbox: Outbox, clock: Clock, gatherForMs: number) {
    this.#gatherForMs = gatherForMs;
    this.#outbox = outbox;
    this.#clock = clock;
  }

  /** A moment from now, once for all that comes until then. @param restMs how much later than otherwise */
  soon(restMs = 0): void {
    const waitMs = this.#gatherForMs + restMs;
    const atMs = performance.now() + waitMs;
    if (this.#stopped || (this.#gathering !== undefined && this.#gatheredAtMs <= atMs)) return;
    if (this.#running !== undefined) {
      this.#wokenMeanwhile = true;
      return;
    }
    clearTimeout(this.#gathering);
    if (waitMs === 0) return this.wake();
    this.#gatheredAtMs = atMs;
    this.#gathering = setTimeout(() => this.wake(), waitMs).unref();
  }

  wake(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#stopped) return;
    if (this.#running !== undefined) {
      this.#wokenMeanwhile = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#running = this.#rounds().finally(() => {
      this.#running = undefined;
    });
  }

  /** Ends it; a delivery under way is waited for. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#gathering);
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #rounds(): Promise<void> {
    let pauseMs = lookAgainMs;
    do {
      this.#wokenMeanwhile = false;
      pauseMs = await this.#round().catch(() => faultPauseMs);
    } while (this.#wokenMeanwhile && !this.#stopped);
    if (!this.#stopped) this.#timer = setTimeout(() => this.wake(), pauseMs).unref();
  }

  /** Delivers what is due; answers how long until something is due again. */
  async #round(): Promise<number> {
    let soonestMs = lookAgainMs;
    for (;;) {
      const takenAtMs = this.#clock.nowMs();
      const max = this.#down === null ? this.#takes : takeDownMax;
      const due = await this.#outbox.take(leaseMs, max);
      let begun = 0;
      for (const notice of this.#inTurn(due)) {
        if (this.#stopped) return soonestMs; // its lease runs out, and whoever starts next delivers it
        const late = this.#clock.nowMs() - takenAtMs > beginMs;
        if (late) await this.#outbox.putBack(notice);
        else begun += 1;
        soonestMs = Math.min(soonestMs, late ? 0 : ((await this.#one(notice)) ?? lookAgainMs));
      }
      this.#takes = Math.min(takeMax, begun < due.length ? Math.max(1, begun) : 2 * this.#takes);
      if (due.length < max) return soonestMs;
    }
  }

  /** Once the channel broke of any: those first of which it did least often, and of these the newest. */
  #inTurn(due: readonly Due[]): readonly Due[] {
    const times = ({ id }: Due): number => this.#broke.get(id) ?? 0;
    return this.#broke.size === 0
      ? due
      : due.toSorted((one, other) => times(one) - times(other) || one.attempts - other.attempts);
  }

  #remember({ id }: Due, broke: boolean): void {
    const times = this.#broke.get(id) ?? 0;
    this.#broke.delete(id);
    if (!broke) return;
    this.#broke.set(id, times + 1);
    const [oldest] = this.#broke.keys();
    if (this.#broke.size > brokeMax && oldest !== undefined) this.#broke.delete(oldest);
  }

  async #one(notice: Due): Promise<number | undefined> {
    const down = this.#down;
    const nowMs = this.#clock.nowMs();
    if (down !== null && nowMs < down.untilMs) {
      const failure = { ...down.failure, retryAfterMs: down.untilMs - nowMs };
      return this.#outbox.fail(notice, failure, down.failures);
    }
    const { pauseMs, failure } = await this.#outbox.deliver(notice, down?.failures ?? 0);
    this.#remember(notice, failure?.whole === true && pauseMs !== undefined);
    this.#down =
      failure?.whole === true
        ? {
            failure,
            failures: (down?.failures ?? 0) + 1,
            untilMs: this.#clock.nowMs() + (pauseMs ?? faultPauseMs),
          }
        : null;
    return pauseMs;
  }
}
