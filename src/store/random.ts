/**
 * Randomness of the operating system, drawn in pools: a system call for each id costs more than the id. Where it is used,
 * several ids are made for every action and a salt for every entry.
 *
 * Promise: no byte is given out twice, and none is kept after it was given out.
 */
import { randomFillSync } from 'node:crypto';
import type { Random } from '../ports/random.ts';

/** Bytes drawn from the operating system at a time. */
const poolBytes = 8_192;

export function pooledRandom(): Random {
  const pool = new Uint8Array(poolBytes);
  let used = poolBytes;
  return {
    bytes(count) {
      // More than a pool holds: drawn by itself.
      if (count > poolBytes) return randomFillSync(new Uint8Array(count));
      if (used + count > poolBytes) {
        randomFillSync(pool);
        used = 0;
      }
      const given = pool.slice(used, used + count);
      pool.fill(0, used, used + count);
      used += count;
      return given;
    },
  };
}
