/**
 * Work that one gate at a time does, such as shipping the log to a place. Promises: of all gates on a store at most one believes
 * that it holds a lease; its holder keeps it until it stops or is gone, and is followed within five seconds. Where a store lets in
 * one gate at a time that one holds every lease, and nothing is written.
 */
import type { Store } from '../ports/store.ts';

export const leaseLimits = {
  /** How long it is taken for. */
  forMs: 3_000,
  /** How often the holder takes it anew, and the others look whether it is free. */
  everyMs: 1_000,
} as const;

export interface Lease {
  /** Whether this gate may do the work now. By the process's own steady clock: what was not renewed in time is not held. */
  holds(): boolean;
  /** Gives it back. */
  stop(): Promise<void>;
}

/** Makes leases for one gate. */
export type Leased = (name: string, taken?: () => void) => Lease;

/** Of work that nobody else does. */
export const heldAlways: Leased = () => ({ holds: () => true, stop: () => Promise.resolve() });

export type LeaseStore = Pick<Store, 'shared' | 'takeLease' | 'leaseFree'>;

/**
 * @param holder the gate's id. @param taken told each time that this gate comes to hold it, having not held it before; where no
 * other gate can be it is told nothing, and holds it from the start.
 */
export function keepLease(
  store: LeaseStore,
  {
    name,
    holder,
    taken = () => undefined,
  }: {
    readonly name: string;
    readonly holder: string;
    readonly taken?: () => void;
  },
): Lease {
  if (!store.shared) return heldAlways(name);
  const { forMs, everyMs } = leaseLimits;
  let untilMs = Number.NEGATIVE_INFINITY;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const holds = (): boolean => !stopped && performance.now() < untilMs;

  const round = async (): Promise<void> => {
    const had = holds();
    // Reading is cheaper than a write that finds it taken.
    if (!had && !(await store.leaseFree(name, holder))) return;
    // From before it was asked: by the store's clock it lasts no shorter.
    const askedMs = performance.now();
    if (!(await store.takeLease(name, holder, forMs))) {
      untilMs = Number.NEGATIVE_INFINITY;
      return;
    }
    untilMs = askedMs + forMs;
    if (!had && holds()) taken();
  };
  let running: Promise<void> = Promise.resolve();
  const turn = (): void => {
    // A store that fails leaves it to run out.
    running = round().catch(() => undefined);
    void running.then(() => {
      if (!stopped) timer = setTimeout(turn, everyMs).unref();
    });
  };
  turn();
  return {
    holds,
    async stop() {
      const had = holds();
      stopped = true;
      clearTimeout(timer);
      await running;
      if (had) await store.takeLease(name, holder, 0);
    },
  };
}
