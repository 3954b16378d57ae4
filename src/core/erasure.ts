/**
 * Who may erase what. A log that its subjects could erase would be worth nothing, so that the rules are about people first: only
 * operators, never what they had a part in, nothing that is held. The gate erases what the retention that is configured no longer
 * keeps; it has a part in nothing, and the other rules bind it too.
 */
import { requirementsOf, type Case } from './case.ts';
import { conflictSet } from './conflict.ts';
import { isOperator, type Change, type Directory } from './directory.ts';
import type { EntryType, Sealed } from './entry.ts';
import type { AgentId, PersonId } from './ids.ts';
import { ownsAgent } from './reads.ts';
import { refuse, type Refusal } from './refusal.ts';
import { releaserMs, type Erasable, type Erasing, type Hold } from './retention.ts';

/** The log's account of itself, and what was found out by it: who verifies it needs these, and they hold nothing of what agents did. Never erased. */
const ofTheLog: ReadonlySet<EntryType> = new Set<EntryType>([
  'payloads.erased',
  'hold.placed',
  'hold.released',
  'key.begun',
  'key.ended',
  'log.opened',
  'log.heartbeat',
  'log.late',
  'log.caught_up',
  'gate.started',
  'gate.stopped',
  'store.restored',
  'evidence.made',
  'reconciliation.recorded',
]);

/**
 * What may be in force however old it is: who accepted it must be found, so that nobody erases it; and time leaves what is about
 * the same action too.
 */
const inForce: ReadonlySet<EntryType> = new Set<EntryType>([
  'policies.accepted',
  'directory.accepted',
  'servers.accepted',
  'tool.pinned',
  'tool.accepted',
  'observe.changed',
]);

/** The indexes of what is erased with it. */
export const erasableIn = ({ entries }: Erasable): readonly number[] =>
  entries
    .map((one) => one.entry)
    .filter(({ type }) => !ofTheLog.has(type) && !inForce.has(type))
    .map(({ index }) => index);

/** What deciding needs of the world. */
export interface ErasureWorld {
  readonly directory: Directory;
  readonly changes: readonly Change[];
  readonly nowMs: number;
}

// RULE nobody-erases-their-own
/**
 * Why this is, in some way, this person's own; undefined where it is not. Wider than the conflict set: every owner of the agent,
 * whoever reviewed it or somebody stood in for, whoever opened or reviewed the break-glass, and whoever any entry is by. As it is
 * today, and as it was then: leaving an agent does not wash clean.
 */
export const partIn = (one: Erasable, person: PersonId, world: ErasureWorld): string | undefined =>
  partAmong(one, person, world) ??
  (one.directoryThen === undefined
    ? undefined
    : partAmong(one, person, { ...world, directory: one.directoryThen, changes: [] }));

function partAmong(one: Erasable, person: PersonId, world: ErasureWorld): string | undefined {
  const { held, glass, entries } = one;
  const theirs = entries.find(({ entry }) => entry.by.kind === 'person' && entry.by.id === person);
  const said = theirs === undefined ? undefined : `did what entry ${theirs.entry.index} tells of`;
  if (held === null) {
    const named = entries.find((entry) => names(entry, person));
    if (named !== undefined) return said ?? `is named by entry ${named.entry.index}`;
    return ownedIn(entries, person, world.directory);
  }
  if (glass !== null && [glass.asker, ...glass.approvers, ...glass.owners, glass.review?.by].includes(person))
    return 'had a part in the break-glass that it belongs to';
  return partInCase(held, person, world) ?? said;
}

/** What an agent did that never became an action is its owners' as well. */
function ownedIn(entries: readonly Sealed[], person: PersonId, { agents }: Directory): string | undefined {
  const agent = agents.find(
    ({ id, owners }) => owners.includes(person) && entries.some((entry) => names(entry, id)),
  );
  return agent === undefined ? undefined : `owns the agent ${agent.id}`;
}

function partInCase(held: Case, person: PersonId, world: ErasureWorld): string | undefined {
  const { action } = held.asked;
  const conflict = [
    ...conflictSet(action, requirementsOf(held), world),
    // As it was found when it was asked, changes and all.
    ...(held.approval?.conflict ?? []),
  ].find((one) => one.person === person);
  if (conflict !== undefined) return conflict.why;
  if (ownsAgent(world.directory, person, action.agent)) return `owns the agent ${action.agent}`;
  for (const review of held.reviews) {
    if (review.person === person) return 'reviewed it';
    if (review.standingInFor === person) return 'was stood in for where it was reviewed';
  }
  return held.ending?.by.kind === 'person' && held.ending.by.id === person ? 'ended it' : undefined;
}

