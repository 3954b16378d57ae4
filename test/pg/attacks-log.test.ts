/** A database that went back (a failover that lost commits, a restore), and a gate that remembers what was given out before. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { memoryIn } from '../../src/log/given.ts';
import { keysFrom } from '../../src/log/keys.ts';
import { keepPublished, type Publisher } from '../../src/log/publish.ts';
import type { Store } from '../../src/ports/store.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { allPublished } from '../log/support/publishing.ts';
import { channels, note, until, value } from '../store/bench.ts';
import { postgresBench, serverUrl } from './bench.ts';

const write = async (store: Store, notes: number): Promise<void> => {
  for (let n = 0; n < notes; n += 1) value(await store.change(note(n)));
};

test('attack: a gate that knows better gives out nothing of a tree that another has signed a second time', async () => {
  assert.notEqual(serverUrl, '', 'run `npm run test:pg`, which starts a PostgreSQL');
  const bench = await postgresBench();
  const folder = await mkdtemp(join(tmpdir(), 'countersign-fork-'));
  const [store, other] = [
    await openPostgres({ url: bench.url, channels }),
    await openPostgres({ url: bench.url, channels }),
  ];
  const running: Publisher[] = [];
  const said: string[] = [];
  const publish = async (on: Store, holder: string): Promise<Publisher> => {
    const publisher = await keepPublished({
      store: on,
      clock: { nowMs: () => Date.now() },
      base: 'audit.example.com',
      keys: keysFrom(folder, { log: null, logBefore: null, receipt: null }),
      // What PostgreSQL has: the process itself remembers, and nobody else.
      memory: memoryIn(null),
      settings: { heartbeatMs: 3_600_000 },
      holder,
      say: (line) => void said.push(line),
    });
    running.push(publisher);
    return publisher;
  };
  try {
    const remembers = await publish(store, 'remembers');
    await write(store, 3);
    await allPublished(store, remembers);
    const [back] = await bench.raw(
      'SELECT p.size, e.head FROM log_published p JOIN entries e ON e.idx = p.size - 1',
    );
    await write(store, 5);
    await allPublished(store, remembers);
    const before = remembers.given;
    // The database goes back, and a gate that was started since, and so remembers nothing, has the tree.
    const { size, head } = back ?? assert.fail('it is published');
    await bench.raw(
      "UPDATE log_published SET holder = 'fresh', epoch = epoch + 1, until_ms = until_ms + 30000",
    );
    for (const [table, column] of [
      ['checkpoints', 'size - 1'],
      ['leaves', 'idx'],
      ['entries', 'idx'],
    ] as const)
      await bench.raw(`DELETE FROM ${table} WHERE ${column} >= ${size}`);
    for (const table of ['log_published', 'log_head'])
      await bench.raw(`UPDATE ${table} SET size = ${size}, head = '${head}'`);
    const fresh = await publish(other, 'fresh');
    await write(other, 9);
    await allPublished(other, fresh);
    assert.deepEqual([fresh.origin, fresh.problem], [before?.origin, null], 'it cannot know');
    await until('the other gate says so', async () => remembers.problem !== null);
    assert.match(remembers.problem ?? '', /that was given out as audit\.example\.com is of another log/);
    assert.deepEqual(remembers.given, before, 'it gives out what it gave out before, and nothing else');
  } finally {
    for (const one of running) await one.stop();
    await Promise.all([store.close(), other.close()]);
    await bench.remove();
    await rm(folder, { recursive: true });
  }
});
