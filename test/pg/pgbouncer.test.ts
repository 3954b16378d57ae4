/** The whole contract through a real PgBouncer in transaction mode, and what such a pooler could break. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { beginOf } from '../../src/store/postgres-connection.ts';
import { Hosts } from '../../src/store/postgres-hosts.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { assertLog, channels, hold, noOf, note, storeTest, until, value } from '../store/bench.ts';
import { contract } from '../store/contract.ts';
import { serverUrl } from './bench.ts';
import { CommitProxy } from './commit-proxy.ts';
import { pooledBench, Pooler } from './pooler.ts';

assert.notEqual(serverUrl, '', 'run `npm run test:pg`, which starts a PostgreSQL');

const pooler = await Pooler.start();
after(() => pooler.stop());
const bench = () => pooledBench(pooler);

test('pgbouncer: without a way past it, it is said what to set', async () => {
  const { url, remove } = await bench();
  await assert.rejects(openPostgres({ url, channels }), /postgres\.direct/);
  await remove();
});

test('pgbouncer: a way past it that leads elsewhere is refused', async () => {
  const [one, two] = [await bench(), await bench()];
  await (await two.open({})).close();
  await assert.rejects(
    openPostgres({ url: two.url, direct: one.direct, channels }),
    /are not the same store/,
  );
  await one.remove();
  await two.remove();
});

test('pgbouncer: what a transaction needs is set in it, whatever the defaults are, and nothing stays behind', async () => {
  const { url, remove } = await pooledBench(pooler, [
    'SET synchronous_commit = off',
    'SET client_min_messages = error',
  ]);
  const connection = await new Hosts(url, true).connect({ pipeline: false });
  const settings = async (): Promise<unknown[]> => {
    const names = [
      'synchronous_commit',
      'client_min_messages',
      'statement_timeout',
      'lock_timeout',
      'idle_in_transaction_session_timeout',
    ];
    const { rows } = await connection.query(
      `SELECT ${names.map((one) => `current_setting('${one}') AS ${one}`).join(', ')}`,
    );
    return names.map((one) => rows[0]?.[one]);
  };
  try {
    await connection.script(beginOf({ pooled: true }, 'write'));
    assert.deepEqual(await settings(), ['on', 'warning', '7s', '5s', '4s']);
    await connection.script('COMMIT');
    assert.deepEqual(await settings(), ['off', 'error', '0', '0', '0']);
  } finally {
    await connection.end();
    await remove();
  }
});

test('pgbouncer: COMMIT’s answer or question is lost before it, and the change is there once', async () => {
  const { url, direct, remove } = await bench();
  const proxy = await CommitProxy.before(pooler.port);
  const through = Object.assign(new URL(url), { host: `127.0.0.1:${proxy.port}` }).href;
  const store = await openPostgres({ url: through, direct, channels });
  try {
    value(await store.change(note(1)));
    for (const [at, what] of (['answer', 'question', 'answer'] as const).entries()) {
      proxy.lose(what);
      value(await store.change(note(at + 2)));
    }
    assert.equal(proxy.lost, 3);
    const found = (await store.entries(-1, 100)).filter(({ entry }) => entry.type === 'gate.started');
    assert.deepEqual(
      found.map(({ entry }) => entry.data['n']),
      [1, 2, 3, 4],
    );
    await assertLog(store);
  } finally {
    await store.close();
    proxy.close();
    await remove();
  }
});

storeTest(
  'pgbouncer: it is killed and comes back, and so do reads, writes and waking',
  bench,
  async (opened) => {
    const { store } = opened;
    const woken: string[] = [];
    const second = await opened.open({});
    second.onChange((changed) => woken.push(...changed));
    try {
      const reading = Promise.all(Array.from({ length: 10 }, () => store.head()));
      await reading;
      await pooler.kill();
      const writing = store.change(note(1)).then(noOf);
      const late = store.head();
      await pooler.run();
      assert.equal(await writing, 'ok');
      await late;
      const { review } = await hold(opened);
      await until('the other one heard', () => woken.includes(review.asked.id));
      await assertLog(store);
    } finally {
      await second.close();
    }
  },
);

contract('pgbouncer', bench);