/** Whether anything in a statement is this id. Ids are strings of their own in our JSON; rather once too often than not. */
const names = ({ statement }: Sealed, id: PersonId | AgentId): boolean =>
  statement.includes(JSON.stringify(id));

const namesInCase = ({ asked, approval, reviews }: Case, person: PersonId): boolean => {
  const id = JSON.stringify(person);
  return (
    asked.canonical.includes(id) ||
    JSON.stringify(approval).includes(id) ||
    reviews.some((one) => one.person === person || one.standingInFor === person)
  );
};

/** Whether a hold, in force or not, is about this. */
export function covers(hold: Hold, { held, entries, glass }: Erasable): boolean {
  const { action, person } = hold;
  if (action === null && person === null) return true;
  if (
    action !== null &&
    (held?.asked.id === action || entries.some(({ entry }) => entry.about.action === action))
  )
    return true;
  return (
    person !== null &&
    (entries.some((one) => names(one, person)) ||
      (held !== null && namesInCase(held, person)) ||
      JSON.stringify(glass).includes(JSON.stringify(person)))
  );
}

/** Holds in force that are about this. */
const holding = (one: Erasable, { holds }: Erasing): readonly Hold[] =>
  holds.filter((hold) => hold.released === null && covers(hold, one));

/** Whether a hold in force keeps it. */
export const isHeld = (one: Erasable, erasing: Erasing): boolean => holding(one, erasing).length > 0;

/** Whether nothing more happens to it: it has ended, and a break-glass that it belongs to was reviewed. */
const isOver = ({ held, glass }: Erasable): boolean =>
  (glass === null || glass.review !== null) &&
  (held === null || (held.execution === null ? held.ending !== null : held.execution.status !== 'started'));

/** The first index of it that has no leaf yet. */
const unpublished = ({ entries }: Erasable, { published }: Erasing): number | undefined =>
  entries.map((one) => one.entry.index).find((index) => index >= published);

/** Why a person may not erase this; the reason and that they are an operator are checked by the step. */
export function refusesErasure(
  one: Erasable,
  person: PersonId,
  erasing: Erasing,
  world: ErasureWorld,
): Refusal | undefined {
  const part = partIn(one, person, world);
  if (part !== undefined)
    return refuse('not_permitted', `Nobody erases what they had a part in: ${person} ${part}.`, { part });
  const holds = holding(one, erasing);
  if (holds.length > 0)
    return refuse('on_hold', 'A legal hold keeps this from being erased; it must be released first.', {
      holds: holds.map((hold) => hold.id),
    });
  const released = erasing.holds.find(
    (hold) =>
      hold.released?.by === person && world.nowMs - hold.released.atMs < releaserMs && covers(hold, one),
  );
  if (released !== undefined)
    return refuse(
      'not_permitted',
      'You released a hold on this within 7 days; another operator may erase it, or you later.',
      { hold: released.id },
    );
  if (!isOver(one)) return refuse('not_over', 'This is not over yet; only what has ended is erased.');
  if (one.held?.execution?.status === 'unknown')
    return refuse('not_over', 'Nobody knows how this run ended. Settle it first, so that it is no secret.');
  const index = unpublished(one, erasing);
  if (index !== undefined)
    return refuse('not_over', 'This is not in the published log yet; try again in a moment.', {
      index,
      published: erasing.published,
    });
  return undefined;
}

/** Whether the retention takes this now. @param below nothing of it is at or above this index */
export const isDueForErasure = (one: Erasable, below: number, erasing: Erasing): boolean =>
  isOver(one) &&
  !isHeld(one, erasing) &&
  unpublished(one, erasing) === undefined &&
  !one.entries.some(({ entry }) => inForce.has(entry.type)) &&
  one.entries.every(({ entry }) => entry.index < below);

/** Another operator than this one is active today. */
export const hasOtherOperator = (directory: Directory, person: PersonId): boolean =>
  directory.people.some(({ id }) => id !== person && isOperator(directory, id));
