/** Reads go on over connections that break, wait a bounded time for a database that is away, and then fail at once until it is back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlFault } from '../../src/store/driver.ts';
import { Hosts } from '../../src/store/postgres-hosts.ts';
import { poolLimits } from '../../src/store/postgres-pool.ts';
import { Reads } from '../../src/store/postgres-reads.ts';
import { Proxy } from '../cluster/support/proxy.ts';
import { until } from '../store/bench.ts';
import { serverUrl } from './bench.ts';

assert.notEqual(serverUrl, '', 'run `npm run test:pg`, which starts a PostgreSQL');

interface Reading {
  readonly reads: Reads;
  readonly network: Proxy;
  readonly one: () => Promise<unknown>;
}

function readTest(name: string, body: (reading: Reading) => Promise<void>): void {
  test(`reads: ${name}`, async () => {
    const network = await Proxy.before(Number(new URL(serverUrl).port));
    const url = Object.assign(new URL(serverUrl), { host: `127.0.0.1:${network.port}` }).href;
    const reads = new Reads(new Hosts(url, false));
    try {
      await body({ reads, network, one: async () => (await reads.query('SELECT 1 AS one'))[0]?.['one'] });
    } finally {
      network.clear();
      await reads.close();
      network.close();
    }
  });
}

const fails = (reading: Promise<unknown>): Promise<SqlFault> =>
  reading.then(
    () => assert.fail('it was answered'),
    (error: unknown) => {
      assert.ok(error instanceof SqlFault, String(error));
      return error;
    },
  );

readTest('every connection is cut, again and again, and every read is answered', async ({ network, one }) => {
  for (let n = 0; n < 10; n += 1) {
    const reading = Array.from({ length: 20 }, () => one());
    network.cut();
    assert.deepEqual(
      await Promise.all(reading),
      Array.from({ length: 20 }, () => 1),
    );
  }
});

readTest('a database that is away for a moment is waited for', async ({ network, one }) => {
  assert.equal(await one(), 1);
  network.set({ refusing: true });
  network.cut();
  const reading = Array.from({ length: 30 }, () => one());
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  network.clear();
  assert.deepEqual(new Set(await Promise.all(reading)), new Set([1]));
});

readTest('one that stays away is a fault, then at once, and is found again', async ({ network, one }) => {
  assert.equal(await one(), 1);
  network.set({ refusing: true });
  network.cut();
  assert.equal((await fails(one())).again, true);
  // The budget is over: whoever asks now is answered before it could begin again.
  const all = await Promise.all(Array.from({ length: 50 }, () => fails(one())));
  assert.equal(all.length, 50);
  network.clear();
  await until('it is found again', () =>
    one().then(
      (answer) => answer === 1,
      () => false,
    ),
  );
  assert.deepEqual(await Promise.all([one(), one()]), [1, 1]);
});

readTest('all connections in use: a bounded wait, then a fault; and none is lost', async ({ reads, one }) => {
  const held = Array.from({ length: poolLimits.connectionsMax }, (_, n) =>
    reads.query('SELECT pg_sleep(6), $1::int AS one', [n]),
  );
  await new Promise((resolve) => setTimeout(resolve, 500));
  const fault = await fails(one());
  assert.match(fault.message, /all 8 connections that read are in use/);
  assert.equal((await Promise.all(held)).length, poolLimits.connectionsMax);
  assert.deepEqual(
    await Promise.all(Array.from({ length: 40 }, () => one())),
    Array.from({ length: 40 }, () => 1),
  );
});

readTest('a statement that is wrong is said at once, and spoils no connection', async ({ reads, one }) => {
  assert.equal((await fails(reads.query('SELECT nothing'))).again, false);
  assert.equal(await one(), 1);
});

readTest('a statement has its time', async ({ reads, one }) => {
  assert.match((await fails(reads.query('SELECT pg_sleep(60)'))).message, /statement timeout/);
  assert.equal(await one(), 1);
});
