/** An agent asks: join what is held already, or record the verdict and open what it needs. */
import {
  joinable,
  stateOf,
  type Approval,
  type Asked,
  type Case,
  type Execution,
  type Grant,
} from '../case.ts';
import type { AskCommand } from '../command.ts';
import { conflictSet } from '../conflict.ts';
import { membersOf } from '../directory.ts';
import type { EntryDraft } from '../entry.ts';
import type { Loaded, Step } from '../loaded.ts';
import { fillPlaces } from '../places.ts';
import { isEligibleNow } from '../review.ts';
import { refusesCooldown, refusesQuota, refusesStopped } from '../stops.ts';
import { requirementDefaults, sameVersions, type Requirement, type Verdict } from '../verdict.ts';
import {
  changed,
  counted,
  entryOf,
  mayApproveOf,
  recentHolds,
  refused,
  stale,
  unchanged,
  worldOf,
} from './common.ts';

export function ask(command: AskCommand, loaded: Loaded): Step {
  if (!sameVersions(command.expected, loaded.versions)) return stale;
  const { asked } = command;
  const { agent, operation } = asked.action;
  if (!recentHolds(askedCase(asked), asked.verdict, loaded)) return stale;
  const stopped = refusesStopped(agent, operation, loaded.stops);
  if (stopped !== undefined) return refused(stopped);
  if (asked.mode === 'observe' && !holdsAnyway(asked.verdict)) return allow(command, loaded.nowMs);
  const earlier = loaded.case;
  // An allowed action is never joined or replayed: each call is its own (design §4).
  if (
    asked.verdict.effect !== 'allow' &&
    earlier !== null &&
    mayJoin(earlier, asked, loaded.nowMs, command.replayMs)
  ) {
    return unchanged(earlier, true);
  }
  const cooling = refusesCooldown(asked.likeKey, loaded.unsafe, command.limits, {
    nowMs: loaded.nowMs,
    sinceMs: null,
  });
  if (cooling !== undefined) return refused(cooling);
  switch (asked.verdict.effect) {
    case 'allow':
      return allow(command, loaded.nowMs);
    case 'deny':
      return deny(asked, loaded.nowMs);
    case 'review':
      return open(command, asked.verdict, loaded);
  }
}

/** Not what policies say but what is not there to run, or who is not there to ask: no mode lets it pass. */
const holdsAnyway = (verdict: Verdict): boolean =>
  verdict.effect === 'deny' && (verdict.code === 'tool_disabled' || verdict.code === 'not_an_agent');

function mayJoin(earlier: Case, asked: Asked, nowMs: number, replayMs: number): boolean {
  if (!joinable(earlier, nowMs, replayMs)) return false;
  const state = stateOf(earlier, nowMs);
  const live = state === 'pending' || state === 'ready';
  // Denied outright today: what still could run is joined, so that its re-check ends it; what is over is not replayed.
  return asked.verdict.effect === 'review' || live;
}

const askedCase = (asked: Asked): Case => ({
  asked,
  approval: null,
  reviews: [],
  grant: null,
  ending: null,
  execution: null,
});

const askedEntry = (held: Case): EntryDraft => {
  const { action, digest, verdict, profile } = held.asked;
  return entryOf(
    held,
    'action.asked',
    { kind: 'agent', id: action.agent },
    {
      operation: action.operation,
      resource: action.resource,
      digest,
      enforcement: action.enforcement,
      mode: held.asked.mode,
      session: action.session,
      startedBy: action.startedBy,
      target: action.target,
      effect: profile?.effect ?? null,
      verdict,
    },
  );
};

/** Allowed; or observed, and then it passes whatever its verdict says. */
function allow(command: AskCommand, nowMs: number): Step {
  const asked = command.asked;
  const runs = command.execution;
  const grant: Grant = {
    expiresAtMs: nowMs + requirementDefaults.grantMs,
    consumedAtMs: runs === null ? null : nowMs,
  };
  const execution: Execution | null =
    runs === null
      ? null
      : {
          id: runs,
          status: 'started',
          startedAtMs: nowMs,
          endedAtMs: null,
          outcomeBy: null,
          detail: null,
          result: null,
        };
  const next: Case = { ...askedCase(asked), grant, execution };
  const first = askedEntry(askedCase(asked));
  const started = entryOf(
    next,
    'execution.started',
    { kind: 'gate' },
    { digest: asked.digest, enforcement: asked.action.enforcement },
  );
  const step = changed(null, next, execution === null ? [first] : [first, started]);
  return { ...step, writes: [...step.writes, counted(next, nowMs)] };
}

