/**
 * Making the evidence of a period (core/evidence/model.ts). It reads the log twice, in pieces: once for what was in force and what
 * happened, once for the rows; nothing is written. The same query over the same log gives the same, whoever asks.
 */
import { isAuditor, isOperator, personIn, type Directory } from '../core/directory.ts';
import type { Absences } from '../core/delegation.ts';
import type { Entry } from '../core/entry.ts';
import { erasedIndexes } from '../core/erased.ts';
import { answersIn, createExceptions, reconciliationsIn } from '../core/evidence/exceptions.ts';
import { eligibleIn, requirementsIn } from '../core/evidence/checks-people.ts';
import { controlResults, suggested } from '../core/evidence/controls.ts';
import { createCounting } from '../core/evidence/counts.ts';
import type { PopulationRow, Sample } from '../core/evidence/model-rows.ts';
import type { Completeness, Evidence, EvidenceQuery } from '../core/evidence/model.ts';
import { notCoveredOf } from '../core/evidence/not-covered.ts';
import { policyVersions } from '../core/evidence/policies.ts';
import { textAt } from '../core/evidence/read.ts';
import { createReviews } from '../core/evidence/reviewers.ts';
import { createRoster } from '../core/evidence/roster.ts';
import { sampleOf } from '../core/evidence/samples.ts';
import { createScope } from '../core/evidence/scope.ts';
import { chosenRows, refusesSamples, selectionWords } from '../core/evidence/selection.ts';
import type { History } from '../core/evidence/versions.ts';
import type { AgentId, PersonId, PolicyId } from '../core/ids.ts';
import { nameOf } from '../core/conflict.ts';
import { line, say, short, type Shown } from '../core/render/shown.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { rfc3339 } from '../core/time.ts';
import type { Requirement } from '../core/verdict.ts';
import { theGate } from '../core/acts.ts';
import { allows } from './access.ts';
import { entriesOf, groundsOf, historyOf, policyLines, requirementsAtEnd, type Indexes } from './evidence-history.ts';
import { logRange } from './evidence-range.ts';
import { carriedRow, madeRows, type MadeRow, type RowSource } from './evidence-rows.ts';
import { eachSeen, hides } from './log-sight.ts';
import type { Parts } from './parts.ts';

export type Making = Pick<Parts, 'store' | 'policy' | 'clock' | 'world' | 'origin'>;

export interface Gathering {
  readonly by: PersonId;
  readonly generator: Evidence['generator'];
  /** Distinct witnesses that make the log `witnessed`; at least 1. */
  readonly quorum: number;
  /** Hears how far it is, from 0 to 1. */
  readonly tell?: (part: number) => void;
}

