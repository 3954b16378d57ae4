/** The words of the documents: every tag of the model as somebody says it who has never heard of this product. */
import type { ControlFinding } from '../core/evidence/model-controls.ts';
import type { ExceptionKind } from '../core/evidence/model-exceptions.ts';
import type { CheckName, CheckResult, Outcome, PopulationRow, Run } from '../core/evidence/model-rows.ts';
import type { Evidence, Maker, Tier } from '../core/evidence/model.ts';
import type { PersonId } from '../core/ids.ts';
import { counted, grouped, line, type Shown } from '../core/render/shown.ts';
import { rfc3339 } from '../core/time.ts';
import type { Tone } from './look.ts';

/** What became of asking. */
export const outcomeWords: Readonly<Record<Outcome, string>> = {
  allowed: 'Allowed without review',
  approved: 'Approved by people',
  denied_by_policy: 'Denied by policy',
  denied_by_person: 'Denied by a person',
  expired: 'Expired',
  cancelled: 'Cancelled',
  broken_glass: 'Passed under break-glass',
  observed: 'Passed, only observed',
  open: 'Still open',
  unknown: 'Not known',
};

/** Each outcome in one sentence, for who reads the word for the first time. */
export const outcomeMeans: Readonly<Record<Outcome, string>> = {
  allowed: 'The policies in force allowed these actions, so no person was asked.',
  approved: 'The policies held these actions until the people they name had approved exactly that action.',
  denied_by_policy: 'The policies, or the rules of the gate, refused these actions. They did not run.',
  denied_by_person:
    'A person said no: one of those who were asked, or one who stopped the agent. They did not run.',
  expired: 'Nobody decided in time, or what had been approved was not run in time. They did not run.',
  cancelled: 'Withdrawn before anybody decided. They did not run.',
  broken_glass:
    'Emergency access (“break-glass”) was open, so these passed without the approval that they would otherwise have needed.',
  observed: 'The gate was set to observe only, so these passed whatever the policies said.',
  open: 'Still waiting for people when the period ended.',
  unknown:
    'The content was erased, or is hidden from whoever made this: that it was asked and whether it ran is still known, who decided what is not.',
};

export const outcomeTone: Readonly<Record<Outcome, Tone>> = {
  allowed: 'plain',
  approved: 'good',
  denied_by_policy: 'bad',
  denied_by_person: 'bad',
  expired: 'soft',
  cancelled: 'soft',
  broken_glass: 'wait',
  observed: 'wait',
  open: 'soft',
  unknown: 'wait',
};

export const runWords: Readonly<Record<Run, string>> = {
  not_run: 'did not run',
  running: 'started, no end yet',
  succeeded: 'ran, succeeded',
  failed: 'ran, failed',
  unknown: 'outcome not known',
};

export const checkWords: Readonly<Record<CheckName, string>> = {
  decided_before_started: 'Decided before it was started',
  decided_before_executed: 'Decided before it ran, and the gate itself ran it',
  approver_is_not_requester: 'Approver is not the requester',
  approver_was_eligible: 'Approver was entitled to approve',
  quorum_was_met: 'Enough people approved',
  exactly_what_was_approved: 'What ran is exactly what was approved',
  policy_was_in_force: 'Judged by the policies then in force',
  ran_once: 'Ran at most once',
};

export const checkResultWords: Readonly<Record<CheckResult, string>> = {
  passed: 'Yes',
  failed: 'NO',
  unknown: 'Cannot say',
  not_applicable: 'Does not apply',
};

export const checkTone: Readonly<Record<CheckResult, Tone>> = {
  passed: 'good',
  failed: 'bad',
  unknown: 'wait',
  not_applicable: 'soft',
};

export const findingWords: Readonly<Record<ControlFinding, string>> = {
  no_exceptions: 'No exceptions',
  exceptions: 'Exceptions',
  cannot_say: 'Cannot say',
  no_instances: 'None happened',
};

export const findingTone: Readonly<Record<ControlFinding, Tone>> = {
  no_exceptions: 'good',
  exceptions: 'bad',
  cannot_say: 'wait',
  no_instances: 'soft',
};

export const exceptionWords: Readonly<Record<ExceptionKind, string>> = {
  observe: 'Only observed',
  cooperative: 'Ran outside the gate’s own hands',
  downtime: 'Gate was down',
  machine: 'Accepted at the machine',
  unreviewed: 'Accepted without a second person',
  'break-glass': 'Break-glass',
  'fast-approval': 'Approved in under 5 seconds',
  'unknown-outcome': 'Outcome not known',
  'in-doubt': 'Started, no end recorded',
  erased: 'Content erased',
  tampered: 'Content missing without a record',
  late: 'Witness or stamp late',
  origin: 'Log continued under another name',
  restored: 'Store restored from a copy',
  'target-only': 'Happened outside the gate',
  'failed-check': 'A check failed',
  leaver: 'Acted after leaving',
};

