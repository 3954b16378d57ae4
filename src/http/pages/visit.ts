/** One request by a signed-in person, with the world as it was read for it: every rule on the page judges the same moment. */
import { approvalStatusOf, type Case } from '../../core/case.ts';
import { changeConflictMs, nameOf } from '../../core/conflict.ts';
import { isMember, type Change, type Directory, type Principal } from '../../core/directory.ts';
import type { PersonId } from '../../core/ids.ts';
import { readerOf, type Now, type Reader } from '../../core/render/people.ts';
import { present, type Presentation } from '../../core/render/present.ts';
import { line, say, type Shown } from '../../core/render/shown.ts';
import { requirementsOf } from '../../core/review.ts';
import { mayApproveOf } from '../../core/steps/common.ts';
import { askable, judgeable } from '../../app/authorize.ts';
import type { Parts } from '../../app/parts.ts';
import { listHeld } from '../../app/review.ts';
import type { LayoutOptions } from './layout.ts';

export interface Visit {
  readonly parts: Parts;
  readonly person: PersonId;
  readonly by: Principal;
  readonly csrf: string;
  readonly directory: Directory;
  readonly changes: readonly Change[];
  readonly nowMs: number;
}

export async function visitOf(
  parts: Parts,
  session: { readonly person: PersonId; readonly csrf: string },
): Promise<Visit> {
  const nowMs = parts.clock.nowMs();
  const [directory, changes] = await Promise.all([
    parts.store.directory(),
    parts.store.changes(nowMs - changeConflictMs),
  ]);
  return { parts, ...session, by: { kind: 'person', id: session.person }, directory, changes, nowMs };
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

export interface Pending {
  /** What the reader may approve. */
  readonly mine: readonly Listed[];
  /** What waits for others. */
  readonly others: readonly Listed[];
  /** There are more than are listed. */
  readonly more: boolean;
}

export async function pendingOf(visit: Visit): Promise<Pending> {
  const found = await listHeld(visit.parts, visit.by, { status: 'pending', limit: pendingMax });
  const all = found.items
    .filter((held) => approvalStatusOf(held, visit.nowMs) === 'pending')
    .map((held) => listedOf(visit, held));
  // What ends first stands first: for the same time to answer that is a queue.
  const inOrder = all.toSorted(
    (a, b) => (a.held.approval?.expiresAtMs ?? 0) - (b.held.approval?.expiresAtMs ?? 0),
  );
  const isMine = (one: Listed): boolean => one.reader !== null && one.reader.cannotApprove === null;
  return {
    mine: inOrder.filter(isMine),
    others: inOrder.filter((one) => !isMine(one)),
    more: found.next !== undefined,
  };
}

/** What the layout says of the reader and of the gate. */
export function layoutOf(
  visit: Visit,
  pending: Pending,
  page: LayoutOptions['page'],
  announce: string,
): LayoutOptions {
  const { parts, directory, person, csrf } = visit;
  const auditor = isMember(directory, person, directory.roles.auditors);
  return {
    page,
    announce,
    banners: bannersOf(parts),
    reader: { name: line(nameOf(directory, person)), csrf, pending: pending.mine.length, auditor },
  };
}

/** While the gate cannot judge or write, nothing that a page offers can work: it says so first. */
function bannersOf(parts: Parts): readonly Shown[] {
  const broken = parts.policy.broken();
  return [
    ...(broken === null
      ? []
      : [say`No usable policies: everything is denied, and nothing can be approved. ${broken}`]),
    ...(parts.store.health().writable
      ? []
      : [line('The log cannot be written: nothing runs and nothing can be decided until it can.')]),
  ];
}
