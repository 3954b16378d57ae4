/** Opening break-glass, in the transaction of its last approval. */
import type { Case } from '../case.ts';
import { agentIn } from '../directory.ts';
import { agentAbout } from '../gate-operations.ts';
import {
  glassIdOf,
  glassRequirement,
  refusesGlassAsked,
  refusesIdle,
  refusesUnreviewed,
  type Glass,
} from '../glass.ts';
import type { PersonId } from '../ids.ts';
import type { Loaded } from '../loaded.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { filled, voiceOf } from '../counting.ts';
import { refusesStopped } from '../stops.ts';
import { rfc3339 } from '../time.ts';
import { worldOf } from './common.ts';
import type { CarriedOut } from './gate-operations.ts';
import { glassEntry as entry } from './glass-ends.ts';

/** The last approval has come: it is open from now, if it may still be. Called in that very transaction. */
export function openGlass(approved: Case, loaded: Loaded): CarriedOut {
  const { action, id } = approved.asked;
  const { agent: named, operation, minutes, reason } = action.input;
  const about = agentAbout(action);
  const { approval } = approved;
  // A bug: only `askGlass` makes such an action.
  if (
    about === null ||
    named !== about ||
    action.startedBy === null ||
    approval === null ||
    typeof operation !== 'string' ||
    typeof minutes !== 'number' ||
    typeof reason !== 'string'
  )
    throw new TypeError('what asks for break-glass names an agent, an operation, minutes and a reason');
  const { directory, stops, glasses, nowMs } = loaded;
  const refusal =
    refusesGlassAsked({ operation, minutes, reason }) ??
    refusesIdle(about, operation, directory) ??
    refusesStopped(about, operation, stops) ??
    refusesUnreviewed(glasses, nowMs) ??
    refusesToday(approved, loaded);
  if (refusal !== undefined) return { kind: 'refused', refusal };
  const glass: Glass = {
    id: glassIdOf(id),
    approval: approval.id,
    agent: about,
    operation,
    fromMs: nowMs,
    untilMs: nowMs + minutes * 60_000,
    asker: action.startedBy,
    // Who spoke, and for whom: neither reviews it afterwards.
    approvers: speakersOf(approved),
    owners: agentIn(directory, about)?.owners ?? [],
    reason,
    ended: null,
    review: null,
  };
  const { asker, approvers, untilMs } = glass;
  const told = {
    glass: glass.id,
    agent: about,
    operation,
    until: rfc3339(untilMs),
    asker,
    approvers,
    reason,
  };
  const entryAbout = { action: id, approval: approval.id, execution: null };
  return {
    kind: 'done',
    detail: `Open for ${operation} of ${about} until ${rfc3339(untilMs)}.`,
    writes: [{ row: 'glass', glass }],
    entries: [entry('glass.opened', { kind: 'gate' }, told, entryAbout)],
    notices: [{ kind: 'glass.opened', approval: approval.id, callback: false }],
  };
}

const speakersOf = ({ reviews }: Case): readonly PersonId[] => [
  ...new Set(
    reviews.filter((one) => one.decision === 'approve').flatMap((one) => [one.person, voiceOf(one)]),
  ),
];

/** The company may have grown, or the group changed, since it was asked: today's places must be filled as well. */
function refusesToday(approved: Case, loaded: Loaded): Refusal | undefined {
  const today = glassRequirement(loaded.directory);
  const mayApprove = new Map(speakersOf(approved).map((person) => [person, new Set([today.id])]));
  return filled(approved, [today], { ...worldOf(loaded), mayApprove }).met
    ? undefined
    : refuse('policy_changed', 'With today’s people, more or other people must approve this; ask anew.');
}
