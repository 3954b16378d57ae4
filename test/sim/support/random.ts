/** Randomness of a seed: the same seed gives the same numbers, on every machine. */
import type { Random } from '../../../src/ports/random.ts';

export interface Generator extends Random {
  /** From 0 up to and without 1. */
  next(): number;
  below(count: number): number;
  chance(share: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** Another stream, which goes on alone: what draws from it moves nothing here. */
  fork(): Generator;
}

/** mulberry32. */
export function generator(seed: number): Generator {
  let state = seed >>> 0;
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
    chance: (share) => next() < share,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError('nothing to pick from');
      return item;
    },
    bytes: (count) => Uint8Array.from({ length: count }, () => below(256)),
    fork: () => generator(below(2 ** 32)),
  };
}

/** Which seeds to live: `SEED` is the first, `SEEDS` how many. */
export const seedsOf = (many: number): readonly number[] => {
  const first = Number(process.env['SEED'] ?? 1);
  const count = Number(process.env['SEEDS'] ?? many);
  return Array.from({ length: count }, (_, at) => first + at);
};
