/**
 * Controls of SOC 2 that this evidence speaks to: the statement, what of the report rests on it, and what was found, with numbers.
 * Promise: a control whose evidence is in part unknown is never `no_exceptions`. Other frameworks are suggested, and no more.
 */
import { counted, grouped, say, type Shown } from '../render/shown.ts';
import type { ControlFinding, ControlResult, Suggested } from './model-controls.ts';
import type { Exception, ExceptionKind } from './model-exceptions.ts';
import type { CheckName, Counts } from './model-rows.ts';
import type { AccessReview, PolicyVersion, Reconciliation, Roster, Scope } from './model-sections.ts';
import type { Completeness, LogRange } from './model.ts';

/** All that controls are judged by. */
export interface Ground {
  readonly counts: Counts;
  readonly completeness: Completeness;
  readonly log: Pick<LogRange, 'tier' | 'count' | 'from'>;
  readonly scope: Scope;
  readonly exceptions: readonly Exception[];
  readonly policies: readonly PolicyVersion[];
  readonly roster: Roster;
  readonly access: AccessReview;
  readonly reconciliations: readonly Reconciliation[];
}

const framework = 'SOC 2 (Trust Services Criteria)';
/** Exceptions that one control names. */
const namesMax = 20;

interface Judged {
  readonly instances: number;
  /** Something that it rests on is not known. */
  readonly unknown: boolean;
  /** Findings besides exceptions, such as failed checks. */
  readonly failures?: number;
  readonly kinds: readonly ExceptionKind[];
  readonly result: Shown;
}

interface Control {
  readonly id: string;
  readonly statement: string;
  readonly evidencedBy: readonly string[];
  readonly judge: (ground: Ground) => Judged;
}

const checked = ({ counts }: Ground, names: readonly CheckName[]) => {
  const sum = (result: 'passed' | 'failed' | 'unknown'): number =>
    names.reduce((total, name) => total + counts.byCheck[name][result], 0);
  return { passed: sum('passed'), failed: sum('failed'), unknown: sum('unknown') };
};

const checkWords = ({ passed, failed, unknown }: ReturnType<typeof checked>): string =>
  `${grouped(passed)} yes, ${grouped(failed)} no, ${grouped(unknown)} cannot say`;

/** Entries that the log range itself leaves open. */
const unproven = ({ completeness, log }: Ground): boolean =>
  !completeness.complete || log.tier === 'unpublished';

