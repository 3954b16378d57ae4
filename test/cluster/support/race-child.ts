/**
 * One of two writers of the quorum race (quorum-race.test.ts), in a process of its own: for each line that it reads it has one
 * person approve all that the line names, in one flush, and says so. Arguments: the database, the person, `locked` or `unlocked`.
 */
import { createInterface } from 'node:readline';
import { asPersonId } from '../../../src/core/ids.ts';
import { PostgresDriver } from '../../../src/store/postgres-driver.ts';
import { Hosts } from '../../../src/store/postgres-hosts.ts';
import { Queue } from '../../../src/store/queue.ts';
import { pooledRandom } from '../../../src/store/random.ts';
import { Writer } from '../../../src/store/writer.ts';
import { channels } from '../../store/bench.ts';
import { reviewOf } from '../../store/world.ts';
import { UnlockedDriver } from './unlocked.ts';

const [url = '', person = '', lock = ''] = process.argv.slice(2);
const Driver = lock === 'locked' ? PostgresDriver : UnlockedDriver;
const driver = new Driver({ hosts: new Hosts(url, false), needsStandby: false, clock: true, tells: null });
const writer = new Writer({ driver, random: pooledRandom(), channels, gate: null });
const queue = new Queue((jobs, nowMs) => writer.flush(jobs, nowMs), { nowMs: () => Date.now() });

// Connected, so that both begin at the same moment.
await driver.query('SELECT 1');
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  // The test wrote it.
  const asks = JSON.parse(line) as readonly Parameters<typeof reviewOf>[0][];
  const outcomes = await Promise.all(
    asks.map((ask) =>
      queue.submit({ kind: 'change', command: reviewOf(ask, asPersonId(person)), idempotency: null }),
    ),
  );
  const said = outcomes.map((one) =>
    one.ok ? 'ok' : one.error.kind === 'refused' ? one.error.refusal.code : one.error.kind,
  );
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
await driver.close();
