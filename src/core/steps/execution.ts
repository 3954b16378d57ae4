/** Running once: the grant is consumed in the transaction that records the start; one winner, whatever races. */
import { canonicalAction, digestOf } from '../action.ts';
import { stateOf, type Case, type Execution } from '../case.ts';
import type { ClaimCommand, LostCommand, OutcomeCommand, SettleCommand } from '../command.ts';
import { isOperator } from '../directory.ts';
import type { EntryType } from '../entry.ts';
import { refusesGates } from '../gate.ts';
import type { Loaded, Step } from '../loaded.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { isGone } from '../runner.ts';
import { judgeAgain } from './again.ts';
import { refusesCooldown, refusesStoppedActors } from '../stops.ts';
import {
  changed,
  closedNotices,
  ended,
  entryOf,
  ranNotices,
  recentHolds,
  refused,
  stale,
  unchanged,
} from './common.ts';
import { asksAboutAll } from './review.ts';
import { refusesEnded } from './via.ts';
import { sameVersions } from '../verdict.ts';

export function claim(command: ClaimCommand, loaded: Loaded): Step {
  const held = loaded.case;
  if (held?.asked.action.agent !== command.agent)
    return refused(refuse('not_found', 'There is no such action.'));
  // What the gate asked for itself it puts in force by steps of its own, and nobody else claims it.
  const reserved = refusesGates(command.agent, held.asked.action.operation);
  if (reserved !== undefined) return refused(reserved);
  const no =
    notReady(held, loaded.nowMs) ??
    altered(held) ??
    unrecorded(held, loaded) ??
    stoppedNow(held, command, loaded);
  if (no !== undefined) return refused(no);
  const gone = refusesEnded(command.via, loaded);
  if (gone !== undefined)
    return refused(gone, [
      entryOf(held, 'execution.refused', { kind: 'gate' }, { code: gone.code, via: command.via }),
    ]);
  if (!sameVersions(command.expected, loaded.versions)) return stale;
  if (!recentHolds(held, command.again.verdict, loaded)) return stale;
  const judged = judgeAgain(held, command.again, loaded);
  switch (judged.kind) {
    case 'broken':
      return refused(judged.refusal, [
        entryOf(held, 'execution.refused', { kind: 'gate' }, { code: judged.refusal.code }),
      ]);
    case 'changed': {
      // Somebody reviewed it since it was read, and was not asked about: their word counts as well.
      if (!asksAboutAll(held, command, loaded)) return stale;
      const next = ended(held, {
        atMs: loaded.nowMs,
        code: 'policy_changed',
        reason: judged.refusal.detail,
        by: { kind: 'gate' },
      });
      const entry = entryOf(
        next,
        'approval.denied',
        { kind: 'gate' },
        { code: 'policy_changed', reason: judged.refusal.detail },
      );
      return changed(held, next, [entry], closedNotices(held));
    }
    case 'holds':
      return start(held, command, loaded.nowMs);
  }
}

/** Whoever was stopped runs nothing, and nothing runs that was denied as unsafe since it was approved. */
const stoppedNow = (
  held: Case,
  command: ClaimCommand,
  { stops, unsafe, nowMs }: Loaded,
): Refusal | undefined =>
  refusesStoppedActors(held.asked.action, stops) ??
  refusesCooldown(held.asked.likeKey, unsafe, command.limits, {
    nowMs,
    sinceMs: held.approval?.approvedAtMs ?? held.asked.atMs,
  });

function start(held: Case, command: ClaimCommand, nowMs: number): Step {
  const execution: Execution = {
    id: command.execution,
    status: 'started',
    startedAtMs: nowMs,
    endedAtMs: null,
    outcomeBy: null,
    detail: null,
    result: null,
  };
  const grant = held.grant === null ? null : { ...held.grant, consumedAtMs: nowMs };
  const next: Case = { ...held, grant, execution };
  return changed(held, next, [
    entryOf(
      next,
      'execution.started',
      { kind: 'gate' },
      {
        digest: held.asked.digest,
        enforcement: held.asked.action.enforcement,
        grant: held.grant?.index,
        versions: command.again.verdict.versions,
      },
    ),
  ]);
}

/** What runs is what was reviewed: the digest is made again from the stored bytes, and they must still say the action. */
export const altered = (held: Case): Refusal | undefined =>
  digestOf(held.asked.canonical) === held.asked.digest &&
  canonicalAction(held.asked.action) === held.asked.canonical
    ? undefined
    : refuse('digest_mismatch', 'The stored action is not the one that was reviewed; nothing runs.', {
        expected: held.asked.digest,
      });

/**
 * What runs has its permission in the log, at the index that the grant names: a row that says "approved" without an entry
 * that does is a row that somebody wrote past the gate.
 */
export function unrecorded(held: Case, { granted }: Loaded): Refusal | undefined {
  const wanted: EntryType = held.approval === null ? 'action.asked' : 'approval.approved';
  // RULE recorded-first
  if (held.grant === null || granted === wanted) return undefined;
  return refuse('audit_unavailable', 'The log holds no entry that gave this grant; nothing runs.', {
    index: held.grant.index,
    wanted,
    found: granted ?? null,
  });
}

