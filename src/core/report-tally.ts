/**
 * Adding a report up. Promises: every action is counted once in the total, once under its operation and once under its day; and
 * what is kept is bounded, however many names agents make up.
 */
import type { Directory } from './directory.ts';
import { membersOf } from './directory.ts';
import type { AgentId, GroupId, PersonId, PolicyId } from './ids.ts';
import type { Code } from './refusal.ts';
import type {
  ByCode,
  DayTally,
  Ends,
  OperationReport,
  PersonReport,
  Report,
  ReportRange,
  ReportRow,
  Tally,
  Took,
} from './report.ts';
import { eligibleOf, remembering, weighed, type Weighed } from './report-weigh.ts';
import { rfc3339 } from './time.ts';

/** Operations that a report names; the rest are one. */
export const operationsShown = 200;
/** Operations that are told apart while counting: agents can make names up. */
const operationsMax = 5000;
const dayMs = 86_400_000;

/** Mutable inside, so that a million rows cost one object each and no more. */
interface Counting {
  actions: number;
  observed: number;
  glass: number;
  allowed: number;
  asked: number;
  wouldAsk: number;
  readonly denied: Map<Code, number>;
  readonly wouldDeny: Map<Code, number>;
  readonly ends: { -readonly [End in keyof Ends]: number };
}

interface Of {
  readonly all: Counting;
  readonly days: Map<string, Counting>;
  readonly tookMs: number[];
}

const counting = (): Counting => ({
  actions: 0,
  observed: 0,
  glass: 0,
  allowed: 0,
  asked: 0,
  wouldAsk: 0,
  denied: new Map(),
  wouldDeny: new Map(),
  ends: { approved: 0, denied: 0, expired: 0, cancelled: 0, pending: 0, changed: 0 },
});

const emptyOf = (): Of => ({ all: counting(), days: new Map(), tookMs: [] });

const more = <Key>(counts: Map<Key, number>, key: Key, by = 1): void =>
  void counts.set(key, (counts.get(key) ?? 0) + by);

function entryIn<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

interface Named {
  readonly title: string;
  asked: number;
  denied: number;
}

/** All that is added up. */
interface Sums {
  readonly total: Of;
  readonly operations: Map<string, Of>;
  /** Operations that found no room. */
  readonly others: Of;
  readonly agents: Set<AgentId>;
  readonly groups: Map<GroupId, number>;
  /** By day. */
  readonly people: Map<PersonId, Map<string, number>>;
  readonly policies: Map<PolicyId, Named>;
  firstMs: number;
}

export interface Tallying {
  /** Oldest first. */
  add(row: ReportRow): void;
  done(): Report;
  /** RFC 3339: the first action that the latest of several policy sets judged; null where one judged all that says. */
  latestSince(): string | null;
}

/** Adds rows up. @param directory of today: who would have been asked. @param nowMs until when what waits is pending. */
export function createTally(range: ReportRange, directory: Directory, nowMs: number): Tallying {
  const sums: Sums = {
    total: emptyOf(),
    operations: new Map(),
    others: emptyOf(),
    agents: new Set(),
    groups: new Map(),
    people: new Map(),
    policies: new Map(),
    firstMs: range.toMs,
  };
  const askableOf = remembering(directory);
  let latest: { readonly digest: string; readonly atMs: number; readonly first: boolean } | null = null;
  return {
    add(row) {
      const digest = row.verdict?.policyDigest ?? null;
      if (digest !== null && digest !== latest?.digest)
        latest = { digest, atMs: row.atMs, first: latest === null };
      const day = range.dayOf(row.atMs);
      const would = row.verdict?.effect === 'review' && row.approval === null ? askableOf(row) : null;
      const weight = weighed(row, () => would?.met === true, nowMs);
      sums.agents.add(row.agent);
      sums.firstMs = Math.min(sums.firstMs, row.atMs);
      for (const { all, days, tookMs } of [sums.total, placeOf(sums, row.operation, weight)]) {
        count(all, row, weight);
        count(entryIn(days, day, counting), row, weight);
        if (weight.kind === 'asked' && weight.tookMs !== null) tookMs.push(weight.tookMs);
      }
      if (weight.kind === 'asked') load(sums, row, day, eligibleOf(row));
      if (weight.kind === 'wouldAsk') load(sums, row, day, would?.people ?? []);
      if (weight.kind === 'denied' || weight.kind === 'wouldDeny') forbade(sums, row);
    },
    done: () => reportOf(sums, range, directory),
    latestSince: () => (latest === null || latest.first ? null : rfc3339(latest.atMs)),
  };
}

/** Names that only take room give way to those that ask people. */
function placeOf({ operations, others }: Sums, operation: string, { kind }: Weighed): Of {
  const room = kind === 'asked' || kind === 'wouldAsk' ? 2 * operationsMax : operationsMax;
  return (
    operations.get(operation) ?? (operations.size < room ? entryIn(operations, operation, emptyOf) : others)
  );
}

/** Whom an action asked, or would have asked, and because of what. */
function load(sums: Sums, { verdict }: ReportRow, day: string, asked: readonly PersonId[]): void {
  const requirements = verdict?.effect === 'review' ? verdict.requirements : [];
  for (const group of new Set(requirements.map((one) => one.approvers))) more(sums.groups, group);
  for (const { id, title } of requirements)
    entryIn(sums.policies, id, () => ({ title, asked: 0, denied: 0 })).asked += 1;
  for (const person of asked)
    more(
      entryIn(sums.people, person, () => new Map<string, number>()),
      day,
    );
}

