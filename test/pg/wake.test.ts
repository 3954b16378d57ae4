/** Who decides on one gate wakes who waits on another: by a notification, by the look each second, after the listener broke. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import type { ActionId } from '../../src/core/ids.ts';
import type { Store } from '../../src/ports/store.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { channelOf, hintOf, type Hint } from '../../src/store/postgres-hint.ts';
import { Proxy } from '../cluster/support/proxy.ts';
import { channels, handle, hold, noOf, note, until, value, type Opened } from '../store/bench.ts';
import * as world from '../store/world.ts';
import { postgresBench, serverUrl } from './bench.ts';

assert.notEqual(serverUrl, '', 'run `npm run test:pg`, which starts a PostgreSQL');

interface Waking extends Opened {
  /** Its connections go through `network`. */
  readonly second: Store;
  readonly network: Proxy;
  /** What the second store woke, in order. */
  readonly woken: (readonly ActionId[])[];
  /** What is sent to all gates. */
  readonly hints: Hint[];
}

function wakeTest(name: string, body: (waking: Waking) => Promise<void>): void {
  test(`wake: ${name}`, async () => {
    const bench = await postgresBench();
    const network = await Proxy.before(Number(new URL(bench.url).port));
    const through = Object.assign(new URL(bench.url), { host: `127.0.0.1:${network.port}` }).href;
    const store = await openPostgres({ url: bench.url, channels });
    const second = await openPostgres({ url: through, channels });
    const ear = new pg.Client({ connectionString: bench.url });
    await ear.connect();
    try {
      const hints: Hint[] = [];
      ear.on('notification', ({ payload }) => hints.push(hintOf(payload ?? '')));
      const { rows } = await ear.query<{ name: string }>('SELECT current_schema() AS name');
      await ear.query(`LISTEN "${channelOf(rows[0]?.name ?? '')}"`);
      const woken: (readonly ActionId[])[] = [];
      second.onChange((changed) => woken.push(changed));
      value(await store.change(world.acceptDirectory()));
      const versions = await store.versions();
      // By its hint, and by the look after it.
      await until('the directory was heard of', () => woken.length >= 2);
      woken.length = 0;
      const opened: Opened = { ...bench, store, versions, clock: store.clock, later: () => undefined };
      await body({ ...opened, second, network, woken, hints });
    } finally {
      await Promise.all([store.close(), second.close(), ear.end()]);
      network.close();
      await bench.remove();
    }
  });
}

const wakes = (woken: readonly (readonly ActionId[])[], id: ActionId): boolean =>
  woken.some((one) => one.includes(id));

wakeTest('by a notification, with what changed and who was told', async (opened) => {
  const { second, woken, hints } = opened;
  let noticed = 0;
  second.onNotices(() => (noticed += 1));
  const { review } = await hold(opened);
  await until('the second heard of it', () => wakes(woken, review.asked.id) && noticed > 0);
  await until('the hint', () =>
    hints.some((one) => one.changed !== 'everything' && one.changed.includes(review.asked.id)),
  );
  const { size } = await opened.store.head();
  assert.equal(hints.at(-1)?.size, size, 'it says how far the log has come');
  value(await opened.store.change(world.reviewOf(handle(review), world.rosa)));
  await until('the decision', () => hints.filter((one) => one.changed.includes(review.asked.id)).length >= 2);
});

wakeTest('what nobody waits for is told to nobody', async (opened) => {
  const { store, versions, hints } = opened;
  const before = (await hold(opened)).review.asked.id;
  await until('the hint', () => hints.some((one) => one.changed.includes(before)));
  const many = hints.length;
  for (let n = 0; n < 10; n += 1) {
    value(await store.change(note(n)));
    value(await store.change(world.ask(world.allow(versions))));
  }
  const { review } = await hold(opened, world.ask(world.review(versions), { input: { rows: 9 } }));
  await until('the next hint', () => hints.some((one) => one.changed.includes(review.asked.id)));
  assert.equal(hints.length, many + 1);
});

wakeTest('a flush sends one notification, however much is in it', async (opened) => {
  const { store, versions, hints } = opened;
  const many = hints.length;
  const asks = Array.from({ length: 40 }, (_, n) =>
    world.ask(world.review(versions), { input: { rows: n } }),
  );
  const { size } = await store.head();
  await Promise.all(asks.map((one) => store.change(one)));
  await until('all are told', () =>
    asks.every(({ asked }) => hints.some((one) => one.changed.includes(asked.id))),
  );
  const flushes = new Set((await store.entries(size - 1, 1000)).map(({ entry }) => entry.at));
  assert.ok(hints.length - many <= Math.max(flushes.size, 3), `${hints.length - many} notifications`);
});

wakeTest('without any notification within a look', async (opened) => {
  const { woken, network } = opened;
  network.set({ noticeDelayMs: null });
  const { review } = await hold(opened);
  await until('the second looked', () => wakes(woken, review.asked.id));
  assert.ok(
    woken.flat().every((id) => id === review.asked.id),
    'nobody else was woken',
  );
});

wakeTest(
  'the listener comes back after its connection was cut, and after nobody could connect',
  async (opened) => {
    const { woken, network, second, versions } = opened;
    for (let n = 0; n < 3; n += 1) {
      network.set({ refusing: true });
      network.cut();
      const missed = world.ask(world.review(versions), { input: { rows: 100 + n } });
      value(await opened.store.change(missed));
      network.clear();
      await until('what was missed is looked for', () => wakes(woken, missed.asked.id));
    }
    await until('it listens again', async () => {
      woken.length = 0;
      const rows = await opened.raw(
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query = 'SELECT 1'",
      );
      return rows.length > 0;
    });
    assert.equal(noOf(await second.change(note(1))), 'ok');
  },
);

wakeTest('gates of another schema of the same database are not woken', async (opened) => {
  const { hints, versions, store } = opened;
  const other = await postgresBench();
  const apart = await openPostgres({ url: other.url, channels });
  try {
    value(await apart.change(world.acceptDirectory()));
    const mine = world.ask(world.review(versions), { input: { rows: 77 } });
    value(await store.change(mine));
    await until('one’s own', () => hints.some((one) => one.changed.includes(mine.asked.id)));
    assert.ok(hints.every((one) => one.changed === 'everything' || one.changed.includes(mine.asked.id)));
    assert.ok(
      hints.filter((one) => one.changed === 'everything').length <= 1,
      'the directory of this schema alone',
    );
  } finally {
    await apart.close();
    await other.remove();
  }
});

test('wake: the time is the database’s, on every gate', async () => {
  const bench = await postgresBench();
  const store = await openPostgres({ url: bench.url, channels });
  try {
    const [row] = await bench.raw(
      'SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT) AS ms',
    );
    // Same machine, same clock: what differs is the round trip.
    assert.ok(Math.abs(Number(row?.['ms']) - store.clock.nowMs()) < 5_000);
    value(await store.change(note(1)));
    const given = { nowMs: () => 4_000_000_000_000 };
    const fake = await openPostgres({ url: bench.url, channels, clock: given });
    assert.equal(fake.clock, given);
    value(await fake.change(note(2)));
    const times = (await store.entries(-1, 10)).map(({ entry }) => Date.parse(entry.at));
    assert.equal(times.at(-1), 4_000_000_000_000, 'a given clock decides, and not the database');
    await fake.close();
  } finally {
    await store.close();
    await bench.remove();
  }
});