export interface Gathered {
  readonly evidence: Evidence;
  /** The population again, in pages of at most 200 rows: the very rows that were counted. */
  pages(): AsyncGenerator<readonly PopulationRow[]>;
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

/** Auditors, as far as policies let them read the log, and operators. Nobody else, and no agent. */
export async function refusesEvidence(parts: Making, by: PersonId): Promise<Refusal | undefined> {
  const directory = await parts.store.directory();
  const world = { directory };
  const auditor =
    isAuditor(directory, by) && allows(parts, world, { person: by, act: 'read_log', subject: theGate });
  return personIn(directory, by) !== undefined && (auditor || isOperator(directory, by))
    ? undefined
    : refuse('not_permitted', 'Only auditors and operators make the evidence.');
}

export async function gatherEvidence(
  parts: Making,
  query: EvidenceQuery,
  gathering: Gathering,
): Promise<Result<Gathered, Refusal>> {
  const { store } = parts;
  const no = (await refusesEvidence(parts, gathering.by)) ?? refusesPeriod(query) ?? refusesSamples(query.samples);
  if (no !== undefined) return err(no);
  const { size } = await store.head();
  const asOf = query.asOf ?? size;
  if (!Number.isSafeInteger(asOf) || asOf < 0 || asOf > size)
    return err(refuse('input_invalid', `The log has ${size} entries; --as-of is at most that.`, { pointer: '/asOf' }));
  const from = Math.min(await store.indexAt(query.fromMs), asOf);
  const to = Math.max(from, Math.min(await store.indexAt(query.toMs), asOf));
  const directory = await store.directory();
  const world: Absences = { directory, delegations: await store.delegations(), nowMs: parts.clock.nowMs() };
  const walked = await walk(parts, { query, range: { from, to }, asOf, world, gathering });
  const rows = chosenRows(query.samples, { rows: walked.asked, root: walked.log.end?.root ?? null });
  if (!rows.ok) return rows;
  const counted = await countRows(walked, new Set(rows.value), gathering.tell);
  const evidence = evidenceOf(parts, { query, asOf, gathering, directory, walked, counted });
  return ok({
    evidence,
    async *pages() {
      for await (const page of madeRows(walked.source)) yield page.map(({ row }) => row);
    },
  });
}

function refusesPeriod({ fromMs, toMs }: EvidenceQuery): Refusal | undefined {
  const isTime = (ms: number): boolean => Number.isSafeInteger(ms) && ms >= 0 && ms <= 8.64e15;
  return isTime(fromMs) && isTime(toMs) && fromMs < toMs
    ? undefined
    : refuse('input_invalid', 'The period must end after it begins.', { pointer: '/to' });
}

interface Walking {
  readonly query: EvidenceQuery;
  readonly range: Indexes;
  readonly asOf: number;
  readonly world: Absences;
  readonly gathering: Gathering;
}

type Walked = Awaited<ReturnType<typeof walk>>;

/** The first reading: all entries of the range. */
async function walk(parts: Making, { query, range, asOf, world, gathering }: Walking) {
  const { store } = parts;
  const veil = veilOf(parts, world, gathering.by);
  const history = await historyOf(store, range);
  const later = { from: range.from, to: asOf };
  const erasures = erasedIndexes(await entriesOf(store, ['payloads.erased'], later, laterMax));
  const glasses = await glassesOf(parts, query.fromMs, range);
  const grounds = groundsOf(history, glasses);
  const before = range.from === 0 ? null : ((await store.entry(range.from - 1))?.entry ?? null);
  const [scope, roster] = [createScope(history, before), createRoster(history.directory)];
  const exceptions = createExceptions(grounds.nameOf);
  const attempts = new Map<string, number>();
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
    carried: [...carried],
    carriedMore,
    log: await logRange(store, range, { quorum: gathering.quorum, fromMs: query.fromMs }),
    answers: answersIn(said, grounds.nameOf),
    reconciliations: reconciliationsIn(said, query, (by) => byName(by, grounds.nameOf)),
  };
}

