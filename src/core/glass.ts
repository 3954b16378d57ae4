/**
 * Break-glass: for some minutes, what policies would hold for people passes without asking anybody, for one agent and one
 * operation. Two people open it who did not ask and do not own the agent; somebody else reviews it when it is over. Pure: the
 * rows and the rules; the steps are in core/steps/glass.ts.
 *
 * Promises: a glass lifts a verdict `review` and nothing else; one is open or unreviewed at a time; whoever took part in one
 * does not review it while anybody else is left.
 */
import type { By } from './case.ts';
import {
  adminsOf,
  agentIn,
  isActiveAgent,
  isAuditor,
  isMember,
  isOperator,
  personIn,
  type Directory,
} from './directory.ts';
import { splitOperation } from './action.ts';
import { gateOperation, isGates } from './gate.ts';
import {
  asPolicyId,
  type ActionId,
  type AgentId,
  type ApprovalId,
  type GroupId,
  type PersonId,
} from './ids.ts';
import type { Profile } from './profile.ts';
import { refuse, type Refusal } from './refusal.ts';
import type { Requirement } from './verdict.ts';

declare const brand: unique symbol;
export type GlassId = string & { readonly [brand]: 'GlassId' };
export const asGlassId = (text: string): GlassId => text as GlassId;
/** A glass is named by the action that asked for it. */
export const glassIdOf = (action: ActionId): GlassId => asGlassId(`gls_${action.slice(4)}`);

export const glassName = 'break_glass';
export const glassOperation = gateOperation(glassName);
/** Longest time that a glass is open. */
export const glassMinutesMax = 60;
/** Longest reason and longest finding, in characters. */
export const glassTextCharsMax = 2000;
/** How long people may take to answer; an emergency does not last until tomorrow. */
const glassTtlMs = 60 * 60_000;
/** How many people open one. */
const glassQuorum = 2;

/** Why it ended: its time was over, somebody ended it, its agent was stopped, or the store was restored from a backup. */
export type GlassEnd = 'time' | 'person' | 'stopped' | 'restored';

/** Who could review it: somebody who had no part in it; else, where nobody else is left, who approved; else who is left. */
export type GlassReviewer = 'independent' | 'approver' | 'involved';

export interface Glass {
  readonly id: GlassId;
  /** Where it was asked and approved. */
  readonly approval: ApprovalId;
  readonly agent: AgentId;
  /** Exactly one; no pattern. */
  readonly operation: string;
  readonly fromMs: number;
  /** It is over from then on, whether or not anything has noticed. */
  readonly untilMs: number;
  readonly asker: PersonId;
  readonly approvers: readonly PersonId[];
  /** Of the agent, when it was opened: leaving an agent does not wash clean. */
  readonly owners: readonly PersonId[];
  readonly reason: string;
  readonly ended: {
    readonly atMs: number;
    readonly why: GlassEnd;
    readonly by: By;
    readonly reason: string | null;
  } | null;
  readonly review: {
    readonly by: PersonId;
    readonly standing: GlassReviewer;
    readonly finding: string;
    readonly atMs: number;
  } | null;
}

/** Whether it lifts anything at this time. */
export const isOpenGlass = ({ ended, fromMs, untilMs }: Glass, nowMs: number): boolean =>
  ended === null && fromMs <= nowMs && nowMs < untilMs;

/** The glass that lets this pass now. */
export const glassFor = (
  glasses: readonly Glass[],
  of: { readonly agent: AgentId; readonly operation: string },
  nowMs: number,
): Glass | undefined =>
  glasses.find((one) => one.agent === of.agent && one.operation === of.operation && isOpenGlass(one, nowMs));

/** The group whose people open a glass. */
export const glassGroupOf = (directory: Directory): GroupId =>
  directory.roles.breakGlass ?? adminsOf(directory);

/** An agent's owners, operators and those who could approve it may ask. The owner may ask, and never approve. */
export function mayAskGlass(directory: Directory, person: PersonId, agent: AgentId): boolean {
  if (personIn(directory, person) === undefined) return false;
  return (
    agentIn(directory, agent)?.owners.includes(person) === true ||
    isOperator(directory, person) ||
    isMember(directory, person, glassGroupOf(directory))
  );
}

/** What was asked, as far as it says itself whether it can be. */
export function refusesGlassAsked(of: {
  readonly operation: string;
  readonly minutes: number;
  readonly reason: string;
}): Refusal | undefined {
  if (splitOperation(of.operation) === undefined || isGates(of.operation))
    return refuse('input_invalid', 'Break-glass is for one operation of an agent, by its full name.', {
      pointer: '/operation',
    });
  if (!Number.isSafeInteger(of.minutes) || of.minutes < 1 || of.minutes > glassMinutesMax)
    return refuse('input_invalid', `Break-glass lasts from 1 to ${glassMinutesMax} whole minutes.`, {
      pointer: '/minutes',
    });
  if (of.reason.trim() === '') return refuse('reason_required', 'Break-glass needs a reason.');
  return undefined;
}

