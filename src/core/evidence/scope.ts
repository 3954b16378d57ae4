/** What the population is about: agents, servers, tools and operations, each with when; and when nothing was held. */
import type { Entry } from '../entry.ts';
import type { AgentId } from '../ids.ts';
import { splitOperation } from '../action.ts';
import { line, say, short, type Shown } from '../render/shown.ts';
import { createDowntimes } from './downtime.ts';
import type { PopulationRow } from './model-rows.ts';
import type {
  ObservePeriod,
  Scope,
  ScopeAgent,
  ScopeOperation,
  ScopeServer,
  ScopeTool,
  Span,
} from './model-sections.ts';
import { namesAt, textAt, timeOf } from './read.ts';
import type { History, Version } from './versions.ts';

/** Longest lists. */
const toolsMax = 5000;
const operationsMax = 5000;

export interface ScopeFold {
  /** An entry of the range, in order. */
  add(entry: Entry): void;
  /** A row of the population. */
  count(row: PopulationRow): void;
  done(): Scope;
}

export function createScope(history: History, before: Entry | null): ScopeFold {
  const downtimes = createDowntimes(before);
  const tools: ScopeTool[] = [];
  const cut = new Set<string>();
  const agents = new Map<AgentId, number>();
  const operations = new Map<string, { -readonly [K in keyof ScopeOperation]: ScopeOperation[K] }>();
  const observing = createObserving(history);
  const declared = new Set(
    history.servers.flatMap(({ body }) => body?.operations.map(({ operation }) => operation) ?? []),
  );
  return {
    add(entry) {
      downtimes.add(entry);
      observing.add(entry);
      const event = toolEvents.get(entry.type);
      if (event === undefined || entry.erased === true) return;
      if (tools.length < toolsMax) tools.push(toolOf(entry, event));
      else cut.add('tools');
    },
    count(row) {
      if (row.agent !== null) agents.set(row.agent, (agents.get(row.agent) ?? 0) + 1);
      const name = row.operation;
      if (name === null) return;
      let one = operations.get(name);
      if (one === undefined) {
        if (operations.size >= operationsMax) {
          cut.add('operations');
          return;
        }
        one = {
          operation: name,
          declared: declared.has(name),
          asked: 0,
          mediated: 0,
          cooperative: 0,
          observed: 0,
        };
        operations.set(name, one);
      }
      one.asked += 1;
      if (row.enforcement !== null) one[row.enforcement] += 1;
      if (row.mode === 'observe') one.observed += 1;
    },
    done: () => ({
      agents: agentsOf(history, agents),
      servers: serversOf(history, operations),
      tools,
      operations: [...operations.values()].toSorted((a, b) => b.asked - a.asked),
      observed: observing.done(),
      ...downtimes.done(),
      cut: [...cut],
    }),
  };
}

const toolEvents: ReadonlyMap<string, ScopeTool['event']> = new Map([
  ['tool.pinned', 'pinned'],
  ['tool.waiting', 'waiting'],
  ['tool.disabled', 'disabled'],
  ['tool.accepted', 'accepted'],
]);

const toolOf = (entry: Entry, event: ScopeTool['event']): ScopeTool => ({
  operation: textAt(entry.data, 'operation') ?? '?',
  event,
  by: byText(entry),
  hash: textAt(entry.data, 'hash') ?? textAt(entry.data, 'seenHash'),
  atMs: timeOf(entry),
  index: entry.index,
});

const byText = ({ by }: Entry): Shown =>
  by.kind === 'person' || by.kind === 'agent' ? short(by.id, 120) : line(by.kind);

/** One thing over versions: since when and until when it was there; what it was like last. */
interface Lasting<T> {
  readonly last: T;
  readonly span: Span;
}

