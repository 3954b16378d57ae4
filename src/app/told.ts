/**
 * What was told a short time ago, so that a flood of refusals is one entry of the log and not ten thousand. It is memory and
 * no state: after a restart, and in each of several gates, it is told once more.
 */
import type { AgentId } from '../core/ids.ts';
import { aboutNothing } from '../core/entry.ts';
import type { Code, Refusal } from '../core/refusal.ts';
import { maskText } from '../core/secrets.ts';
import type { Parts } from './parts.ts';

export interface Told {
  /** True where this key was not told within the last minute; from then on it was. */
  first(key: string, nowMs: number): boolean;
}

/** How long the same thing is not told again. */
const quietMs = 60_000;
/** Keys remembered at most; then all are forgotten, which tells some of them once too often. */
const keysMax = 10_000;

export function createTold(): Told {
  const known = new Map<string, number>();
  return {
    first: (key, nowMs) => {
      const at = known.get(key);
      if (at !== undefined && nowMs - at < quietMs) return false;
      if (known.size >= keysMax) known.clear();
      known.set(key, nowMs);
      return true;
    },
  };
}

/** Refusals that an agent can bring about as often as it likes. */
const floods: ReadonlySet<Code> = new Set(['agent_stopped', 'operation_paused', 'cooldown', 'quota']);

/** Leaves an entry about an attempt that its bounds refused: the first, and then at most one a minute. */
export async function recordBounded(
  parts: Parts,
  one: { readonly agent: AgentId; readonly operation: string },
  { code, detail, evidence }: Refusal,
): Promise<void> {
  if (!floods.has(code) || !parts.told.first(`${one.agent} ${code} ${one.operation}`, parts.clock.nowMs()))
    return;
  await parts.store.change({
    kind: 'record',
    entries: [
      {
        type: 'action.refused',
        by: { kind: 'agent', id: one.agent },
        about: aboutNothing,
        subject: null,
        data: {
          operation: one.operation,
          code,
          detail: maskText(detail),
          evidence: evidence === undefined ? null : { ...evidence },
          note: 'Further refusals like this within a minute leave no entry.',
        },
      },
    ],
  });
}
