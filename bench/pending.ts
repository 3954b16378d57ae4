/**
 * What waiting costs: a gate on the embedded store with 1 to 100,000 pending approvals and a log of a million entries. For each
 * number, in neighbouring slices: starting up, memory, a person's inbox page, one more approval being opened, and it being decided; and
 * how late an approval ends whose time is over.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { inOrder, type Effort, type Measurement, type Table } from './measurement.ts';
import { directory, fill, type Filled } from './pending-store.ts';
import { serving, type Serving } from './process.ts';
import { compare, Series, summary } from './stats.ts';

/** "Flat": with the most that waits, at most this many times what it is with the least. */
const flatRatio = 1.5;
/** The highest that can be configured. */
const limitMax = 100_000;
/** Requests before the clock runs: a program that has just started is slow. */
const warmUp = 10;
const operation = 'shop___probe';
/** One that people have two seconds for. */
const brief = 'shop___brief';
/** "Within a second" (the words for deadlines). */
const lateMsMax = 1000;

const policies = `
@id("all") @title("Agents may act") permit (principal, action, resource);
@id("probe") @title("A data owner decides") @approvers("data-owners")
forbid (principal, action == Action::"${operation}", resource);
@id("brief") @title("A data owner decides at once") @approvers("data-owners") @ttl("PT2S")
forbid (principal, action == Action::"${brief}", resource);
`;

const configuration = {
  listen: '127.0.0.1:0',
  data: './data',
  policies: './policies',
  ...directory,
  limits: { pendingPerAgent: limitMax, inbox: limitMax, creationsPerMinute: limitMax },
  operations: Object.fromEntries(
    [operation, brief].map((one) => [
      one,
      { input: { type: 'object', properties: { serial: { type: 'integer' } } } },
    ]),
  ),
};

/** Whatever grows with what waits, in the order of the tables. */
const measures = ['start', 'memory', 'inbox', 'open', 'decide', 'deadline'] as const;
type Measure = (typeof measures)[number];

interface Size {
  readonly filled: Filled;
  readonly config: string;
  readonly series: Readonly<Record<Measure, Series>>;
  cookie: string | undefined;
}

let serial = 0;

export async function pending(folder: string, effort: Effort): Promise<Measurement> {
  const filled = await fill(folder, effort.pendings, effort.logEntries);
  const sizes = filled.map((one): Size => {
    const named = (): Series => new Series(`${one.pending.toLocaleString('en')} pending`);
    const series = {
      start: named(),
      memory: named(),
      inbox: named(),
      open: named(),
      decide: named(),
      deadline: named(),
    };
    return { filled: one, config: configured(one), series, cookie: undefined };
  });
  return {
    name: 'pending',
    round: (backwards) =>
      inOrder(
        sizes.map((size) => () => slice(size, effort.approvals)),
        backwards,
      ),
    tables: () => measures.map((measure) => tableOf(measure, sizes)),
    close: async () => undefined,
  };
}

function configured({ folder }: Filled): string {
  const home = dirname(folder);
  mkdirSync(join(home, 'policies'), { recursive: true });
  writeFileSync(join(home, 'policies', 'bench.cedar'), policies);
  const file = join(home, 'countersign.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(configuration, null, 2));
  return file;
}

/** One life of a gate on this store. */
async function slice(size: Size, count: number): Promise<void> {
  const { series, filled, config } = size;
  const from = performance.now();
  const gate = await serving('../src/cli.ts', ['serve', '--config', config, '--port', '0']);
  series.start.slice([performance.now() - from]);
  try {
    size.cookie ??= await signIn(gate, filled);
    const inbox = async (): Promise<void> => {
      const response = await fetch(`${gate.url}/inbox`, { headers: { cookie: size.cookie ?? '' } });
      const page = await response.text();
      if (response.status !== 200 || !page.includes('apr_'))
        throw new Error(`The inbox answered ${response.status}.`);
    };
    await repeated(warmUp, inbox);
    series.inbox.slice(await repeated(count, inbox));
    const opened: Opened[] = [];
    const openOne = async (): Promise<void> => void opened.push(await open(gate, filled));
    await repeated(warmUp, openOne);
    series.open.slice(await repeated(count, openOne));
    const decideOne = (): Promise<void> => decide(gate, filled, opened.pop());
    await repeated(warmUp, decideOne);
    series.decide.slice(await repeated(count, decideOne));
    series.deadline.slice(await Promise.all(Array.from({ length: count }, () => late(gate, filled))));
    series.memory.slice([await memoryMiB(gate)]);
  } finally {
    await gate.stop();
  }
}

/** Milliseconds of each. */
async function repeated(count: number, work: () => Promise<void>): Promise<readonly number[]> {
  const samples: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const from = performance.now();
    await work();
    samples.push(performance.now() - from);
  }
  return samples;
}

