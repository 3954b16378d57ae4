/** The store on PostgreSQL keeps the same contract: `npm run test:pg`, which starts a server of its own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { openPostgres } from '../../src/store/postgres.ts';
import { assertLog, channels, noOf, note, storeTest, until } from '../store/bench.ts';
import { contract } from '../store/contract.ts';
import { postgresBench, serverUrl as url } from './bench.ts';
import { plansTest } from './plans.ts';
import { spyOnStatements } from './statements.ts';

/** Between a client and the server; paused, it keeps connections open and passes nothing on. */
async function proxy(server: URL) {
  const sockets = new Set<Socket>();
  let paused = false;
  const listener = createServer((client) => {
    const upstream = connect(Number(server.port === '' ? 5432 : server.port), server.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => to.write(data));
      if (paused) from.pause();
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const address = listener.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    via: (to: string): string => Object.assign(new URL(to), { host: `127.0.0.1:${address.port}` }).href,
    pause: () => {
      paused = true;
      for (const socket of sockets) socket.pause();
    },
    resume: () => {
      paused = false;
      for (const socket of sockets) socket.resume();
    },
    close: () => {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

if (url === '') {
  test('PostgreSQL is there', () => {
    assert.fail('DATABASE_URL is not set: run `npm run test:pg`, which starts a PostgreSQL for these tests.');
  });
} else {
  const spy = spyOnStatements();
  contract('postgres', postgresBench);

  storeTest(
    'postgres: a lost connection is a fault, and is replaced',
    postgresBench,
    async ({ store, raw }) => {
      const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'countersign' AND pid <> pg_backend_pid()`;
      await raw(kill);
      await until('it writes again', async () => noOf(await store.change(note(1))) === 'ok');
      assert.equal(store.health().writable, true);
      const { size } = await store.head();
      const entries = await store.entries(-1, 10);
      assert.equal(entries.length, size);
    },
  );

  test('postgres: a server that stops answering is a fault, and is found again', async () => {
    const bench = await postgresBench();
    const network = await proxy(new URL(url));
    const store = await openPostgres({ url: network.via(bench.url), channels });
    try {
      assert.equal(noOf(await store.change(note(1))), 'ok');
      network.pause();
      const answer = await store.change(note(2));
      assert.ok(!answer.ok && answer.error.kind === 'fault');
      assert.equal(store.health().writable, false);
      network.resume();
      await until('it writes again', async () => noOf(await store.change(note(3))) === 'ok');
      await assertLog(store);
    } finally {
      await store.close();
      network.close();
      await bench.remove();
    }
  });

  storeTest('postgres: backup says what to use instead', postgresBench, async ({ store }) => {
    const answer = await store.backup('/tmp/nowhere.db');
    assert.ok(!answer.ok && answer.error.detail.includes('pg_dump'));
  });

  plansTest('the contract', spy);
}
