/** An agent asks: join what is held already, or record the verdict and open what it needs. */
import {
  joinable,
  stateOf,
  type Approval,
  type Asked,
  type By,
  type Case,
  type Execution,
  type Grant,
} from '../case.ts';
import type { AskCommand } from '../command.ts';
import { conflictSet } from '../conflict.ts';
import { membersOf } from '../directory.ts';
import type { EntryDraft } from '../entry.ts';
import { refusesGates } from '../gate.ts';
import { isGateAction } from '../gate-operations.ts';
import type { Glass } from '../glass.ts';
import type { Loaded, Step } from '../loaded.ts';
import { fillPlaces } from '../places.ts';
import { isEligibleNow } from '../eligible.ts';
import { glassOver } from './glass-over.ts';
import { openingNotices, standInsFor } from './opening.ts';
import { refusesCooldown, refusesQuota, refusesStoppedActors } from '../stops.ts';
import { requirementDefaults, sameVersions, type Requirement, type Verdict } from '../verdict.ts';
import {
  changed,
  closedNotices,
  counted,
  ended,
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
  const reserved = refusesGates(agent, operation);
  if (reserved !== undefined) return refused(reserved);
  if (!recentHolds(askedCase(asked), asked.verdict, loaded)) return stale;
  const stopped = refusesStoppedActors(asked.action, loaded.stops);
  if (stopped !== undefined) return refused(stopped);
  if (asked.mode === 'observe' && !holdsAnyway(asked.verdict)) return allow(command, loaded);
  const earlier = loaded.case;
  // RULE break-glass
  const glass = asked.verdict.effect === 'review' ? glassOver(asked.action, loaded) : undefined;
  // What people were asked before it was open still waits for them, and would run a second time.
  const waits = earlier !== null && stateOf(earlier, loaded.nowMs) === 'pending' ? earlier : null;
  // An allowed action is never joined or replayed: each call is its own (design §4).
  if (
    asked.verdict.effect !== 'allow' &&
    !(glass !== undefined && waits !== null) &&
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
      return allow(command, loaded);
    case 'deny':
      return deny(asked, loaded.nowMs);
    case 'review':
      return glass === undefined
        ? open(command, asked.verdict, loaded)
        : passUnder(glass, command, waits, loaded);
  }
}

/**
 * It would be held, and break-glass lets it pass. An agent's bounds are not lifted; what waited for the same is withdrawn, because
 * it is what passes now.
 */
function passUnder(glass: Glass, command: AskCommand, waits: Case | null, loaded: Loaded): Step {
  if (loaded.crowd === null) throw new TypeError('what may be held is counted first'); // a bug of the store
  const crowd = waits === null ? loaded.crowd : { ...loaded.crowd, pending: loaded.crowd.pending - 1 };
  const quota = refusesQuota(crowd, command.limits, { requirements: [], eligible: [] });
  if (quota !== undefined) return refused(quota);
  const passed = allow({ ...command, asked: { ...command.asked, glass: glass.id } }, loaded);
  if (waits === null) return passed;
  const by = { kind: 'gate' } as const;
  const reason = `The same action passed under the break-glass ${glass.id}.`;
  const over = ended(waits, { atMs: loaded.nowMs, code: 'cancelled', reason, by });
  return {
    ...passed,
    writes: [...passed.writes, { row: 'case', before: waits, next: over }],
    // Its own entries first: a case is numbered by the first of them.
    entries: [...passed.entries, entryOf(over, 'approval.cancelled', by, { reason })],
    notices: [...passed.notices, ...closedNotices(waits)],
  };
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

const askedBy = (action: Asked['action']): By => {
  if (!isGateAction(action)) return { kind: 'agent', id: action.agent };
  return action.startedBy === null ? { kind: 'gate' } : { kind: 'person', id: action.startedBy };
};

const askedEntry = (held: Case): EntryDraft => {
  const { action, digest, verdict, profile } = held.asked;
  return entryOf(held, 'action.asked', askedBy(action), {
    operation: action.operation,
    resource: action.resource,
    digest,
    enforcement: action.enforcement,
    mode: held.asked.mode,
    session: action.session,
    startedBy: action.startedBy,
    target: action.target,
    effect: profile?.effect ?? null,
    environment: profile?.environment ?? null,
    verdict,
  });
};

/** Allowed; or observed, and then it passes whatever its verdict says. */
function allow(command: AskCommand, { nowMs, nextIndex }: Loaded): Step {
  const asked = command.asked;
  const runs = command.execution;
  const grant: Grant = {
    expiresAtMs: nowMs + requirementDefaults.grantMs,
    consumedAtMs: runs === null ? null : nowMs,
    index: nextIndex,
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
    { digest: asked.digest, enforcement: asked.action.enforcement, grant: nextIndex },
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

/** What opens an approval; `limits` null: what the gate itself asks takes no place of an agent's. */
type Opens = Pick<AskCommand, 'asked' | 'approval' | 'mayApprove'> & {
  readonly limits: AskCommand['limits'] | null;
};

/** Holds what is asked until people decide; a deny where not enough of them are left. */
export function open(command: Opens, verdict: Verdict & { readonly effect: 'review' }, loaded: Loaded): Step {
  const { asked, limits } = command;
  const { requirements } = verdict;
  const conflict = conflictSet(asked.action, requirements, worldOf(loaded));
  const barred = new Set(conflict.map((one) => one.person));
  const now = { ...worldOf(loaded), mayApprove: mayApproveOf(command.mayApprove) };
  const eligibleThen = requirements.map((one) => {
    const able = askable(one, loaded).filter(
      (person) => !barred.has(person) && isEligibleNow(person, one, now),
    );
    return { requirement: one.id, people: able, ...standInsFor(one, able, { ...now, barred }) };
  });
  const people = [...new Set(eligibleThen.flatMap((one) => one.people))];
  const fits = (person: (typeof people)[number], one: Requirement): boolean =>
    eligibleThen.find((row) => row.requirement === one.id)?.people.includes(person) === true;
  // RULE nobody-left
  if (!fillPlaces(requirements, people, fits).met)
    return deny({ ...asked, verdict: nobodyLeft(verdict, people.length) }, loaded.nowMs);
  if (limits !== null) {
    if (loaded.crowd === null) throw new TypeError('what may be held is counted first'); // a bug of the store
    const quota = refusesQuota(loaded.crowd, limits, { requirements, eligible: eligibleThen });
    if (quota !== undefined) return refused(quota);
  }
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
    openingNotices(approval, requirements),
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