/** Whoever is deactivated asks for nothing that could pass. */
export const refusesIdle = (agent: AgentId, operation: string, directory: Directory): Refusal | undefined =>
  isActiveAgent(directory, agent)
    ? undefined
    : refuse('not_permitted', `The agent ${agent} is deactivated, so nothing of ${operation} can pass.`);

/** One at a time, and none before the last was reviewed. @param glasses those that are not reviewed yet. */
export function refusesUnreviewed(glasses: readonly Glass[], nowMs: number): Refusal | undefined {
  const [before] = glasses;
  if (before === undefined) return undefined;
  const stands = isOpenGlass(before, nowMs) ? 'is open' : 'is over and was not reviewed yet';
  return refuse(
    'glass_unreviewed',
    `The break-glass ${before.id} ${stands}; the next one is possible once somebody has reviewed it.`,
    { glass: before.id },
  );
}

/**
 * Two people of the group; one where the whole company is two. Deactivated people count as the company: taking people away
 * takes effect at once, and must not make one person enough.
 */
export const glassRequirement = (directory: Directory): Requirement => ({
  id: asPolicyId('gate.break_glass'),
  title: 'Break-glass is opened by people who neither asked for it nor own the agent',
  approvers: glassGroupOf(directory),
  quorum: directory.people.length <= 2 ? 1 : glassQuorum,
  ttlMs: glassTtlMs,
  grantMs: glassTtlMs,
  reasonRequired: false,
  stepUp: null,
  channels: null,
  escalate: null,
});

/** How pages and channels name it. */
export const glassProfile = (of: {
  readonly agent: AgentId;
  readonly operation: string;
  readonly minutes: number;
}): Profile => ({
  verb: 'Break the glass for',
  effect: 'execute',
  object: `agent ${of.agent}: ${of.operation} for ${of.minutes} min`,
  // What passes meanwhile stays done.
  reversible: false,
  consequence:
    'While it is open, what policies would hold for people passes without asking anybody, for this agent and this operation. What they forbid stays forbidden. Afterwards somebody else must review it.',
});

/** Ending is never wrong: whoever may stop the agent (their callers know that), who asked, and who could have approved it. */
export const mayEndGlass = (glass: Glass, person: PersonId, directory: Directory): boolean =>
  personIn(directory, person) !== undefined &&
  (glass.asker === person || isMember(directory, person, glassGroupOf(directory)));

/** Everybody who had a part in it. */
function involvedIn(glass: Glass, directory: Directory): ReadonlySet<PersonId> {
  const owners = agentIn(directory, glass.agent)?.owners ?? [];
  return new Set([glass.asker, ...glass.approvers, ...owners, ...glass.owners]);
}

export interface GlassReviewers {
  readonly standing: GlassReviewer;
  readonly people: readonly PersonId[];
}

/**
 * Who may review it today. First those whose work it is (the group, operators, auditors), then anybody else who had no part in
 * it. Only where the directory names nobody else at all, deactivated or not, is it who approved it, and then whoever is left.
 */
export function glassReviewers(glass: Glass, directory: Directory): GlassReviewers {
  const involved = involvedIn(glass, directory);
  const others = directory.people.filter((one) => !involved.has(one.id));
  const active = others.filter((one) => one.active !== false).map((one) => one.id);
  const fit = active.filter(
    (id) =>
      isMember(directory, id, glassGroupOf(directory)) ||
      isOperator(directory, id) ||
      isAuditor(directory, id),
  );
  if (others.length > 0) return { standing: 'independent', people: fit.length > 0 ? fit : active };
  const approvers = glass.approvers.filter((id) => personIn(directory, id) !== undefined);
  if (approvers.length > 0) return { standing: 'approver', people: approvers };
  return {
    standing: 'involved',
    people: directory.people.filter((one) => one.active !== false).map((one) => one.id),
  };
}

/** Who may read what was said of a glass: whoever had a part in it, or could have, or may review it. That one is open is told to all. */
export const mayReadGlass = (glass: Glass, person: PersonId, directory: Directory): boolean =>
  personIn(directory, person) !== undefined &&
  (involvedIn(glass, directory).has(person) ||
    isOperator(directory, person) ||
    isAuditor(directory, person) ||
    isMember(directory, person, glassGroupOf(directory)) ||
    glassReviewers(glass, directory).people.includes(person));
