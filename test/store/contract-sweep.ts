/** Rows whose time is over: a sweep takes few at a time, so that no flush is late by it, and goes on while there are more. */
import assert from 'node:assert/strict';
import { storeTest, note, value, type MakeBench } from './bench.ts';

const hourMs = 3_600_000;
const many = 2500;

const fill = `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${many})
  INSERT INTO idempotency (principal, key, fingerprint, answer, at_ms)
  SELECT 'agent:crm-bot', 'k-' || n, 'f', '{}', n FROM numbers`;

export function sweepContract(name: string, make: MakeBench): void {
  storeTest(
    `${name}: what is swept goes on being swept while there is more`,
    make,
    async ({ store, raw, later }) => {
      const left = async (): Promise<number> =>
        Number((await raw('SELECT count(*) AS n FROM idempotency'))[0]?.['n']);
      await raw(fill);
      const counts: number[] = [];
      for (const ms of [hourMs, 100, 1000, 1000, 1000]) {
        later(ms);
        value(await store.change(note(ms)));
        counts.push(await left());
      }
      assert.deepEqual(counts, [1500, 1500, 500, 0, 0]);
    },
  );
}