const controls: readonly Control[] = [
  {
    id: 'CC5.1–CC5.3',
    statement:
      'Control activities are written as policies, are in force by version and digest, and are changed only with acceptance.',
    evidencedBy: ['Policies in force', 'The checks of every action'],
    judge: (ground) => {
      const found = checked(ground, ['policy_was_in_force']);
      const others = ground.policies.filter(({ digestHolds }) => digestHolds !== 'yes');
      return {
        instances: ground.policies.length,
        unknown: found.unknown > 0 || others.some(({ digestHolds }) => digestHolds === 'unknown'),
        failures: found.failed + others.filter(({ digestHolds }) => digestHolds === 'no').length,
        kinds: ['machine', 'unreviewed'],
        result: say`${counted(ground.policies.length, 'policy version')} in force. Actions judged by the version then in force: ${checkWords(found)}.`,
      };
    },
  },
  {
    id: 'CC6.1',
    statement: 'A privileged operation of an agent needs authorization at run time, before it runs.',
    evidencedBy: ['The population', 'The checks of every action', 'The samples'],
    judge: (ground) => {
      const found = checked(ground, ['decided_before_executed', 'exactly_what_was_approved', 'ran_once']);
      const of = (name: CheckName): string => checkWords(checked(ground, [name]));
      return {
        instances: ground.counts.rows,
        unknown: found.unknown > 0 || unproven(ground),
        failures: found.failed,
        kinds: ['observe', 'cooperative', 'break-glass', 'tampered'],
        result: say`${counted(ground.counts.rows, 'privileged action')}. Decided before it ran: ${of('decided_before_executed')}. Exactly what was approved: ${of('exactly_what_was_approved')}. Once: ${of('ran_once')}.`,
      };
    },
  },
  {
    id: 'CC6.2',
    statement:
      'People and agents are registered and removed by accepted changes; who has left can do nothing.',
    evidencedBy: ['People: roster, changes, leavers'],
    judge: ({ roster, log }) => ({
      instances: roster.changes.length + roster.leavers.length,
      // A log that begins in the period has nobody before it: that is known, and not left out.
      unknown: (roster.start === null && log.from > 0) || roster.end === null,
      kinds: ['leaver', 'machine', 'unreviewed'],
      result: say`${counted(roster.changes.length, 'accepted version')} of the roster in the period; ${counted(roster.leavers.length, 'leaver')}, of whom ${roster.leavers.filter((one) => one.actedAfter.length > 0).length} did something afterwards.`,
    }),
  },
  {
    id: 'CC6.3',
    statement: 'Duties are segregated: nobody approves what is their own, and only who is eligible approves.',
    evidencedBy: ['The checks of every action', 'Access review'],
    judge: (ground) => {
      const found = checked(ground, ['approver_is_not_requester', 'approver_was_eligible', 'quorum_was_met']);
      const of = (name: CheckName): string => checkWords(checked(ground, [name]));
      const never = ground.access.rows.filter((one) => one.never).length;
      return {
        instances:
          ground.counts.byCheck.approver_is_not_requester.not_applicable < ground.counts.rows ? 1 : 0,
        unknown: found.unknown > 0,
        failures: found.failed,
        kinds: ['fast-approval'],
        result: say`Approver is not the requester: ${of('approver_is_not_requester')}. Entitled: ${of('approver_was_eligible')}. Enough people: ${of('quorum_was_met')}. ${counted(never, 'person', 'people')} could approve and never did.`,
      };
    },
  },
  {
    id: 'CC6.8',
    statement: 'Tools that nobody accepted do not run, and what goes around the gate is found.',
    evidencedBy: ['Scope by date', 'Compared with what targets recorded'],
    judge: ({ scope, reconciliations, counts }) => ({
      instances: scope.tools.length + reconciliations.length + counts.byOutcome.denied_by_policy,
      // Without what the targets recorded, nobody can tell what went around.
      unknown: reconciliations.length === 0,
      kinds: ['target-only'],
      result:
        reconciliations.length === 0
          ? say`Nothing was reconciled: that only the gate reached the targets rests on the network and the credentials. ${grouped(counts.byOutcome.denied_by_policy)} denied by policy.`
          : say`${counted(reconciliations.length, 'reconciliation')}: ${grouped(reconciliations.reduce((total, one) => total + one.targetOnly, 0))} only at the target. ${grouped(counts.byOutcome.denied_by_policy)} denied by policy.`,
    }),
  },
  {
    id: 'CC7.2',
    statement:
      'Changes of what is in force, and anything unusual about the log itself, are recorded and noticed.',
    evidencedBy: ['The log, its keys, and how to check this', 'Exceptions'],
    judge: (ground) => ({
      instances: ground.log.count,
      unknown: unproven(ground),
      kinds: ['late', 'origin', 'tampered', 'restored', 'downtime'],
      result: say`${counted(ground.log.count, 'entry', 'entries')}, ${ground.log.tier === 'witnessed' ? 'witnessed by others' : ground.log.tier === 'unpublished' ? 'not covered by a checkpoint yet' : 'tamper-detecting, without a witness'}.`,
    }),
  },
  {
    id: 'CC7.3',
    statement: 'What went wrong is evaluated: unknown outcomes are settled by people, with a reason.',
    evidencedBy: ['Exceptions'],
    judge: ({ counts }) => ({
      instances: counts.byRun.unknown + counts.byRun.running + counts.byRun.failed,
      unknown: false,
      kinds: ['unknown-outcome', 'in-doubt', 'failed-check'],
      result: say`${grouped(counts.byRun.unknown)} with an unknown outcome at the end of the period, ${grouped(counts.byRun.running)} in doubt, ${grouped(counts.byRun.failed)} failed.`,
    }),
  },
  {
    id: 'CC7.4',
    statement: 'Break-glass is opened by people who did not ask, for minutes, and reviewed by somebody else.',
    evidencedBy: ['Exceptions', 'Every action, by what became of it'],
    judge: ({ counts, exceptions }) => ({
      instances: exceptions.filter(({ kind }) => kind === 'break-glass').length,
      unknown: false,
      kinds: ['break-glass'],
      result: say`${counted(exceptions.filter(({ kind }) => kind === 'break-glass').length, 'break-glass', 'times break-glass')}, under which ${counted(counts.underGlass, 'action')} passed.`,
    }),
  },
  {
    id: 'CC8.1',
    statement:
      'Changes of data and infrastructure by agents, and of the policies themselves, are authorized, approved and traceable.',
    evidencedBy: ['The population', 'Policies in force', 'The samples'],
    judge: (ground) => {
      const found = checked(ground, ['decided_before_started', 'exactly_what_was_approved']);
      const of = (name: CheckName): string => checkWords(checked(ground, [name]));
      const changed = [...ground.policies.filter(({ atStart }) => !atStart), ...ground.roster.changes];
      const second = changed.filter(({ secondPerson }) => secondPerson === 'yes').length;
      return {
        instances: ground.counts.rows + changed.length,
        unknown: found.unknown > 0 || changed.some(({ secondPerson }) => secondPerson === 'unknown'),
        failures: found.failed,
        kinds: ['machine', 'unreviewed', 'break-glass'],
        result: say`Decided before it was started: ${of('decided_before_started')}. Exactly that: ${of('exactly_what_was_approved')}. ${counted(changed.length, 'accepted version')} of policies and people, ${grouped(second)} with a second person.`,
      };
    },
  },
];

