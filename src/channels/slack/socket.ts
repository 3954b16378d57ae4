/**
 * Keeps one connection of Socket Mode open: opens it again when Slack closes it, which Slack does every few hours, and after
 * pauses that grow where it cannot be opened or does not last. Never rejects; how it stands is said, each time it changes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bolt } from './bolt.ts';
import { unreachable } from './failure.ts';

/** Pause before the first try again, and the longest one. */
const pauseMs = 1000;
const pauseMsMax = 30_000;
/** A connection that lasted so long was a good one: the next is opened at once. */
const goodMs = 10_000;
/** How long a connection may take until Slack greets. */
const helloMs = 30_000;
/** How long closing may take. */
const closeMs = 2000;

type Wire = Pick<Bolt, 'connect' | 'disconnect'>;

export interface Socket {
  /** Resolves when the first try is over. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** @param said null: connected */
export function keepSocket(wire: Wire, nowMs: () => number, said: (failure: string | null) => void): Socket {
  const stopping = new AbortController();
  const stopped = (): boolean => stopping.signal.aborted;
  let loop: Promise<void> = Promise.resolve();
  /** One connection, from opening to its end. Answers how long to wait before the next; null: not at all. */
  const once = async (tried: () => void): Promise<number | null> => {
    const connection = await connectInTime(wire);
    if (stopped()) return null;
    if (!connection.ok) {
      said(connection.error.detail);
      tried();
      return connection.error.retryAfterMs ?? null;
    }
    const fromMs = nowMs();
    said(null);
    tried();
    await connection.value.closed;
    return nowMs() - fromMs >= goodMs ? 0 : null;
  };
  const run = async (tried: () => void): Promise<void> => {
    for (let pause = pauseMs; !stopped();) {
      const wanted = await once(tried);
      pause = wanted === 0 ? pauseMs : pause;
      // Waking up early is the end of it.
      await sleep(wanted ?? pause, null, { signal: stopping.signal }).catch(() => undefined);
      pause = wanted === 0 ? pauseMs : Math.min(pause * 2, pauseMsMax);
    }
    await wire.disconnect();
    tried();
  };
  return {
    start: async () =>
      new Promise((resolve) => {
        loop = run(resolve);
      }),
    async stop() {
      stopping.abort();
      await wire.disconnect();
      await Promise.race([loop, sleep(closeMs, null, { ref: false })]);
    },
  };
}

/** A connection that is never greeted is given up. */
async function connectInTime(wire: Wire): ReturnType<Wire['connect']> {
  const late = new AbortController();
  const tooLate = async (): ReturnType<Wire['connect']> => {
    await sleep(helloMs, null, { signal: late.signal });
    await wire.disconnect();
    return { ok: false, error: unreachable('Socket Mode does not open') };
  };
  const waiting = tooLate();
  // Given up where the other one came first.
  waiting.catch(() => undefined);
  const first = await Promise.race([wire.connect(), waiting]);
  late.abort();
  return first;
}
