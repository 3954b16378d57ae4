/**
 * Timers and the steady clock of simulated gates. Code that runs inside a gate gets timers that fire only when the simulation
 * says so; all other code (the stores and their threads, the test runner) keeps the real ones. Which of the two it is follows
 * every `await`.
 *
 * Promise: while nobody fires a timer, no time passes inside a gate, however long the machine takes.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';
import type { TimerOptions } from 'node:timers';
import timersPromises from 'node:timers/promises';

/** Whose timers: one life of one gate. Dead, nothing of it is called any more. */
export interface Owner {
  readonly name: string;
  alive: boolean;
}

const where = new AsyncLocalStorage<Owner | 'outside'>();

/** Runs something as a part of a gate. */
export const inside = <T>(owner: Owner, work: () => T): T => where.run(owner, work);
/** Runs something with the real timers, whoever calls it. */
export const outsideOf = <T>(work: () => T): T => where.run('outside', work);

/** What somebody is at, across gates. */
export interface Running {
  readonly owners: readonly Owner[];
  readonly what: string;
  over: boolean;
}

const doing = new AsyncLocalStorage<Running>();

/** Runs something as a part of what somebody is at. */
export const during = <T>(running: Running, work: () => T): T => doing.run(running, work);
export const runningNow = (): Running | undefined => doing.getStore();

/** In which gate this runs; undefined: in none. */
export const ownerNow = (): Owner | undefined => {
  const owner = where.getStore();
  return owner === 'outside' ? undefined : owner;
};

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  now: performance.now.bind(performance),
  sleep: timersPromises.setTimeout,
  timeoutSignal: AbortSignal.timeout.bind(AbortSignal),
};

type Fire = (...args: readonly unknown[]) => void;

class Timer {
  readonly owner: Owner;
  readonly fire: () => void;
  readonly everyMs: number | null;
  readonly id: number;
  atMs: number;

  constructor(of: Omit<Timer, 'ref' | 'unref' | 'hasRef'>) {
    [this.owner, this.fire, this.everyMs] = [of.owner, of.fire, of.everyMs];
    [this.id, this.atMs] = [of.id, of.atMs];
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return false;
  }
}

export class Time {
  /** Milliseconds that passed inside the gates. */
  steadyMs = 0;
  #timers: Timer[] = [];
  #count = 0;

  /** Takes the place of the timers, for code inside gates; answers how to undo that. */
  install(): () => void {
    const set = (everyMs: boolean) => {
      const otherwise = everyMs ? real.setInterval : real.setTimeout;
      return (fire: Fire, ms = 0, ...args: readonly unknown[]): unknown => {
        const owner = ownerNow();
        if (owner === undefined) return otherwise(fire, ms, ...args);
        return this.#add(owner, () => fire(...args), ms, everyMs ? Math.max(1, ms) : null);
      };
    };
    const clear = (timer: Timer | NodeJS.Timeout | undefined): void => {
      if (timer instanceof Timer) this.#timers = this.#timers.filter((one) => one !== timer);
      // What is no timer of ours is one of Node's, or nothing.
      else real.clearTimeout(timer);
    };
    const sleep = (ms?: number, value?: unknown, options?: TimerOptions): unknown => {
      const owner = ownerNow();
      if (owner === undefined) return real.sleep(ms, value, options);
      return new Promise((resolve, reject) => {
        const timer = this.#add(owner, () => resolve(value), ms ?? 0, null);
        options?.signal?.addEventListener('abort', () => {
          clear(timer);
          reject(new Error('aborted'));
        });
      });
    };
    const timeoutSignal = (ms: number): AbortSignal => {
      const owner = ownerNow();
      if (owner === undefined) return real.timeoutSignal(ms);
      const controller = new AbortController();
      this.#add(owner, () => controller.abort(new DOMException('too late', 'TimeoutError')), ms, null);
      return controller.signal;
    };
    const put = (timers: object): void => void Object.assign(globalThis, timers);
    put({ setTimeout: set(false), setInterval: set(true), clearTimeout: clear, clearInterval: clear });
    performance.now = () => (ownerNow() === undefined ? real.now() : this.steadyMs);
    Object.assign(timersPromises, { setTimeout: sleep });
    Object.assign(AbortSignal, { timeout: timeoutSignal });
    syncBuiltinESMExports();
    return () => {
      const { setTimeout, setInterval, clearTimeout, clearInterval } = real;
      put({ setTimeout, setInterval, clearTimeout, clearInterval });
      performance.now = real.now;
      Object.assign(timersPromises, { setTimeout: real.sleep });
      Object.assign(AbortSignal, { timeout: real.timeoutSignal });
      syncBuiltinESMExports();
    };
  }

  /** How long until the next timer fires; null where there is none. */
  get untilNextMs(): number | null {
    const next = this.#next();
    return next === undefined ? null : Math.max(0, next.atMs - this.steadyMs);
  }

  /** Lets time pass until the next timer, and fires that one. */
  fireNext(): void {
    const timer = this.#next();
    if (timer === undefined) return;
    this.steadyMs = Math.max(this.steadyMs, timer.atMs);
    if (timer.everyMs === null) this.#timers = this.#timers.filter((one) => one !== timer);
    else timer.atMs = this.steadyMs + timer.everyMs;
    inside(timer.owner, timer.fire);
  }

  /** What dies fires nothing any more. */
  drop(owner: Owner): void {
    this.#timers = this.#timers.filter((one) => one.owner !== owner);
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const one of this.#timers)
      if (next === undefined || one.atMs < next.atMs || (one.atMs === next.atMs && one.id < next.id))
        next = one;
    return next;
  }

  #add(owner: Owner, fire: () => void, ms: number, everyMs: number | null): Timer {
    this.#count += 1;
    const wait = Number.isFinite(ms) ? Math.max(everyMs === null ? 0 : 1, ms) : 1;
    const timer = new Timer({ owner, fire, everyMs, id: this.#count, atMs: this.steadyMs + wait });
    if (owner.alive) this.#timers.push(timer);
    return timer;
  }
}
