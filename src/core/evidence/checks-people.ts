/** The checks of who approved: not the requester, eligible, enough of them. As checks.ts: what is not there is `unknown`. */
import { gateAgent } from '../gate.ts';
import { asAgentId, asGroupId, asPolicyId, type AgentId, type PersonId, type PolicyId } from '../ids.ts';
import { fillPlaces } from '../places.ts';
import { listed, say } from '../render/shown.ts';
import { requirementDefaults, type Requirement } from '../verdict.ts';
import type { CaseEntries, Grounds } from './case-entries.ts';
import { found, type Found } from './found.ts';
import { countAt, isTold, listAt, objectAt, peopleAt, personAt, textAt, type Seen } from './read.ts';

/** A review that approved, read. */
interface Said {
  readonly seen: Seen;
  readonly person: PersonId;
  /** Whose place it fills. */
  readonly voice: PersonId;
}

/** The reviews that an approval stands on; null where some of them cannot be read, or the approval names other people. */
function saidOf({ reviews, approved }: CaseEntries): readonly Said[] | null {
  if (approved === undefined || !isTold(approved)) return null;
  const before = reviews.filter(({ entry }) => entry.index < approved.entry.index);
  if (!before.every(isTold)) return null;
  const said: Said[] = [];
  for (const seen of before) {
    const { by, data } = seen.entry;
    const decision = textAt(data, 'decision');
    if (by.kind !== 'person' || (decision !== 'approve' && decision !== 'deny')) return null;
    if (decision === 'approve')
      said.push({ seen, person: by.id, voice: personAt(data, 'standingInFor') ?? by.id });
  }
  // The approval names the person of each review, a denial aside, which would have ended it: one that is missing here shows.
  const people = peopleAt(approved.entry.data, 'people') ?? [];
  const all =
    people.toSorted().join('\n') ===
    said
      .map((one) => one.person)
      .toSorted()
      .join('\n');
  return all && said.length > 0 ? said : null;
}

const nobodyApproved = (): Found => found('not_applicable', say`Nobody approved it.`, []);

/** People who are named as tied to what was asked. */
const tiedMax = 5;

/** The people whom the log ties to what was asked; null where that is not all there. */
function requestersOf({ asked, opened }: CaseEntries, grounds: Grounds): ReadonlySet<PersonId> | null {
  if (opened === undefined || !isTold(opened) || !isTold(asked)) return null;
  const tied = conflictOf(opened);
  const agent = agentOf(asked);
  if (tied === null || agent === null) return null;
  const startedBy = personAt(asked.entry.data, 'startedBy');
  if (agent === gateAgent) {
    // Of a change that was found on disk nobody is known to have made it, and so nobody to be somebody else.
    return startedBy === null ? null : new Set([...tied, startedBy]);
  }
  const owners = grounds.ownersAt(agent, asked.entry.index);
  const [accountable] = owners ?? [];
  if (accountable === undefined) return null;
  return new Set([...tied, accountable, ...(startedBy === null ? [] : [startedBy])]);
}

function agentOf({ entry }: Seen): AgentId | null {
  switch (entry.by.kind) {
    case 'agent':
      return asAgentId(entry.by.id);
    case 'gate':
    case 'person':
      return gateAgent;
    case 'operator':
      return null;
  }
}

function conflictOf({ entry }: Seen): readonly PersonId[] | null {
  const people = listAt(entry.data, 'conflict')?.map((one) => personAt(one, 'person'));
  return people?.every((one): one is PersonId => one !== null) === true ? people : null;
}

/** The rule of no self-approval seen from outside: what the log says is compared, whatever the gate did. */
export function approverIsNotRequester(entries: CaseEntries, grounds: Grounds): Found {
  if (entries.approved === undefined) return nobodyApproved();
  const { asked, opened, approved } = entries;
  const rests = [asked, opened, approved];
  const said = saidOf(entries);
  const requesters = requestersOf(entries, grounds);
  // One tie is enough to fail, even where the others are not known.
  const tied = knownTies(entries, grounds);
  const self = (said ?? readableApprovers(entries))
    .flatMap((one) => [one.person, one.voice])
    .find((one) => tied.has(one));
  if (self !== undefined)
    return found('failed', say`${grounds.nameOf(self)} approved what is in some way their own.`, rests);
  if (said === null) return found('unknown', say`Who approved cannot be read from the entries.`, rests);
  if (requesters === null)
    return found(
      'unknown',
      say`Who asked, or whom it was for, is not known to the log; so nobody can be compared with them.`,
      rests,
    );
  const names = listed([...new Set(said.map((one) => grounds.nameOf(one.person)))]);
  const others = listed([...requesters].toSorted().slice(0, tiedMax).map(grounds.nameOf));
  const more = requesters.size > tiedMax ? `, and ${requesters.size - tiedMax} more` : '';
  return found('passed', say`${names} approved. Tied to it, and so barred: ${others}${more}.`, [
    ...rests,
    ...said.map((one) => one.seen),
  ]);
}

