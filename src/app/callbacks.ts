/**
 * Delivers the outbox of a channel whose receivers are many and not the operator's own: side by side, so that one that hangs
 * does not keep the others waiting. Each notice is leased, tried, repeated and given up like every other (notices.ts).
 *
 * Promise: where nobody hangs, a notice is posted as soon as the change that it tells of is committed.
 */
import { othersFirst } from './elsewhere.ts';
import { deliverNotice, type Notices, type Recipient } from './notices.ts';
import { faultPauseMs, leaseMs } from './outbox.ts';
import type { Parts } from './parts.ts';

/** Deliveries under way at once; what comes then waits for one of them. */
export const callbacksAtOnce = 16;
/** The outbox is looked at again at least this often: what another gate, or this one before a restart, put back comes due. */
const lookAgainMs = 2000;

/** Starts delivering, woken by every commit that wrote notices. */
export function keepCallbacks(parts: Parts, to: Recipient): Notices {
  const pool = new Pool(parts, to);
  const stopWatching = parts.store.onNotices((elsewhere) =>
    elsewhere && parts.store.shared ? pool.wakeIn(othersFirst(parts)) : pool.wake(),
  );
  pool.wake();
  return {
    stop: async () => {
      stopWatching();
      await pool.stop();
    },
  };
}

class Pool {
  readonly #parts: Parts;
  readonly #to: Recipient;
  readonly #underWay = new Set<Promise<void>>();
  #taking: Promise<void> | undefined;
  #wokenMeanwhile = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer is due, by the process's own clock. */
  #timerAtMs = Infinity;

  constructor(parts: Parts, to: Recipient) {
    this.#parts = parts;
    this.#to = to;
  }

  wake(): void {
    if (this.#stopped) return;
    if (this.#taking !== undefined) {
      this.#wokenMeanwhile = true;
      return;
    }
    this.#taking = this.#take().finally(() => {
      this.#taking = undefined;
      if (!this.#wokenMeanwhile) return;
      this.#wokenMeanwhile = false;
      this.wake();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#taking;
    await Promise.all(this.#underWay);
  }

  /** Starts what is due, as far as there is room; whoever ends makes room and wakes again. */
  async #take(): Promise<void> {
    const room = callbacksAtOnce - this.#underWay.size;
    if (room === 0) return;
    try {
      const due = await this.#parts.store.takeNotices(this.#to.channel.name, leaseMs, room);
      for (const notice of due) {
        if (this.#stopped) return; // its lease runs out, and whoever starts next delivers it
        const one = deliverNotice(this.#parts, this.#to, notice)
          .catch(() => faultPauseMs)
          .then((pauseMs) => {
            this.#underWay.delete(one);
            if (pauseMs !== undefined) this.wakeIn(pauseMs);
            this.wake();
          });
        this.#underWay.add(one);
      }
      this.wakeIn(lookAgainMs);
    } catch {
      this.wakeIn(faultPauseMs);
    }
  }

  /** One timer, at the soonest. */
  wakeIn(ms: number): void {
    const atMs = performance.now() + ms;
    if (this.#stopped || atMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(() => {
      this.#timerAtMs = Infinity;
      this.wake();
    }, ms).unref();
  }
}
