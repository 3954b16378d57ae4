/**
 * How a gate stops, so that nobody loses by it. First it only says that it is leaving, and serves everything on, so that a load
 * balancer takes it out; then it takes no new work, and tells whoever waits to come again: to another gate, or to the next
 * process here; then it waits for what runs; what is left after the grace is cut off, and nobody knows how that ended. Then the
 * parts are taken down, and the entry `gate.stopped` is the last.
 *
 * Promises: each step once, whoever asks for it how often; an action that takes its grant while this goes on either runs to its
 * end here, or keeps the grant for its agent's next call.
 */
import { duration } from '../core/time.ts';
import type { Closers } from './closers.ts';
import type { Door } from './door.ts';

/** What agents have under way. */
export interface Underway {
  /** How many actions run now. */
  running(): number;
  /** Sends away whoever waits, and waits for what runs; answers how many runs were cut off. */
  handOver(graceMs: number): Promise<number>;
}

export interface StopHow {
  /** How long everything is still served while the gate says that it leaves; default: not at all. */
  readonly drainMs?: number;
  /** Told of each step, a line at a time. */
  readonly say?: (line: string) => void;
}

export interface Stopped {
  /** How many waits were ended, to be taken up again elsewhere. */
  readonly handedOver: number;
  /** How many runs were cut off: their outcome is unknown. */
  readonly cut: number;
}

/** How often it is said that something still runs. */
const sayEveryMs = 5000;

export interface StoppingParts {
  readonly door: Door;
  readonly closers: Closers;
  /** How long what runs is waited for. */
  readonly graceMs: number;
  /** How many wait now. */
  readonly waiting: () => number;
  /** Ends streams that never end by themselves. */
  readonly endStreams: () => void;
}

export class Stopping {
  /** Aborts when the gate takes no new work: whoever waits is answered with what is now. */
  readonly closing = new AbortController();
  readonly #parts: StoppingParts;
  readonly #underway: Underway[] = [];
  #stopping: Promise<Stopped> | undefined;

  constructor(parts: StoppingParts) {
    this.#parts = parts;
  }

  add(underway: Underway): void {
    this.#underway.push(underway);
  }

  /** Stops the gate; a second call waits for the first. Rejects, at the end of it, where a part could not be stopped. */
  stop(how: StopHow = {}): Promise<Stopped> {
    return (this.#stopping ??= this.#stop(how));
  }

  async #stop({ drainMs = 0, say = () => undefined }: StopHow): Promise<Stopped> {
    const { door, closers, endStreams } = this.#parts;
    door.leave();
    if (drainMs > 0) {
      say(`stopping: no longer ready; everything is still served for ${duration(drainMs)}`);
      await new Promise((resolve) => setTimeout(resolve, drainMs));
    }
    const handedOver = this.#parts.waiting();
    door.close();
    this.closing.abort();
    endStreams();
    const cut = await this.#outlast(handedOver, say);
    await closers.run();
    return { handedOver, cut };
  }

  /** Waits for what runs, and says so. */
  async #outlast(handedOver: number, say: (line: string) => void): Promise<number> {
    const { graceMs } = this.#parts;
    const running = (): number => this.#underway.reduce((sum, one) => sum + one.running(), 0);
    const untilMs = performance.now() + graceMs;
    const tell = (): void => {
      const left = running();
      const time = duration(Math.max(0, untilMs - performance.now()));
      if (left > 0) say(`stopping: waiting for ${counted(left, 'run')}, at most ${time} more`);
    };
    if (handedOver > 0) say(`stopping: ${counted(handedOver, 'wait')} handed over`);
    tell();
    const timer = setInterval(tell, sayEveryMs);
    const cut = await Promise.all(this.#underway.map((one) => one.handOver(graceMs)));
    clearInterval(timer);
    const all = cut.reduce((sum, one) => sum + one, 0);
    if (all > 0)
      say(`stopping: ${counted(all, 'run')} cut off after ${duration(graceMs)}; how it ended is unknown`);
    return all;
  }
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