/** The strength of the log's proof, for who does not know what a witness is. */
export const tierWords: Readonly<Record<Tier, { readonly title: string; readonly text: string }>> = {
  witnessed: {
    title: 'Witnessed',
    text: 'Parties other than the operator of this system have countersigned the state of the log. Changing, removing or reordering an entry afterwards would contradict what they signed, so it is found even if the operator himself did it.',
  },
  'tamper-detecting': {
    title: 'Tamper-detecting',
    text: 'The log is signed by the operator of this system alone. Changing, removing or reordering an entry is found by everybody who holds an earlier state of the log, such as this document. No other party has countersigned it, so nothing here excludes that the operator rewrote the whole log before this document was made.',
  },
  unpublished: {
    title: 'Not published yet',
    text: 'No signed state of the log covers the last entries of the period yet. Until it does, nothing but the gate’s own word fixes them. Make the evidence again later.',
  },
};

/** "2026-11-22 15:43:07 UTC"; a dash where it is not known. */
export const moment = (ms: number | null): Shown =>
  line(ms === null ? '–' : `${rfc3339(ms).slice(0, 19).replace('T', ' ')} UTC`);

/** "2026-10-01". */
export const day = (ms: number): string => rfc3339(ms).slice(0, 10);

const dayMs = 86_400_000;

/** "1 to 31 October 2026" in the plain form "2026-10-01 to 2026-10-31" where it is whole days (UTC), else with times. */
export function periodWords({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): string {
  if (fromMs % dayMs === 0 && toMs % dayMs === 0 && toMs > fromMs)
    return fromMs + dayMs === toMs ? `${day(fromMs)} (UTC)` : `${day(fromMs)} to ${day(toMs - 1)} (UTC)`;
  return `${moment(fromMs)} to ${moment(toMs)}`;
}

/** "entry 1,042"; a dash where there is none. */
export const entryWords = (index: number | null): string =>
  index === null ? '–' : `entry ${grouped(index)}`;

export const entriesWords = (indexes: readonly number[]): string =>
  indexes.length === 0
    ? '–'
    : indexes.slice(0, 12).map(grouped).join(', ') + (indexes.length > 12 ? ' …' : '');

/** "7 h 5 min"; "0.8 s" below a minute; a dash where it is not known. */
export function took(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** "entry 12, 2026-10-03 09:00:00 UTC". */
export const placedWords = (index: number | null, ms: number | null): string =>
  index === null ? '–' : `${entryWords(index)}, ${moment(ms)}`;

/** "Ada Berg (ada)"; of an operator what they said, as what they said. */
export function makerWords(maker: Maker): string {
  if (maker.kind === 'person') return `${maker.name} (${maker.id})`;
  const machine = 'an operator at the gate’s machine';
  return maker.stated === null
    ? machine
    : `${machine}, by the name of “${maker.stated}” (stated, not checked)`;
}

/** The command that makes the same from another machine. */
export const commandAway = ({ command, gate }: Pick<Evidence, 'command' | 'gate'>): string =>
  `${command} --url ${gate}`;

/** Who somebody is: "Rosa Diaz (rosa)", from all that the model says of people. */
export type Names = (person: PersonId) => Shown;

export function namesOf(evidence: Evidence): Names {
  const names = new Map<PersonId, string>();
  const { roster, access, reviewers } = evidence;
  for (const one of [
    ...reviewers,
    ...access.rows,
    ...(roster.start?.people ?? []),
    ...(roster.end?.people ?? []),
    ...roster.leavers,
  ])
    names.set(one.person, one.name);
  if (evidence.madeBy.kind === 'person') names.set(evidence.madeBy.id, evidence.madeBy.name);
  return (person) => {
    const name = names.get(person);
    return line(name === undefined || name === person ? person : `${name} (${person})`);
  };
}

export const peopleWords = (people: readonly PersonId[], names: Names): Shown =>
  line(people.length === 0 ? '–' : people.map(names).join(', '));

/** Who asked, in words; a person by name. */
export function askerWords(row: PopulationRow, names: Names): Shown {
  if (row.askedBy === 'agent') return line(row.agent ?? 'an agent');
  if (row.askedBy === 'gate') return line('the gate itself');
  if (row.askedBy === 'person') return row.onBehalfOf === null ? line('a person') : names(row.onBehalfOf);
  return line('not known');
}

/** Whoever approved or denied, in words. */
export const reviewersWords = (row: PopulationRow, decision: 'approve' | 'deny'): Shown =>
  line(
    row.reviews
      .filter((one) => one.decision === decision)
      .map((one) => `${one.name} (${one.person})`)
      .join(', ') || '–',
  );

export const rowsWords = (count: number): string => counted(count, 'action');

/** Why a review was refused; the code itself for what is rare. */
export const refusedWords = (code: string): string => {
  const known = refusedCodes.get(code);
  return known === undefined ? code : `${known} (${code})`;
};

const refusedCodes: ReadonlyMap<string, string> = new Map([
  ['no_self_approval', 'It was in some way their own'],
  ['not_an_approver', 'They were none of those who may approve it'],
  ['already_reviewed', 'They had reviewed it already'],
  ['approval_closed', 'It was over already'],
  ['digest_mismatch', 'They meant another action than the one that waits'],
  ['reason_required', 'They gave no reason where one is wanted'],
  ['step_up_required', 'They did not sign with a passkey where that is wanted'],
]);
