/** One request by a signed-in person, with the world as it was read for it: every rule on the page judges the same moment. */
import { theGate, type Act, type Subject } from '../../core/acts.ts';
import type { Way } from '../../core/accounts.ts';
import { approvalStatusOf, requirementsOf, type Case } from '../../core/case.ts';
import { changeConflictMs, nameOf } from '../../core/conflict.ts';
import { absentOf, type Delegation } from '../../core/delegation.ts';
import type { Idempotency } from '../../core/command.ts';
import type { Agent, Change, Directory, Person, Principal } from '../../core/directory.ts';
import type { Glass } from '../../core/glass.ts';
import type { ApprovalId, PersonId } from '../../core/ids.ts';
import { agentsFor, mayGlance, mayReadGate, peopleFor } from '../../core/reads.ts';
import { readerOf, type Now, type Reader } from '../../core/render/people.ts';
import { present, type Presentation } from '../../core/render/present.ts';
import { glassBanner } from '../../core/render/glass.ts';
import { observedWords } from '../../core/render/observed.ts';
import { line, say, type Shown } from '../../core/render/shown.ts';
import { voiceOf } from '../../core/counting.ts';
import { mayApproveOf } from '../../core/steps/common.ts';
import type { About } from '../../app/about.ts';
import { allows, seenBy } from '../../app/access.ts';
import { askable } from '../../app/authorize.ts';
import { mayApproveNow } from '../../app/gates.ts';
import type { Parts } from '../../app/parts.ts';
import type { SignedIn } from '../../ports/identity.ts';
import type { Glance } from '../../ports/overview.ts';
import { configBanners } from './config-banner.ts';
import type { Banner, LayoutOptions } from './layout.ts';

export interface Visit {
  readonly parts: Parts;
  readonly about: About;
  readonly person: PersonId;
  readonly by: Principal;
  readonly way: Way;
  /** What this session is called in lists. */
  readonly session: string;
  readonly csrf: string;
  /** Of the form that was sent; undefined: none was, or it names none. */
  readonly once: Idempotency | undefined;
  readonly directory: Directory;
  readonly changes: readonly Change[];
  /** Break-glass that is open, or over and not reviewed. */
  readonly glasses: readonly Glass[];
  /** When something was last accepted at the machine, without anybody's approval; null: never. */
  readonly machineAtMs: number | null;
  /** Who stands in for whom. */
  readonly delegations: readonly Delegation[];
  readonly nowMs: number;
}

export async function visitOf(parts: Parts, about: About, session: SignedIn): Promise<Visit> {
  const nowMs = parts.clock.nowMs();
  const [directory, changes, delegations, glasses, machineAtMs] = await Promise.all([
    parts.store.directory(),
    parts.store.changes(nowMs - changeConflictMs),
    parts.store.delegations(),
    parts.store.openGlasses(),
    parts.store.machineAcceptedAtMs(),
  ]);
  const by = { kind: 'person', id: session.person, way: session.way } as const;
  return {
    parts,
    about,
    ...session,
    once: undefined,
    by,
    directory,
    changes,
    delegations,
    glasses,
    machineAtMs,
    nowMs,
  };
}

/** Whether the reader may do this to that: core and the policies, both. */
export const may = (visit: Visit, act: Act, subject: Subject): boolean =>
  allows(visit.parts, visit, { person: visit.person, act, subject });

/** The agents that the reader may read, in the order of the directory. */
export const agentsOf = (visit: Visit): readonly Agent[] =>
  agentsFor(visit.directory, visit.person).filter(({ id }) =>
    may(visit, 'read_agent', { kind: 'agent', agent: id }),
  );

/** The people that the reader may read, in the order of the directory. */
export const peopleOf = (visit: Visit): readonly Person[] =>
  peopleFor(visit.directory, visit.person).filter(({ id }) =>
    may(visit, 'read_person', { kind: 'person', person: id }),
  );

/** Cases that one list looks at where a policy hides some of them. */
const glancedMax = 200;

