/**
 * Judging anew what went stale: what an action was judged with had changed when it was to be recorded. Promise: after a bounded
 * number of tries nobody judges on, and the caller denies.
 */
import { refuse, type Refusal } from '../core/refusal.ts';
import type { Parts } from './parts.ts';

/** What a round answers whose judgement did not hold any more. */
export class Stale {
  readonly operation: string;

  constructor(operation: string) {
    this.operation = operation;
  }
}

/**
 * How often it is judged, all in all. Policies move rarely (design §3). What is counted (`context.recent`) moves with each action:
 * one gate takes turns (turns.ts), several cannot, and of two that count the same thing all the time each loses every second round.
 */
export const staleTries = { policies: 3, counted: 24 } as const;

/** Longest pause before what other gates count too is judged again; by chance, so that two of them part. */
const pauseMsMax = 40;

/** Runs rounds until one is not stale; null: none was. */
export async function whileStale<T>(
  parts: Pick<Parts, 'policy' | 'store' | 'world'>,
  round: () => Promise<T | Stale>,
): Promise<T | null> {
  for (let tries = 1; ; tries += 1) {
    const answer = await round();
    if (!(answer instanceof Stale)) return answer;
    await parts.world.sync();
    const contended = parts.store.shared && parts.policy.readsRecent(answer.operation);
    if (tries >= (contended ? staleTries.counted : staleTries.policies)) return null;
    if (contended) await pause(Math.random() * Math.min(pauseMsMax, 2 ** tries));
  }
}

/** What it is refused with where none was. */
export const keptChanging = (what: 'ask' | 'try'): Refusal =>
  refuse('policy_error', `The policies kept changing while this was judged; ${what} again.`);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
