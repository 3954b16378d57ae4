/**
 * One row of the population, folded from the entries about one action. Promise: a row says nothing that its entries do not say, but
 * for the headline, which is made from bytes that the digest in the log names.
 */
import { asActionId, asAgentId, asApprovalId, asExecutionId, asPolicyId, asSha256Hex } from '../ids.ts';
import { isJsonObject, type JsonValue } from '../json.ts';
import type { Sha256Hex } from '../ids.ts';
import { brief } from '../render/read.ts';
import { line, listed, say, short, type Shown } from '../render/shown.ts';
import { maskText } from '../secrets.ts';
import { splitOperation } from '../action.ts';
import { isObserved, type CaseEntries, type Grounds } from './case-entries.ts';
import { checksOf } from './checks.ts';
import { requirementsIn } from './checks-people.ts';
import type { Approver, Outcome, PopulationRow, RequirementRef, Run } from './model-rows.ts';
import { countAt, isTold, listAt, objectAt, personAt, textAt, timeOf, type Seen } from './read.ts';

/** Longest reason in a row, in characters: the log has it whole. */
const reasonCharsMax = 500;

/** What the store says of the action besides its entries. */
export interface RowBeside {
  /** From the stored bytes that the digest names; null: they are gone, or another digest's. */
  readonly headline: Shown | null;
  /** The statement's subject: SHA-256 of the canonical bytes; null where it was erased. */
  readonly subject: Sha256Hex | null;
}

export function rowOf(row: number, entries: CaseEntries, grounds: Grounds, beside: RowBeside): PopulationRow {
  const { asked, opened, approved, over, started, ended } = entries;
  const { entry } = asked;
  const told = isTold(asked);
  const data: JsonValue = told ? entry.data : {};
  const verdict = objectAt(data, 'verdict');
  const operation = textAt(entry.data, 'operation');
  const [first] = started;
  const decision = decisionOf(entries);
  const decided = decision.seen;
  const decidedAtMs = decided === null ? null : timeOf(decided.entry);
  const startedAtMs = first === undefined ? null : timeOf(first.entry);
  const askedAtMs = timeOf(entry);
  const run = runOf(entries);
  return {
    row,
    index: entry.index,
    askedAtMs,
    erased: entries.all.some((one) => one.entry.erased === true),
    hidden: entries.all.some((one) => one.veiled),
    action: idAt(entries, 'action', asActionId),
    approval: idAt(entries, 'approval', asApprovalId),
    execution: idAt(entries, 'execution', asExecutionId),
    ...whoAsked(asked, grounds),
    onBehalfOf: personAt(data, 'startedBy'),
    session: masked(textAt(data, 'session')),
    operation,
    resource: resourceIn(data),
    environment: textAt(data, 'environment'),
    effect: textAt(data, 'effect'),
    headline: told ? (beside.headline ?? plainHeadline(data)) : goneHeadline(asked, operation),
    enforcement: oneOf(textAt(entry.data, 'enforcement'), ['mediated', 'cooperative']),
    mode: oneOf(textAt(entry.data, 'mode'), ['enforce', 'observe']),
    policyVersion: countAt(objectAt(verdict, 'versions'), 'policySet'),
    directoryVersion: countAt(objectAt(verdict, 'versions'), 'directory'),
    policyDigest: textAt(verdict, 'policyDigest'),
    verdict: oneOf(textAt(objectAt(entry.data, 'verdict'), 'effect'), ['allow', 'review', 'deny']),
    code: textAt(objectAt(entry.data, 'verdict'), 'code'),
    policies: policiesIn(verdict),
    requirements: requirementRefs(opened),
    reviews: reviewsOf(entries, grounds),
    outcome: decision.outcome,
    granted: approved !== undefined || first !== undefined || isPermitted(decision.outcome),
    reason: over === undefined || !isTold(over) ? null : reasonIn(over.entry.data),
    decidedBy: decidedBy(entries, decision.outcome, grounds),
    decidedIndex: decided?.entry.index ?? null,
    decidedAtMs,
    startedIndex: first?.entry.index ?? null,
    startedAtMs,
    endedIndex: ended?.entry.index ?? null,
    endedAtMs: ended === undefined ? null : timeOf(ended.entry),
    decisionMs: decidedAtMs === null ? null : decidedAtMs - askedAtMs,
    lagMs: decidedAtMs === null || startedAtMs === null ? null : startedAtMs - decidedAtMs,
    run,
    outcomeBy: outcomeBy(ended),
    settledBy:
      ended?.entry.type === 'execution.settled' && ended.entry.by.kind === 'person'
        ? ended.entry.by.id
        : null,
    glass: textAt(entry.data, 'glass'),
    subject: beside.subject,
    entries: entries.all.map((one) => one.entry.index),
    checks: checksOf(entries, grounds),
  };
}

