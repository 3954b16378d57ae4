/** Waiting while people decide: nothing here is state, and a client that gives up changes nothing. */
import type { Parts } from '../../app/parts.ts';
import { stateOf, type Case } from '../../core/case.ts';
import type { ActionId } from '../../core/ids.ts';
import { waitingSentence } from './words.ts';

/** How often a waiting client is told that it still waits; it is told of every change at once. */
const tellEveryMs = 5000;

export interface Waiting {
  readonly untilMs: number;
  /** The client gave up. */
  readonly gone: AbortSignal;
  readonly tell: (message: string) => void;
}

/** Waits until a case is no longer pending, the time is over or the client gave up; answers the case as it is then. */
export async function hold(parts: Parts, action: ActionId, waiting: Waiting): Promise<Case | undefined> {
  const { waiters } = parts;
  holding.set(waiters, heldCalls(waiters) + 1);
  try {
    return await untilDecided(parts, action, waiting);
  } finally {
    holding.set(waiters, heldCalls(waiters) - 1);
  }
}

/** Calls that are held, by the waiters of their gate. */
const holding = new WeakMap<Parts['waiters'], number>();

/** How many calls of a gate are held while people decide. */
export const heldCalls = (waiters: Parts['waiters']): number => holding.get(waiters) ?? 0;

async function untilDecided(parts: Parts, action: ActionId, waiting: Waiting): Promise<Case | undefined> {
  for (;;) {
    // Registered before the read: a change in between wakes it.
    const woken = new AbortController();
    const leftMs = waiting.untilMs - parts.clock.nowMs();
    const both = AbortSignal.any([waiting.gone, woken.signal]);
    const change = parts.waiters.changed(action, Math.min(leftMs, tellEveryMs), both);
    const held = await parts.store.caseBy({ action });
    if (
      held === undefined ||
      stateOf(held, parts.clock.nowMs()) !== 'pending' ||
      leftMs <= 0 ||
      waiting.gone.aborted
    ) {
      woken.abort();
      return held;
    }
    parts.tracing?.waits();
    waiting.tell(waitingSentence(held, parts.origin));
    await change;
  }
}
