/**
 * Entries are in the tree a moment after they are committed. Evidence that is made right after the last of them waits for that
 * moment, and no longer: where no gate publishes, it says that nothing covers them yet.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transparency } from '../ports/transparency.ts';

/** The longest wait. */
export const coveredMsMax = 5000;
/** It is looked again so often. */
const lookMs = 50;

export interface Waiting {
  readonly tell: ((what: string, part: number) => void) | undefined;
  readonly ends: AbortSignal | undefined;
}

/** Resolves when there are receipts of so many entries, or when it has waited long enough. Rejects where it is stopped. */
export async function untilCovered(
  transparency: Pick<Transparency, 'covered'>,
  size: number,
  { tell, ends }: Waiting,
): Promise<void> {
  const begun = performance.now();
  for (;;) {
    if ((await transparency.covered()) >= size) return;
    const waited = performance.now() - begun;
    if (waited >= coveredMsMax) return;
    tell?.('waiting until the last entries are in the tree', waited / coveredMsMax);
    await sleep(lookMs, undefined, ends === undefined ? {} : { signal: ends });
  }
}
