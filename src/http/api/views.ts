/**
 * Cases as the API shows them (design §8). An agent gets its own input exactly, and of the verdict only what the policy tells
 * agents: whoever learns a threshold asks just below it. People get the whole explanation, with secrets masked.
 */
import type { Action } from '../../core/action.ts';
import {
  approvalStatusOf,
  endedAtMs,
  requirementsOf,
  stateOf,
  type Case,
  type Execution,
  type State,
} from '../../core/case.ts';
import { changeConflictMs } from '../../core/conflict.ts';
import type { Principal } from '../../core/directory.ts';
import type { JsonValue } from '../../core/json.ts';
import { filled, voiceOf } from '../../core/counting.ts';
import { barredOf, conflictOf, type MayApprove, type World } from '../../core/eligible.ts';
import { maskSecrets, maskText } from '../../core/secrets.ts';
import { mayApproveOf } from '../../core/steps/common.ts';
import { rfc3339 } from '../../core/time.ts';
import { mayApproveNow } from '../../app/gates.ts';
import { approvalUrl } from '../../app/notices.ts';
import type { Parts } from '../../app/parts.ts';
import type { ToldWhere } from '../../app/telling.ts';
import { modeView, passedObserved, permitted } from './mode.ts';

/** Who looks, and when. */
export interface Looker {
  readonly parts: Parts;
  readonly by: Principal;
  readonly nowMs: number;
}

export const lookerOf = (parts: Parts, by: Principal): Looker => ({ parts, by, nowMs: parts.clock.nowMs() });

/** Who looks, and at what world: what an approval's people are counted in. */
export interface Viewer extends Looker {
  readonly world: World;
}

export async function viewerOf(parts: Parts, by: Principal): Promise<Viewer> {
  const nowMs = parts.clock.nowMs();
  const [directory, changes, delegations] = await Promise.all([
    parts.store.directory(),
    parts.store.changes(nowMs - changeConflictMs),
    parts.store.delegations(),
  ]);
  return { parts, by, nowMs, world: { directory, changes, delegations, nowMs } };
}

const time = (ms: number | null | undefined): string | null => (ms == null ? null : rfc3339(ms));

/** Text and values as this viewer may see them: literal for the agent whose they are, masked for people. */
const shownText = (by: Principal, text: string | null): string | null =>
  text === null || by.kind === 'agent' ? text : maskText(text);
const shown = (by: Principal, value: JsonValue): JsonValue =>
  by.kind === 'agent' ? value : maskSecrets(value);

/** What was asked, in full. */
export function askedView(held: Case, by: Principal): object {
  const { action, id, digest, atMs } = held.asked;
  return {
    id,
    digest,
    operation: action.operation,
    resource: { type: action.resource.type, id: shownText(by, action.resource.id) },
    input: shown(by, action.input),
    // What it holds is not this reader's to see: the input is a mark, and there is no more.
    ...(held.asked.veiled === true ? { hidden: true } : {}),
    // Erased for everybody: the index of the entry that says so.
    ...(held.asked.erased === undefined ? {} : { erased: held.asked.erased }),
    agent: action.agent,
    session: shownText(by, action.session),
    startedBy: action.startedBy,
    delegation: action.delegation,
    reason: shownText(by, action.reason),
    enforcement: action.enforcement,
    createdAt: rfc3339(atMs),
  };
}

export function explanationView(held: Case, by: Principal): object {
  if (passedObserved(held, by)) return { text: permitted };
  const { explanation, toldAgent } = held.asked.verdict;
  if (by.kind === 'agent') return { text: toldAgent };
  const { text, policies, clauses, wouldAllow } = explanation;
  return {
    text: maskText(text),
    policies,
    clauses: clauses.map((one) => ({
      ...one,
      left: shownText(by, one.left),
      right: shownText(by, one.right),
    })),
    wouldAllow: wouldAllow.map(maskText),
  };
}

export const executionView = (execution: Execution, by: Principal): object => ({
  id: execution.id,
  status: execution.status,
  startedAt: rfc3339(execution.startedAtMs),
  endedAt: time(execution.endedAtMs),
  outcomeBy: execution.outcomeBy,
  detail: shownText(by, execution.detail),
});

/** Whether nothing more happens to it, so that its outcome can be told. */
export const isOver = (state: State): boolean =>
  state !== 'pending' && state !== 'ready' && state !== 'started';

