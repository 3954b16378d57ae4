/**
 * How often something happened within a minute. It is memory and no state: after a restart, and in each of several gates,
 * everything is counted anew.
 */

/** Counts by key. A key's minute begins with what is counted of it first; once it is over, another may begin. */
export interface Pace {
  /** The how-many-th this is of its key within its minute: 1 for the first. */
  count(key: string, nowMs: number): number;
  /** Whether so many more of the key are within a limit for its minute; they are counted only if they are. */
  takes(key: string, more: { readonly times: number; readonly max: number }, nowMs: number): boolean;
}

/** What is counted, each apart: names that an agent makes up push none of its evaluations out. */
export interface Paces {
  /** What the log is told of refusals (told.ts). */
  readonly told: Pace;
  /** What people began with a passkey, by person. */
  readonly begun: Pace;
  /** AuthZEN evaluations, by agent. */
  readonly evaluated: Pace;
}

export const createPaces = (): Paces => ({
  begun: createPace(),
  told: createPace(),
  evaluated: createPace(),
});

const minuteMs = 60_000;
/** Keys remembered at most; then the one whose minute began first is forgotten. */
export const keysMax = 10_000;

export function createPace(): Pace {
  /** In the order in which their minutes began. */
  const known = new Map<string, { readonly fromMs: number; readonly count: number }>();
  const soFar = (key: string, nowMs: number): { readonly fromMs: number; readonly count: number } => {
    const one = known.get(key);
    // A clock that is set back by more ends a minute, too: else it would last until the clock is there again.
    return one !== undefined && Math.abs(nowMs - one.fromMs) < minuteMs ? one : { fromMs: nowMs, count: 0 };
  };
  const add = (key: string, times: number, nowMs: number): number => {
    const { fromMs, count } = soFar(key, nowMs);
    // Its minute begins now: it goes to the end.
    if (count === 0) known.delete(key);
    const [oldest] = known.keys();
    if (!known.has(key) && known.size >= keysMax && oldest !== undefined) known.delete(oldest);
    known.set(key, { fromMs, count: count + times });
    return count + times;
  };
  return {
    count: (key, nowMs) => add(key, 1, nowMs),
    takes: (key, { times, max }, nowMs) => {
      const fits = soFar(key, nowMs).count + times <= max;
      if (fits) add(key, times, nowMs);
      return fits;
    },
  };
}
