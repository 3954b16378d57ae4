/**
 * Where waits for the standby end without it: somebody cancels them, or ends the sessions, or the primary comes back by itself
 * with what it alone has. PostgreSQL then shows commits that are nowhere else, and here the primary dies before anybody mends
 * that. What was done and acknowledged must be there afterwards all the same, and what outsiders were given of the log.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaultName } from './support/faults.ts';
import { clusterRun } from './support/run.ts';

/**
 * Those that always run have found something: checkpoints given out that were on the old primary alone, leaves of entries that were
 * gone. Each has a test of its own since (test/log/publish.test.ts, test/store/contract-log.ts).
 */
const given = process.env['SEED'];
const seeds = given === undefined ? [1, 6, 9] : [Number(given)];
const actions = Number(process.env['ACTIONS'] ?? 300);
const three: readonly FaultName[] = ['failOverAfterCancel', 'failOverAfterRestart', 'failOverAfterTerminate'];

for (const seed of seeds)
  test(`seed ${seed}: ${actions} actions while waits for the standby are ended: what was acknowledged is there, no checkpoint forks`, async () => {
    console.log(`seed ${seed} (again: SEED=${seed} ACTIONS=${actions} npm run test:cluster)`);
    const { problems, ledger, counts } = await clusterRun({
      seed,
      actions,
      gates: 3,
      faults: [...three, ...three],
    });
    console.log(
      `seed ${seed}: ${JSON.stringify(counts)} ${JSON.stringify(Object.fromEntries(ledger.counts))}`,
    );
    assert.deepEqual(problems, []);
  });
