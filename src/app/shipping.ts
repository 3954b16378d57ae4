/**
 * Ships the log: one loop for each place, from where it stands. Promises: at least once, in order, no entry left out; where a
 * place stands is durable after each batch, so that a restart repeats one batch at most; a place that fails or hangs delays no
 * other place and no commit; that it is behind is on the status page, and in the log itself once that takes too long. Of several gates one ships
 * to a place; another that takes over repeats one batch at most.
 */
import type { Clock } from '../ports/clock.ts';
import type { Shipper } from '../ports/shipper.ts';
import { heldAlways, type Lease, type Leased } from './lease.ts';
import { ShippingLoop, type ShippingParts } from './shipping-loop.ts';
import type { FormatEntries } from './ship-format.ts';

export interface Shipping {
  stop(): Promise<void>;
}

/** One place with the format that it is given. */
export interface Place {
  readonly shipper: Shipper;
  readonly format: FormatEntries;
}

/** The log is looked at again at least this often: not every entry changes an action. */
const lookAgainMs = 2000;
/** Being behind is judged this often. */
const judgeMs = 5000;

/**
 * Starts a loop for each place, woken by every commit that changes something and by a slow poll.
 * @param lateMs what is not shipped after this long is an alarm.
 */
export function keepShipping(
  parts: ShippingParts & { readonly clock: Clock },
  {
    places,
    lateMs,
    leased = heldAlways,
  }: { readonly places: readonly Place[]; readonly lateMs: number; readonly leased?: Leased },
): Shipping {
  const leases: Lease[] = [];
  const loops = places.map((place) => {
    const lease = leased(`ship:${place.shipper.name}`, () => loop.taken());
    leases.push(lease);
    const loop = new ShippingLoop(parts, place, { lateMs, lease });
    return loop;
  });
  const wake = (): void => {
    for (const loop of loops) loop.wake();
  };
  const judge = (): void => {
    for (const loop of loops) void loop.judge();
  };
  const stopWatching = loops.length === 0 ? () => undefined : parts.store.onChange(wake);
  const timers =
    loops.length === 0
      ? []
      : [setInterval(wake, lookAgainMs).unref(), setInterval(judge, Math.min(judgeMs, lateMs)).unref()];
  wake();
  return {
    async stop() {
      stopWatching();
      for (const timer of timers) clearInterval(timer);
      await Promise.all(loops.map((loop) => loop.stop()));
      await Promise.all(leases.map((lease) => lease.stop()));
    },
  };
}
