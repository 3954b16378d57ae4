/**
 * What one action comes to in a report, and whom it asked or would have asked. Pure. Of what was asked the case itself says who
 * could decide; of what was observed it is found as it would have been asked (core/steps/ask.ts), with the directory of today.
 */
import { membersOf, type Directory } from './directory.ts';
import type { PersonId } from './ids.ts';
import { fillPlaces } from './places.ts';
import type { Code } from './refusal.ts';
import type { Ends, ReportRow } from './report.ts';
import type { Requirement } from './verdict.ts';

/** What an action comes to in the report. */
export type Weighed =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'asked'; readonly end: keyof Ends; readonly tookMs: number | null }
  | { readonly kind: 'wouldAsk' }
  | { readonly kind: 'denied' | 'wouldDeny'; readonly code: Code };

/** @param met whether enough people would have been left to ask. */
export function weighed(row: ReportRow, met: () => boolean, nowMs: number): Weighed {
  const { verdict, approval } = row;
  if (approval !== null) return { kind: 'asked', ...endOf(row, approval, nowMs) };
  if (verdict === null || verdict.effect === 'allow') return { kind: 'allowed' };
  const would = (row.mode === 'observe' || row.glass === true) && row.passed;
  if (verdict.effect === 'deny') return { kind: would ? 'wouldDeny' : 'denied', code: verdict.code };
  if (!would) return { kind: 'denied', code: row.ending?.code ?? 'forbidden' };
  return met() ? { kind: 'wouldAsk' } : { kind: 'wouldDeny', code: 'nobody_left' };
}

type Opened = NonNullable<ReportRow['approval']>;

function endOf(
  { ending }: ReportRow,
  { createdAtMs, approvedAtMs, expiresAtMs }: Opened,
  nowMs: number,
): { readonly end: keyof Ends; readonly tookMs: number | null } {
  const tookMs = approvedAtMs === null ? null : approvedAtMs - createdAtMs;
  if (ending === null) {
    if (approvedAtMs !== null) return { end: 'approved', tookMs };
    return { end: nowMs < expiresAtMs ? 'pending' : 'expired', tookMs };
  }
  const { code } = ending;
  if (code === 'denied') return { end: code, tookMs: tookMs ?? ending.atMs - createdAtMs };
  if (code === 'cancelled') return { end: code, tookMs };
  // Approved and not run in time: people did what they were asked.
  if (code === 'expired') return { end: approvedAtMs === null ? code : 'approved', tookMs };
  return { end: 'changed', tookMs };
}

/** Who could have decided it when it was asked. */
export const eligibleOf = ({ approval }: ReportRow): readonly PersonId[] => [
  ...new Set((approval?.eligibleThen ?? []).flatMap((one) => one.people)),
];

export interface Askable {
  readonly people: readonly PersonId[];
  /** False: not enough of them; it would have been denied at once (`nobody_left`). */
  readonly met: boolean;
}

/** Groups of people and agents whose eligible are remembered. */
const knownMax = 10_000;

/**
 * Who would have been asked of an observed action, with today's directory: its approvers and those it escalates to, without the
 * agent's accountable owner. The same for the same agent and requirements, and remembered as that.
 */
export function remembering(directory: Directory): (row: ReportRow) => Askable {
  const owners = new Map(directory.agents.map((agent) => [agent.id, agent.owners[0]]));
  const known = new Map<string, Askable>();
  return ({ agent, verdict }) => {
    const requirements = verdict?.effect === 'review' ? verdict.requirements : [];
    const key = JSON.stringify([
      agent,
      ...requirements.map(({ approvers, quorum, escalate }) => [approvers, quorum, escalate?.group]),
    ]);
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size >= knownMax) known.clear();
    const made = askable(directory, owners.get(agent), requirements);
    known.set(key, made);
    return made;
  };
}

function askable(
  directory: Directory,
  owner: PersonId | undefined,
  requirements: readonly Requirement[],
): Askable {
  const of = ({ approvers, escalate }: Requirement): readonly PersonId[] =>
    [approvers, ...(escalate === null ? [] : [escalate.group])]
      .flatMap((group) => membersOf(directory, group).map((one) => one.id))
      .filter((one) => one !== owner);
  const people = [...new Set(requirements.flatMap(of))];
  const sets = new Map(requirements.map((one) => [one, new Set(of(one))]));
  const { met } = fillPlaces(requirements, people, (person, one) => sets.get(one)?.has(person) === true);
  return { people, met };
}
