/** A thread that checks segments: pool.ts is the only one that starts it. */
import { parentPort, workerData } from 'node:worker_threads';
import type { PoolTask } from './pool.ts';
import { checkSegment } from './segment.ts';

// pool.ts starts this file with the keys, and posts tasks only.
const keys = workerData as ReadonlyMap<string, string>;
parentPort?.on('message', ({ segment, signatures }: PoolTask) => {
  const outcome = checkSegment(segment, { keys, signatures });
  parentPort?.postMessage(outcome);
});
