/**
 * Negative control: the run of cluster.test.ts on a standby that nobody waits for, which is frozen before the primary is killed.
 * What was acknowledged is lost then, and the checker must say so: a checker that finds nothing here would find nothing anywhere.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterRun } from './support/run.ts';

const seed = Number(process.env['SEED'] ?? 1);

test(`negative control, seed ${seed}: with an asynchronous standby acknowledged decisions are lost`, async () => {
  const how = { seed, actions: 120, gates: 2, faults: ['failOverFarBehind'] } as const;
  const { problems } = await clusterRun({ ...how, synchronous: false });
  const lost = problems.filter((one) => one.startsWith('acknowledged and lost'));
  const missing = problems.filter((one) => one.includes('was acknowledged, and then 404'));
  console.log(
    `asynchronous: ${problems.length} problems; ${lost.length} acknowledged facts lost, ${missing.length} noticed by clients`,
  );
  assert.ok(lost.length > 0, 'nothing acknowledged was lost: the control shows nothing');
});

test(`the same run, seed ${seed}, with a synchronous standby: nothing is lost`, async () => {
  const how = { seed, actions: 120, gates: 2, faults: ['failOverFarBehind'] } as const;
  const { problems } = await clusterRun(how);
  assert.deepEqual(problems, []);
});
