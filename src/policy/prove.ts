/**
 * Has a candidate compiled and tried out in a throw-away worker. Promises: always answers; a worker that crashes, runs out
 * of memory or of time is a problem of the candidate, never of the gate.
 */
import { Worker } from 'node:worker_threads';
import { canonicalize } from '../core/canonical.ts';
import type { JsonValue } from '../core/json.ts';
import { sha256Hex } from '../core/sha256.ts';
import type { PolicyProblem, PolicyTexts, PolicyWorld } from '../ports/policy.ts';
import type { Compilation } from './compile.ts';

export interface Candidate {
  readonly texts: PolicyTexts;
  readonly world: PolicyWorld;
  /** See compile.ts. */
  readonly contain: boolean;
}

/** Compiles a candidate and tries it out, somewhere where it can do no harm. */
export type Prove = (candidate: Candidate) => Promise<Compilation>;

/** How long a candidate may be checked: Cedar's validation of 10,000 policies alone takes tens of seconds. */
const proveMsMax = 30_000;
const proveMsPerChar = 1 / 25;

const msFor = ({ texts }: Candidate): number =>
  proveMsMax + Math.ceil(texts.policies.reduce((sum, one) => sum + one.text.length, 0) * proveMsPerChar);

/** Less stack than the main thread has: what fits here, fits there. */
const resourceLimits = { maxOldGenerationSizeMb: 1024, stackSizeMb: 1 };

/** The worker is a .ts file in a checkout and a .js file in the published package, as this file is. */
const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** Compiles a candidate; `compiled` is null where a problem is an error. */
export function prove(candidate: Candidate, timeoutMs = msFor(candidate)): Promise<Compilation> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL(`./worker${ending}`, import.meta.url), {
      workerData: candidate,
      resourceLimits,
      env: {},
      stdin: false,
      name: 'policy candidate',
    });
    const timer = setTimeout(
      () => end(failed(`the policy set took more than ${timeoutMs / 1000} s to check`)),
      timeoutMs,
    );
    const end = (compilation: Compilation): void => {
      clearTimeout(timer);
      resolve(compilation);
      void worker.terminate();
    };
    worker.once('message', (compilation: Compilation) => end(compilation));
    worker.once('error', (error: unknown) => {
      end(
        failed(
          `checking the policy set failed: ${error instanceof Error ? error.message : 'the worker died'}`,
        ),
      );
    });
    worker.once('exit', () =>
      end(failed('checking the policy set failed: the worker ended without an answer')),
    );
  });
}

function failed(message: string): Compilation {
  const problem: PolicyProblem = { file: '', line: 0, message, severity: 'error' };
  return { compiled: null, problems: [problem] };
}

/**
 * Proves once what is checked and then loaded: the last candidate's compilation is kept. Where it had no errors there
 * was nothing to contain, so it serves for both.
 */
export function createProver(proveOne: Prove): Prove {
  let last: { readonly key: string; readonly compilation: Promise<Compilation> } | null = null;
  return async (candidate) => {
    const key = keyOf(candidate);
    if (key !== null && last?.key === key) {
      const known = await last.compilation;
      if (known.compiled !== null && (candidate.contain || known.compiled.contained.size === 0)) return known;
    }
    const compilation = proveOne(candidate);
    last = key === null ? null : { key, compilation };
    return compilation;
  };
}

/** The same candidate has the same key, whatever its versions; null where it cannot be told. */
function keyOf({ texts, world }: Candidate): string | null {
  const { versions: _versions, ...judgedWith } = world;
  try {
    // All of these are JSON by construction; where one is not, canonicalize throws.
    return sha256Hex(canonicalize({ texts, judgedWith } as unknown as JsonValue));
  } catch {
    return null;
  }
}
