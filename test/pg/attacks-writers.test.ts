/**
 * Attacks on writers of several gates: time that stood still while a lock was waited for, and a database that has gone back
 * behind what a gate knows of it, as after a failover to a standby that was not waited for.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { asAgentId } from '../../src/core/ids.ts';
import type { Store } from '../../src/ports/store.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { assertLog, channels, noOf, note, until, value, type Opened } from '../store/bench.ts';
import { directory } from '../store/erasing.ts';
import * as world from '../store/world.ts';
import { postgresBench, serverUrl } from './bench.ts';

interface Two extends Pick<Opened, 'store' | 'versions' | 'raw'> {
  readonly second: Store;
  readonly url: string;
}

function attack(name: string, body: (two: Two) => Promise<void>): void {
  test(`attack: ${name}`, async () => {
    assert.notEqual(serverUrl, '', 'run `npm run test:pg`, which starts a PostgreSQL');
    const bench = await postgresBench();
    const open = (): Promise<Store> => openPostgres({ url: bench.url, channels });
    const [store, second] = [await open(), await open()];
    try {
      value(await store.change(world.acceptDirectory(directory)));
      await body({ ...bench, store, second, versions: await store.versions() });
      await assertLog(store);
    } finally {
      await Promise.all([store.close(), second.close()]);
      await bench.remove();
    }
  });
}

attack(
  'whoever holds the head row and then writes nothing keeps no deadline from passing',
  async ({ store, url }) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('BEGIN');
    await client.query('SELECT size FROM log_head FOR UPDATE');
    const written = store.change(note(1));
    await until('it waits for the head row', async () => {
      const { rows } = await client.query<{ n: string }>(
        'SELECT count(*) AS n FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))',
      );
      return Number(rows[0]?.n) > 0;
    });
    await client.query('SELECT pg_sleep(1.5)');
    const { rows } = await client.query<{ ms: string }>(
      'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000) AS ms',
    );
    // The row is as it was: what waited for it is not evaluated anew.
    await client.query('ROLLBACK');
    await client.end();
    value(await written);
    const [last] = (await store.entries(-1, 100)).slice(-1);
    assert.ok(
      Date.parse(last?.entry.at ?? '') >= Number(rows[0]?.ms),
      'it was decided when the row was had, and not before',
    );
  },
);

attack(
  'a stop after a failover that lost commits holds at a gate that remembers what was lost',
  async (two) => {
    const { store, second, versions, raw } = two;
    const asks = () => world.ask(world.allow(versions));
    value(await store.change(asks()));
    value(await second.change(asks()));
    const [before] = await raw('SELECT size, head, at_ms, world FROM log_head');
    assert.ok(before !== undefined);
    // The first gate changes the world …
    value(
      await store.change({
        kind: 'stop',
        agent: asAgentId('other-bot'),
        by: world.mia,
        approval: null,
        reason: null,
      }),
    );
    value(await store.change(asks()));
    // … and the primary is lost with it. This is what the standby has.
    await raw(`DELETE FROM executions WHERE action_ord >= ${before['size']}`);
    await raw(`DELETE FROM actions WHERE ord >= ${before['size']}`);
    await raw(`DELETE FROM entries WHERE idx >= ${before['size']}`);
    await raw('DELETE FROM stops');
    await raw('UPDATE log_head SET size = $1, head = $2, at_ms = $3, world = $4', [
      before['size'] ?? null,
      before['head'] ?? null,
      before['at_ms'] ?? null,
      before['world'] ?? null,
    ]);
    value(
      await second.change({ kind: 'stop', agent: world.agent, by: world.sam, approval: null, reason: null }),
    );
    assert.equal(noOf(await second.change(asks())), 'agent_stopped');
    assert.equal(noOf(await store.change(asks())), 'agent_stopped', 'the other gate has to know it too');
  },
);

attack(
  'an agent that splits its asking over two gates passes no limit',
  async ({ store, second, versions }) => {
    const asks = Array.from({ length: 40 }, (_, n) => ({
      at: n % 2 === 0 ? store : second,
      ask: world.ask(world.review(versions), { limits: { pendingPerAgent: 7 } }),
    }));
    // Some at once, so that they are in one flush; some after another, so that flushes take turns.
    const said = await Promise.all(
      asks.map(async ({ at, ask }, n) => {
        await new Promise((resolve) => setTimeout(resolve, 3 * Math.floor(n / 8)));
        return noOf(await at.change(ask));
      }),
    );
    assert.equal(said.filter((one) => one === 'ok').length, 7, said.join(' '));
    assert.equal(said.filter((one) => one === 'quota').length, 33);
  },
);
