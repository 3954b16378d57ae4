/**
 * Seeded lives of the whole product on the embedded store: agents, people, channels, the log and the clock, with every effect
 * failing now and then in both ways, and gates that crash at any `await`. What must hold: support/model.ts, support/checks.ts.
 * `SEEDS=100 SEED=7 npm run sim` lives seeds 7 to 106. A failure prints its seed and how to live it again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sqliteGround } from './support/grounds.ts';
import { lives, stepsOf } from './support/lives.ts';
import { liveOne, seeded } from './support/made.ts';
import { seedsOf } from './support/random.ts';

test('whole lives on the embedded store', async () => {
  await lives(sqliteGround, { seeds: 8, steps: 1800 });
});

test('a seed is a life: lived twice on the embedded store it leaves the same log', async () => {
  const [seed = 1] = seedsOf(1);
  const steps = stepsOf(800);
  const one = await liveOne(seed, sqliteGround, steps);
  const other = await liveOne(seed, sqliteGround, steps);
  const [first, second] = [seeded(one), seeded(other)];
  const differs = first.findIndex((entry, at) => entry !== second[at]);
  assert.equal(second[differs], first[differs], `entry ${differs} is another`);
  assert.equal(first.length, second.length);
  assert.ok(first.length > 50, 'a life without entries would show nothing');
});
