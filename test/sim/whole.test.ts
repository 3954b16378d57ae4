/**
 * Seeded lives of the whole product on the embedded store and, where `DATABASE_URL` names one, on PostgreSQL: agents, people,
 * channels, the log and the clock, with every effect failing now and then in both ways, and gates that crash at any `await`.
 * `SEEDS=100 SEED=7 npm run sim` lives seeds 7 to 106. A failure prints its seed and how to live it again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sqliteGround } from './support/grounds.ts';
import type { Ground } from './support/life.ts';
import { postgresGround, serverUrl } from './support/postgres-ground.ts';
import { liveOne, seeded } from './support/made.ts';
import { seedsOf } from './support/random.ts';

/** Steps of one life before it may come to its end. */
const steps = Number(process.env['STEPS'] ?? 1500);

async function lives(makeGround: () => Promise<Ground>, many: number): Promise<void> {
  const all: Record<string, number> = {};
  for (const seed of seedsOf(many)) {
    const began = performance.now();
    const { counts } = await liveOne(seed, makeGround, steps).catch((error: unknown) => {
      throw new Error(`seed ${seed}; again: SEED=${seed} SEEDS=1 STEPS=${steps} npm run sim`, { cause: error });
    });
    for (const [name, count] of Object.entries(counts)) all[name] = (all[name] ?? 0) + count;
    if (process.env['TELL'] !== undefined)
      console.log(`seed ${seed}: ${Math.round(performance.now() - began)} ms ${JSON.stringify(counts)}`);
  }
  console.log(`${many} lives: ${JSON.stringify(all)}`);
}

test('whole lives on the embedded store', async () => {
  await lives(sqliteGround, 10);
});

test('whole lives on PostgreSQL, with up to three gates', { skip: serverUrl === '' }, async () => {
  await lives(postgresGround, 6);
});

test('a seed is a life: lived twice on the embedded store it leaves the same log', async () => {
  const [seed = 1] = seedsOf(1);
  const [one, other] = [
    await liveOne(seed, sqliteGround, steps),
    await liveOne(seed, sqliteGround, steps),
  ];
  assert.ok(one.entries.length > 100);
  const [first, second] = [seeded(one), seeded(other)];
  const differs = first.findIndex((entry, at) => entry !== second[at]);
  assert.equal(second[differs], first[differs], `entry ${differs} is another`);
  assert.equal(first.length, second.length);
});
