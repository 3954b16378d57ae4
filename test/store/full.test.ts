/** No space left: changes are faults, reads go on, and once there is space again so do changes, without reopening. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyHead } from '../../src/core/entry.ts';
import { Queue } from '../../src/store/queue.ts';
import { readerOf } from '../../src/store/reader.ts';
import { migrate } from '../../src/store/schema.ts';
import { SqliteDriver } from '../../src/store/sqlite-driver.ts';
import { storeOf } from '../../src/store/store.ts';
import { Writer } from '../../src/store/writer.ts';
import type { Store } from '../../src/ports/store.ts';
import { assertLog, channels, handle, noOf, until, value } from './bench.ts';
import { sqliteBench } from './sqlite-bench.ts';
import * as world from './world.ts';

/** Writes until nothing more can be written, makes room, and writes again. */
async function fillAndRecover(
  store: Store,
  space: { readonly take: () => void; readonly give: () => void },
): Promise<void> {
  value(await store.change(world.acceptDirectory()));
  const versions = await store.versions();
  const verdict = world.review(versions);
  const first = world.ask(verdict);
  value(await store.change(first));
  space.take();
  const written = [first];
  let detail = '';
  for (let n = 0; n < 2_000 && detail === ''; n += 1) {
    const ask = world.ask(verdict, { input: { n, big: 'x'.repeat(20_000) } });
    const answer = await store.change(ask);
    if (answer.ok) written.push(ask);
    else detail = answer.error.kind === 'fault' ? answer.error.detail : answer.error.kind;
  }
  assert.match(detail, /full|disk I\/O error/);
  assert.deepEqual([store.health().writable, store.health().detail], [false, detail]);

  const held = await store.held({ status: 'pending', limit: 1000 });
  assert.equal(held.length, Math.min(written.length, 1000), 'what was answered is there, and nothing else');
  assert.equal((await store.caseBy({ approval: first.approval }))?.asked.id, first.asked.id);
  await assertLog(store);
  const big = world.ask(verdict, { input: { big: 'x'.repeat(500_000) } });
  assert.equal(noOf(await store.change(big)), 'fault', 'again');

  space.give();
  await until('it finds out by itself', () => store.health().writable);
  value(await store.change(big));
  value(await store.change(world.reviewOf(handle(first), world.rosa)));
  await assertLog(store);
}

test('a database that may not grow (SQLITE_FULL)', async () => {
  const bench = await sqliteBench();
  const file = join(bench.directory, 'x.db');
  const driver = new SqliteDriver(file, 'write');
  await migrate(driver, { joinKey: '00', emptyHead });
  const random = { bytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)) };
  const writer = new Writer({ driver, random, channels, gate: null });
  const clock = { nowMs: () => Date.now() };
  const reads = new SqliteDriver(file, 'read');
  const store = storeOf({
    reads: readerOf(reads, clock),
    queue: new Queue((jobs, nowMs) => writer.flush(jobs, nowMs), clock),
    clock,
    joinKey: () => new Uint8Array(32),
    backup: () => Promise.reject(new Error('not here')),
    close: () => Promise.resolve(),
  });
  const pages = (count: number) => () => void driver.query(`PRAGMA max_page_count = ${count}`);
  try {
    await fillAndRecover(store, { take: pages(200), give: pages(100_000) });
  } finally {
    await store.close();
    driver.close();
    reads.close();
    await bench.remove();
  }
});

const root = process.platform === 'linux' && process.getuid?.() === 0;

test(
  'a full disk (ENOSPC)',
  { skip: root ? false : 'only root may mount a small disk; the test above takes the same path' },
  async () => {
    const bench = await sqliteBench();
    const disk = join(bench.directory, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'countersign-test', disk]);
    try {
      const small = await sqliteBench(join(disk, 'data'));
      const store = await small.open({});
      const ballast = join(disk, 'ballast');
      try {
        await fillAndRecover(store, {
          take: () => fill(ballast, 16),
          give: () => rmSync(ballast),
        });
      } finally {
        await store.close();
      }
    } finally {
      execFileSync('umount', [disk]);
      await bench.remove();
    }
  },
);

function fill(file: string, mebibytes: number): void {
  const block = new Uint8Array(1_048_576);
  const to = openSync(file, 'w');
  for (let n = 0; n < mebibytes; n += 1) writeSync(to, block);
  closeSync(to);
}
