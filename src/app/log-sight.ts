/**
 * The log as a reader of it may see it. Without a forbid on reading that is the log itself. Where the set has one, entries about
 * what it hides lose what they hold, and a search is answered from what the reader sees: the database is asked for nothing that it
 * could answer from what is hidden, not even how far it looked.
 */
import { allows, seenBy } from './access.ts';
import type { CaseFacts } from '../core/acts.ts';
import { splitOperation } from '../core/action.ts';
import type { Case } from '../core/case.ts';
import type { Absences } from '../core/delegation.ts';
import { isAuditor } from '../core/directory.ts';
import type { Entry, Sealed } from '../core/entry.ts';
import { asAgentId, type ActionId, type PersonId } from '../core/ids.ts';
import { isJsonObject } from '../core/json.ts';
import { entryFits } from '../core/log-match.ts';
import { veiled, veiledEntry } from '../core/sight.ts';
import {
  casesMax,
  type LogFilter,
  type LogFound,
  type LogQuery,
  type LogScan,
  type LogScanned,
} from '../ports/overview.ts';
import type { Parts } from './parts.ts';

/** An entry as it is shown. */
export interface SeenEntry extends Sealed {
  /** Something of it is hidden from this reader. */
  readonly veiled: boolean;
  /** The case that it is about, as the reader may see it: whole, without what it holds, or (null) none, gone, or not at all. */
  readonly held: Case | null;
  /** For finding it alone: the case of which the reader may see nothing but agent and operation. */
  readonly outline?: Case;
}

/** What was found, each as the caller makes it. */
export interface SeenLog<T> extends Omit<LogFound, 'entries'> {
  readonly entries: readonly T[];
}

export interface SeenScan<T> extends Omit<LogScanned, 'entries'> {
  readonly entries: readonly T[];
}

/** What the caller makes of an entry: its case is let go right after, since it may hold megabytes. */
export type As<T> = (one: SeenEntry) => T;

export type Looking = Pick<Parts, 'policy' | 'clock' | 'store' | 'world'>;

/** Somebody who reads the log, in the world as it was read for them. */
export interface Eyes {
  readonly parts: Looking;
  readonly world: Absences;
  readonly person: PersonId;
}

/** Whether the set hides anything of anybody's, so that entries must be looked at one by one. */
export const hides = ({ policy }: Pick<Parts, 'policy'>): boolean =>
  policy.narrows('read') || policy.narrows('read_input');

/** Whether somebody sees everything: auditors, where the set hides nothing. Operators make evidence, and are no auditors for that. */
export const seesAll = ({ parts, world, person }: Eyes): boolean =>
  !hides(parts) && isAuditor(world.directory, person);

/** Entries with their cases, for somebody who sees everything. No more than `casesMax` cases are in memory at once. */
export const wholeEntries = <T>(
  store: Pick<Parts['store'], 'casesOf'>,
  entries: readonly Sealed[],
  as: As<T>,
): Promise<readonly T[]> =>
  withCases(store, entries, (one, held) => as({ ...one, veiled: false, held: held ?? null }));

/** Entries as somebody who reads the log may see them, with their cases; no more than `casesMax` of them in memory at once. */
export function eachSeen<T>(eyes: Eyes, entries: readonly Sealed[], as: As<T>): Promise<readonly T[]> {
  const { parts, world, person } = eyes;
  if (seesAll(eyes)) return wholeEntries(parts.store, entries, as);
  return withCases(parts.store, entries, (one, held) => {
    const { entry } = one;
    const whole =
      entry.about.action === null
        ? seesAttempt(eyes, entry)
        : // A case that is gone cannot be judged any more, so that nothing of it is shown.
          held !== undefined && maySee(parts, world, person, held);
    if (whole) return as({ ...one, veiled: false, held: held ?? null });
    const hidden = { ...one, entry: veiledEntry(entry), statement: '', veiled: true } as const;
    if (held === undefined) return as({ ...hidden, held: null });
    const seen = seenBy(parts, world, { kind: 'person', id: person }, held);
    return as(
      seen === undefined ? { ...hidden, held: null, outline: veiled(held) } : { ...hidden, held: seen },
    );
  });
}

/** The same for a few entries, whose cases may be in memory all at once: of many, ask for pieces of `casesMax`. */
export const seenEntries = (
  parts: Looking,
  world: Absences,
  person: PersonId,
  entries: readonly Sealed[],
): Promise<readonly SeenEntry[]> => eachSeen({ parts, world, person }, entries, (one) => one);

async function withCases<T>(
  store: Pick<Parts['store'], 'casesOf'>,
  entries: readonly Sealed[],
  made: (one: Sealed, held: Case | undefined) => T,
): Promise<readonly T[]> {
  const all: T[] = [];
  for (let at = 0; at < entries.length; at += casesMax) {
    const some = entries.slice(at, at + casesMax);
    const wanted = [...new Set(some.flatMap(({ entry }) => entry.about.action ?? []))];
    const cases = new Map((await store.casesOf(wanted)).map((held) => [held.asked.id, held]));
    for (const one of some) all.push(made(one, caseOf(cases, one)));
  }
  return all;
}

