/**
 * Gates that share a PostgreSQL, with its durability as it comes (fsync on): durable decisions a second of one replica and of two,
 * against how many single-row transactions pgbench commits on the same server; and how long a decision on one gate takes to an agent
 * that waits on the other.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openPostgres } from '../src/store/postgres.ts';
import { Caller } from './agent.ts';
import { acceptDirectory, inputOf } from './commands.ts';
import { startGate, type Gate } from './gate.ts';
import { inOrder, timed, type Effort, type Measurement, type Table } from './measurement.ts';
import { startPostgres, type Postgres } from './postgres.ts';
import { idIn, Replica, send } from './replica.ts';
import { heldOperation, Waits } from './replica-waits.ts';
import type { ReplicaDone, ReplicaJob } from './replica-worker.ts';
import { newLogPems } from './scale-organisation.ts';
import { compare, Series, summary } from './stats.ts';

const callerCounts = [1, 16, 64] as const;
const perCallerMin = 4;
const operation = 'shop___probe';

const policies = `
@id("bench.probe") @title("Agents may probe") permit (principal, action in [Action::"${operation}", Action::"${heldOperation}"], resource);
@id("bench.held") @title("A data owner decides") @approvers("data-owners")
forbid (principal, action == Action::"${heldOperation}", resource);
`;

/** One row, one commit: what the server can make durable for so many clients. */
const commitTable =
  'CREATE TABLE commit_rate (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at_ms BIGINT NOT NULL, body TEXT NOT NULL)';
const commitScript = `INSERT INTO commit_rate (at_ms, body) VALUES (1, repeat('x', 100));`;

type Kind = 'ask' | 'review';
const named: Readonly<Record<Kind, string>> = {
  ask: 'ask, allowed and started',
  review: 'review of a held action',
};

/** Series of one number of callers. */
interface Rates {
  readonly callers: number;
  readonly pgbench: Series;
  readonly one: Readonly<Record<Kind | 'run', Series>>;
  readonly two: Readonly<Record<Kind | 'run', Series>>;
}

const seriesOf = (rates: Rates): readonly Series[] => [
  rates.pgbench,
  ...Object.values(rates.one),
  ...Object.values(rates.two),
];

const ratesOf = (callers: number): Rates => {
  const of = (who: string): Rates['one'] => ({
    ask: new Series(`${named.ask}; ${who}`),
    review: new Series(`${named.review}; ${who}`),
    run: new Series(
      `asked, started and ended over HTTP, three decisions each; ${who.replace('replica', 'gate')}`,
    ),
  });
  return {
    callers,
    pgbench: new Series('pgbench: single-row transactions'),
    one: of('one replica'),
    two: of('two replicas'),
  };
};

export async function replicas(folder: string, upstream: string, effort: Effort): Promise<Measurement> {
  const postgres = await startPostgres(folder);
  const bench = new Replicas(postgres, join(folder, 'commit.sql'), effort);
  try {
    await bench.start(folder, upstream);
  } catch (error) {
    await bench.close();
    throw error;
  }
  return bench;
}

class Replicas implements Measurement {
  readonly name = 'replicas';
  readonly #postgres: Postgres;
  readonly #script: string;
  readonly #effort: Effort;
  readonly #rates = callerCounts.map(ratesOf);
  readonly #pace = new Map<Series, number>();
  readonly #stores: Replica[] = [];
  readonly #gates: Gate[] = [];
  readonly #agents: Caller[] = [];
  readonly #waits = new Waits();
  #serial = 0;

  constructor(postgres: Postgres, script: string, effort: Effort) {
    this.#postgres = postgres;
    this.#script = script;
    this.#effort = effort;
  }

