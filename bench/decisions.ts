/**
 * Durable decisions a second. A decision is one command of the store, answered when it is durable: (i) `ask` with the verdict
 * allow, which writes the action, its execution and two entries; (ii) a person's `review` of a held action, which writes
 * the review, the approved action and two entries. Policy is not in it. On the same disk, in neighbouring slices: the bare
 * group-commit loop (limit.ts) with rows of the same number of bytes, and the disk's own fdatasync (disk.ts).
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AskCommand, Command } from '../src/core/command.ts';
import { actionIdOf } from '../src/core/ids.ts';
import type { Store } from '../src/ports/store.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import { acceptDirectory, approve, ask } from './commands.ts';
import type { Disk } from './disk.ts';
import { Limit } from './limit.ts';
import type { LimitJob } from './limit-worker.ts';
import { inOrder, timed, type Effort, type Measurement, type Table } from './measurement.ts';
import { compare, Series, summary } from './stats.ts';

const callerCounts = [1, 16, 64] as const;
/** Design: at 64 callers at least half of what a bare group-commit loop does. */
const goalRatio = 0.5;
/** A slice has at least so many decisions a caller, however slow the disk is. */
const perCallerMin = 4;

type Kind = 'ask' | 'review';

/** Bytes of text in the rows that one decision writes. */
interface Bytes {
  readonly request: number;
  readonly audit: number;
}

/** Series of one number of callers. */
interface Rates {
  readonly callers: number;
  readonly raw: Series;
  readonly limit: Readonly<Record<Kind, Series>>;
  readonly ours: Readonly<Record<Kind, Series>>;
  /** Milliseconds of each decision. */
  readonly oursMs: Readonly<Record<Kind, Series>>;
}

const both = (make: (kind: Kind) => Series): Readonly<Record<Kind, Series>> => ({
  ask: make('ask'),
  review: make('review'),
});

export async function decisions(folder: string, disk: Disk, effort: Effort): Promise<Measurement> {
  const directory = join(folder, 'store');
  mkdirSync(directory);
  const store = await openSqlite({ directory, channels: ['terminal'] });
  const limit = await Limit.open(join(folder, 'limit.db'));
  await must(store, acceptDirectory);
  const bench = new Decisions(store, limit, disk, effort);
  await bench.prepare();
  return bench;
}

/** Sends a command whose refusal would make the measurement worthless. */
async function must(store: Store, command: Command): Promise<void> {
  const result = await store.change(command);
  if (!result.ok) throw new Error(`The store refused ${command.kind}: ${JSON.stringify(result.error)}`);
}

class Decisions implements Measurement {
  readonly name = 'decisions';
  readonly #store: Store;
  readonly #limit: Limit;
  readonly #disk: Disk;
  readonly #effort: Effort;
  readonly #rates: readonly Rates[];
  readonly #bytes: Record<Kind, Bytes> = { ask: { request: 0, audit: 0 }, review: { request: 0, audit: 0 } };
  /** Decisions a second of the last slice: how long the next one becomes. */
  readonly #pace = new Map<Series, number>();