/** Why a case cannot run now; undefined where it can. */
export function notReady(held: Case, nowMs: number): Refusal | undefined {
  const state = stateOf(held, nowMs);
  switch (state) {
    case 'ready':
      return undefined;
    case 'pending':
      return refuse(
        'approval_pending',
        'This action still waits for approval; ask again when it is approved.',
      );
    case 'started':
    case 'succeeded':
    case 'failed':
    case 'unknown':
      return refuse('grant_consumed', `This action has run already (${state}); a grant is used once.`, {
        state,
      });
    case 'expired':
      return refuse('expired', 'The time to approve or to run this action is over; ask again.');
    case 'cancelled':
      return refuse('cancelled', 'This action was withdrawn.');
    case 'denied':
      return refuse(held.ending?.code ?? 'denied', held.ending?.reason ?? 'This action was denied.');
  }
}

export function outcome(command: OutcomeCommand, loaded: Loaded): Step {
  const held = loaded.case;
  const execution = held?.execution;
  if (held === null || execution == null || !reporterFits(held, command))
    return refused(refuse('not_found', 'There is no such execution.'));
  const late = isLate(command, execution, loaded);
  if (execution.status !== 'started' && !late) {
    const same = execution.status === command.status && execution.outcomeBy === command.by.kind;
    return same
      ? unchanged(held)
      : refused(
          refuse('grant_consumed', `This execution has ended already: ${execution.status}.`, {
            state: execution.status,
          }),
        );
  }
  const next: Case = {
    ...held,
    execution: {
      ...execution,
      status: command.status,
      endedAtMs: loaded.nowMs,
      outcomeBy: command.by.kind,
      detail: command.detail,
      result: command.result,
    },
  };
  const type = `execution.${command.status}` as const;
  return changed(
    held,
    next,
    [
      entryOf(next, type, command.by, {
        outcomeBy: command.by.kind,
        detail: command.detail,
        ...(late ? { late: true } : {}),
      }),
    ],
    ranNotices(held),
  );
}

/**
 * The gate that ran it was taken for gone, lives, and knows how it ended: that is evidence, and `unknown` was none. What a person
 * has settled since stays as they settled it.
 */
const isLate = (command: OutcomeCommand, execution: Execution, { runner }: Loaded): boolean =>
  execution.status === 'unknown' &&
  execution.outcomeBy === 'gate' &&
  command.by.kind === 'gate' &&
  command.status !== 'unknown' &&
  runner !== undefined &&
  runner.gate !== null &&
  runner.gate === runner.self;

/** The gate reports what it ran itself; an agent what its own process ran. */
function reporterFits(held: Case, command: OutcomeCommand): boolean {
  return command.by.kind === 'gate'
    ? held.asked.action.enforcement === 'mediated'
    : held.asked.action.enforcement === 'cooperative' && held.asked.action.agent === command.by.id;
}

/**
 * What a gate was running that is gone: nobody knows how it ended, and nobody retries it. Whether it is gone is looked up here, in
 * the transaction: who asks may have been told so a while ago.
 */
export function lost(_command: LostCommand, loaded: Loaded): Step {
  const held = loaded.case;
  if (held?.execution?.status !== 'started')
    return refused(refuse('not_found', 'There is no such running execution.'));
  const { runner } = loaded;
  if (runner !== undefined && !isGone(runner, held.execution.startedAtMs))
    return refused(refuse('not_permitted', 'The gate that runs it is not known to be gone.'));
  return unknownNow(held, held.execution, loaded.nowMs, 'The gate stopped while it ran.');
}

export function unknownNow(held: Case, execution: Execution, nowMs: number, detail: string): Step {
  const next: Case = {
    ...held,
    execution: { ...execution, status: 'unknown', endedAtMs: nowMs, outcomeBy: 'gate', detail },
  };
  return changed(
    held,
    next,
    [entryOf(next, 'execution.unknown', { kind: 'gate' }, { outcomeBy: 'gate', detail })],
    ranNotices(held),
  );
}

export function settle(command: SettleCommand, loaded: Loaded): Step {
  const held = loaded.case;
  if (held?.execution == null) return refused(refuse('not_found', 'There is no such execution.'));
  if (!isOperator(loaded.directory, command.by)) {
    return refused(refuse('not_permitted', 'Only an operator may settle an unknown outcome.'));
  }
  if (held.execution.status !== 'unknown')
    return refused(
      refuse('approval_closed', 'Only an unknown outcome can be settled.', { state: held.execution.status }),
    );
  if (command.reason.trim() === '')
    return refused(refuse('reason_required', 'Settling an outcome needs a reason.'));
  const next: Case = {
    ...held,
    execution: {
      ...held.execution,
      status: command.status,
      endedAtMs: loaded.nowMs,
      outcomeBy: 'person',
      detail: command.reason,
    },
  };
  return changed(
    held,
    next,
    [
      entryOf(
        next,
        'execution.settled',
        { kind: 'person', id: command.by },
        { status: command.status, reason: command.reason },
      ),
    ],
    ranNotices(held),
  );
}
