/** What waits for company is decided ahead, in a transaction that only its flush commits; whatever goes wrong, the flush says. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import type { Command } from '../../src/core/command.ts';
import { emptyHead } from '../../src/core/entry.ts';
import type { Flushed, Job } from '../../src/store/job.ts';
import { Queue, queueLimits } from '../../src/store/queue.ts';
import { migrate } from '../../src/store/schema.ts';
import { SqliteDriver } from '../../src/store/sqlite-driver.ts';
import { Writer } from '../../src/store/writer.ts';
import { note } from './bench.ts';
import { sqliteBench } from './sqlite-bench.ts';
import { acceptDirectory, allow, ask, fresh } from './world.ts';

const jobOf = (command: Command): Job => ({ kind: 'change', command, idempotency: null });
const noted = (n: number): Job => jobOf(note(n));

async function writerOn(context: TestContext) {
  const bench = await sqliteBench();
  const file = join(bench.directory, 'x.db');
  const driver = new SqliteDriver(file, 'write');
  await migrate(driver, { joinKey: '00', emptyHead });
  const beside = new SqliteDriver(file, 'write');
  const said: string[] = [];
  const run = driver.run.bind(driver);
  driver.run = (sql, values) => {
    said.push(sql.split(' ', 2).join(' '));
    return run(sql, values);
  };
  const writer = new Writer({ driver, random: { bytes: fresh }, channels: [], gate: null });
  context.after(async () => {
    writer.leave();
    await after(0);
    driver.close();
    beside.close();
    await bench.remove();
  });
  const entries = (): number => Number(beside.query('SELECT count(*) AS n FROM entries')[0]?.['n']);
  const began = (what: string): number => said.filter((sql) => sql.startsWith(what)).length;
  return { writer, driver, beside, entries, began, file };
}

const okOf = (flushed: Flushed): readonly boolean[] => flushed.outcomes.map((one) => one.ok);

test('decided ahead, seen by nobody, committed by the flush that begins with it', async (context) => {
  const { writer, entries, began } = await writerOn(context);
  const [first, second] = [noted(1), noted(2)];
  writer.ahead([first], 1);
  await after(0);
  assert.deepEqual([began('INSERT INTO'), began('COMMIT'), entries()], [1, 0, 0]);
  const flushed = await writer.flush([first, second], 2);
  assert.deepEqual(okOf(flushed), [true, true]);
  assert.deepEqual([flushed.size, entries(), began('BEGIN'), began('COMMIT')], [2, 2, 1, 1]);
});

test('entries of a flush that went on later have its time', async (context) => {
  const { writer, beside } = await writerOn(context);
  const [first, second] = [noted(1), noted(2)];
  writer.ahead([first], 1000);
  await writer.flush([first, second], 2000);
  const times = beside.query('SELECT at_ms FROM entries ORDER BY idx').map((row) => row['at_ms']);
  assert.deepEqual(times, [1000, 2000]);
  assert.equal(beside.query('SELECT at_ms FROM log_head')[0]?.['at_ms'], 2000);
});

test('a flush that begins with something else decides everything itself', async (context) => {
  const { writer, entries, began } = await writerOn(context);
  writer.ahead([noted(1)], 1);
  const flushed = await writer.flush([noted(2), noted(3)], 2);
  assert.deepEqual([okOf(flushed), flushed.size, entries()], [[true, true], 2, 2]);
  assert.equal(began('ROLLBACK'), 1);
});

test('what fails ahead fails alone in its flush', async (context) => {
  const { writer, entries, began } = await writerOn(context);
  await writer.flush([jobOf(acceptDirectory())], 1);
  const stored = jobOf(ask(allow({ policySet: 0, directory: 1, tools: 0 })));
  assert.deepEqual(okOf(await writer.flush([stored], 1)), [true]);
  const before = entries();
  const later = noted(2);
  // The same action cannot be stored twice.
  writer.ahead([stored], 2);
  await after(0);
  assert.equal(began('ROLLBACK'), 1);
  assert.deepEqual(okOf(await writer.flush([stored, later], 3)), [false, true]);
  assert.equal(entries(), before + 1);
});

test('a failure in the rest of the flush loses nothing of what was ahead', async (context) => {
  const { writer, entries } = await writerOn(context);
  await writer.flush([jobOf(acceptDirectory())], 1);
  const stored = jobOf(ask(allow({ policySet: 0, directory: 1, tools: 0 })));
  await writer.flush([stored], 1);
  const before = entries();
  const first = noted(1);
  writer.ahead([first], 2);
  assert.deepEqual(okOf(await writer.flush([first, stored], 3)), [true, false]);
  assert.equal(entries(), before + 1);
});

test('nobody is kept from writing for long where no flush comes', async (context) => {
  const { writer, beside, entries } = await writerOn(context);
  const first = noted(1);
  writer.ahead([first], 1);
  while (writer.waiting) await after(5);
  await after(0);
  // Waits for no lock: it would fail at once.
  beside.query('PRAGMA busy_timeout = 0');
  beside.run('BEGIN IMMEDIATE');
  beside.run('ROLLBACK');
  assert.equal(entries(), 0);
  assert.deepEqual(okOf(await writer.flush([first], 2)), [true]);
  assert.equal(entries(), 1);
});

test('the queue has decided ahead what waits, once, and never while it writes', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const said: string[] = [];
  const names = (jobs: readonly Job[]): string =>
    jobs.map((job) => (job.kind === 'noticeDone' ? job.id : job.kind)).join('');
  const queue = new Queue(
    (jobs) => {
      said.push(`flush ${names(jobs)}`);
      const outcomes = jobs.map(() => ({ ok: true, value: { kind: 'done' } }) as const);
      return Promise.resolve({ outcomes, changed: [], notices: false, wrote: true, size: 1, fault: null });
    },
    { nowMs: () => 0 },
    (jobs) => said.push(`ahead ${names(jobs)}`),
  );
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const job = (id: string): Job => ({ kind: 'noticeDone', id });
  const soon = [queue.submit(job('a'), 'soon')];
  await settle();
  soon.push(queue.submit(job('b'), 'soon'));
  await settle();
  assert.deepEqual(said, ['ahead a']);
  await queue.submit(job('c'));
  assert.deepEqual(said, ['ahead a', 'flush abc']);
  // What is asked for in the same turn leaves nothing to do ahead.
  soon.push(queue.submit(job('d'), 'soon'));
  await queue.submit(job('e'));
  soon.push(queue.submit(job('f'), 'soon'));
  await settle();
  context.mock.timers.tick(queueLimits.soonMs);
  await Promise.all(soon);
  assert.deepEqual(said.slice(2), ['flush de', 'ahead f', 'flush f']);
});

test('room in the write-ahead log is made by SQLite, and leaves nothing in the database', async (context) => {
  const { writer, driver, beside, entries, file } = await writerOn(context);
  const logBytes = (): number => statSync(`${file}-wal`).size;
  await writer.flush([noted(1)], 1);
  const before = logBytes();
  driver.makeRoom();
  const roomy = logBytes();
  assert.ok(roomy > before + 2 * 1024 * 1024, `${before} bytes, then ${roomy}`);
  assert.equal(beside.query("SELECT count(*) AS n FROM meta WHERE key = 'room'")[0]?.['n'], 0);
  await writer.flush([noted(2)], 2);
  driver.makeRoom();
  assert.equal(logBytes(), roomy, 'there was room');
  assert.equal(entries(), 2);
  assert.equal(beside.query('PRAGMA integrity_check')[0]?.['integrity_check'], 'ok');
});

test('nobody reads what comes of a change in no haste, but whether it was made', async () => {
  const bench = await sqliteBench();
  const store = await bench.open({});
  await store.change(acceptDirectory());
  const asked = ask(allow(await store.versions()));
  const answer = await store.change(asked, undefined, 'soon');
  assert.deepEqual(answer, { ok: true, value: { kind: 'done' } });
  assert.equal((await store.caseBy({ action: asked.asked.id }))?.asked.id, asked.asked.id);
  const twice = await store.change(asked, undefined, 'soon');
  assert.equal(twice.ok, false);
  await store.close();
  await bench.remove();
});
