/**
 * What should follow the log and does not: a witness, the stamps. Promises: lateness is recorded once when it begins and once
 * when it ends, by the part that was late; asking is cheap; a failure to record is tried again the next time.
 */
import { aboutNothing, type EntryDraft } from '../core/entry.ts';
import { rfc3339 } from '../core/time.ts';
import type { Store } from '../ports/store.ts';

export interface Lateness {
  /** It is behind, and why. @param atOnce it will not be otherwise by waiting. */
  behind(nowMs: number, detail: string, atOnce?: boolean): Promise<void>;
  /** It has caught up. */
  caughtUp(): Promise<void>;
  /** One sentence while it is late; null: it is not. */
  now(): string | null;
}

/** @param lateMs how long it may be behind before that is an alarm. */
export function watchLateness(
  store: Pick<Store, 'change'>,
  of: { readonly what: 'witness' | 'stamp'; readonly name: string },
  lateMs: number,
): Lateness {
  let sinceMs: number | null = null;
  let detail = '';
  let told = false;
  const record = async (type: 'log.late' | 'log.caught_up', data: EntryDraft['data']): Promise<boolean> => {
    const entry: EntryDraft = { type, by: { kind: 'gate' }, about: aboutNothing, subject: null, data };
    return (await store.change({ kind: 'record', entries: [entry] })).ok;
  };
  return {
    async behind(nowMs, why, atOnce = false) {
      sinceMs ??= nowMs;
      detail = why;
      if (told || (!atOnce && nowMs - sinceMs < lateMs)) return;
      told = await record('log.late', { ...of, since: rfc3339(sinceMs), detail });
    },
    async caughtUp() {
      if (told && !(await record('log.caught_up', { ...of }))) return;
      [sinceMs, told] = [null, false];
    },
    now: () => (told && sinceMs !== null ? `late since ${rfc3339(sinceMs)}: ${detail}` : null),
  };
}