export function controlResults(ground: Ground): readonly ControlResult[] {
  return controls.map(({ id, statement, evidencedBy, judge }) => {
    const judged = judge(ground);
    const exceptions = ground.exceptions.filter(({ kind }) => judged.kinds.includes(kind));
    return {
      id,
      framework,
      statement,
      evidencedBy,
      finding: findingOf(judged, exceptions.length),
      result: judged.result,
      exceptions: exceptions.slice(0, namesMax).map(({ name }) => name),
    };
  });
}

function findingOf({ instances, unknown, failures = 0 }: Judged, exceptions: number): ControlFinding {
  if (failures > 0 || exceptions > 0) return 'exceptions';
  if (unknown) return 'cannot_say';
  return instances === 0 ? 'no_instances' : 'no_exceptions';
}

/** Suggested: what the same evidence may speak to elsewhere. No statement of conformity. */
export const suggested: readonly Suggested[] = [
  {
    framework: 'AIUC-1',
    clause: 'E015',
    what: 'Log model activity: approval records linked to execution, delegation chain, integrity of the log.',
    evidencedBy: ['The population', 'The samples', 'The log'],
  },
  {
    framework: 'AIUC-1',
    clause: 'D003',
    what: 'Restrict unsafe tool calls: authorization before execution, tool call log.',
    evidencedBy: ['The population', 'The checks of every action'],
  },
  {
    framework: 'ISO/IEC 42001',
    clause: 'A.6.2.8',
    what: 'AI system recording of event logs.',
    evidencedBy: ['The population', 'The log'],
  },
  {
    framework: 'EU AI Act',
    clause: 'Art. 12, 19, 26(6)',
    what: 'Automatic recording of events, and keeping them.',
    evidencedBy: ['The log', 'Exceptions'],
  },
  {
    framework: 'EU AI Act',
    clause: 'Art. 14',
    what: 'Human oversight: who could intervene, who did, how fast.',
    evidencedBy: ['Access review', 'The population'],
  },
  {
    framework: 'NIST AI RMF',
    clause: 'MEASURE 2.4, 2.8; MANAGE 2.4; MAP 3.5; GOVERN 3.2',
    what: 'Monitoring in production, accountability, human oversight, means to stop a system.',
    evidencedBy: ['The population', 'Exceptions', 'People'],
  },
  {
    framework: 'CSA AICM',
    clause: 'IAM-12; LOG-01, 03, 07–10, 15; GRC-15',
    what: 'Integrity of logs, audit logs of privileged actions, human supervision.',
    evidencedBy: ['The log', 'The population', 'Access review'],
  },
];