/** The policies that forbade it. */
function forbade({ policies }: Sums, { verdict }: ReportRow): void {
  if (verdict?.effect !== 'deny' || verdict.code !== 'forbidden') return;
  for (const { id, title, effect } of verdict.explanation.policies)
    if (effect === 'forbid') entryIn(policies, id, () => ({ title, asked: 0, denied: 0 })).denied += 1;
}

function reportOf(sums: Sums, range: ReportRange, directory: Directory): Report {
  const { total, operations, others, agents, groups, people, policies, firstMs } = sums;
  // From the first action on: a gate that began yesterday has no week to spread its burden over.
  const days = Math.max(1, (range.toMs - firstMs) / dayMs);
  return {
    from: rfc3339(range.fromMs),
    to: rfc3339(range.toMs),
    timezone: range.timezone,
    agents: agents.size,
    total: { ...tallyOf(total.all), took: tookOf(total.tookMs) },
    operations: named(operations, others),
    days: daysOf(total),
    groups: [...groups]
      .map(([group, asked]) => ({ group, asked, people: membersOf(directory, group).length }))
      .toSorted((a, b) => b.asked - a.asked || (a.group < b.group ? -1 : 1)),
    people: [...people]
      .map(([person, counts]) => personOf(person, counts, days))
      .toSorted((a, b) => b.asked - a.asked || (a.person < b.person ? -1 : 1)),
    policies: [...policies]
      .map(([policy, one]) => ({ policy, ...one }))
      .toSorted((a, b) => b.asked - a.asked || b.denied - a.denied || (a.policy < b.policy ? -1 : 1)),
  };
}

function count(into: Counting, { mode, glass }: ReportRow, weight: Weighed): void {
  into.actions += 1;
  if (mode === 'observe') into.observed += 1;
  if (glass === true) into.glass += 1;
  switch (weight.kind) {
    case 'allowed':
      into.allowed += 1;
      return;
    case 'asked':
      into.asked += 1;
      into.ends[weight.end] += 1;
      return;
    case 'wouldAsk':
      into.wouldAsk += 1;
      return;
    case 'denied':
    case 'wouldDeny':
      more(into[weight.kind], weight.code);
  }
}

const sum = (counts: Iterable<number>): number => [...counts].reduce((all, one) => all + one, 0);

const byCode = (counts: ReadonlyMap<Code, number>): ByCode =>
  Object.fromEntries([...counts].toSorted(([, a], [, b]) => b - a));

const tallyOf = (of: Counting): Tally => ({
  actions: of.actions,
  observed: of.observed,
  glass: of.glass,
  allowed: of.allowed,
  asked: of.asked,
  wouldAsk: of.wouldAsk,
  denied: byCode(of.denied),
  wouldDeny: byCode(of.wouldDeny),
  ends: { ...of.ends },
});

const daysOf = ({ days }: Of): readonly DayTally[] =>
  [...days].map(([day, one]) => ({ day, ...tallyOf(one) })).toSorted((a, b) => (a.day < b.day ? -1 : 1));

function tookOf(all: readonly number[]): Took | null {
  if (all.length === 0) return null;
  const sorted = Float64Array.from(all).toSorted();
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return { decisions: sorted.length, medianMs: at(0.5), slowMs: at(0.9) };
}

function personOf(person: PersonId, counts: ReadonlyMap<string, number>, days: number): PersonReport {
  const asked = sum(counts.values());
  const [day = '', most = 0] = [...counts].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0] ?? [];
  return { person, asked, perDay: asked / days, busiest: { day, asked: most } };
}

/** What people were, or would have been, asked; and then what was, or would have been, denied. */
const burdenOf = ({ asked, wouldAsk }: Counting): number => asked + wouldAsk;
const denialsOf = ({ denied, wouldDeny }: Counting): number => sum(denied.values()) + sum(wouldDeny.values());

function named(operations: ReadonlyMap<string, Of>, others: Of): readonly OperationReport[] {
  const sorted = [...operations].toSorted(
    ([a, x], [b, y]) =>
      burdenOf(y.all) - burdenOf(x.all) || denialsOf(y.all) - denialsOf(x.all) || (a < b ? -1 : 1),
  );
  const shown = sorted.slice(0, operationsShown);
  const rest = [...sorted.slice(operationsShown).map(([, of]) => of), others].filter(
    (of) => of.all.actions > 0,
  );
  const oneOf = (operation: string | null, of: Of): OperationReport => ({
    operation,
    ...tallyOf(of.all),
    took: tookOf(of.tookMs),
    days: daysOf(of),
  });
  return [
    ...shown.map(([operation, of]) => oneOf(operation, of)),
    ...(rest.length === 0 ? [] : [oneOf(null, pooled(rest))]),
  ];
}

function pooled(all: readonly Of[]): Of {
  const pool = emptyOf();
  for (const one of all) {
    merge(pool.all, one.all);
    for (const [day, of] of one.days) merge(entryIn(pool.days, day, counting), of);
    for (const tookMs of one.tookMs) pool.tookMs.push(tookMs);
  }
  return pool;
}

function merge(into: Counting, from: Counting): void {
  for (const key of ['actions', 'observed', 'glass', 'allowed', 'asked', 'wouldAsk'] as const)
    into[key] += from[key];
  for (const key of ['denied', 'wouldDeny'] as const)
    for (const [code, many] of from[key]) more(into[key], code, many);
  for (const key of ['approved', 'denied', 'expired', 'cancelled', 'pending', 'changed'] as const)
    into.ends[key] += from.ends[key];
}