/** As {@link requestersOf}, of what can be read. */
function knownTies({ asked, opened }: CaseEntries, grounds: Grounds): ReadonlySet<PersonId> {
  const tied = new Set<PersonId>();
  if (opened !== undefined)
    for (const one of listAt(opened.entry.data, 'conflict') ?? []) {
      const person = personAt(one, 'person');
      if (person !== null) tied.add(person);
    }
  if (asked.entry.erased === true) return tied;
  const startedBy = asked.veiled ? null : personAt(asked.entry.data, 'startedBy');
  if (startedBy !== null) tied.add(startedBy);
  const agent = agentOf(asked);
  const [accountable] = (agent === null ? null : grounds.ownersAt(agent, asked.entry.index)) ?? [];
  if (accountable !== undefined) tied.add(accountable);
  return tied;
}

const readableApprovers = ({ reviews }: CaseEntries): readonly Pick<Said, 'person' | 'voice'>[] =>
  reviews.flatMap(({ entry: { by, data, erased } }) =>
    erased === true || by.kind !== 'person' || textAt(data, 'decision') !== 'approve'
      ? []
      : [{ person: by.id, voice: personAt(data, 'standingInFor') ?? by.id }],
  );

type EligibleRows = ReadonlyMap<PolicyId, ReadonlySet<PersonId>>;

/** Who could fill a place of which requirement when it was asked; null where the entry does not say. */
export function eligibleIn(opened: Seen | undefined): EligibleRows | null {
  if (opened === undefined || !isTold(opened)) return null;
  const rows = new Map<PolicyId, ReadonlySet<PersonId>>();
  for (const one of listAt(opened.entry.data, 'eligible') ?? []) {
    const requirement = textAt(one, 'requirement');
    const people = peopleAt(one, 'people');
    if (requirement === null || people === null) return null;
    rows.set(asPolicyId(requirement), new Set(people));
  }
  return rows.size === 0 ? null : rows;
}

export function approverWasEligible(entries: CaseEntries): Found {
  const { approved, opened } = entries;
  if (approved === undefined) return nobodyApproved();
  const [said, rows] = [saidOf(entries), eligibleIn(opened)];
  if (said === null || rows === null)
    return found('unknown', say`Who approved, or who could, cannot be read from the entries.`, [
      opened,
      approved,
    ]);
  const eligible = new Set([...rows.values()].flatMap((one) => [...one]));
  const stranger = said.find(({ voice }) => !eligible.has(voice));
  return stranger === undefined
    ? found('passed', say`They were among those found entitled when it was asked.`, [opened, approved])
    : found('failed', say`Entry ${stranger.seen.entry.index} is of somebody who was not found eligible.`, [
        opened,
        stranger.seen,
      ]);
}

/** Requirements as far as filling their places goes; null where the entry does not say. */
export function requirementsIn(opened: Seen | undefined): readonly Requirement[] | null {
  if (opened === undefined || !isTold(opened)) return null;
  const list = listAt(opened.entry.data, 'requirements') ?? [];
  const read: Requirement[] = [];
  for (const one of list) {
    const [id, approvers, quorum] = [textAt(one, 'id'), textAt(one, 'approvers'), countAt(one, 'quorum')];
    if (id === null || approvers === null || quorum === null || quorum < 1) return null;
    const escalation = textAt(objectAt(one, 'escalate'), 'group');
    read.push({
      id: asPolicyId(id),
      title: textAt(one, 'title') ?? id,
      approvers: asGroupId(approvers),
      quorum,
      ttlMs: countAt(one, 'ttlMs') ?? requirementDefaults.ttlMs,
      grantMs: countAt(one, 'grantMs') ?? requirementDefaults.grantMs,
      reasonRequired: false,
      stepUp: textAt(one, 'stepUp') === 'passkey' ? 'passkey' : null,
      channels: null,
      escalate: escalation === null ? null : { afterMs: 0, group: asGroupId(escalation) },
    });
  }
  return read.length === 0 ? null : read;
}

export function quorumWasMet(entries: CaseEntries): Found {
  const { approved, opened } = entries;
  if (approved === undefined) return nobodyApproved();
  const rests = [opened, approved];
  const [said, rows, requirements] = [saidOf(entries), eligibleIn(opened), requirementsIn(opened)];
  if (said === null || rows === null || requirements === null)
    return found('unknown', say`Who approved, or what it needed, cannot be read from the entries.`, rests);
  // A stand-in and whoever they stand in for are one voice.
  const voices = new Map(said.map((one) => [one.voice, one]));
  const people = new Map([...voices.values()].map((one) => [one.person, one.voice]));
  const filling = fillPlaces(requirements, [...people.keys()], (person, { id }) => {
    const voice = people.get(person);
    return voice !== undefined && rows.get(id)?.has(voice) === true;
  });
  const needs = listed(requirements.map((one) => `${one.quorum} of ${one.approvers}`));
  return filling.met
    ? found('passed', say`It needed ${needs}, and has ${people.size} of them.`, rests)
    : found('failed', say`It needed ${needs}, and has only ${people.size} who count.`, rests);
}
