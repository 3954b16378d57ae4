/** Chance out of a seed: the same seed plans the same run. What threads and sockets do with the plan is theirs. */

export interface Chance {
  /** At least 0 and below 1. */
  next(): number;
  below(count: number): number;
  /** Whole milliseconds, both ends included. */
  between(from: number, to: number): number;
  chance(share: number): boolean;
  pick<T>(items: readonly T[]): T;
  shuffled<T>(items: readonly T[]): readonly T[];
}

/** mulberry32, as in test/sim. @param also more numbers that name this stream: those of another one are independent. */
export function chanceOf(seed: number, ...also: readonly number[]): Chance {
  let state =
    [seed, ...also].reduce((mixed, one) => Math.imul(mixed ^ one, 0x9e3779b1) + 0x7f4a7c15, 1) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return {
    next,
    below,
    between: (from, to) => from + below(to - from + 1),
    chance: (share) => next() < share,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError('nothing to pick from');
      return item;
    },
    shuffled: (items) =>
      items
        .map((item) => ({ item, at: next() }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ item }) => item),
  };
}

/** Lets time pass. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