const oneOf = <T extends string>(value: string | null, of: readonly T[]): T | null =>
  of.find((one) => one === value) ?? null;

const masked = (text: string | null): string | null => (text === null ? null : maskText(text));

const isPermitted = (outcome: Outcome): boolean =>
  outcome === 'allowed' || outcome === 'observed' || outcome === 'broken_glass' || outcome === 'approved';

function idAt<Id extends string>(
  { all }: CaseEntries,
  name: 'action' | 'approval' | 'execution',
  as: (text: string) => Id,
): Id | null {
  const id = all.map(({ entry }) => entry.about[name]).find((one) => one !== null);
  return id === undefined ? null : as(id);
}

function whoAsked({ entry }: Seen, grounds: Grounds): Pick<PopulationRow, 'askedBy' | 'agent' | 'owners'> {
  // Of an erased entry `by` stands for nothing.
  if (entry.erased === true) return { askedBy: 'unknown', agent: null, owners: [] };
  const { by } = entry;
  switch (by.kind) {
    case 'agent': {
      const agent = asAgentId(by.id);
      return { askedBy: 'agent', agent, owners: grounds.ownersAt(agent, entry.index) ?? [] };
    }
    case 'gate':
    case 'person':
      return { askedBy: by.kind, agent: null, owners: [] };
    case 'operator':
      return { askedBy: 'unknown', agent: null, owners: [] };
  }
}

function resourceIn(data: JsonValue): PopulationRow['resource'] {
  const resource = objectAt(data, 'resource');
  const [type, id] = [textAt(resource, 'type'), textAt(resource, 'id')];
  return type === null || id === null ? null : { type, id: maskText(id) };
}

/** "export_rows of crm on Dataset customers". */
function plainHeadline(data: JsonValue): Shown {
  const operation = textAt(data, 'operation');
  if (operation === null) return line('An action without a name');
  const halves = splitOperation(operation);
  const what = halves === undefined ? operation : `${halves.name} of ${halves.target}`;
  const resource = resourceIn(data);
  return resource === null || resource.type === 'Server'
    ? say`${short(what, 160)}`
    : say`${short(what, 160)} on ${short(resource.type, 60)} ${short(resource.id, 80)}`;
}

const goneHeadline = ({ veiled }: Seen, operation: string | null): Shown =>
  veiled
    ? say`${short(operation ?? 'an action', 160)} (what it holds is hidden from whoever made this)`
    : line('Erased: the log keeps its place, its time and its kind');

function policiesIn(verdict: JsonValue): PopulationRow['policies'] {
  const policies = listAt(objectAt(verdict, 'explanation'), 'policies') ?? [];
  return policies.flatMap((one) => {
    const id = textAt(one, 'id');
    return id === null ? [] : [{ id: asPolicyId(id), title: short(textAt(one, 'title') ?? id, 200) }];
  });
}

const requirementRefs = (opened: Seen | undefined): readonly RequirementRef[] =>
  (requirementsIn(opened) ?? []).map(({ id, title, approvers, quorum }) => ({
    id,
    title: short(title, 200),
    approvers,
    quorum,
  }));

const reasonIn = (data: JsonValue): Shown | null => {
  const reason = textAt(data, 'reason');
  return reason === null || reason.trim() === '' ? null : brief(reason, reasonCharsMax);
};