  constructor(store: Store, limit: Limit, disk: Disk, effort: Effort) {
    this.#store = store;
    this.#limit = limit;
    this.#disk = disk;
    this.#effort = effort;
    this.#rates = callerCounts.map((callers) => ({
      callers,
      raw: new Series('8 KiB write in place + fdatasync'),
      limit: both((kind) => new Series(`group-commit limit, bytes of ${kind}`)),
      ours: both((kind) => new Series(named[kind])),
      oursMs: both((kind) => new Series(named[kind])),
    }));
  }

  /** Finds out how many bytes a decision writes, and warms everything up. */
  async prepare(): Promise<void> {
    const allowed = await this.#asks('allow', 1);
    for (const one of allowed) await must(this.#store, one);
    this.#bytes.ask = await this.#written(allowed[0], 0);
    const [held] = await this.#asks('review', 1);
    if (held === undefined) throw new Error('no action was made');
    await must(this.#store, held);
    const before = (await this.#store.entriesAbout(held.asked.id)).length;
    await must(this.#store, approve(held));
    this.#bytes.review = await this.#written(held, before);
    for (const rates of this.#rates) await this.#sliceOf(rates, false);
    for (const rates of this.#rates) {
      const all = [
        rates.raw,
        ...Object.values(rates.limit),
        ...Object.values(rates.ours),
        ...Object.values(rates.oursMs),
      ];
      for (const series of all) series.slices.length = 0;
    }
  }

  async round(backwards: boolean): Promise<void> {
    await inOrder(
      this.#rates.map((rates) => () => this.#sliceOf(rates, backwards)),
      backwards,
    );
  }

  async #sliceOf(rates: Rates, backwards: boolean): Promise<void> {
    const kinds: readonly Kind[] = ['ask', 'review'];
    const steps = kinds.flatMap((kind) => [
      () => this.#limitSlice(rates, kind),
      () => this.#oursSlice(rates, kind),
    ]);
    await inOrder([async () => this.#rawSlice(rates), ...steps], backwards);
  }

  #rawSlice(rates: Rates): void {
    const samples = this.#disk.sample(this.#effort.sliceMs / 3);
    rates.raw.slice([(samples.length * 1000) / samples.reduce((sum, each) => sum + each, 0)]);
  }

  async #limitSlice(rates: Rates, kind: Kind): Promise<void> {
    const { request, audit } = this.#bytes[kind];
    const series = rates.limit[kind];
    const jobs = Array.from({ length: this.#count(series, rates.callers) }, (): LimitJob => {
      // Ids that cannot be guessed, as a gate's must be: their index is written all over, not at its end.
      const id = actionIdOf(randomBytes(16));
      return { id, request: filler(request, id), audit: filler(audit, id) };
    });
    const { tookMs } = await timed(rates.callers, jobs.length, async (at) => {
      const job = jobs[at];
      if (job !== undefined) await this.#limit.decide(job);
    });
    this.#note(series, jobs.length, tookMs);
  }

  async #oursSlice(rates: Rates, kind: Kind): Promise<void> {
    const series = rates.ours[kind];
    const commands = await this.#commands(kind, this.#count(series, rates.callers));
    const { tookMs, samplesMs } = await timed(rates.callers, commands.length, async (at) => {
      const command = commands[at];
      if (command !== undefined) await must(this.#store, command);
    });
    this.#note(series, commands.length, tookMs);
    rates.oursMs[kind].slice(samplesMs);
  }

  /** Made before the clock runs: what is measured is the decision, not the making of its question. */
  async #commands(kind: Kind, count: number): Promise<readonly Command[]> {
    if (kind === 'ask') return this.#asks('allow', count);
    const held = await this.#asks('review', count);
    for (let at = 0; at < held.length; at += heldAtOnce) {
      await Promise.all(held.slice(at, at + heldAtOnce).map((one) => must(this.#store, one)));
    }
    return held.map(approve);
  }

  async #asks(effect: 'allow' | 'review', count: number): Promise<readonly AskCommand[]> {
    const versions = await this.#store.versions();
    const joinKey = this.#store.joinKey();
    return Array.from({ length: count }, () => ask(effect, versions, joinKey));
  }

  #count(series: Series, callers: number): number {
    const pace = this.#pace.get(series) ?? callers * 200;
    return Math.max(callers * perCallerMin, Math.round((pace * this.#effort.sliceMs) / 1000));
  }

  #note(series: Series, count: number, tookMs: number): void {
    const rate = (count * 1000) / tookMs;
    this.#pace.set(series, rate);
    series.slice([rate]);
  }

  async #written(one: AskCommand | undefined, entriesBefore: number): Promise<Bytes> {
    const held = one === undefined ? undefined : await this.#store.caseBy({ action: one.asked.id });
    if (held === undefined) throw new Error('The store lost an action.');
    const { asked, approval, reviews, execution, ending } = held;
    const { canonical, verdict, profile, preview, before } = asked;
    const row = entriesBefore === 0 ? [verdict, profile, preview, before, execution] : [reviews];
    const request = [...row, approval, ending].filter((value) => value !== null && value !== undefined);
    const entries = (await this.#store.entriesAbout(asked.id)).slice(entriesBefore);
    return {
      request: JSON.stringify(request).length + (entriesBefore === 0 ? canonical.length : 0),
      audit: entries.reduce((sum, { statement }) => sum + statement.length, 0),
    };
  }

  tables(): readonly Table[] {
    return this.#rates.map((rates) => {
      const ratios = (['ask', 'review'] as const).map((kind) => compare(rates.ours[kind], rates.limit[kind]));
      const goals = ratios.map(({ of, ratio }) => ({
        text: `${of}: ≥ ${goalRatio} of the group-commit limit at 64 callers`,
        met: ratio >= goalRatio,
      }));
      return {
        title: `Durable decisions a second, ${rates.callers} caller${rates.callers === 1 ? '' : 's'}`,
        method:
          'One command each, answered when durable; policy not included. The limit is a bare group-commit loop on the same database and disk that writes one request row and one hash-chained audit row with as many bytes, and decides nothing.',
        unit: '/s',
        variants: [rates.raw, ...Object.values(rates.limit), ...Object.values(rates.ours)].map(summary),
        comparisons: [
          ...ratios,
          compare(rates.ours.review, rates.limit.ask),
          compare(rates.ours.ask, rates.raw),
          compare(rates.ours.review, rates.raw),
          compare(rates.limit.ask, rates.raw),
        ],
        goals: rates.callers === 64 ? goals : [],
        notes: [
          ...(['ask', 'review'] as const).map((kind) => {
            const { request, audit } = this.#bytes[kind];
            return `${named[kind]}: ${request} bytes of rows and ${audit} bytes of entries each; the limit writes the same`;
          }),
          ...(['ask', 'review'] as const).map((kind) => {
            const { p50, p95, p99 } = summary(rates.oursMs[kind]);
            return `${named[kind]}, each caller waits: p50 ${p50.toFixed(2)}, p95 ${p95.toFixed(2)}, p99 ${p99.toFixed(2)} ms`;
          }),
        ],
      };
    });
  }

  async close(): Promise<void> {
    await this.#store.close();
    await this.#limit.close();
  }
}

const named: Readonly<Record<Kind, string>> = {
  ask: 'ask, allowed and started',
  review: 'review of a held action',
};

/** How many actions are brought to wait at a time. */
const heldAtOnce = 256;

/** As many bytes of JSON text as wanted, no two alike; quotes in it are escaped on their way, as they are in ours. */
function filler(bytes: number, id: string): string {
  const row = `{"id":"${id}","operation":"crm___export_rows","digest":"sha256:${id}","limit":5204,"ok":true},`;
  return row.repeat(Math.ceil(bytes / row.length)).slice(0, bytes);
}
