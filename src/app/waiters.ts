/** Waiting for a case to change: promises in memory, woken by the store after each commit. Nothing here is state. */
import type { ActionId } from '../core/ids.ts';

export interface Waiters {
  /** Resolves true when the action may have changed; false at the time, or when the signal aborts. */
  changed(action: ActionId, ms: number, signal?: AbortSignal): Promise<boolean>;
  /** Calls back after every change; answers how to stop. For live pages. */
  watch(listener: () => void): () => void;
  /** Wakes whoever waits for these; with an empty list, everybody. */
  wake(actions: readonly ActionId[]): void;
  /** How many wait now. */
  waiting(): number;
}

/** Timers cannot be set for longer (a 31-bit count of milliseconds); a longer wait looks again. */
const timerMsMax = 2 ** 31 - 1;

export function createWaiters(): Waiters {
  const waiting = new Map<ActionId, Set<() => void>>();
  const watchers = new Set<() => void>();
  return {
    changed: (action, ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true || ms <= 0) return resolve(false);
        const mine = waiting.get(action) ?? new Set();
        waiting.set(action, mine);
        const end = (woken: boolean): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', aborted);
          mine.delete(woke);
          if (mine.size === 0 && waiting.get(action) === mine) waiting.delete(action);
          resolve(woken);
        };
        const woke = (): void => end(true);
        const aborted = (): void => end(false);
        const timer = setTimeout(() => end(false), Math.min(ms, timerMsMax));
        signal?.addEventListener('abort', aborted, { once: true });
        mine.add(woke);
      }),
    watch: (listener) => {
      watchers.add(listener);
      return () => void watchers.delete(listener);
    },
    wake: (actions) => {
      const sets =
        actions.length === 0 ? [...waiting.values()] : actions.map((action) => waiting.get(action));
      for (const woke of sets.flatMap((set) => [...(set ?? [])])) woke();
      for (const listener of watchers) listener();
    },
    waiting: () => [...waiting.values()].reduce((sum, set) => sum + set.size, 0),
  };
}
