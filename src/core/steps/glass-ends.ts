/**
 * How a break-glass ends, as part of whatever ends it: somebody ends it, its time is over, its agent is stopped, the store is
 * restored. Each says so in the log and tells every channel.
 */
import type { By } from '../case.ts';
import { aboutNothing, type EntryDraft } from '../entry.ts';
import type { Principal } from '../directory.ts';
import type { Glass, GlassId } from '../glass.ts';
import { refuse, type Refusal } from '../refusal.ts';
import type { AgentId } from '../ids.ts';
import type { Loaded, Step } from '../loaded.ts';
import { byOf, data, refused } from './common.ts';

/** What is written with it. */
export type Written = Pick<Step, 'writes' | 'entries' | 'notices'>;

/** One entry about a break-glass. */
export const glassEntry = (
  type: Extract<EntryDraft['type'], `glass.${string}`>,
  by: By,
  fields: object,
  about: EntryDraft['about'] = aboutNothing,
): EntryDraft => ({ type, by, about, subject: null, data: data(fields) });

/** The writes, entries and notices that end a glass; part of whatever ended it. */
export function endingOf(glass: Glass, of: NonNullable<Glass['ended']>): Written {
  const { id, agent, operation, approval } = glass;
  const { why, by, reason } = of;
  return {
    writes: [{ row: 'glass', glass: { ...glass, ended: of } }],
    entries: [glassEntry('glass.closed', by, { glass: id, agent, operation, why, reason })],
    notices: [{ kind: 'glass.closed', approval, callback: false }],
  };
}

/** Those of a stopped agent end with the stop. */
export const endingsOfStopped = (
  agent: AgentId,
  { glasses, nowMs }: Pick<Loaded, 'glasses' | 'nowMs'>,
  by: By,
): Written => {
  const all = glasses
    .filter((one) => one.agent === agent && one.ended === null)
    .map((one) => endingOf(one, { atMs: nowMs, why: 'stopped', by, reason: 'The agent was stopped.' }));
  return {
    writes: all.flatMap((one) => one.writes),
    entries: all.flatMap((one) => one.entries),
    notices: all.flatMap((one) => one.notices),
  };
};

/** Each attempt that is refused is in the log. */
export const refusedGlass = (
  refusal: Refusal,
  by: Principal,
  of: { readonly what: 'ask' | 'end' | 'review'; readonly glass?: GlassId; readonly agent?: AgentId },
): Step => refused(refusal, [glassEntry('glass.refused', byOf(by), { ...of, code: refusal.code })]);

export const notAPerson = (by: Principal): Refusal =>
  refuse('not_a_person', 'Break-glass is for people; agents have no part in it.', { agent: by.id });
