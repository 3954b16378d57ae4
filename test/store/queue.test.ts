/** What nobody waits for rides with what comes next, in its order; channels are told where there is something for them. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Flushed, Job } from '../../src/store/job.ts';
import { Queue, queueLimits } from '../../src/store/queue.ts';

const done = (id: string): Job => ({ kind: 'noticeDone', id });
const idsOf = (jobs: readonly Job[]): readonly string[] =>
  jobs.map((job) => (job.kind === 'noticeDone' ? job.id : job.kind));

/** A queue whose flushes are written down, and answered at once. */
function bench(context: TestContext, more: Partial<Flushed> = {}) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const flushes: (readonly string[])[] = [];
  const queue = new Queue(
    (jobs) => {
      flushes.push(idsOf(jobs));
      return Promise.resolve({
        outcomes: jobs.map(() => ({ ok: true, value: { kind: 'done' } }) as const),
        changed: [],
        notices: false,
        wrote: true,
        size: 1,
        fault: null,
        ...more,
      });
    },
    { nowMs: () => 0 },
  );
  const tick = (ms: number): void => context.mock.timers.tick(ms);
  return { queue, flushes, tick };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what is in no haste waits for company, and goes first', async (context) => {
  const { queue, flushes } = bench(context);
  const soon = queue.submit(done('a'), 'soon');
  await settle();
  assert.deepEqual(flushes, []);
  const now = queue.submit(done('b'));
  await Promise.all([soon, now]);
  assert.deepEqual(flushes, [['a', 'b']], 'one flush, in the order of their coming');
});

test('without company it waits no longer than its limit', async (context) => {
  const { queue, flushes, tick } = bench(context);
  const first = queue.submit(done('a'), 'soon');
  tick(queueLimits.soonMs - 1);
  const second = queue.submit(done('b'), 'soon');
  await settle();
  assert.deepEqual(flushes, []);
  tick(1);
  await Promise.all([first, second]);
  assert.deepEqual(flushes, [['a', 'b']]);
});

test('a full flush waits for nothing', async (context) => {
  const { queue, flushes } = bench(context);
  await Promise.all(
    Array.from({ length: queueLimits.flushMax }, (_, at) => queue.submit(done(String(at)), 'soon')),
  );
  assert.equal(flushes.length, 1);
});

test('closing writes what waits', async (context) => {
  const { queue, flushes } = bench(context);
  const soon = queue.submit(done('a'), 'soon');
  await queue.close();
  assert.deepEqual(flushes, [['a']]);
  assert.ok((await soon).ok);
  assert.ok(!(await queue.submit(done('b'), 'soon')).ok, 'closed');
});

test('what comes during a flush and is in no haste waits as well', async (context) => {
  const { queue, flushes, tick } = bench(context);
  const now = queue.submit(done('a'));
  const settled = settle();
  await settled;
  const soon = queue.submit(done('b'), 'soon');
  await now;
  await settle();
  assert.deepEqual(flushes, [['a']]);
  tick(queueLimits.soonMs);
  await soon;
  assert.deepEqual(flushes, [['a'], ['b']]);
});

test('channels are told of notices, and of what another process may have left', async (context) => {
  const quiet = bench(context);
  let told = 0;
  quiet.queue.onNotices(() => (told += 1));
  await quiet.queue.submit(done('a'));
  assert.equal(told, 0, 'a commit without notices is nothing to them');
  quiet.queue.announce([]);
  assert.equal(told, 1);
  context.mock.timers.reset();
  const busy = bench(context, { notices: true });
  const stop = busy.queue.onNotices(() => (told += 1));
  await busy.queue.submit(done('a'));
  await settle();
  assert.equal(told, 2);
  stop();
  await busy.queue.submit(done('b'));
  await settle();
  assert.equal(told, 2);
});

test('a database that does not answer keeps nobody waiting twice, and is used again once it has answered', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const held: ((flushed: Flushed) => void)[] = [];
  const flushed: Flushed = {
    outcomes: [{ ok: true, value: { kind: 'done' } }],
    changed: [],
    notices: false,
    wrote: true,
    size: 1,
    fault: null,
  };
  let calls = 0;
  const queue = new Queue(
    () => {
      calls += 1;
      return calls === 1 ? new Promise((resolve) => held.push(resolve)) : Promise.resolve(flushed);
    },
    { nowMs: () => 0 },
  );
  const first = queue.submit(done('a'));
  await settle();
  context.mock.timers.tick(queueLimits.answerMsMax);
  assert.equal((await first).ok, false);
  // No timer runs: this answers without one.
  assert.equal((await queue.submit(done('b'))).ok, false);
  assert.equal(calls, 1, 'nothing more is sent to it');
  assert.equal(queue.health().writable, false);
  held[0]?.(flushed);
  await settle();
  assert.equal((await queue.submit(done('c'))).ok, true);
  assert.deepEqual([calls, queue.health().writable], [2, true]);
});
