/**
 * The two readings that the evidence is made of: all entries of the range, and then the rows. Each is folded page by page (the folds
 * are core/evidence/), so that memory holds lists of a bounded length and never the log.
 */
import type { Absences } from '../core/delegation.ts';
import type { Entry } from '../core/entry.ts';
import { erasedIndexes } from '../core/erased.ts';
import { answersIn, reconciliationsIn } from '../core/evidence/answers.ts';
import { eligibleIn, requirementsIn } from '../core/evidence/checks-people.ts';
import { createCounting } from '../core/evidence/counts.ts';
import { createExceptions } from '../core/evidence/exceptions.ts';
import type { Evidence, EvidenceQuery } from '../core/evidence/model.ts';
import type { Sample } from '../core/evidence/model-rows.ts';
import { textAt } from '../core/evidence/read.ts';
import { createReviews } from '../core/evidence/reviewers.ts';
import { createRoster } from '../core/evidence/roster.ts';
import { sampleOf } from '../core/evidence/samples.ts';
import { createScope } from '../core/evidence/scope.ts';
import type { AgentId, PersonId, PolicyId } from '../core/ids.ts';
import { line, short, type Shown } from '../core/render/shown.ts';
import type { Requirement } from '../core/verdict.ts';
import { entriesOf, groundsOf, historyOf, type Indexes } from './evidence-history.ts';
import { logRange } from './evidence-range.ts';
import { carriedRow, madeRows, type MadeRow, type RowSource } from './evidence-rows.ts';
import { eachSeen, seesAll } from './log-sight.ts';
import type { Parts } from './parts.ts';

/** What making the evidence needs of the gate. */
export type Making = Pick<Parts, 'store' | 'policy' | 'clock' | 'world' | 'origin'>;

/** A person, who sees what they may read; or whoever has the machine, to whom nothing of the store is closed. */
export type EvidenceBy =
  | { readonly kind: 'person'; readonly id: PersonId }
  /** `stated`: a name that they gave, unchecked; null: none. */
  | { readonly kind: 'operator'; readonly stated: string | null };

/** For whom, and what the report says of itself. */
export interface Gathering {
  readonly by: EvidenceBy;
  readonly generator: Evidence['generator'];
  /** Distinct witnesses that make the log `witnessed`; at least 1. */
  readonly quorum: number;
  /** Hears how far it is, from 0 to 1. */
  readonly tell?: (part: number) => void;
  /** Waits, not for long, until a checkpoint covers so many entries; it goes on without one. */
  readonly covered?: (size: number) => Promise<void>;
}

/** Actions that were asked before the period and went on in it: looked at one by one, at most. */
const carriedMax = 1000;
/** Requirements that are remembered where the policies at the end cannot be read. */
const requirementsMax = 1000;
/** Codes of refused attempts that are told apart. */
const codesMax = 100;
/** Answers and reconciliations that are read. */
const laterMax = 10_000;
/** A break-glass lasts an hour at most (core/glass.ts); one that was open when the period began was opened after this. */
const glassAheadMs = 2 * 3_600_000;

/** What is walked, and for whom. */
export interface Walking {
  readonly query: EvidenceQuery;
  readonly range: Indexes;
  readonly asOf: number;
  readonly world: Absences;
  readonly gathering: Gathering;
}

export type Walked = Awaited<ReturnType<typeof walk>>;

/** The first reading: all entries of the range. */
export async function walk(parts: Making, { query, range, asOf, world, gathering }: Walking) {
  const { store } = parts;
  const veil = veilOf(parts, world, gathering.by);
  const history = await historyOf(store, range);
  const later = { from: range.from, to: asOf };
  const erasures = erasedIndexes(await entriesOf(store, ['payloads.erased'], later, Number.MAX_SAFE_INTEGER));
  const glasses = await glassesOf(parts, query.fromMs, range);
  const grounds = groundsOf(history, glasses);
  const before = range.from === 0 ? null : ((await store.entry(range.from - 1))?.entry ?? null);
  const [scope, roster] = [createScope(history, before), createRoster(history.directory)];
  const exceptions = createExceptions(grounds.nameOf);
  const [attempts, refusedReviews] = [new Map<string, number>(), new Map<string, number>()];
  const carried = new Set<number>();
  let [asked, entries, carriedMore] = [0, 0, 0];
  for (let at = range.from; at < range.to;) {
    const page = await store.entriesIn(at, range.to, 1000);
    if (page.length === 0) break;
    const seen = await veil(page.map(({ sealed }) => sealed));
    for (const [place, { entry }] of seen.entries()) {
      entries += 1;
      if (entry.type === 'action.asked') asked += 1;
      scope.add(entry);
      roster.add(entry);
      exceptions.add(entry, entry.erased === true && !erasures.has(entry.index));
      if (entry.type === 'action.refused') countAttempt(attempts, entry);
      if (entry.type === 'review.refused') countAttempt(refusedReviews, entry);
      const ord = page[place]?.ord ?? null;
      if (ord === null || ord >= range.from || !goesOn.has(entry.type) || carried.has(ord)) continue;
      if (carried.size < carriedMax) carried.add(ord);
      else carriedMore += 1;
    }
    at = (page.at(-1)?.sealed.entry.index ?? range.to) + 1;
    gathering.tell?.((0.4 * (at - range.from)) / Math.max(1, range.to - range.from));
  }
  const said = await entriesOf(store, ['evidence.answered', 'reconciliation.recorded'], later, laterMax);
  const source: RowSource = { store, range, grounds, veil };
  return {
    history,
    grounds,
    source,
    scope,
    roster,
    exceptions,
    asked,
    entries,
    attempts,
    refusedReviews,
    carried: [...carried],
    carriedMore,
    log: await logRange(store, range, { quorum: gathering.quorum, fromMs: query.fromMs }),
    answers: answersIn(said, grounds.nameOf),
    reconciliations: reconciliationsIn(said, query, (by) => byName(by, grounds.nameOf)),
  };
}

