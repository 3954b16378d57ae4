/**
 * Several writers on one PostgreSQL: who takes which locks, and that nothing but the database decides. The seeded run of whole
 * gates is test/cluster; what fails without the lock is there too.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { stateOf } from '../../src/core/case.ts';
import type { Store } from '../../src/ports/store.ts';
import { assertLog, channels, handle, hold, noOf, note, until, value, type Opened } from '../store/bench.ts';
import { assertErasedLog, denied, directory, eraseAction, pia, publishAll } from '../store/erasing.ts';
import * as world from '../store/world.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { postgresBench, serverUrl } from './bench.ts';

interface Two extends Opened {
  readonly second: Store;
  readonly url: string;
}

/** A test with two stores on one database, as two gates have them. */
function twoTest(name: string, body: (two: Two) => Promise<void>): void {
  test(`writers: ${name}`, async () => {
    assert.notEqual(serverUrl, '', 'run `npm run test:pg`, which starts a PostgreSQL');
    const bench = await postgresBench();
    const open = (): Promise<Store> => openPostgres({ url: bench.url, channels });
    const [store, second] = [await open(), await open()];
    try {
      value(await store.change(world.acceptDirectory(directory)));
      const versions = await store.versions();
      const clock = { nowMs: () => Date.now() };
      await body({ ...bench, store, second, versions, clock, later: () => undefined });
      await assertErasedLog(store);
    } finally {
      await Promise.all([store.close(), second.close()]);
      await bench.remove();
    }
  });
}

/** A connection that holds what somebody else wants. */
async function holder(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN');
  return client;
}

/** Waits until somebody waits for a lock that this session has. */
const waitedFor = (client: pg.Client): Promise<void> =>
  until('somebody waits for the lock', async () => {
    const { rows } = await client.query<{ n: string }>(
      'SELECT count(*) AS n FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))',
    );
    return Number(rows[0]?.n) > 0;
  });

twoTest(
  'two people at one moment at two gates fill two places, always',
  async ({ store, second, versions }) => {
    const asks = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const ask = world.ask(world.review(versions, world.requirement({ quorum: 2 })));
        value(await store.change(ask));
        return ask;
      }),
    );
    await Promise.all(
      asks.flatMap((ask) => [
        store.change(world.reviewOf(handle(ask), world.rosa)).then(value),
        second.change(world.reviewOf(handle(ask), world.mia)).then(value),
      ]),
    );
    for (const ask of asks) {
      const held = await store.caseBy({ approval: ask.approval });
      assert.ok(held !== undefined);
      assert.equal(held.reviews.length, 2);
      assert.equal(stateOf(held, Date.now()), 'ready');
    }
    const types = await assertLog(second);
    assert.equal(types.filter((type) => type === 'approval.approved').length, asks.length);
  },
);

twoTest('a review waits for the row of its case, and keeps nobody from the log', async (two) => {
  const { review } = await hold(two);
  const client = await holder(two.url);
  await client.query('SELECT ord FROM actions WHERE approval_id = $1 FOR UPDATE', [review.approval]);
  const reviewed = two.store.change(world.reviewOf(handle(review), world.rosa));
  await waitedFor(client);
  // The head row is free: the other gate goes on.
  value(await two.second.change(note(1)));
  await client.query('COMMIT');
  await client.end();
  assert.equal(noOf(await reviewed), 'ok');
});

twoTest('what must be written and was not locked first is locked first the next time', async (two) => {
  await publishAll(two.store);
  const action = await denied(two);
  await publishAll(two.store);
  const client = await holder(two.url);
  await client.query('SELECT ord FROM actions WHERE id = $1 FOR UPDATE', [action]);
  // Erasing finds its cases under the head row. It lets go of it, and waits for the case without it.
  const erased = eraseAction(two.store, pia, action);
  await waitedFor(client);
  value(await two.second.change(note(1)));
  await client.query('COMMIT');
  await client.end();
  value(await erased);
  assert.ok((await two.store.caseBy({ action }))?.asked.erased !== undefined);
});

twoTest('whoever holds the head row decides first, and what came later sees it', async (two) => {
  const stop = { kind: 'stop', agent: world.agent, by: world.sam, approval: null, reason: null } as const;
  // Both know the world.
  value(await two.store.change(world.ask(world.allow(two.versions))));
  value(await two.second.change(world.ask(world.allow(two.versions))));
  value(await two.second.change(stop));
  assert.equal(noOf(await two.store.change(world.ask(world.allow(two.versions)))), 'agent_stopped');
});

twoTest('a gate that the database has outgrown writes nothing', async ({ store, raw }) => {
  const { size } = await store.head();
  await raw('UPDATE log_head SET writers = 1000');
  const answer = await store.change(note(1));
  assert.ok(!answer.ok && answer.error.kind === 'fault');
  assert.match(answer.error.detail, /older than what the database now allows/);
  assert.equal((await store.head()).size, size);
  await raw('UPDATE log_head SET writers = 6');
  await until('it writes again', async () => noOf(await store.change(note(2))) === 'ok');
});

twoTest('the time of entries is the database’s', async ({ store, raw }) => {
  value(await store.change(note(1)));
  const [row] = await raw(
    'SELECT at_ms - floor(extract(epoch FROM clock_timestamp()) * 1000) AS late FROM log_head',
  );
  assert.ok(Math.abs(Number(row?.['late'])) < 60_000);
});

twoTest('a no is no less of one for a NUL in its reason', async (two) => {
  const { review } = await hold(two);
  const deny = world.reviewOf(handle(review), world.rosa, 'deny');
  const answer = await two.store.change({ ...deny, proposed: { ...deny.proposed, reason: 'no\0pe' } });
  value(answer);
  const held = await two.second.caseBy({ approval: review.approval });
  assert.equal(held?.ending?.code, 'denied');
  assert.equal(held.reviews[0]?.reason, 'no\u2400pe');
});

twoTest('attack: once one gate has told that the log was altered, no gate lets anything run', async (two) => {
  const ask = world.ask(world.allow(two.versions), { execute: false });
  value(await two.second.change(ask));
  await publishAll(two.store);
  assert.ok(await two.store.setDamage('entry 1 is not the one that was signed'));
  // Its own guard has not looked yet: the transaction does.
  const claimed = await two.second.change(world.claim(ask.asked.id, ask.asked.verdict));
  assert.ok(!claimed.ok && claimed.error.kind === 'fault');
  assert.match(claimed.error.detail, /was altered/);
  assert.equal(noOf(await two.second.change(world.ask(world.allow(two.versions)))), 'fault');
  // A no is no less of one.
  assert.equal(noOf(await two.second.change(world.ask(world.deny(two.versions)))), 'ok');
  assert.ok(await two.store.setDamage(null));
  value(await two.second.change(world.claim(ask.asked.id, ask.asked.verdict)));
});
