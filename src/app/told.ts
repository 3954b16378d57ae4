/**
 * What the log is told of refusals, so that a flood of them is one entry and not ten thousand. What it was told a short time ago
 * is memory (pace.ts): after a restart, and in each of several gates, it is told once more.
 */
import type { AgentId } from '../core/ids.ts';
import { aboutNothing, type EntryDraft } from '../core/entry.ts';
import type { JsonObject } from '../core/json.ts';
import type { Code, Refusal } from '../core/refusal.ts';
import { maskText } from '../core/secrets.ts';
import type { Parts } from './parts.ts';

/** Refusals that an agent can bring about as often as it likes. */
const floods: ReadonlySet<Code> = new Set(['agent_stopped', 'operation_paused', 'cooldown', 'quota']);

/** Leaves an entry about an attempt that its bounds refused: the first, and then at most one a minute. */
export async function recordBounded(
  parts: Parts,
  one: { readonly agent: AgentId; readonly operation: string },
  { code, detail, evidence }: Refusal,
): Promise<void> {
  // A stop is about everything; and names of operations that nobody declared are the agent's to make up.
  const about = code === 'agent_stopped' ? '' : one.operation;
  if (!floods.has(code)) return;
  if (parts.pace.told.count(`${one.agent} ${code} ${about}`, parts.clock.nowMs()) > 1) return;
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

/** Entries of one agent within a minute about input that was refused before it was an action, or about questions to it. */
export const refusalsPerMinute = 60;
/** Longest text in such an entry, in UTF-16 units: what is wrong with input is told in words that the input may have made long. */
const textCharsMax = 1000;

/** Leaves an entry about refused input: each, until they are a flood. Where it cannot be written, it is refused all the same. */
export async function recordRefusal(parts: Parts, agent: AgentId, data: JsonObject): Promise<void> {
  const count = parts.pace.told.count(`${agent} refused`, parts.clock.nowMs());
  if (count > refusalsPerMinute) return;
  const said = Object.entries(data).map(([key, value]) => [
    key,
    typeof value === 'string' && value.length > textCharsMax
      ? `${value.slice(0, textCharsMax).toWellFormed()}…`
      : value,
  ]);
  const draft: EntryDraft = {
    type: 'action.refused',
    by: { kind: 'agent', id: agent },
    about: aboutNothing,
    subject: null,
    data: {
      ...Object.fromEntries(said),
      ...(count === refusalsPerMinute ? { note: 'Further refusals within a minute leave no entry.' } : {}),
    },
  };
  await parts.store.change({ kind: 'record', entries: [draft] });
}