/** @param ofVersion what is there in a version, by name */
function lasting<P extends 'directory' | 'servers', T>(
  versions: readonly Version<P>[],
  ofVersion: (version: Version<P>) => ReadonlyMap<string, T>,
): ReadonlyMap<string, Lasting<T>> {
  const found = new Map<string, Lasting<T>>();
  for (const version of versions) {
    if (version.body === null) continue;
    const at = version.atStart || version.entry === null ? null : version.entry;
    const [ms, index] = [at === null ? null : timeOf(at), at?.index ?? null];
    const now = ofVersion(version);
    for (const [name, last] of now) {
      const known = found.get(name)?.span ?? { fromMs: ms, fromIndex: index };
      found.set(name, {
        last,
        span: { fromMs: known.fromMs, fromIndex: known.fromIndex, toMs: null, toIndex: null },
      });
    }
    for (const [name, { last, span }] of found)
      if (!now.has(name) && span.toIndex === null)
        found.set(name, { last, span: { ...span, toMs: ms, toIndex: index } });
  }
  return found;
}

const agentsOf = (history: History, asked: ReadonlyMap<AgentId, number>): readonly ScopeAgent[] =>
  [
    ...lasting(
      history.directory,
      ({ body }) => new Map(body?.agents.map((one) => [one.id, one]) ?? []),
    ).values(),
  ].map(({ last: { id, owners, groups, active }, span }) => ({
    agent: id,
    owners,
    groups,
    active: active !== false,
    ...span,
    asked: asked.get(id) ?? 0,
  }));

function serversOf(
  history: History,
  operations: ReadonlyMap<string, { readonly asked: number }>,
): readonly ScopeServer[] {
  const asked = new Map<string, number>();
  for (const [operation, one] of operations) {
    const server = splitOperation(operation)?.target ?? '';
    asked.set(server, (asked.get(server) ?? 0) + one.asked);
  }
  const all = lasting(
    history.servers,
    ({ body }) =>
      new Map(body?.servers.filter((one) => one.active !== false).map((one) => [one.name, one]) ?? []),
  );
  return [...all.values()].map(({ last: { name, upstream, mode, modes }, span }) => ({
    server: name,
    reached: upstream.kind,
    mode,
    modes,
    ...span,
    asked: asked.get(name) ?? 0,
  }));
}

/** What was observed when: what was accepted as such at the start, and what the log said since. */
function createObserving(history: History): { add(entry: Entry): void; done(): readonly ObservePeriod[] } {
  const periods: ObservePeriod[] = [];
  const open = new Map<string, Pick<Span, 'fromMs' | 'fromIndex'>>();
  for (const name of observedAtStart(history)) open.set(name, { fromMs: null, fromIndex: null });
  return {
    add(entry) {
      if (entry.type !== 'observe.changed' && entry.type !== 'gate.started') return;
      const names = namesAt(entry.data, 'observed');
      // An erased or older entry does not say; what was observed stays so.
      if (names === null) return;
      const [ms, index] = [timeOf(entry), entry.index];
      for (const [name, from] of open)
        if (!names.includes(name)) {
          periods.push({ name, ...from, toMs: ms, toIndex: index });
          open.delete(name);
        }
      for (const name of names) if (!open.has(name)) open.set(name, { fromMs: ms, fromIndex: index });
    },
    done: () => [
      ...periods,
      ...[...open].map(([name, from]): ObservePeriod => ({ name, ...from, toMs: null, toIndex: null })),
    ],
  };
}

function observedAtStart({ servers }: History): readonly string[] {
  const body = servers.find((one) => one.atStart)?.body ?? null;
  if (body === null) return [];
  return [
    ...body.servers.filter((one) => one.mode === 'observe').map(({ name }) => name),
    ...body.servers
      .filter((one) => one.mode === 'enforce')
      .flatMap(({ name, modes }) =>
        Object.entries(modes)
          .filter(([, mode]) => mode === 'observe')
          .map(([tool]) => `${name}___${tool}`),
      ),
    ...body.operations.filter((one) => one.mode === 'observe').map(({ operation }) => operation),
  ];
}

/** "since the start" or a time, for sentences. */
export const spanWords = ({ fromMs, toMs }: Span, clock: (ms: number) => string): Shown =>
  say`${fromMs === null ? 'since before the period' : `from ${clock(fromMs)}`} ${toMs === null ? 'until the end of the period' : `until ${clock(toMs)}`}`;
