/**
 * What a person sees of a held action, as data, in the order of design §7. One rendering for every channel: pages, terminals
 * and messages lay it out and add nothing. The agent renders none of it; its words are in `agentsReason`, marked.
 *
 * Promise: every string in a presentation is `Shown`: no invisible, control or bidirectional character of any input
 * survives in it, and no secret that core/secrets.ts recognises.
 */
import type { Action, Enforcement } from '../action.ts';
import { requirementsOf, type Case } from '../case.ts';
import { nameOf } from '../conflict.ts';
import { agentIn, type Directory, type Principal } from '../directory.ts';
import { isGateAction } from '../gate-operations.ts';
import { maskText } from '../secrets.ts';
import type { Clause } from '../verdict.ts';
import { configChangeView, isConfigChange, type ConfigChangeView } from './config-change.ts';
import { exactOf, type Exact } from './exact.ts';
import { exportView, type ExportView } from './export.ts';
import { headlineOf, type Headline } from './headline.ts';
import { infrastructureView, type InfrastructureView } from './infrastructure.ts';
import { looksOf, type LookView } from './look.ts';
import { newsOf, type Earlier, type News } from './news.ts';
import { needsOf, peopleOf, readerOf, type Barred, type Need, type Now, type Reader } from './people.ts';
import { privilegeView, type PrivilegeView } from './privilege.ts';
import { line, lines, say, short, type Shown } from './shown.ts';
import { channelWords, standingOf, type Standing } from './standing.ts';
import { undeterminedOf, type Unknown } from './undetermined.ts';

/** What a presentation needs besides the case; all of it read at one moment. */
export interface PresentContext extends Now {
  /** Null where it could not be read. */
  readonly past: Earlier | null;
  /** Who looks; null for nobody in particular. */
  readonly reader: Principal | null;
}

/** One clause, with the values that its text does not say already. */
export interface Side {
  readonly policy: Shown;
  readonly text: Shown;
  /** The value here; null where the text says it. */
  readonly here: Shown | null;
  /** What it was compared with; null where the text says it. */
  readonly against: Shown | null;
}

export interface Why {
  /** One sentence: the verdict's explanation. */
  readonly text: Shown;
  readonly policies: readonly { readonly id: Shown; readonly title: Shown }[];
  readonly clauses: readonly Side[];
  /** Counterfactuals that Cedar confirmed; for people, never for the agent. */
  readonly wouldAllow: readonly Shown[];
}

export interface ForWhom {
  readonly agent: Shown;
  /** The first is accountable. */
  readonly owners: readonly Shown[];
  /** What the agent names its run: claimed. */
  readonly session: Shown | null;
  readonly startedBy: Shown | null;
  /** Nearest to the agent last. */
  readonly delegation: readonly Shown[];
  readonly enforcement: Enforcement;
  /** Only of what the gate itself asks, which has no owner and no session: who stands for it, or where it was found. */
  readonly gates?: Shown;
}

export interface Said {
  readonly name: Shown;
  /** Who was away, and whose place it fills; null where the person spoke for themself. */
  readonly standingInFor: Shown | null;
  readonly decision: 'approve' | 'deny';
  readonly unsafe: boolean;
  readonly reason: readonly Shown[];
  readonly channel: Shown;
  /** With a passkey, over this very approval. */
  readonly signed: boolean;
  readonly atMs: number;
}

export type Special = ExportView | PrivilegeView | InfrastructureView | ConfigChangeView;

export interface Presentation {
  readonly actionId: Shown;
  /** Null where nobody was asked. */
  readonly approvalId: Shown | null;
  /** Null until it has started to run. */
  readonly executionId: Shown | null;
  readonly askedAtMs: number;
  readonly nowMs: number;
  readonly headline: Headline;
  readonly reversible: boolean | null;
  readonly consequence: Shown | null;
  readonly undetermined: readonly Unknown[];
  readonly why: Why;
  readonly forWhom: ForWhom;
  readonly news: readonly News[];
  readonly special: Special | null;
  readonly exact: Exact;
  readonly looks: readonly LookView[];
  /** The agent's own words, unverified; null where it gave none. */
  readonly agentsReason: readonly Shown[] | null;
  readonly standing: Standing;
  readonly needs: readonly Need[];
  readonly reviews: readonly Said[];
  readonly canApprove: readonly Shown[];
  readonly cannotApprove: readonly Barred[];
  readonly reader: Reader | null;
  /** False where the exact action is larger than can be shown: it cannot be approved where this was rendered. */
  readonly shownWhole: boolean;
}

