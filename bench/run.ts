/**
 * `npm run bench`: every measurement of this folder in one interleaved run. Rounds go through all of them in turn, each
 * with short slices of what it compares, so that whatever else the machine does weighs on all sides alike.
 *
 *     npm run bench -- [--quick] [--name NAME] [--only WORD,…] [--dir FOLDER] [--no-save]
 */
import { parseArgs } from 'node:util';
import { calls, type Ends } from './calls.ts';
import { click } from './click.ts';
import { core } from './core.ts';
import { decisions } from './decisions.ts';
import { Disk } from './disk.ts';
import { firstHour } from './first-hour.ts';
import { startGate } from './gate.ts';
import { judge } from './judge.ts';
import { log } from './log.ts';
import { machineOf, scratchFolder, versions } from './machine.ts';
import { quick, usual, type Effort, type Measurement } from './measurement.ts';
import { fileOf, serving } from './process.ts';
import { pending } from './pending.ts';
import { largeGate, policies } from './policies.ts';
import { proxies } from './proxies.ts';
import { replicas } from './replicas.ts';
import { plain, save, type Report } from './report.ts';
import { resume } from './resume.ts';
import { scale } from './scale.ts';

const method = [
  'Each round takes one slice of every variant, neighbours in time; every second round goes backwards. Ratios and differences are taken slice by slice, then the median; p50, p95 and p99 are over all samples.',
  'Clients, gate and upstream share the cores; the gate and the upstream are processes of their own.',
];

interface Options {
  readonly effort: Effort;
  readonly name: string;
  readonly only: readonly string[] | undefined;
  readonly folder: string | undefined;
  readonly save: boolean;
}

function optionsOf(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      name: { type: 'string' },
      only: { type: 'string' },
      dir: { type: 'string' },
      'no-save': { type: 'boolean', default: false },
    },
  });
  const name = values.name ?? (values.quick ? 'quick' : 'bench');
  if (!/^[a-z0-9-]{1,40}$/.test(name)) throw new Error('--name takes a-z, 0-9 and hyphens.');
  return {
    effort: values.quick ? quick : usual,
    name,
    only: values.only?.split(','),
    folder: values.dir,
    save: !values['no-save'],
  };
}

/** What the measurements share: started once, ended with the run. */
class Shared {
  readonly folder: string;
  readonly disk: Disk;
  readonly effort: Effort;
  readonly #stops: (() => Promise<void>)[] = [];
  #ends: Promise<Ends> | undefined;

  constructor(folder: string, effort: Effort) {
    this.folder = folder;
    this.disk = new Disk(folder);
    this.effort = effort;
  }

  /** The upstream, the relay and the gate; started when first asked for. */
  ends(): Promise<Ends> {
    return (this.#ends ??= this.#start());
  }

  async #start(): Promise<Ends> {
    const upstream = await this.kept(serving('upstream.ts', ['http']));
    const relay = await this.kept(serving('relay.ts', [upstream.url]));
    const gate = await this.kept(startGate(this.folder, upstream.url));
    return { gate, upstream: upstream.url, relay: relay.url };
  }

  /** Ends it with the run. */
  async kept<T extends { stop(): Promise<void> }>(started: Promise<T>): Promise<T> {
    const one = await started;
    this.#stops.push(() => one.stop());
    return one;
  }

  async close(): Promise<void> {
    for (const stop of this.#stops.toReversed()) await stop();
    this.disk.close();
  }
}

const measurements: readonly {
  readonly name: string;
  readonly make: (shared: Shared) => Promise<Measurement>;
  /** Long, or in need of a network: measured where `--only` names it, and not in a run of all. */
  readonly named?: true;
}[] = [
  { name: 'calls', make: async (shared) => calls(await shared.ends(), shared.effort) },
  {
    name: 'resume',
    make: async (shared) => {
      const { gate, upstream } = await shared.ends();
      return resume(gate, upstream, shared.effort);
    },
  },
  {
    name: 'click',
    make: async (shared) => {
      const { upstream } = await shared.ends();
      const { folder, effort } = shared;
      return click((started) => shared.kept(started), { folder, upstream, effort });
    },
  },
  { name: 'decisions', make: ({ folder, disk, effort }) => decisions(folder, disk, effort) },
  { name: 'judge', make: () => judge() },
  { name: 'core', make: async () => core() },
  {
    name: 'proxies',
    make: async (shared) =>
      proxies(await shared.ends(), (started) => shared.kept(started), shared.effort, shared.folder),
    named: true,
  },
  {
    name: 'policies',
    make: async (shared) => {
      const ends = await shared.ends();
      const large = await shared.kept(startGate(shared.folder, ends.upstream, largeGate));
      return policies(ends, large, shared.effort);
    },
    named: true,
  },
  { name: 'pending', make: ({ folder, effort }) => pending(folder, effort), named: true },
  {
    name: 'replicas',
    make: async (shared) => {
      const upstream = await shared.kept(serving('upstream.ts', ['http']));
      return replicas(shared.folder, upstream.url, shared.effort);
    },
    named: true,
  },
  { name: 'scale', make: ({ folder, effort }) => scale(folder, effort), named: true },
  { name: 'log', make: ({ folder, effort }) => log(folder, effort), named: true },
  { name: 'first-hour', make: async ({ folder }) => firstHour(folder), named: true },
];

/** Starts each; what cannot be started is reported, and does not keep the rest from being measured. */
async function start(
  options: Options,
  shared: Shared,
): Promise<{ readonly running: readonly Measurement[]; readonly missing: readonly string[] }> {
  const running: Measurement[] = [];
  const missing: string[] = [];
  for (const { name, make, named = false } of measurements) {
    if (options.only === undefined ? named : !options.only.includes(name)) continue;
    console.error(`preparing ${name}`);
    try {
      running.push(await make(shared));
    } catch (error) {
      missing.push(`${name}: ${whyOf(error, shared.folder)}`);
    }
  }
  return { running, missing };
}

/** One line; results name no path of the machine. */
function whyOf(error: unknown, folder: string): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return line.replaceAll(folder, '…').replaceAll(fileOf('..'), '');
}

async function main(options: Options): Promise<number> {
  const scratch = scratchFolder(options.folder);
  const machine = machineOf(scratch.folder);
  const shared = new Shared(scratch.folder, options.effort);
  process.once('SIGINT', () => {
    scratch.remove();
    process.exit(130); // the other programs are in our process group, and are told by the terminal
  });
  const from = performance.now();
  const { running, missing } = await start(options, shared);
  const measuringFrom = performance.now();
  try {
    let rounds = 0;
    do {
      for (const measurement of running) await measurement.round(rounds % 2 === 1);
      rounds += 1;
      console.error(`round ${rounds} of ${options.effort.rounds}`);
    } while (rounds < options.effort.rounds && performance.now() - measuringFrom < options.effort.totalMsMax);
    const report: Report = {
      at: new Date().toISOString(),
      name: options.name,
      rounds,
      tookSeconds: (performance.now() - from) / 1000,
      machine,
      versions: versions(),
      method,
      tables: running.flatMap((measurement) => measurement.tables()),
      missing,
    };
    console.log(plain(report));
    if (options.save) console.log(`\nWrote ${save(report).join(' and ')}.`);
    return missing.length === 0 ? 0 : 1;
  } finally {
    for (const measurement of running) await measurement.close();
    await shared.close();
    scratch.remove();
  }
}

// Connections of a measurement that failed half-way would keep the process.
process.exit(await main(optionsOf(process.argv.slice(2))));
