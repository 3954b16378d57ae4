/**
 * The one door to Cedar's wasm (synchronous, 4.3 MB, about 30 ms to start). A policy that overruns its stack leaves an
 * instance in which every later call throws, so an instance can be thrown away and started anew.
 */
import { createRequire } from 'node:module';

export type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs');

const require = createRequire(import.meta.url);
const name = '@cedar-policy/cedar-wasm/nodejs';

/** A new instance that shares nothing with those before it; throws where the package cannot be loaded. */
export function startCedar(): Cedar {
  // The module instantiates its wasm when it is loaded, and keeps it in a variable of its own: loading it again is a new instance.
  delete require.cache[require.resolve(name)];
  // The package's own types for this path.
  return require(name) as Cedar;
}

/** Whether what was thrown means that the instance cannot be trusted any more: a wasm trap, or a stack that was too small. */
export function isTrap(error: unknown): boolean {
  return error instanceof RangeError || (error instanceof Error && error.name === 'RuntimeError');
}