/** The first of these actions that the reader may be led to, at most `max`; none says more than its operation. */
export async function glancesOf(
  visit: Visit,
  all: readonly Glance[],
  max: number,
): Promise<readonly Glance[]> {
  const { parts, by, directory, person } = visit;
  const narrowed = parts.policy.narrows('read');
  const found: Glance[] = [];
  let looked = 0;
  for (const one of all) {
    if (found.length >= max || looked >= glancedMax) break;
    const requirements = one.verdict.effect === 'review' ? one.verdict.requirements : [];
    if (!mayGlance(directory, person, { agent: one.agent, requirements })) continue;
    if (narrowed) {
      looked += 1;
      const held = await parts.store.caseBy({ action: one.action });
      if (held === undefined || seenBy(parts, visit, by, held) === undefined) continue;
    }
    found.push(one);
  }
  return found;
}

/** What a rule needs to judge a case now, for these people. */
function nowFor(visit: Visit, held: Case, people: readonly PersonId[]): Now {
  const { parts, directory, changes, delegations, nowMs } = visit;
  const rows = mayApproveNow(parts, held, people, nowMs);
  return { directory, changes, delegations, nowMs, mayApprove: mayApproveOf(rows), channel: 'web' };
}

/** Who gave the reviews, and for whom. */
const reviewersOf = (held: Case): readonly PersonId[] =>
  held.reviews.flatMap((review) => [review.person, voiceOf(review)]);

/** Everything that the approval's page shows. */
export async function presented(visit: Visit, held: Case): Promise<Presentation> {
  const { parts, by, directory, delegations, person } = visit;
  const { action, atMs } = held.asked;
  const people = [
    ...new Set([
      person,
      ...absentOf(person, visit),
      ...askable(directory, requirementsOf(held), delegations),
      ...reviewersOf(held),
    ]),
  ];
  const past = await parts.store.past(action.agent, action.operation, atMs).catch(() => null);
  const shown = present(held, { ...nowFor(visit, held, people), past, reader: by });
  if (shown.reader?.canSettle !== true || may(visit, 'settle', { kind: 'case', held })) return shown;
  return { ...shown, reader: { ...shown.reader, canSettle: false } };
}

/** A case as a list shows it. */
export interface Listed {
  readonly held: Case;
  readonly reader: Reader | null;
  readonly now: Now;
}

export function listedOf(visit: Visit, held: Case): Listed {
  const now = nowFor(visit, held, [
    ...new Set([visit.person, ...absentOf(visit.person, visit), ...reviewersOf(held)]),
  ]);
  // Whether all of it can be shown is for its own page to find out.
  return { held, now, reader: readerOf(held, visit.by, now, true) };
}

/** More than this waits for nobody who reads it; the rest is on the next page. */
export const pendingMax = 100;
/** Pending approvals of each of the reader's own agents that are listed. */
const ownMax = 20;
/** Own agents that are looked at for this. */
const ownAgentsMax = 20;

export interface Pending {
  /** What the reader may approve. */
  readonly mine: readonly Listed[];
  /** What waits for others. */
  readonly others: readonly Listed[];
  /** There are more than are listed. */
  readonly more: boolean;
}

// What ends first stands first: for the same time to answer that is a queue.
const inOrder = (all: readonly Listed[]): readonly Listed[] =>
  all.toSorted((a, b) => (a.held.approval?.expiresAtMs ?? 0) - (b.held.approval?.expiresAtMs ?? 0));

const isMine = (one: Listed): boolean => one.reader !== null && one.reader.cannotApprove === null;

/** Those that still wait and that the reader may read, as they may see them. */
const openFor = (visit: Visit, all: readonly Case[]): readonly Case[] =>
  all
    .filter((held) => approvalStatusOf(held, visit.nowMs) === 'pending')
    .flatMap((held) => seenBy(visit.parts, visit, visit.by, held) ?? []);

/** What opened before somebody went away is in their inbox alone, so those are looked through as well. */
const queueOf = (visit: Visit): Promise<readonly Case[]> =>
  visit.parts.store.held({
    status: 'pending',
    for: visit.person,
    alsoFor: absentOf(visit.person, visit),
    limit: pendingMax,
  });

/** How many approvals wait for the reader, up to `pendingMax`: what every page says beside "Inbox". */
export async function waitingFor(visit: Visit): Promise<number> {
  const open = openFor(visit, await queueOf(visit));
  return open.map((held) => listedOf(visit, held)).filter(isMine).length;
}

