/** A primary and its standby in one URL: the one that writes is found, whichever it is, and again after each failover. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SqlFault } from '../../src/store/driver.ts';
import { Hosts } from '../../src/store/postgres-hosts.ts';
import { openPostgres, type PostgresOptions } from '../../src/store/postgres.ts';
import type { Store } from '../../src/ports/store.ts';
import { ServerPair } from '../cluster/support/pair.ts';
import { assertLog, channels, noOf, note, until, value } from '../store/bench.ts';

const pair = await ServerPair.start({ synchronous: true });
after(() => pair.close());

/** The standby first: an order says nothing. */
function urlOf(...servers: readonly { readonly url: string }[]): string {
  const [one, ...others] = servers.map(({ url }) => new URL(url));
  assert.ok(one !== undefined);
  return `postgres://${one.username}:${one.password}@${[one, ...others].map(({ host }) => host).join(',')}${one.pathname}`;
}

const both = (): string => urlOf(pair.standby, pair.primary);
const open = (more: Partial<PostgresOptions> = {}): Promise<Store> =>
  openPostgres({ url: both(), channels, ...more });

test('failover: the standby alone is refused, in words that name it', async () => {
  const { port } = new URL(pair.standby.url);
  await assert.rejects(new Hosts(urlOf(pair.standby), false).connect({ pipeline: false }), (error) => {
    assert.ok(error instanceof SqlFault && error.again);
    assert.match(error.message, new RegExp(`:${port}: this server is a standby`));
    assert.ok(!error.message.includes(pair.cluster.password));
    return true;
  });
});

test('failover: reads and writes go on with the new primary, and everything acknowledged is there', async () => {
  const store = await open();
  const other = await open();
  try {
    const acknowledged: number[] = [];
    let n = 0;
    let faults = 0;
    const end = new AbortController();
    const writing = (async () => {
      while (!end.signal.aborted) {
        n += 1;
        const mine = n;
        if (noOf(await store.change(note(mine))) === 'ok') acknowledged.push(mine);
        else faults += 1;
      }
    })();
    const reading = (async () => {
      while (!end.signal.aborted) {
        await other.head();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    await until('some are written', () => acknowledged.length > 20);
    await pair.failOver();
    await pair.goWithout();
    const before = acknowledged.length;
    await until('more are written', () => acknowledged.length > before + 20);
    end.abort();
    await Promise.all([writing, reading]);
    assert.equal(faults, 0, 'a failover of a moment is waited for');
    const found = new Set<number>();
    for (let from = -1; ;) {
      const page = await store.entries(from, 1000);
      if (page.length === 0) break;
      from += page.length;
      for (const { entry } of page) {
        if (entry.type !== 'gate.started') continue;
        assert.ok(!found.has(Number(entry.data['n'])), 'nothing is there twice');
        found.add(Number(entry.data['n']));
      }
    }
    for (const one of acknowledged) assert.ok(found.has(one), `${one} was acknowledged`);
    await assertLog(store);
    await assertLog(other);
  } finally {
    await Promise.all([store.close(), other.close()]);
    await pair.renewStandby();
  }
});

test('failover: the listener comes back on the new primary, and wakes', async () => {
  const [store, other] = [await open(), await open()];
  try {
    value(await store.change(note(1)));
    await pair.failOver();
    await pair.goWithout();
    await until('it listens there', async () => {
      const rows = await pair.primary.query(
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_try_advisory_lock_shared%' OR query = 'SELECT 1'",
      );
      return rows.length >= 2;
    });
    assert.equal(noOf(await store.change(note(2))), 'ok');
  } finally {
    await Promise.all([store.close(), other.close()]);
    await pair.renewStandby();
  }
});

test('standby: it is said whether one is waited for; where it is required, nothing is written without', async () => {
  const said: string[] = [];
  const store = await open({ say: (line) => said.push(line), standby: 'required' });
  try {
    assert.deepEqual(said, []);
    const known = store.durability();
    assert.ok(known.kind === 'standby' && known.synchronous, JSON.stringify(known));
    value(await store.change(note(1)));
    await pair.goWithout();
    await until('it is denied', async () => noOf(await store.change(note(2))) === 'fault');
    assert.match(store.health().detail ?? '', /postgres\.standby is required/);
    await assert.rejects(
      open({ standby: 'required' }),
      /postgres\.standby is required, and synchronous_standby_names is empty/,
    );
    const warned: string[] = [];
    const careless = await open({ say: (line) => warned.push(line) });
    assert.match(warned.join(), /^warning: NO SYNCHRONOUS STANDBY: synchronous_standby_names is empty/);
    const lonely = careless.durability();
    assert.ok(lonely.kind === 'standby' && !lonely.synchronous);
    value(await careless.change(note(3)));
    await careless.close();
    await pair.renewStandby();
    await until('it writes again', async () => noOf(await store.change(note(4))) === 'ok');
  } finally {
    await store.close();
  }
});

test('an earlier version’s gate cannot begin to write beside this one', async () => {
  const store = await open();
  try {
    await until('the lock is shared', async () => {
      const [row] = await pair.primary.query(
        'SELECT pg_try_advisory_lock(1668507502, hashtext(current_schema())) AS locked',
      );
      return row?.['locked'] === false;
    });
  } finally {
    await store.close();
  }
});