export function present(held: Case, context: PresentContext): Presentation {
  const { asked, approval } = held;
  const exact = exactOf(asked);
  const people = peopleOf(held, context);
  return {
    actionId: line(asked.id),
    approvalId: approval === null ? null : line(approval.id),
    executionId: held.execution === null ? null : line(held.execution.id),
    askedAtMs: asked.atMs,
    nowMs: context.nowMs,
    headline: headlineOf(asked),
    reversible: asked.profile?.reversible ?? null,
    consequence: asked.profile?.consequence === undefined ? null : short(asked.profile.consequence, 300),
    undetermined: undeterminedOf(asked),
    why: whyOf(held),
    forWhom: forWhomOf(held, context),
    news: newsOf(held, context.past, context.nowMs),
    special: specialOf(held, context),
    exact,
    looks: looksOf(asked),
    agentsReason:
      asked.action.reason === null || asked.action.reason.trim() === ''
        ? null
        : lines(maskText(asked.action.reason)),
    standing: standingOf(held, context.directory, context.nowMs),
    needs: needsOf(held, context),
    reviews: held.reviews.map((one) => ({
      name: line(nameOf(context.directory, one.person)),
      standingInFor:
        one.standingInFor === undefined ? null : line(nameOf(context.directory, one.standingInFor)),
      decision: one.decision,
      unsafe: one.unsafe,
      reason: one.reason === null ? [] : lines(maskText(one.reason)),
      channel: line(channelWords(one.channel)),
      signed: one.proof !== null,
      atMs: one.atMs,
    })),
    canApprove: people.can,
    cannotApprove: people.cannot,
    reader: readerOf(held, context.reader, context, exact.whole),
    shownWhole: exact.whole,
  };
}

/** Why people are asked, in the words of the verdict as it was given. */
export function whyOf(held: Case): Why {
  const { explanation } = held.asked.verdict;
  const required = requirementsOf(held);
  const policies = required.length > 0 ? required : explanation.policies;
  return {
    text: short(maskText(explanation.text), 1000),
    policies: policies.map((one) => ({ id: line(one.id), title: short(one.title, 300) })),
    clauses: explanation.clauses.map(sideOf),
    wouldAllow: explanation.wouldAllow.map((one) => short(maskText(one), 300)),
  };
}

function sideOf({ policy, text, left, right }: Clause): Side {
  const shown = (value: string | null): Shown =>
    value === null ? line('absent') : short(maskText(value), 200);
  const said = (value: string | null): boolean => value !== null && text.includes(value);
  const obvious = (left === null && right === null) || (left === right && said(left));
  return {
    policy: line(policy),
    text: short(text, 500),
    here: obvious ? null : shown(left),
    against: obvious || said(right) ? null : shown(right),
  };
}

/** Whose action it is. */
export function forWhomOf(held: Case, { directory }: Pick<PresentContext, 'directory'>): ForWhom {
  const { action } = held.asked;
  return {
    ...(isGateAction(action) ? { gates: askedFor(action, directory) } : {}),
    agent: line(action.agent),
    owners: (agentIn(directory, action.agent)?.owners ?? []).map((owner) => line(nameOf(directory, owner))),
    session: action.session === null ? null : line(maskText(action.session)),
    startedBy: action.startedBy === null ? null : line(nameOf(directory, action.startedBy)),
    delegation: action.delegation.map((link) =>
      line(link.kind === 'person' ? nameOf(directory, link.id) : `the agent ${link.id}`),
    ),
    enforcement: action.enforcement,
  };
}

function askedFor(action: Action, directory: Directory): Shown {
  const { startedBy } = action;
  if (startedBy === null) return line('Found on disk; nobody has said that it is theirs.');
  const name = line(nameOf(directory, startedBy));
  return isConfigChange(action) ? say`Proposed as ${name}’s change.` : say`Asked by ${name}.`;
}

/** The view that its effect calls for; null for what has none. */
export function specialOf(held: Case, { directory }: Pick<PresentContext, 'directory'>): Special | null {
  const { asked } = held;
  if (asked.veiled === true) return null;
  if (isConfigChange(asked.action)) return configChangeView(asked.action, directory);
  switch (asked.profile?.effect) {
    case 'export':
      return exportView(asked);
    case 'grant':
      return privilegeView(asked, directory);
    case 'delete':
    case 'execute':
      return infrastructureView(asked);
    case 'read':
    case 'write':
    case undefined:
      return null;
  }
}
