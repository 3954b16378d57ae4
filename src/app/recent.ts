/** Counting before judging: what `context.recent` holds for an action, where policies read it. */
import type { AgentId } from '../core/ids.ts';
import { recentOf, type Recent } from '../core/recent.ts';
import type { Parts } from './parts.ts';

/** Null where no policy of the operation reads counts: then nothing is counted. */
export async function recentNow(
  parts: Parts,
  one: {
    readonly agent: AgentId;
    readonly operation: string;
    readonly amount: number | null;
    readonly countedAtMs: number | null;
  },
  nowMs: number,
): Promise<Recent | null> {
  if (!parts.policy.readsRecent(one.operation)) return null;
  const [rows, directory] = await Promise.all([parts.store.recent(one.operation), parts.store.directory()]);
  return recentOf(rows, one, directory, nowMs);
}
