/** A store whose changes fail in both ways and whose reads do not: for lives of single actions (lives.test.ts). */
import { err } from '../../../src/core/result.ts';
import type { Store } from '../../../src/ports/store.ts';
import type { Generator } from './random.ts';

/** A store that fails now and then: half of the failures happen before the change, half after it. */
export function faulty(store: Store, random: Generator): Store & { failing: boolean } {
  return {
    ...store,
    failing: false,
    async change(command, idempotency) {
      if (this.failing && random.chance(0.1)) return err({ kind: 'fault', detail: 'simulated: not done' });
      const result = await store.change(command, idempotency);
      if (this.failing && random.chance(0.1)) return err({ kind: 'fault', detail: 'simulated: done' });
      return result;
    },
  };
}