function reviewsOf({ reviews, opened }: CaseEntries, { nameOf }: Grounds): readonly Approver[] {
  return reviews.flatMap(({ entry }): readonly Approver[] => {
    const { by, data } = entry;
    const decision = oneOf(textAt(data, 'decision'), ['approve', 'deny']);
    if (entry.erased === true || by.kind !== 'person' || decision === null) return [];
    const atMs = timeOf(entry);
    const shown = textAt(data, 'shown');
    return [
      {
        person: by.id,
        name: nameOf(by.id),
        standingInFor: personAt(data, 'standingInFor'),
        decision,
        reason: reasonIn(data),
        channel: textAt(data, 'channel') ?? '?',
        atMs,
        index: entry.index,
        afterMs: opened === undefined ? null : atMs - timeOf(opened.entry),
        shown: shown !== null && /^[0-9a-f]{64}$/.test(shown) ? asSha256Hex(shown) : null,
        signed: isJsonObject(data) && isJsonObject(data['proof']),
      },
    ];
  });
}

/** What became of asking, and the entry that says so. */
function decisionOf(entries: CaseEntries): { readonly outcome: Outcome; readonly seen: Seen | null } {
  const { asked, opened, approved, over } = entries;
  const told = asked.entry.erased !== true;
  if (told && isObserved(entries)) return { outcome: 'observed', seen: asked };
  if (told && textAt(asked.entry.data, 'glass') !== null) return { outcome: 'broken_glass', seen: asked };
  if (over !== undefined) {
    const { type } = over.entry;
    if (type === 'approval.denied') return { outcome: deniedBy(over), seen: over };
    if (type === 'approval.expired') return { outcome: 'expired', seen: over };
    if (type === 'approval.cancelled') return { outcome: 'cancelled', seen: over };
  }
  if (approved !== undefined) return { outcome: 'approved', seen: approved };
  if (opened !== undefined) return { outcome: 'open', seen: null };
  const effect = told ? textAt(objectAt(asked.entry.data, 'verdict'), 'effect') : null;
  if (effect === 'allow') return { outcome: 'allowed', seen: asked };
  return effect === 'deny'
    ? { outcome: 'denied_by_policy', seen: asked }
    : { outcome: 'unknown', seen: null };
}

function deniedBy(seen: Seen): Outcome {
  if (seen.entry.erased === true) return 'unknown';
  return seen.entry.by.kind === 'person' ? 'denied_by_person' : 'denied_by_policy';
}

function decidedBy(
  { over, approved, reviews }: CaseEntries,
  outcome: Outcome,
  { nameOf }: Grounds,
): Shown | null {
  const approvers = (): readonly Shown[] =>
    approved === undefined
      ? []
      : reviews.flatMap(({ entry: { by, data, erased } }) =>
          erased !== true && by.kind === 'person' && textAt(data, 'decision') === 'approve'
            ? [nameOf(by.id)]
            : [],
        );
  switch (outcome) {
    case 'allowed':
    case 'denied_by_policy':
      return line('policies');
    case 'approved': {
      const names = approvers();
      return names.length === 0 ? null : line(listed([...new Set(names)]));
    }
    case 'denied_by_person':
    case 'cancelled':
      return over === undefined || over.entry.erased === true ? null : byWho(over, nameOf);
    case 'expired':
      return line('time');
    case 'broken_glass':
      return line('break-glass');
    case 'observed':
      return line('nobody: only observed');
    case 'unknown':
      // Its kind outlasts its content: that it was denied is known, by whom is not.
      return over?.entry.type === 'approval.denied' ? line('denied; by whom is erased or hidden') : null;
    case 'open':
      return null;
  }
}

function byWho({ entry: { by } }: Seen, nameOf: Grounds['nameOf']): Shown {
  switch (by.kind) {
    case 'person':
      return nameOf(by.id);
    case 'agent':
      return say`the agent ${by.id}`;
    case 'gate':
      return line('the gate');
    case 'operator':
      return line('an operator at the machine');
  }
}

function runOf({ started, ended }: CaseEntries): Run {
  if (started.length === 0 && ended === undefined) return 'not_run';
  if (ended === undefined) return 'running';
  const { type, data } = ended.entry;
  if (type === 'execution.succeeded') return 'succeeded';
  if (type === 'execution.failed') return 'failed';
  return type === 'execution.settled'
    ? (oneOf(textAt(data, 'status'), ['succeeded', 'failed']) ?? 'unknown')
    : 'unknown';
}

function outcomeBy(ended: Seen | undefined): PopulationRow['outcomeBy'] {
  if (ended === undefined || ended.entry.erased === true) return null;
  if (ended.entry.type === 'execution.settled') return 'person';
  return oneOf(textAt(ended.entry.data, 'outcomeBy'), ['gate', 'agent', 'person']);
}
