/**
 * The throw-away worker: compiles and tries out one candidate, answers, and ends. Whatever a hostile text does to Cedar,
 * it does here.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { startCedar } from './cedar.ts';
import { compile, type Compilation } from './compile.ts';
import type { Candidate } from './prove.ts';
import { smoke } from './smoke.ts';

function prove({ texts, world, contain }: Candidate): Compilation {
  const { compiled, problems } = compile(startCedar, texts, world, contain);
  if (compiled === null) return { compiled, problems };
  const found = smoke(startCedar, compiled);
  return { compiled: found.length === 0 ? compiled : null, problems: [...problems, ...found] };
}

// prove.ts is the only one that starts this file, with a Candidate.
parentPort?.postMessage(prove(workerData as Candidate));
