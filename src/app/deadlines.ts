/** What happens by itself: one timer, armed at the time that comes first; and what a crash left behind, at start-up. */
import { notAtOnce } from './elsewhere.ts';
import type { Parts } from './parts.ts';

/** How many cases one round ends. */
const roundMax = 200;
/** The timer looks again at least this often: a net under changed clocks and other processes. */
const lookAgainMs = 30_000;
/** How soon after a change the deadlines are looked at; no policy gives people less than a second. */
const afterChangeMs = 100;
/** After a fault, so that a full disk is not hammered. */
const faultPauseMs = 1000;

export interface Deadlines {
  stop(): void;
}

export function keepDeadlines(parts: Parts): Deadlines {
  let timer: NodeJS.Timeout | undefined;
  let firesAtMs = 0;
  let stopped = false;
  const arm = (ms: number): void => {
    clearTimeout(timer);
    if (stopped) return;
    const wait = Math.max(0, Math.min(ms, lookAgainMs)) + notAtOnce(parts);
    firesAtMs = parts.clock.nowMs() + wait;
    timer = setTimeout(() => void round(), wait).unref();
  };
  const round = async (): Promise<void> => {
    firesAtMs = Number.POSITIVE_INFINITY; // while it runs, a change arms the next
    const ms = await dueRound(parts).catch(() => faultPauseMs);
    if (firesAtMs === Number.POSITIVE_INFINITY) arm(ms);
  };
  // A change may bring an earlier deadline: look soon, once for all the changes until then.
  const changed = (): void => {
    const nowMs = parts.clock.nowMs();
    // It should have fired: the clock has jumped (a machine that slept), and the timer counts another time.
    if (firesAtMs > nowMs + afterChangeMs || firesAtMs <= nowMs) arm(afterChangeMs);
  };
  const stopWatching = parts.store.onChange(changed);
  arm(0);
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      stopWatching();
    },
  };
}

/** Ends every case whose time has come; answers how long until the next. */
async function dueRound(parts: Parts): Promise<number> {
  for (;;) {
    const nowMs = parts.clock.nowMs();
    const glassMs = await glassRound(parts, nowMs);
    const next = await parts.store.nextDue(roundMax);
    const over = next.filter((one) => one.atMs <= nowMs);
    const results = await Promise.all(
      over.map((one) => parts.store.change({ kind: 'due', action: one.action })),
    );
    if (results.some((result) => !result.ok && result.error.kind === 'fault')) return faultPauseMs;
    if (over.length < roundMax) {
      const later = next.find((one) => one.atMs > nowMs);
      return Math.min(glassMs, later === undefined ? lookAgainMs : later.atMs - nowMs);
    }
  }
}

/** Says of each break-glass whose time is over that it is; answers how long until the next. What it lifted ended by itself. */
async function glassRound({ store }: Parts, nowMs: number): Promise<number> {
  const open = (await store.openGlasses()).filter((one) => one.ended === null);
  const over = open.filter((one) => one.untilMs <= nowMs);
  const results = await Promise.all(over.map((one) => store.change({ kind: 'glassDue', glass: one.id })));
  if (results.some((result) => !result.ok && result.error.kind === 'fault')) return faultPauseMs;
  return Math.min(
    lookAgainMs,
    ...open.filter((one) => one.untilMs > nowMs).map((one) => one.untilMs - nowMs),
  );
}

/** Marks what ran when the gate stopped as `unknown`; nothing is retried. Answers how many. */
export async function recover(parts: Parts): Promise<number> {
  const running = await parts.store.running();
  await Promise.all(running.map((execution) => parts.store.change({ kind: 'lost', execution })));
  return running.length;
}
