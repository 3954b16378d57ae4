/** Lives as many seeds as are asked for, and says how to live a bad one again. */
import assert from 'node:assert/strict';
import type { Ground } from './life.ts';
import { liveOne } from './made.ts';
import { seedsOf } from './random.ts';

/** Steps of a life before it comes to its end, unless `STEPS` says another number. */
export const stepsOf = (steps: number): number => Number(process.env['STEPS'] ?? steps);

/** @param of how many seeds, and with how many steps each. */
export async function lives(
  makeGround: () => Promise<Ground>,
  of: { readonly seeds: number; readonly steps: number },
): Promise<void> {
  const all: Record<string, number> = {};
  const seeds = seedsOf(of.seeds);
  const steps = stepsOf(of.steps);
  for (const seed of seeds) {
    const { counts } = await liveOne(seed, makeGround, steps).catch((error: unknown) => {
      throw new Error(`seed ${seed}; to live it again: SEED=${seed} SEEDS=1 STEPS=${steps} npm run sim`, {
        cause: error,
      });
    });
    for (const [name, count] of Object.entries(counts)) all[name] = (all[name] ?? 0) + count;
    if (process.env['TELL'] !== undefined) console.log(`seed ${seed}: ${JSON.stringify(counts)}`);
  }
  console.log(`${seeds.length} lives of ${steps} steps: ${JSON.stringify(all)}`);
  const { approved = 0, effects = 0, crashes = 0, notDone = 0, notTold = 0 } = all;
  assert.ok(
    [approved, effects, crashes, notDone, notTold].every((count) => count >= seeds.length),
    'lives without approvals, effects, crashes and failures of both kinds would show nothing',
  );
}