/** The state of an action: what `POST /v1/actions` answers. */
export function stateView(held: Case, looker: Looker, replayed: boolean): object {
  const { parts, by, nowMs } = looker;
  const { asked, approval, execution, grant } = held;
  const state = stateOf(held, nowMs);
  return {
    id: asked.id,
    digest: asked.digest,
    verdict: passedObserved(held, by) ? 'allow' : asked.verdict.effect,
    ...modeView(held, by),
    state,
    ...(approval === null
      ? {}
      : {
          approval: {
            id: approval.id,
            status: approvalStatusOf(held, nowMs),
            url: approvalUrl(parts.origin, approval.id),
            expiresAt: rfc3339(approval.expiresAtMs),
          },
        }),
    // Where it will call: whoever joined a wait learns here that it is the first one's.
    ...(approval !== null && asked.callback !== null && by.kind === 'agent'
      ? { callback: asked.callback }
      : {}),
    ...(state === 'ready' && grant !== null ? { runBefore: rfc3339(grant.expiresAtMs) } : {}),
    explanation: explanationView(held, by),
    enforcement: asked.action.enforcement,
    ...(execution === null ? {} : { execution: executionView(execution, by) }),
    ...(isOver(state)
      ? { endedAt: time(endedAtMs(held) ?? grant?.expiresAtMs ?? approval?.expiresAtMs) }
      : {}),
    ...(replayed ? { replayed: true } : {}),
  };
}

/** `GET /v1/actions/ID`: the state, and what was asked. */
export const actionView = (held: Case, looker: Looker): object => ({
  ...stateView(held, looker, false),
  ...askedView(held, looker.by),
  ...(held.ending === null
    ? {}
    : { ending: { code: held.ending.code, reason: shownText(looker.by, held.ending.reason) } }),
});

/** An action as its own agent runs it: exact, never masked. */
export const exactAction = (action: Action, held: Case): object => ({
  ...askedView(held, { kind: 'agent', id: action.agent }),
  target: action.target,
});

/** What judging it now needs: who has reviewed it, and, where somebody stands in for one who cannot approve, both of them. */
function nowOf(held: Case, { parts, world }: Viewer): World & { readonly mayApprove: MayApprove } {
  const { delegations = [] } = world;
  const reviewers = held.reviews.flatMap((one) => [one.person, voiceOf(one)]);
  const barred = delegations.filter((one) => conflictOf(held, one.from, world) !== undefined);
  const people = [...new Set([...reviewers, ...barred.flatMap((one) => [one.from, one.to])])];
  const rows = mayApproveNow(parts, held, people, world.nowMs);
  return { ...world, mayApprove: mayApproveOf(rows) };
}

/** How far each requirement is met: as it was when it was approved, else with today's people and policies. */
function requirementsView(held: Case, now: World & { readonly mayApprove: MayApprove }): readonly object[] {
  const requirements = requirementsOf(held);
  const { counts } = filled(held, requirements, now);
  const approved = held.approval?.approvedAtMs != null;
  return counts.map(({ requirement, count, met }) => ({
    id: requirement.id,
    title: requirement.title,
    approvers: requirement.approvers,
    quorum: requirement.quorum,
    count: approved ? requirement.quorum : count,
    met: approved || met,
    reasonRequired: requirement.reasonRequired,
    stepUp: requirement.stepUp,
  }));
}

/** An approval, as `GET /v1/approvals/ID` and every change of it answer. */
export function approvalView(held: Case, viewer: Viewer): object {
  const { parts, by, nowMs } = viewer;
  const { approval, asked } = held;
  const now = nowOf(held, viewer);
  if (approval === null) throw new TypeError('a case without an approval has no approval to show');
  const forPeople = {
    verdict: asked.verdict.effect,
    explanation: explanationView(held, by),
    profile: asked.profile,
    preview: maskSecrets(looked(asked.preview)),
    before: maskSecrets(looked(asked.before)),
    afterUnknown: approval.afterUnknown,
  };
  return {
    id: approval.id,
    status: approvalStatusOf(held, nowMs),
    state: stateOf(held, nowMs),
    ...modeView(held, by),
    action: { ...askedView(held, by), ...(by.kind === 'person' ? forPeople : {}) },
    digest: asked.digest,
    requirements: requirementsView(held, now),
    reviews: held.reviews.map((one) => ({
      person: one.person,
      ...(one.standingInFor === undefined ? {} : { standingInFor: one.standingInFor }),
      decision: one.decision,
      reason: one.reason,
      unsafe: one.unsafe,
      channel: one.channel,
      ...(one.proof === null ? {} : { signedWith: one.proof.credential }),
      at: rfc3339(one.atMs),
    })),
    cannotApprove: barredOf(held, now),
    ...(held.ending === null ? {} : { ending: { code: held.ending.code, reason: held.ending.reason } }),
    url: approvalUrl(parts.origin, approval.id),
    createdAt: rfc3339(approval.createdAtMs),
    expiresAt: rfc3339(approval.expiresAtMs),
  };
}

/** Where people were told, for people who may read the approval; agents are told nothing of places. */
export const toldView = (rows: readonly ToldWhere[]): readonly object[] =>
  rows.map(({ channel, group, to, state, whole, atMs, detail, tries, nextMs, instead }) => ({
    channel,
    group,
    to,
    state,
    whole,
    at: rfc3339(atMs),
    detail: detail === null ? null : maskText(detail),
    tries,
    nextTryAt: time(nextMs),
    instead,
  }));

/** A preview's answer with its time: informative, not bound. */
const looked = (seen: Case['asked']['preview']): JsonValue =>
  seen === null ? null : { tool: seen.tool, input: seen.input, at: rfc3339(seen.atMs), answer: seen.answer };