/**
 * What waits, found without reading what waits for nobody here: the reader's own queue, their agents', and of all others the
 * newest, where the reader may read them.
 */
export async function pendingOf(visit: Visit): Promise<Pending> {
  const { parts, person, directory } = visit;
  const { store } = parts;
  const own = directory.agents.filter((agent) => agent.owners.includes(person)).slice(0, ownAgentsMax);
  const [queue, newest, ...owned] = await Promise.all([
    queueOf(visit),
    store.held({ status: 'pending', limit: pendingMax }),
    ...own.map((agent) => store.held({ status: 'pending', agent: agent.id, limit: ownMax })),
  ]);
  const seen = new Map<ApprovalId | undefined, Case>();
  for (const held of [...queue, ...owned.flat(), ...newest]) seen.set(held.approval?.id, held);
  const all = inOrder(openFor(visit, [...seen.values()]).map((held) => listedOf(visit, held)));
  return {
    mine: all.filter(isMine),
    others: all.filter((one) => !isMine(one)),
    more: [queue, newest].some((page) => page.length === pendingMax),
  };
}

/** Closed approvals that one page looks through for those that the reader may read. */
const closedLookMax = 200;

/** Closed approvals that the reader may read, as they may see them, newest first; `next` is where the next page goes on. */
export async function closedOf(
  visit: Visit,
  after: ApprovalId | undefined,
  limit: number,
): Promise<{ readonly items: readonly Case[]; readonly next: ApprovalId | undefined }> {
  const { parts, by } = visit;
  const items: Case[] = [];
  let last = after;
  for (let looked = 0; looked < closedLookMax;) {
    const rows = await parts.store.held({
      status: 'closed',
      limit: limit * 2,
      ...(last === undefined ? {} : { after: last }),
    });
    for (const held of rows) {
      if (items.length === limit) return { items, next: last };
      last = held.approval?.id;
      const seen = seenBy(parts, visit, by, held);
      if (seen !== undefined) items.push(seen);
    }
    looked += rows.length;
    if (rows.length < limit * 2) return { items, next: undefined };
  }
  return { items, next: last };
}

/** What the layout says of the reader and of the gate. @param waiting how many approvals wait for the reader. */
export function layoutOf(
  visit: Visit,
  waiting: number,
  page: LayoutOptions['page'],
  announce: string,
): LayoutOptions {
  const { directory, person, csrf } = visit;
  return {
    page,
    announce,
    banners: bannersOf(visit),
    reader: {
      name: line(nameOf(directory, person)),
      csrf,
      pending: waiting,
      auditor: may(visit, 'read_log', theGate),
      gate: may(visit, 'read_gate', theGate),
      agents: mayReadGate(directory, person) || agentsOf(visit).length > 0,
    },
  };
}

/** What was found is for the status page: this one is seen by everybody. */
const damageBanners = ({ transparency }: Parts): readonly Banner[] =>
  (transparency?.damage() ?? null) === null
    ? []
    : [
        {
          tone: 'alarm',
          text: line('The stored log was altered: nothing runs until an operator has restored it.'),
        },
      ];

/** While the gate cannot judge or write, nothing that a page offers can work: it says so first. */
function bannersOf({ parts, glasses, machineAtMs, nowMs }: Visit): readonly Banner[] {
  const broken = parts.policy.broken();
  const observed = observedWords(parts.world.observed());
  const alarm = (text: Shown): Banner => ({ tone: 'alarm', text });
  return [
    ...(broken === null
      ? []
      : [alarm(say`No usable policies: everything is denied, and nothing can be approved. ${broken}`)]),
    ...(parts.store.health().writable
      ? []
      : [alarm(line('The log cannot be written: nothing runs and nothing can be decided until it can.'))]),
    ...damageBanners(parts),
    ...configBanners(parts.world.config(), machineAtMs, nowMs),
    ...glasses.map((one) => ({ ...alarm(glassBanner(one, nowMs)), href: '/break-glass' })),
    ...(observed === null
      ? []
      : [
          {
            tone: 'watch' as const,
            text: say`Observed only, so nothing is held or denied there, whatever the policies say: ${observed}.`,
          },
        ]),
  ];
}