async function signIn(gate: Serving, { link }: Filled): Promise<string> {
  const response = await fetch(`${gate.url}/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: gate.url, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token: link }),
  });
  const cookie = response.headers.get('set-cookie')?.split(';')[0];
  if (cookie === undefined) throw new Error(`Signing in was answered ${response.status}.`);
  return cookie;
}

interface Opened {
  readonly id: string;
  readonly digest: string;
}

async function open(gate: Serving, { agentToken }: Filled): Promise<Opened> {
  serial += 1;
  const response = await fetch(`${gate.url}/v1/actions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${agentToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ operation, input: { serial } }),
  });
  // The API's own shape (design §8), checked below as far as it is used.
  const said = (await response.json()) as {
    readonly digest?: string;
    readonly approval?: { readonly id?: string };
  };
  const [id, digest] = [said.approval?.id, said.digest];
  if (id === undefined || digest === undefined)
    throw new Error(`Asking was answered ${response.status}: ${JSON.stringify(said)}`);
  return { id, digest };
}

/** Milliseconds from the time until which people could answer, to the waiting agent being told that it is over. */
async function late(gate: Serving, { agentToken }: Filled): Promise<number> {
  serial += 1;
  const response = await fetch(`${gate.url}/v1/actions?wait=30`, {
    method: 'POST',
    headers: { authorization: `Bearer ${agentToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ operation: brief, input: { serial } }),
  });
  // The API's own shape (design §8), checked below as far as it is used.
  const said = (await response.json()) as {
    readonly state?: string;
    readonly approval?: { readonly expiresAt?: string };
  };
  if (said.state !== 'expired') throw new Error(`Waiting was answered ${JSON.stringify(said)}`);
  return Date.now() - Date.parse(said.approval?.expiresAt ?? '');
}

async function decide(gate: Serving, { personToken }: Filled, opened: Opened | undefined): Promise<void> {
  const response = await fetch(`${gate.url}/v1/approvals/${opened?.id ?? ''}/reviews`, {
    method: 'POST',
    headers: { authorization: `Bearer ${personToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ decision: 'approve', digest: opened?.digest, reason: 'as agreed' }),
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`The review was answered ${response.status}: ${text}`);
}

/** Resident memory of the gate's process, as the system sees it. */
async function memoryMiB({ pid }: Serving): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout.trim()) / 1024;
}

const titles: Readonly<Record<Measure, string>> = {
  start: 'Start-up, from the command to listening',
  memory: 'Memory of the gate’s process',
  inbox: 'A person’s inbox page',
  open: 'One more approval opened (POST /v1/actions)',
  decide: 'And decided (POST …/reviews)',
  deadline: 'How late the one timer ends what is over',
};

function punctual(all: readonly Series[]): Table['goals'][number] {
  const worst = Math.max(...all.flatMap((one) => one.all()));
  return { text: `within a second, each of them: ${worst.toFixed(0)} ms at worst`, met: worst <= lateMsMax };
}

function tableOf(measure: Measure, sizes: readonly Size[]): Table {
  const all = sizes.map(({ series }) => series[measure]);
  // One approval makes a page of one card: a page is compared with the first full one.
  const from = measure === 'inbox' ? 1 : 0;
  const base = all[from];
  const comparisons = base === undefined ? [] : all.slice(from + 1).map((series) => compare(series, base));
  const most = comparisons.at(-1);
  const [first, last] = [sizes[from]?.filled, sizes.at(-1)?.filled];
  const flat = most !== undefined && most.ratio <= flatRatio;
  const each = ((most?.added ?? Number.NaN) * 1024) / ((last?.pending ?? 1) - 1);
  return {
    title: `${titles[measure]}, by what waits`,
    method:
      'A gate of its own for each store and round, on the embedded store; the same log behind each but for what the pending approvals wrote themselves.',
    unit: measure === 'memory' ? 'MiB' : 'ms',
    variants: all.map(summary),
    comparisons,
    goals: [
      ...(measure === 'deadline' ? [punctual(all)] : []),
      {
        text: `flat: with ${String(last?.pending)} pending at most ${flatRatio} times as with ${String(first?.pending)}: ${(most?.ratio ?? Number.NaN).toFixed(2)}`,
        met: flat,
      },
    ],
    notes: [
      ...(measure === 'memory' ? [`${each.toFixed(2)} KiB for each pending approval`] : []),
      `entries in the log: ${sizes.map(({ filled }) => filled.entries.toLocaleString('en')).join(', ')}`,
    ],
  };
}
