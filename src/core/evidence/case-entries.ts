/** The entries about one action, sorted out: which asked, which opened, decided, started and ended it. */
import type { Digest } from '../ids.ts';
import type { AgentId, PersonId } from '../ids.ts';
import type { EntryType } from '../entry.ts';
import type { Shown } from '../render/shown.ts';
import { isTold, textAt, type Seen } from './read.ts';

export interface CaseEntries {
  readonly asked: Seen;
  readonly opened: Seen | undefined;
  readonly reviews: readonly Seen[];
  readonly approved: Seen | undefined;
  /** Ended without running: denied, expired, cancelled. */
  readonly over: Seen | undefined;
  readonly started: readonly Seen[];
  /** The last that says how it ended. */
  readonly ended: Seen | undefined;
  /** All of them, in order. */
  readonly all: readonly Seen[];
  /** All can be read. */
  readonly told: boolean;
}

const overTypes: ReadonlySet<EntryType> = new Set([
  'approval.denied',
  'approval.expired',
  'approval.cancelled',
  'grant.expired',
]);
const endTypes: ReadonlySet<EntryType> = new Set([
  'execution.succeeded',
  'execution.failed',
  'execution.unknown',
  'execution.settled',
]);
/** Entries that a row stands on. Others (notices, previews) are shown beside it and decide nothing. */
const bearing: ReadonlySet<EntryType> = new Set<EntryType>([
  'action.asked',
  'approval.opened',
  'approval.approved',
  'review.recorded',
  'execution.started',
  ...overTypes,
  ...endTypes,
]);

/** Undefined where nothing asked. @param all of one action, in the order of the log */
export function caseEntriesOf(all: readonly Seen[]): CaseEntries | undefined {
  const one = (type: EntryType): Seen | undefined => all.find(({ entry }) => entry.type === type);
  const asked = one('action.asked');
  if (asked === undefined) return undefined;
  return {
    asked,
    opened: one('approval.opened'),
    reviews: all.filter(({ entry }) => entry.type === 'review.recorded'),
    approved: one('approval.approved'),
    over: all.findLast(({ entry }) => overTypes.has(entry.type)),
    started: all.filter(({ entry }) => entry.type === 'execution.started'),
    ended: all.findLast(({ entry }) => endTypes.has(entry.type)),
    all,
    told: all.every((seen) => !bearing.has(seen.entry.type) || isTold(seen)),
  };
}

/** What was in force, and who is who, as the log says it for a place in it. */
export interface Grounds {
  /** The policy set that was in force before an entry; null where that is not known. `set`: what verdicts name it by. */
  readonly policyAt: (index: number) => { readonly version: number; readonly set: Digest | null } | null;
  /** Owners of an agent before an entry; null where the directory of that time is not known or does not have it. */
  readonly ownersAt: (agent: AgentId, index: number) => readonly PersonId[] | null;
  readonly nameOf: (person: PersonId) => Shown;
  /** Where a break-glass was opened and closed; null: the log of the period and before does not have it. */
  readonly glassOf: (
    id: string,
  ) => { readonly openedIndex: number; readonly closedIndex: number | null } | null;
}

/** Whether it was recorded as observed, and so passed whatever was said of it. */
export function isObserved({ asked }: Pick<CaseEntries, 'asked'>): boolean {
  const { data } = asked.entry;
  if (textAt(data, 'mode') !== 'observe') return false;
  const verdict = typeof data === 'object' ? data['verdict'] : undefined;
  const code = textAt(verdict, 'code');
  // What is not there to run, or nobody who could ask: no mode lets it pass (core/steps/ask.ts).
  return code !== 'tool_disabled' && code !== 'not_an_agent';
}