/** As whoever makes it may see the log. Where policies hide nothing, no case is read. */
function veilOf(parts: Making, world: Absences, by: PersonId): RowSource['veil'] {
  if (!hides(parts))
    return (entries) => Promise.resolve(entries.map((one) => ({ ...one, veiled: false })));
  return (entries) =>
    eachSeen(parts, world, by, entries, ({ entry, statement, pae, head, veiled }) => ({
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
  return by.kind === 'agent' ? short(by.id, 120) : line(by.kind === 'gate' ? 'the gate' : 'an operator at the machine');
}

async function glassesOf({ store }: Making, fromMs: number, range: Indexes) {
  const ahead = await store.indexAt(Math.max(0, fromMs - glassAheadMs));
  const found = new Map<string, { openedIndex: number; closedIndex: number | null }>();
  const types = ['glass.opened', 'glass.closed'] as const;
  for (const entry of await entriesOf(store, types, { from: Math.min(ahead, range.from), to: range.to }, laterMax)) {
    const id = textAt(entry.data, 'glass');
    if (id === null) continue;
    const known = found.get(id);
    if (entry.type === 'glass.opened') found.set(id, { openedIndex: entry.index, closedIndex: null });
    else if (known !== undefined) known.closedIndex ??= entry.index;
  }
  return found;
}

/** The second reading: all rows, and those that went on in the period. */
async function countRows(walked: Walked, wanted: ReadonlySet<number>, tell?: (part: number) => void) {
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
    reviews.asked(new Set([...(eligibleIn(entries.opened) ?? new Map()).values()].flatMap((one) => [...one])));
    if (wanted.has(row.row)) samples.push(sampleOf({ row, entries, titled }, source.grounds.nameOf, walked.history));
  };
  for await (const page of madeRows(source)) {
    for (const one of page) add(one, false);
    tell?.(0.4 + (0.6 * ((page.at(-1)?.row.index ?? 0) - log.from)) / Math.max(1, log.count));
  }
  for (const ord of walked.carried) {
    const made = await carriedRow(source, ord);
    if (made !== undefined) add(made, true);
  }
  return { counts: counting.done(), reviews, samples, agents: [...agents], requirements: [...requirements.values()] };
}

interface Composing {
  readonly query: EvidenceQuery;
  readonly asOf: number;
  readonly gathering: Gathering;
  readonly directory: Directory;
  readonly walked: Walked;
  readonly counted: Awaited<ReturnType<typeof countRows>>;
}

function evidenceOf(parts: Making, { query, asOf, gathering, directory, walked, counted }: Composing): Evidence {
  const { history, log, grounds, reconciliations, answers } = walked;
  const { counts, reviews } = counted;
  const [scope, roster] = [walked.scope.done(), walked.roster.done()];
  const policies = policyVersions(history.policies, policyLines(parts.policy, history.policies));
  const told = walked.exceptions.done({ scope, roster, policies, reconciliations, answers });
  const { exceptions } = told;
  const completeness = completenessOf(walked, counts.rows);
  const access = reviews.access({
    directory: history.directory.at(-1)?.body ?? null,
    ...requirementsOf(parts, history, counted.requirements),
  });
  const ground = { counts, completeness, log, scope, exceptions, policies, roster, access, reconciliations };
  const madeAtMs = parts.clock.nowMs();
  return {
    v: 1,
    period: { fromMs: query.fromMs, toMs: query.toMs },
    madeAtMs,
    madeBy: gathering.by,
    madeByName: short(nameOf(directory, gathering.by), 120),
    generator: gathering.generator,
    gate: parts.origin,
    command: commandOf(query, asOf),
    query: { ...query, asOf },
    log,
    completeness,
    counts,
    attempts: [...walked.attempts].map(([code, count]) => ({ code, count })).toSorted((a, b) => b.count - a.count),
    carriedIn: { count: walked.carried.length + walked.carriedMore, indexes: walked.carried, more: walked.carriedMore },
    scope,
    exceptions,
    exceptionsLeftOut: told.leftOut,
    otherAnswers: told.otherAnswers,
    policies,
    roster,
    access,
    reviewers: reviews.statistics(grounds.nameOf),
    reconciliations,
    controls: controlResults(ground),
    suggested,
    samples: {
      query: query.samples,
      how: selectionWords(query.samples, log.end?.root ?? null),
      chosen: counted.samples,
    },
    notCovered: notCoveredOf({
      counts,
      log,
      scope,
      reconciliations,
      period: query,
      unfinished: madeAtMs < query.toMs,
      carriedIn: walked.carried.length + walked.carriedMore,
    }),
    agents: counted.agents,
  };
}

const requirementsOf = (
  { policy }: Making,
  { policies }: History,
  asked: readonly Requirement[],
): { readonly requirements: readonly Requirement[]; readonly from: 'policies' | 'asked' } => {
  const atEnd = requirementsAtEnd(policy, policies);
  return atEnd === undefined ? { requirements: asked, from: 'asked' } : { requirements: atEnd, from: 'policies' };
};

function completenessOf({ asked, entries, log }: Walked, rows: number): Completeness {
  const dense = entries === log.count;
  return {
    asked,
    rows,
    entries,
    dense,
    complete: dense && asked === rows,
    how: say`Every entry of the log has an index without gaps: from ${log.from} to ${log.to} there are ${log.count}, ${entries} were read, and ${asked} of them are of type action.asked, one for each row. Anybody can count them again with “countersign log verify” or in the tiles that the checkpoints cover.`,
  };
}

/** The command that makes the same again. */
export function commandOf({ fromMs, toMs, samples }: EvidenceQuery, asOf: number): string {
  const chosen =
    samples === null
      ? ''
      : samples.kind === 'rows'
        ? ` --samples ${samples.rows.join(',')}`
        : ` --sample-count ${samples.count} --number ${samples.number}`;
  return `countersign evidence --from ${rfc3339(fromMs)} --to ${rfc3339(toMs)} --as-of ${asOf}${chosen}`;
}
