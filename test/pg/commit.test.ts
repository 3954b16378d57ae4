/**
 * Attacks on COMMIT: its answer is lost, its question is lost, its backend is killed, its standby is not there. Promise: what is
 * acknowledged is there exactly once; what is not replicated is not acknowledged; where nobody can tell, nobody is told that it is.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SqlFault } from '../../src/store/driver.ts';
import { PostgresDriver } from '../../src/store/postgres-driver.ts';
import { Hosts } from '../../src/store/postgres-hosts.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import type { Store } from '../../src/ports/store.ts';
import { ServerPair } from '../cluster/support/pair.ts';
import { assertLog, channels, noOf, note, until, value } from '../store/bench.ts';
import { postgresBench, serverUrl } from './bench.ts';
import { CommitProxy, type Losing } from './commit-proxy.ts';

assert.notEqual(serverUrl, '', 'run `npm run test:pg`, which starts a PostgreSQL');

/** How often each note is in the log. */
async function notesOf(store: Store): Promise<readonly number[]> {
  const found: number[] = [];
  for (const { entry } of await store.entries(-1, 1000))
    if (entry.type === 'gate.started') found.push(Number(entry.data['n']));
  return found;
}

const via = (url: string, proxy: CommitProxy): string =>
  Object.assign(new URL(url), { host: `127.0.0.1:${proxy.port}` }).href;

for (const what of ['answer', 'question', 'silence'] as const satisfies readonly Losing[]) {
  test(`commit: the ${what} is lost, and the change is there once`, async () => {
    const bench = await postgresBench();
    const proxy = await CommitProxy.before(Number(new URL(bench.url).port));
    const store = await openPostgres({ url: via(bench.url, proxy), channels });
    try {
      value(await store.change(note(1)));
      proxy.lose(what);
      value(await store.change(note(2)));
      assert.equal(proxy.lost, 1, 'a COMMIT was lost');
      value(await store.change(note(3)));
      assert.deepEqual(await notesOf(store), [1, 2, 3]);
      await assertLog(store);
    } finally {
      await store.close();
      proxy.close();
      await bench.remove();
    }
  });
}

test('commit: the answer to the question about it is lost too, again and again', async () => {
  const bench = await postgresBench();
  const proxy = await CommitProxy.before(Number(new URL(bench.url).port));
  const store = await openPostgres({ url: via(bench.url, proxy), channels });
  try {
    proxy.lose('answer', 4);
    value(await store.change(note(1)));
    assert.equal(proxy.lost, 4);
    assert.deepEqual(await notesOf(store), [1]);
    await assertLog(store);
  } finally {
    await store.close();
    proxy.close();
    await bench.remove();
  }
});

test('commit: a connection that was closed is not opened again, and what goes on is a fault that nobody repeats', async () => {
  const driver = new PostgresDriver({
    hosts: new Hosts(serverUrl, false),
    needsStandby: false,
    clock: true,
    tells: null,
  });
  assert.equal((await driver.query('SELECT 1 AS one'))[0]?.['one'], 1);
  await driver.close();
  const over = (error: unknown): boolean => error instanceof SqlFault && !error.again;
  await assert.rejects(driver.query('SELECT 1 AS one'), over);
  await assert.rejects(
    driver.transaction(() => Promise.resolve()),
    over,
  );
});

test('commit: another writer goes on meanwhile, and neither loses anything', async () => {
  const bench = await postgresBench();
  const proxy = await CommitProxy.before(Number(new URL(bench.url).port));
  const store = await openPostgres({ url: via(bench.url, proxy), channels });
  const other = await openPostgres({ url: bench.url, channels });
  try {
    for (let n = 0; n < 12; n += 1) {
      if (n % 3 === 1) proxy.lose(n % 2 === 0 ? 'answer' : 'question');
      const all = await Promise.all([store.change(note(2 * n)), other.change(note(2 * n + 1))]);
      assert.deepEqual(all.map(noOf), ['ok', 'ok']);
    }
    assert.equal(proxy.lost, 4);
    const found = (await notesOf(other)).toSorted((a, b) => a - b);
    assert.deepEqual(
      found,
      Array.from({ length: 24 }, (_, n) => n),
    );
    await assertLog(store);
  } finally {
    await Promise.all([store.close(), other.close()]);
    proxy.close();
    await bench.remove();
  }
});