const caseOf = (cases: ReadonlyMap<ActionId, Case>, { entry }: Sealed): Case | undefined =>
  entry.about.action === null ? undefined : cases.get(entry.about.action);

const maySee = (parts: Looking, world: Absences, person: PersonId, held: Case): boolean =>
  (['read', 'read_input'] as const).every((act) =>
    allows(parts, world, { person, act, subject: { kind: 'case', held } }),
  );

/** What was refused before it was an action says in words what was wrong with an input. Judged by its name alone. */
function seesAttempt({ parts, world: { directory }, person }: Eyes, entry: Entry): boolean {
  if (entry.type !== 'action.refused' || entry.by.kind !== 'agent') return true;
  if (!isAuditor(directory, person)) return false;
  const { policy, clock, world } = parts;
  const operation = isJsonObject(entry.data) ? entry.data['operation'] : undefined;
  // An attempt without a name may have been anything.
  if (typeof operation !== 'string') return false;
  const facts: CaseFacts = {
    kind: 'case',
    agent: asAgentId(entry.by.id),
    operation,
    server: splitOperation(operation)?.target ?? '',
    resourceType: world.catalog.entry(operation)?.profile?.resource?.type ?? 'Server',
    approvers: [],
    asked: [],
    standIns: [],
    reviewers: [],
    approvedBy: [],
  };
  return (['read', 'read_input'] as const).every((act) => policy.mayDo(person, act, facts, clock.nowMs()));
}

/** Entries that one call looks through where each must be looked at; the page goes on from there. */
export const searchSeenMax = 1000;
const pieceMax = 100;

/** Of the database nothing is asked that it could answer from what is hidden. */
const plainFilter = {
  text: null,
  type: null,
  agent: null,
  operation: null,
  person: null,
  resource: null,
  verdict: null,
  policy: null,
} as const;

/**
 * Whether an entry, as the reader sees it, is what was looked for. Whose action it is and its operation are no secret, even of a
 * case that they may not read; nothing else of that one is.
 */
const isFound = (one: SeenEntry, filter: LogFilter): boolean =>
  entryFits(one.entry, one.held?.asked ?? (one.outline === undefined ? null : barely(one.outline)), filter);

/** Agent and operation alone. @param outline without what it holds. */
function barely({ asked: { action, verdict } }: Case): Pick<Case['asked'], 'action' | 'verdict'> {
  const explanation = { ...verdict.explanation, policies: [] };
  return {
    action,
    verdict: { ...verdict, explanation, ...(verdict.effect === 'review' ? { requirements: [] } : {}) },
  };
}

/** What a reader of the log finds in it. */
export async function searchSeen<T>(eyes: Eyes, query: LogQuery, as: As<T>): Promise<SeenLog<T>> {
  const { parts } = eyes;
  if (seesAll(eyes)) {
    const found = await parts.store.searchLog(query);
    return { ...found, entries: await wholeEntries(parts.store, found.entries, as) };
  }
  const entries: T[] = [];
  let { before } = query;
  for (let looked = 0; looked < searchSeenMax;) {
    const page = await parts.store.searchLog({ ...query, ...plainFilter, before, limit: pieceMax });
    for (const one of await fitting(eyes, page.entries, query, as)) {
      entries.push(one.made);
      if (entries.length >= query.limit) return { entries, searchedTo: one.index, more: one.index > 0 };
    }
    // A time without entries takes a turn too.
    looked += Math.max(1, page.entries.length);
    before = page.searchedTo;
    if (!page.more) return { entries, searchedTo: page.searchedTo, more: false };
  }
  return { entries, searchedTo: before ?? 0, more: true };
}

/** The same in the order of the log, for lists that go on by index and for exports. */
export async function scanSeen<T>(eyes: Eyes, query: LogScan, as: As<T>): Promise<SeenScan<T>> {
  const { parts } = eyes;
  if (seesAll(eyes)) {
    const found = await parts.store.scanLog(query);
    return { ...found, entries: await wholeEntries(parts.store, found.entries, as) };
  }
  const entries: T[] = [];
  let { first } = query;
  for (let looked = 0; looked < searchSeenMax;) {
    const page = await parts.store.scanLog({ ...query, ...plainFilter, first, limit: pieceMax });
    for (const one of await fitting(eyes, page.entries, query, as)) {
      entries.push(one.made);
      const searchedTo = one.index + 1;
      if (entries.length >= query.limit)
        return { entries, searchedTo, more: page.more || searchedTo < page.searchedTo };
    }
    looked += Math.max(1, page.entries.length);
    first = page.searchedTo;
    if (!page.more) return { entries, searchedTo: page.searchedTo, more: false };
  }
  return { entries, searchedTo: first, more: true };
}

/** Of some entries those that are looked for, as the reader sees them. */
async function fitting<T>(
  eyes: Eyes,
  entries: readonly Sealed[],
  filter: LogFilter,
  as: As<T>,
): Promise<readonly { readonly index: number; readonly made: T }[]> {
  const seen = await eachSeen(eyes, entries, (one) =>
    isFound(one, filter) ? { index: one.entry.index, made: as(one) } : null,
  );
  return seen.filter((one) => one !== null);
}