  async start(folder: string, upstream: string): Promise<void> {
    const { url } = this.#postgres;
    writeFileSync(this.#script, commitScript);
    await this.#postgres.sql(commitTable);
    await this.#postgres.sql('CREATE DATABASE stores');
    const stores = Object.assign(new URL(url), { pathname: '/stores' }).href;
    const store = await openPostgres({ url: stores, channels: ['terminal'] });
    const accepted = await store.change(acceptDirectory);
    if (!accepted.ok) throw new Error(JSON.stringify(accepted.error));
    await store.close();
    for (let at = 0; at < 2; at += 1) this.#stores.push(await Replica.start(stores));
    const keys = newLogPems();
    const options = { more: policies, operations: [operation, heldOperation], database: { url, keys } };
    const first = await startGate(folder, upstream, { ...options, name: 'gate-a' });
    this.#gates.push(first);
    this.#gates.push(await startGate(folder, upstream, { ...options, name: 'gate-b', tokens: first }));
    for (const gate of this.#gates) this.#agents.push(await Caller.http(gate.web, first.agentToken));
    // Everything once before the clock runs.
    await this.round(false);
    for (const series of [...this.#rates.flatMap(seriesOf), ...this.#waits.series]) series.slices.length = 0;
  }

  async round(backwards: boolean): Promise<void> {
    await inOrder(
      [
        ...this.#rates.map((rates) => () => this.#ratesSlice(rates, backwards)),
        () => this.#waits.slice(this.#both(), this.#effort, backwards),
      ],
      backwards,
    );
  }

  #both(): Parameters<Waits['slice']>[0] {
    const [a, b] = this.#gates;
    const [onA, onB] = this.#agents;
    if (a === undefined || b === undefined || onA === undefined || onB === undefined)
      throw new Error('There are no gates.');
    return [
      { gate: a, agent: onA },
      { gate: b, agent: onB },
    ];
  }

  async #ratesSlice(rates: Rates, backwards: boolean): Promise<void> {
    const [a, b] = this.#stores;
    if (a === undefined || b === undefined) throw new Error('There are no replicas.');
    const { one, two } = rates;
    await inOrder(
      [
        () => this.#pgbench(rates),
        () => this.#storeSlice(one.ask, 'ask', rates.callers, [a]),
        () => this.#storeSlice(two.ask, 'ask', rates.callers, [a, b]),
        () => this.#storeSlice(one.review, 'review', rates.callers, [a]),
        () => this.#storeSlice(two.review, 'review', rates.callers, [a, b]),
        () => this.#runSlice(one.run, rates.callers, this.#gates.slice(0, 1)),
        () => this.#runSlice(two.run, rates.callers, this.#gates),
      ],
      backwards,
    );
  }

  async #pgbench({ callers, pgbench }: Rates): Promise<void> {
    const each = Math.ceil(this.#count(pgbench, callers) / callers);
    const { stdout } = await promisify(execFile)(
      this.#postgres.program('pgbench'),
      // prettier-ignore
      ['-n', '-f', this.#script, '-c', String(callers), '-j', String(Math.min(callers, 2)), '-t', String(each), this.#postgres.url],
    );
    const rate = Number(/tps = ([\d.]+) \(without initial/.exec(stdout)?.[1]);
    if (!(rate > 0)) throw new Error(`pgbench said: ${stdout.replaceAll('\n', ' / ')}`);
    this.#pace.set(pgbench, rate);
    pgbench.slice([rate]);
  }

  async #storeSlice(series: Series, kind: Kind, callers: number, stores: readonly Replica[]): Promise<void> {
    const jobs = shares(callers, this.#count(series, callers), stores.length);
    const all = (does: ReplicaJob['kind'], atOnce?: number): Promise<readonly ReplicaDone[]> =>
      Promise.all(
        stores.map((store, at) =>
          store.run({ kind: does, callers: atOnce ?? jobs[at]?.callers ?? 0, count: jobs[at]?.count ?? 0 }),
        ),
      );
    if (kind === 'review') await all('hold', heldAtOnce);
    const done = await all(kind);
    this.#note(series, sum(jobs.map((job) => job.count)), Math.max(...done.map((one) => one.tookMs)));
  }

  async #runSlice(series: Series, callers: number, gates: readonly Gate[]): Promise<void> {
    const count = this.#count(series, callers);
    const { tookMs } = await timed(callers, count, async (_job, caller) => {
      const gate = gates[caller % gates.length];
      if (gate !== undefined) await this.#runOne(gate);
    });
    this.#note(series, count, tookMs);
  }

  /** Three decisions. */
  async #runOne(gate: Gate): Promise<void> {
    this.#serial += 1;
    const input = inputOf(this.#serial);
    const asked = await send(gate.origin, gate.agentToken, 'POST', '/v1/actions', { operation, input });
    const run = await send(gate.origin, gate.agentToken, 'POST', `/v1/actions/${idIn(asked)}/execution`, {});
    await send(gate.origin, gate.agentToken, 'PUT', `/v1/executions/${idIn(run)}/outcome`, {
      status: 'succeeded',
    });
  }

  #count(series: Series, callers: number): number {
    const pace = this.#pace.get(series) ?? callers * 20;
    return Math.max(callers * perCallerMin, Math.round((pace * this.#effort.sliceMs) / 1000));
  }

  #note(series: Series, count: number, tookMs: number): void {
    const rate = (count * 1000) / tookMs;
    this.#pace.set(series, rate);
    series.slice([rate]);
  }

  tables(): readonly Table[] {
    return [...this.#rates.map(rateTable), ...this.#waits.tables()];
  }

  async close(): Promise<void> {
    for (const agent of this.#agents) await agent.close().catch(() => undefined);
    for (const gate of this.#gates) await gate.stop();
    for (const store of this.#stores) await store.stop();
    await this.#postgres.stop();
  }
}

/** How many actions are brought to wait at a time. */
const heldAtOnce = 64;

const sum = (all: readonly number[]): number => all.reduce((total, one) => total + one, 0);

/** Callers and decisions, shared out evenly; with one caller the second replica has nothing to do. */
const shares = (
  callers: number,
  count: number,
  replicasMany: number,
): readonly { readonly callers: number; readonly count: number }[] =>
  Array.from({ length: replicasMany }, (_, at) => {
    const mine = Math.floor((callers + replicasMany - 1 - at) / replicasMany);
    return { callers: mine, count: Math.round((count * mine) / callers) };
  });

function rateTable({ callers, pgbench, one, two }: Rates): Table {
  const ours = [one.ask, two.ask, one.review, two.review, one.run, two.run];
  return {
    title: `Durable decisions a second on PostgreSQL, ${callers} caller${callers === 1 ? '' : 's'}`,
    method:
      'One command of the store each, answered when durable, policy not included, in one process and in two that share the callers; over HTTP a whole gate, or two, with policy and everything else. pgbench inserts one row of 100 bytes a transaction, the same clients, on the same server.',
    unit: '/s',
    variants: [pgbench, ...ours].map(summary),
    comparisons: [
      ...ours.map((series) => compare(series, pgbench)),
      compare(two.ask, one.ask),
      compare(two.review, one.review),
      compare(two.run, one.run),
    ],
    goals: [],
    notes: callers === 1 ? ['with one caller the second replica is there and has nothing to do'] : [],
  };
}