test('commit: where nothing names what was written, a lost answer is a fault that nobody repeats', async () => {
  const bench = await postgresBench();
  const proxy = await CommitProxy.before(Number(new URL(bench.url).port));
  const store = await openPostgres({ url: via(bench.url, proxy), channels });
  try {
    proxy.lose('answer');
    await store.noticeDone('nothing-7');
    assert.equal(proxy.lost, 1);
    assert.match(store.health().detail ?? '', /nobody knows whether/);
    await until('it writes again', async () => noOf(await store.change(note(1))) === 'ok');
  } finally {
    await store.close();
    proxy.close();
    await bench.remove();
  }
});

test('commit: backends are killed at every moment, and what was acknowledged is there once', async () => {
  const bench = await postgresBench();
  const store = await openPostgres({ url: bench.url, channels });
  try {
    const end = new AbortController();
    const killing = (async () => {
      for (let n = 0; !end.signal.aborted; n += 1) {
        await bench.raw(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'countersign'
          AND pid <> pg_backend_pid() AND (query LIKE 'COMMIT%' OR query LIKE 'UPDATE log_head%' OR ${n} % 4 = 0)`);
        await new Promise((resolve) => setTimeout(resolve, 7));
      }
    })();
    const acknowledged = new Set<number>();
    for (let n = 0; n < 150; n += 1) if (noOf(await store.change(note(n))) === 'ok') acknowledged.add(n);
    end.abort();
    await killing;
    const found = await notesOf(store);
    assert.equal(new Set(found).size, found.length, 'nothing is there twice');
    for (const n of acknowledged) assert.ok(found.includes(n), `${n} was acknowledged`);
    assert.ok(acknowledged.size > 100, `${acknowledged.size} of 150 were written`);
    await assertLog(store);
  } finally {
    await store.close();
    await bench.remove();
  }
});

const pair = await ServerPair.start({ synchronous: true });
after(() => pair.close());

/** A store on the pair, whichever of it is the primary. */
const openPair = (): Promise<Store> => {
  const [one, two] = pair.servers.map(({ url }) => new URL(url));
  assert.ok(one !== undefined && two !== undefined);
  return openPostgres({
    url: `postgres://${one.username}:${one.password}@${one.host},${two.host}${one.pathname}`,
    channels,
    standby: 'required',
  });
};

for (const how of ['cancel', 'terminate'] as const) {
  test(`commit: a wait for the standby that is given up (${how}) is no acknowledgement`, async () => {
    const store = await openPair();
    try {
      value(await store.change(note(1)));
      pair.freeze();
      let acknowledged = false;
      const change = store.change(note(2)).then((answer) => {
        acknowledged = true;
        return noOf(answer);
      });
      await until('the commit waits for its standby', async () => (await pair.endWaits(how)) > 0);
      // Whatever it asks the server from here on waits for the standby as well.
      for (let n = 0; n < 20; n += 1) {
        assert.equal(acknowledged, false, 'nothing is acknowledged that the standby does not have');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      pair.thaw();
      assert.equal(await change, 'ok');
      assert.deepEqual((await notesOf(store)).slice(-2), [1, 2]);
      await assertLog(store);
    } finally {
      pair.thaw();
      await store.close();
    }
  });
}

test('commit: a standby that stays away is a fault, and no answer', async () => {
  const store = await openPair();
  try {
    pair.freeze();
    const before = await notesOf(store);
    assert.equal(noOf(await store.change(note(3))), 'fault');
    assert.equal(store.health().writable, false);
    pair.thaw();
    await until('it writes again', async () => noOf(await store.change(note(4))) === 'ok');
    const found = (await notesOf(store)).slice(before.length);
    assert.equal(found.at(-1), 4);
    assert.ok(found.filter((one) => one === 3).length <= 1, 'nobody repeated what nobody knows');
    await assertLog(store);
  } finally {
    pair.thaw();
    await store.close();
  }
});

test('commit: the primary is lost while COMMIT waits; the other one has it once, or is asked again', async () => {
  const store = await openPair();
  try {
    value(await store.change(note(5)));
    pair.freeze();
    const change = store.change(note(6)).then(noOf);
    await until('the commit waits', async () => {
      const rows = await pair.primary.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
      return rows.length > 0;
    });
    await pair.failOver();
    // The new primary has nobody to wait for it yet, and a gate that requires a standby writes nothing without one.
    const answer = await change;
    await pair.renewStandby();
    await until('it writes again', async () => noOf(await store.change(note(7))) === 'ok');
    const found = await notesOf(store);
    assert.equal(found.filter((one) => one === 6).length, answer === 'ok' ? 1 : 0);
    assert.ok(found.includes(5), 'what was acknowledged is there');
    await assertLog(store);
  } finally {
    await store.close();
  }
});
