/**
 * Who sees what an action holds, and what everybody else sees of it. Whoever may stop an action must be able to find and
 * judge it by what it is, whose it is and whom it asks; what is in it is for those whom it concerns.
 *
 * Promise: `veiled` keeps nothing of what the agent said or an upstream answered, nor what the gate made of either. A case
 * without its input is what leaves `app` for such a reader, so that no view can forget to hide it.
 */
import { requirementsOf, type Asked, type Case, type Ending, type Execution } from './case.ts';
import { absentOf, type Absences } from './delegation.ts';
import { isAuditor, isMember, type Directory, type Principal } from './directory.ts';
import type { Entry, EntryType } from './entry.ts';
import { gateAgent } from './gate.ts';
import type { PersonId } from './ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { ownsAgent } from './reads.ts';
import { mayRead } from './may-stop.ts';
import type { Verdict } from './verdict.ts';

/** Stands where something is hidden from the reader. The digest beside it is salted: nobody can test a guess with it. */
export const hiddenWords = '⟨not yours to see⟩';

/** Today's members of the groups that a case asks, escalation included. */
export const isApprover = (
  held: Case,
  person: PersonId,
  { directory }: { readonly directory: Directory },
): boolean =>
  requirementsOf(held).some(
    (one) =>
      isMember(directory, person, one.approvers) || isMember(directory, person, one.escalate?.group ?? null),
  );

/** Whether somebody stands in for one of today's approvers, while it is open. */
export const standsInHere = (held: Case, person: PersonId, world: Absences): boolean =>
  held.ending === null &&
  held.execution === null &&
  absentOf(person, world).some((absent) => isApprover(held, absent, world));

/** What the gate asks for itself (`gate___…`) was written by people for people: whoever may read it reads all of it. */
const isOfGate = (held: Case): boolean => held.asked.action.agent === gateAgent;

// RULE not-yours-to-see
/**
 * Whether somebody sees what an action holds: its agent; the agent's owners, today's approvers, whoever stands in for one,
 * auditors, and who approved it. Not operators as such, nor who only denied it: a denial must not open what it stops.
 */
export function mayReadInput(held: Case, by: Principal, world: Absences): boolean {
  if (!mayRead(held, by, world)) return false;
  if (by.kind === 'agent' || isOfGate(held)) return true;
  const { directory } = world;
  return (
    isAuditor(directory, by.id) ||
    ownsAgent(directory, by.id, held.asked.action.agent) ||
    isApprover(held, by.id, world) ||
    standsInHere(held, by.id, world) ||
    held.reviews.some((review) => review.person === by.id && review.decision === 'approve')
  );
}

/** The case without what it holds. Ids, digest, operation, people, times and states stay, and what people said of it. */
export function veiled(held: Case): Case {
  return {
    ...held,
    asked: veiledAsked(held.asked),
    ending: held.ending === null ? null : veiledEnding(held.ending),
    execution: held.execution === null ? null : veiledExecution(held.execution),
  };
}

/** By name, each field that stays: what a later version adds is hidden until somebody says otherwise. */
function veiledAsked(asked: Asked): Asked {
  const { id, digest, subject, likeKey, joinKey, mode, profile, atMs, action, verdict } = asked;
  const { v, agent, startedBy, delegation, operation, target, enforcement } = action;
  return {
    id,
    digest,
    subject,
    likeKey,
    joinKey,
    mode,
    profile,
    atMs,
    ...(asked.glass === undefined ? {} : { glass: asked.glass }),
    ...(asked.erased === undefined ? {} : { erased: asked.erased }),
    veiled: true,
    action: {
      v,
      agent,
      startedBy,
      delegation,
      operation,
      target,
      enforcement,
      session: orHidden(action.session),
      // A server is named by the operation already; of any other resource the name is the input's.
      resource: action.resource.type === 'Server' ? action.resource : { ...action.resource, id: hiddenWords },
      input: { [hiddenWords]: digest },
      reason: orHidden(action.reason),
      salt: '',
    },
    canonical: '',
    callback: null,
    amount: null,
    run: null,
    verdict: veiledVerdict(verdict),
    preview: null,
    before: null,
  };
}

const orHidden = (text: string | null): string | null => (text === null ? null : hiddenWords);

/** Which policies had a part stays: everybody reads them. Their clauses with values do not. */
const veiledVerdict = (verdict: Verdict): Verdict => ({
  ...verdict,
  recent: null,
  toldAgent: hiddenWords,
  explanation: { text: hiddenWords, policies: verdict.explanation.policies, clauses: [], wouldAllow: [] },
});

/** A person's words stay: they were said to whoever acts on them. The gate's sentence can hold values, an agent's any. */
const veiledEnding = (ending: Ending): Ending =>
  ending.by.kind === 'person' || ending.by.kind === 'operator'
    ? ending
    : { ...ending, reason: orHidden(ending.reason) };

const veiledExecution = (execution: Execution): Execution => ({
  ...execution,
  detail: execution.outcomeBy === 'person' ? execution.detail : orHidden(execution.detail),
  result: null,
});

/**
 * Fields of entries that hold nothing of an action: ours, ids of ours, and codes. What is not named here is hidden, and so is
 * whatever a later entry says.
 */
const plainFields: ReadonlySet<string> = new Set(
  [
    'operation agent mode digest code state status enforcement tool',
    'ok requirements eligible conflict expiresAtMs afterUnknown people person atMs',
    'decision unsafe channel shown via standingInFor note kind attempts',
    'glass versions outcomeBy grantExpiresAtMs',
  ].flatMap((names) => names.split(' ')),
);

/** Entries whose `reason` is what a person said. */
const wordsOfPeople: ReadonlySet<EntryType> = new Set<EntryType>([
  'review.recorded',
  'approval.denied',
  'approval.cancelled',
  'execution.settled',
]);

/** An entry about an action without what the action holds; its place in the log and its digest stay. */
export function veiledEntry(entry: Entry): Entry {
  if (!isJsonObject(entry.data)) return { ...entry, data: {} };
  const spoken = entry.by.kind === 'person' && wordsOfPeople.has(entry.type);
  const left: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(entry.data)) {
    if (plainFields.has(name) || (spoken && name === 'reason')) left[name] = value;
    else if (name === 'verdict') left[name] = outlineOf(value);
    else left[name] = value === null ? null : hiddenWords;
  }
  return { ...entry, data: left };
}

/** Effect and code of a verdict. */
function outlineOf(verdict: JsonValue): JsonObject {
  const { effect = null, code = null } = isJsonObject(verdict) ? verdict : {};
  return { effect, ...(code === null ? {} : { code }) };
}
