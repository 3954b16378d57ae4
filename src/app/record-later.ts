/**
 * How a run ended, where that could not be written at once. Promise: as long as this process lives it is tried again, because no
 * other gate takes a run of a living one for lost.
 */
import type { OutcomeCommand } from '../core/command.ts';
import type { ExecutionId } from '../core/ids.ts';
import type { Store } from '../ports/store.ts';

type Writes = Pick<Store, 'change'>;

const pauseMsMin = 1000;
const pauseMsMax = 60_000;
/** Nobody leaves a database away for longer. */
const laterMsMax = 7 * 24 * 3_600_000;
/** Starts in doubt at a time: those that were being written when the database went away, and a few of what came after. */
const doubtsMax = 10_000;

/** Resolves when it is written, or when there is nothing to write any more. */
export async function recordLater(store: Writes, command: OutcomeCommand): Promise<void> {
  const endMs = performance.now() + laterMsMax;
  for (let pauseMs = pauseMsMin; performance.now() < endMs; pauseMs = Math.min(2 * pauseMs, pauseMsMax)) {
    const result = await store.change(command);
    if (result.ok || result.error.kind !== 'fault') return;
    await new Promise((resolve) => setTimeout(resolve, pauseMs).unref());
  }
}

const doubts = new WeakMap<Writes, Set<ExecutionId>>();

/**
 * A start that nobody could say was written: it is not run here, and nobody else runs it. Where it was written all the same, the
 * log says that it did not run; where it was not, there is no such execution, and this is refused.
 */
export function neverRan(store: Writes, execution: ExecutionId): void {
  const open = doubts.get(store) ?? new Set<ExecutionId>();
  doubts.set(store, open);
  // Those that came first are those that may have been written: later ones were refused without being tried.
  if (open.size >= doubtsMax) return;
  open.add(execution);
  if (open.size === 1) void clear(store, open).catch(() => open.clear());
}

/** One after another, so that a flood of them is no flood of writes. */
async function clear(store: Writes, open: Set<ExecutionId>): Promise<void> {
  for (const execution of open) {
    await recordLater(store, {
      kind: 'outcome',
      execution,
      by: { kind: 'gate' },
      status: 'failed',
      detail: 'It was not run: whether its start had been recorded was not known in time.',
      result: null,
    });
    open.delete(execution);
  }
}