function deny(asked: Asked, nowMs: number): Step {
  const { verdict } = asked;
  const code = verdict.effect === 'deny' ? verdict.code : 'forbidden';
  const next: Case = {
    ...askedCase(asked),
    ending: { atMs: nowMs, code, reason: verdict.toldAgent, by: { kind: 'gate' } },
  };
  return changed(null, next, [askedEntry(next)]);
}

function open(command: AskCommand, verdict: Verdict & { readonly effect: 'review' }, loaded: Loaded): Step {
  const { asked } = command;
  const { requirements } = verdict;
  const conflict = conflictSet(asked.action, requirements, worldOf(loaded));
  const barred = new Set(conflict.map((one) => one.person));
  const now = { ...worldOf(loaded), mayApprove: mayApproveOf(command.mayApprove) };
  const eligibleThen = requirements.map((one) => ({
    requirement: one.id,
    people: askable(one, loaded).filter((person) => !barred.has(person) && isEligibleNow(person, one, now)),
  }));
  const people = [...new Set(eligibleThen.flatMap((one) => one.people))];
  const fits = (person: (typeof people)[number], one: Requirement): boolean =>
    eligibleThen.find((row) => row.requirement === one.id)?.people.includes(person) === true;
  // RULE nobody-left
  if (!fillPlaces(requirements, people, fits).met)
    return deny({ ...asked, verdict: nobodyLeft(verdict, people.length) }, loaded.nowMs);
  if (loaded.crowd === null) throw new TypeError('what may be held is counted first'); // a bug of the store
  const quota = refusesQuota(loaded.crowd, command.limits, { requirements, eligible: eligibleThen });
  if (quota !== undefined) return refused(quota);
  const approval: Approval = {
    id: command.approval,
    version: 1,
    createdAtMs: loaded.nowMs,
    expiresAtMs: loaded.nowMs + Math.min(...requirements.map((one) => one.ttlMs)),
    grantMs: Math.min(...requirements.map((one) => one.grantMs)),
    approvedAtMs: null,
    eligibleThen,
    conflict,
    deliveredAtMs: null,
    afterUnknown: loaded.case?.execution?.status === 'unknown' ? loaded.case.asked.id : null,
  };
  const next: Case = { ...askedCase(asked), approval };
  const opened = entryOf(
    next,
    'approval.opened',
    { kind: 'gate' },
    {
      digest: asked.digest,
      requirements,
      eligible: eligibleThen,
      conflict,
      expiresAtMs: approval.expiresAtMs,
      afterUnknown: approval.afterUnknown,
    },
  );
  return changed(
    null,
    next,
    [askedEntry(next), ...looks(next), opened],
    [{ kind: 'approval.opened', approval: approval.id, callback: false }],
  );
}

/** What the gate read upstream so that people can judge: recorded, informative, not bound. */
const looks = (held: Case): readonly EntryDraft[] =>
  [held.asked.preview, held.asked.before]
    .filter((seen) => seen !== null)
    .map((seen) =>
      entryOf(
        held,
        'preview.read',
        { kind: 'gate' },
        { tool: seen.tool, input: seen.input, atMs: seen.atMs, ok: seen.answer.ok },
      ),
    );

/** Everyone in the approvers or the escalation group today. */
const askable = (one: Requirement, loaded: Loaded) => [
  ...new Set(
    [one.approvers, ...(one.escalate === null ? [] : [one.escalate.group])].flatMap((group) =>
      membersOf(loaded.directory, group).map((person) => person.id),
    ),
  ),
];

function nobodyLeft(verdict: Verdict & { readonly effect: 'review' }, left: number): Verdict {
  const places = verdict.requirements.map((one) => `${one.quorum} of ${one.approvers}`).join(' and ');
  const { requirements: _requirements, ...judged } = verdict;
  return {
    ...judged,
    effect: 'deny',
    code: 'nobody_left',
    explanation: {
      ...verdict.explanation,
      text: `This needs ${places}, and only ${left} such people may approve it; the rest are in its conflict set or forbidden.`,
    },
    toldAgent: 'This needs people’s approval, and not enough people are left who may give it.',
  };
}
