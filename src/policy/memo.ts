/**
 * Remembers verdicts of one live policy set: Cedar answers the same question the same way, and asking it is most of what a
 * judgement costs.
 *
 * Promises: a verdict is remembered under everything that it was made from, and only where that is all of it: never where a
 * policy reads the time or counts, never a failure. A memo belongs to one set and goes with it, so nothing is judged by
 * a set that was replaced. What is remembered is bounded in number and size.
 */
import type { JsonValue } from '../core/json.ts';
import type { Verdict } from '../core/verdict.ts';
import type { Judgeable } from '../ports/policy.ts';
import type { Slice } from './slice.ts';

export const memoLimits = {
  /** Verdicts; the oldest one makes room. */
  verdictsMax: 2048,
  /** UTF-16 units of a question: larger inputs are judged each time. */
  keyCharsMax: 2048,
} as const;

export class Memo {
  readonly #verdicts = new Map<string, Verdict>();

  get(key: string | null): Verdict | undefined {
    return key === null ? undefined : this.#verdicts.get(key);
  }

  /** Takes the verdict on the question of that key; answers it. */
  keep(key: string | null, verdict: Verdict): Verdict {
    if (key === null || (verdict.effect === 'deny' && verdict.code === 'policy_error')) return verdict;
    if (this.#verdicts.size >= memoLimits.verdictsMax)
      this.#verdicts.delete(this.#verdicts.keys().next().value ?? '');
    this.#verdicts.set(key, verdict);
    return verdict;
  }
}

/**
 * Everything that a judgement with this slice depends on, besides the set itself; null where it cannot be remembered.
 * @param input projected: only what policies read.
 */
export function memoKey(slice: Slice, { agent, resource }: Judgeable, input: JsonValue): string | null {
  const { system, recent } = slice.reads;
  if (system !== null || recent !== null) return null;
  // JSON of texts and plain JSON: two questions have the same one only if they are the same.
  const key = JSON.stringify([slice.action, agent, resource.type, resource.id, input]);
  return key.length > memoLimits.keyCharsMax ? null : key;
}