/** As whoever makes it may see the log. Where nothing is hidden from them, no case is read. */
function veilOf(parts: Making, world: Absences, by: EvidenceBy): RowSource['veil'] {
  const eyes = by.kind === 'operator' ? null : { parts, world, person: by.id };
  if (eyes === null || seesAll(eyes))
    return (entries) => Promise.resolve(entries.map((one) => ({ ...one, veiled: false })));
  return (entries) =>
    eachSeen(eyes, entries, ({ entry, statement, pae, head, veiled }) => ({
      entry,
      statement,
      pae,
      head,
      veiled,
    }));
}

/** Entries that say that an action went on. */
const goesOn: ReadonlySet<Entry['type']> = new Set<Entry['type']>([
  'review.recorded',
  'approval.approved',
  'approval.denied',
  'approval.expired',
  'approval.cancelled',
  'grant.expired',
  'execution.started',
  'execution.succeeded',
  'execution.failed',
  'execution.unknown',
  'execution.settled',
]);

function countAttempt(attempts: Map<string, number>, { data }: Entry): void {
  const code = textAt(data, 'code') ?? 'unknown';
  const name = attempts.has(code) || attempts.size < codesMax ? code : 'others';
  attempts.set(name, (attempts.get(name) ?? 0) + 1);
}

function byName(by: Entry['by'], name: (person: PersonId) => Shown): Shown {
  if (by.kind === 'person') return name(by.id);
  return by.kind === 'agent'
    ? short(by.id, 120)
    : line(by.kind === 'gate' ? 'the gate' : 'an operator at the machine');
}

async function glassesOf({ store }: Making, fromMs: number, range: Indexes) {
  const ahead = await store.indexAt(Math.max(0, fromMs - glassAheadMs));
  const found = new Map<string, { openedIndex: number; closedIndex: number | null }>();
  const types = ['glass.opened', 'glass.closed'] as const;
  for (const entry of await entriesOf(
    store,
    types,
    { from: Math.min(ahead, range.from), to: range.to },
    laterMax,
  )) {
    const id = textAt(entry.data, 'glass');
    if (id === null) continue;
    const known = found.get(id);
    if (entry.type === 'glass.opened') found.set(id, { openedIndex: entry.index, closedIndex: null });
    else if (known !== undefined) known.closedIndex ??= entry.index;
  }
  return found;
}

/** The second reading: all rows, and those that went on in the period. */
export async function countRows(walked: Walked, wanted: ReadonlySet<number>, tell?: (part: number) => void) {
  const { source, scope, exceptions, log } = walked;
  const within = { from: source.range.from, to: source.range.to - 1 };
  const [counting, reviews] = [createCounting(), createReviews()];
  const samples: Sample[] = [];
  const agents = new Set<AgentId>();
  const requirements = new Map<PolicyId, Requirement>();
  const add = ({ row, entries, titled }: MadeRow, isCarried: boolean): void => {
    exceptions.row(row, within, isCarried);
    for (const one of row.reviews) if (one.index >= within.from) reviews.add(one);
    for (const one of requirementsIn(entries.opened) ?? [])
      if (requirements.size < requirementsMax) requirements.set(one.id, one);
    if (isCarried) return;
    counting.add(row);
    scope.count(row);
    if (row.agent !== null) agents.add(row.agent);
    reviews.asked(
      new Set([...(eligibleIn(entries.opened) ?? new Map()).values()].flatMap((one) => [...one])),
    );
    if (wanted.has(row.row))
      samples.push(sampleOf({ row, entries, titled }, source.grounds.nameOf, walked.history));
  };
  for await (const page of madeRows(source)) {
    for (const one of page) add(one, false);
    tell?.(0.4 + (0.6 * ((page.at(-1)?.row.index ?? 0) - log.from)) / Math.max(1, log.count));
  }
  for (const ord of walked.carried) {
    const made = await carriedRow(source, ord);
    if (made !== undefined) add(made, true);
  }
  return {
    counts: counting.done(),
    reviews,
    samples,
    agents: [...agents],
    requirements: [...requirements.values()],
  };
}
