/**
 * The throw-away worker: compiles and tries out one candidate, answers, and ends. Whatever a hostile text does to Cedar,
 * it does here.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { startCedar } from './cedar.ts';
import type { Candidate } from './prove.ts';
import { compileAndTry } from './smoke.ts';

// prove.ts is the only one that starts this file, with a Candidate.
parentPort?.postMessage(compileAndTry(startCedar, workerData as Candidate));
