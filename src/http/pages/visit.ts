/** One request by a signed-in person, with the world as it was read for it: every rule on the page judges the same moment. */
import { approvalStatusOf, type Case } from '../../core/case.ts';
import { changeConflictMs, nameOf } from '../../core/conflict.ts';
import type { Change, Directory, Principal } from '../../core/directory.ts';
import type { ApprovalId, PersonId } from '../../core/ids.ts';
import { agentsFor, mayReadGate, mayReadLog } from '../../core/reads.ts';
import { readerOf, type Now, type Reader } from '../../core/render/people.ts';
import { present, type Presentation } from '../../core/render/present.ts';
import { observedWords } from '../../core/render/observed.ts';
import { line, say, type Shown } from '../../core/render/shown.ts';
import { mayRead, requirementsOf } from '../../core/review.ts';
import { mayApproveOf } from '../../core/steps/common.ts';
import type { About } from '../../app/about.ts';
import { askable, judgeable } from '../../app/authorize.ts';
import type { Parts } from '../../app/parts.ts';
import type { Banner, LayoutOptions } from './layout.ts';

export interface Visit {
  readonly parts: Parts;
  readonly about: About;
  readonly person: PersonId;
  readonly by: Principal;
  readonly csrf: string;
  readonly directory: Directory;
  readonly changes: readonly Change[];
  readonly nowMs: number;
}

export async function visitOf(
  parts: Parts,
  about: About,
  session: { readonly person: PersonId; readonly csrf: string },
): Promise<Visit> {
  const nowMs = parts.clock.nowMs();
  const [directory, changes] = await Promise.all([
    parts.store.directory(),
    parts.store.changes(nowMs - changeConflictMs),
  ]);
  return { parts, about, ...session, by: { kind: 'person', id: session.person }, directory, changes, nowMs };
}

/** What a rule needs to judge a case now, for these people. */
function nowFor(visit: Visit, held: Case, people: readonly PersonId[]): Now {
  const { parts, directory, changes, nowMs } = visit;
  const rows = parts.policy.mayApprove(judgeable(held.asked.action), requirementsOf(held), people, nowMs);
  return { directory, changes, nowMs, mayApprove: mayApproveOf(rows), channel: 'web' };
}

/** Everything that the approval's page shows. */
export async function presented(visit: Visit, held: Case): Promise<Presentation> {
  const { parts, by, directory, person } = visit;
  const { action, atMs } = held.asked;
  const people = [
    ...new Set([
      person,
      ...askable(directory, requirementsOf(held)),
      ...held.reviews.map((review) => review.person),
    ]),
  ];
  const past = await parts.store.past(action.agent, action.operation, atMs).catch(() => null);
  return present(held, { ...nowFor(visit, held, people), past, reader: by });
}

/** A case as a list shows it. */
export interface Listed {
  readonly held: Case;
  readonly reader: Reader | null;
  readonly now: Now;
}

export function listedOf(visit: Visit, held: Case): Listed {
  const now = nowFor(visit, held, [
    ...new Set([visit.person, ...held.reviews.map((review) => review.person)]),
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

/** Those that still wait and that the reader may read. */
const openFor = ({ by, directory, nowMs }: Visit, all: readonly Case[]): readonly Case[] =>
  all.filter((held) => approvalStatusOf(held, nowMs) === 'pending' && mayRead(held, by, { directory }));

const queueOf = ({ parts, person }: Visit): Promise<readonly Case[]> =>
  parts.store.held({ status: 'pending', for: person, limit: pendingMax });

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
const closedLookMax = 500;

/** Closed approvals that the reader may read, newest first; `next` is where the next page goes on. */
export async function closedOf(
  visit: Visit,
  after: ApprovalId | undefined,
  limit: number,
): Promise<{ readonly items: readonly Case[]; readonly next: ApprovalId | undefined }> {
  const { parts, by, directory } = visit;
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
      if (mayRead(held, by, { directory })) items.push(held);
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
  const { parts, directory, person, csrf } = visit;
  return {
    page,
    announce,
    banners: bannersOf(parts),
    reader: {
      name: line(nameOf(directory, person)),
      csrf,
      pending: waiting,
      auditor: mayReadLog(directory, person),
      gate: mayReadGate(directory, person),
      agents: mayReadGate(directory, person) || agentsFor(directory, person).length > 0,
    },
  };
}

/** While the gate cannot judge or write, nothing that a page offers can work: it says so first. */
function bannersOf(parts: Parts): readonly Banner[] {
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
