/** Segments checked in threads, answered in their order; few of them are looked at here, because a thread takes longer to start. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { checkSegment, type Segment, type SegmentChecks, type SegmentOutcome } from './segment.ts';

/** What a thread is told: its keys once, then segments. */
export interface PoolTask {
  readonly segment: Segment;
  readonly signatures: SegmentChecks['signatures'];
}

/** Threads that are started, where the machine has as many cores. */
const threadsMax = 8;
/** Segments that a thread has before it or in work. */
const queuedMax = 3;
/** Below so many segments threads cost more than they save. */
const segmentsMin = 12;

/** `.ts` in a checkout, `.js` in the published form. */
const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

interface Waiting {
  readonly resolve: (outcome: SegmentOutcome) => void;
  readonly reject: (error: Error) => void;
}

export interface Pool {
  /** How many segments it makes sense to have under way. */
  readonly ahead: number;
  check(task: PoolTask): Promise<SegmentOutcome>;
  close(): Promise<void>;
}

export function openPool(keys: SegmentChecks['keys'], segments: number): Pool {
  const threads = segments < segmentsMin ? 0 : Math.min(threadsMax, availableParallelism());
  if (threads === 0)
    return {
      ahead: 1,
      check: ({ segment, signatures }) => Promise.resolve(checkSegment(segment, { keys, signatures })),
      close: () => Promise.resolve(),
    };
  const workers = Array.from({ length: threads }, () => startThread(keys));
  let next = 0;
  return {
    ahead: threads * queuedMax,
    check(task) {
      const worker = workers[next % threads];
      next += 1;
      return worker === undefined ? Promise.reject(new Error('no thread')) : worker.check(task);
    },
    close: async () => void (await Promise.all(workers.map((worker) => worker.end()))),
  };
}

/** Bytes that are moved to the thread, not copied: those that are all of their buffer. */
function movable({ entries, bundle, tile }: Segment): ArrayBuffer[] {
  const all = [entries.kind === 'lines' ? entries.bytes : undefined, bundle, tile];
  return all.flatMap((one) =>
    one != null && one.buffer instanceof ArrayBuffer && one.buffer.byteLength === one.byteLength
      ? [one.buffer]
      : [],
  );
}

function startThread(keys: SegmentChecks['keys']): {
  readonly check: Pool['check'];
  readonly end: () => Promise<number>;
} {
  const worker = new Worker(new URL(`./pool-worker${ending}`, import.meta.url), { workerData: keys });
  // A thread answers in the order that it was asked.
  const waiting: Waiting[] = [];
  let failed: Error | undefined;
  const fail = (error: Error): void => {
    failed = error;
    for (const one of waiting.splice(0)) one.reject(error);
  };
  worker.on('message', (outcome: SegmentOutcome) => waiting.shift()?.resolve(outcome));
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('a thread that verifies has stopped')));
  return {
    check: (task) =>
      new Promise((resolve, reject) => {
        if (failed !== undefined) return reject(failed);
        waiting.push({ resolve, reject });
        worker.postMessage(task, movable(task.segment));
      }),
    end: () => worker.terminate(),
  };
}
