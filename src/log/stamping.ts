/**
 * Has checkpoints stamped by a time-stamping authority, as often as is configured: what an outsider needs to bound from outside
 * when a log was how it is. Promises: as for witnesses (cosigning.ts); nothing of the gate waits for it.
 */
import type { Clock } from '../ports/clock.ts';
import type { StampSettings } from '../ports/log-settings.ts';
import type { Store } from '../ports/store.ts';
import { watchLateness } from './lateness.ts';
import { askStamp } from './stamp.ts';

/** How often is looked whether a stamp is due. */
const lookMs = 10_000;
const pauseMsMax = 10 * 60_000;
/** Checkpoints that are looked through for the newest stamp. */
const lookedMax = 1000;

export interface Stamping {
  /** The newest checkpoint with a stamp; null: none. */
  standing(): {
    readonly stamp: { readonly size: number; readonly atMs: number } | null;
    readonly late: string | null;
  };
  stop(): Promise<void>;
}

export function keepStamped(parts: {
  readonly store: Store;
  readonly clock: Clock;
  readonly settings: StampSettings;
  readonly lateMs: number;
  /** Whether this process publishes the tree: only then it asks. */
  readonly holds: () => boolean;
  /** For tests: how often is looked. */
  readonly lookMs?: number;
}): Stamping {
  const { store, clock, settings, holds } = parts;
  const lateness = watchLateness(
    store,
    { what: 'stamp', name: new URL(settings.url).hostname },
    parts.lateMs,
  );
  let stamp: { readonly size: number; readonly atMs: number } | null = null;
  let failures = 0;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  const look = async (): Promise<void> => {
    const checkpoints = await store.checkpoints(lookedMax);
    const [newest] = checkpoints;
    const stamped = checkpoints.find((one) => one.stamp !== null);
    stamp = stamped?.stampedAtMs == null ? stamp : { size: stamped.size, atMs: stamped.stampedAtMs };
    if (newest === undefined || newest.stamp !== null || !holds()) return;
    if (stamp !== null && clock.nowMs() - stamp.atMs < settings.everyMs) return;
    const answer = await askStamp(settings.url, newest.note);
    if (!answer.ok) {
      failures += 1;
      return lateness.behind(clock.nowMs(), answer.error);
    }
    await store.addStamp(newest.origin, newest.size, answer.value.token);
    failures = 0;
    stamp = { size: newest.size, atMs: clock.nowMs() };
    return lateness.caughtUp();
  };
  const round = async (): Promise<void> => {
    await look().catch(() => void (failures += 1));
    const ms = parts.lookMs ?? lookMs;
    if (!stopped)
      timer = setTimeout(
        () => void (running = round()),
        Math.min(pauseMsMax, ms * 2 ** Math.min(failures, 8)),
      ).unref();
  };
  running = round();
  return {
    standing: () => ({ stamp, late: lateness.now() }),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
