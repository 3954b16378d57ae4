/**
 * A gate on PostgreSQL behind ten million entries and 100,000 pending approvals of thousands of agents and hundreds of people: what
 * pages, asking and deciding cost, and whether its memory stays where it is while it works.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inOrder, type Effort, type Measurement, type Table } from './measurement.ts';
import { serving, type Serving } from './process.ts';
import { fillPostgres, type Filled } from './scale-fill.ts';
import { agentOf, head, operationOf, personOf } from './scale-organisation.ts';
import { median, Series, summary } from './stats.ts';

const goals = { inbox: 50, decide: 20, memoryRatio: 1.15 } as const;
/** The team whose people decide while the clock runs. */
const team = 3;
const callers = 16;
/** How long they work in each round, in slices; and which of their requests reads a page. */
const trafficSlices = 25;
const pageEvery = 20;
/** Rounds whose memory is compared. */
const memoryRounds = 3;

const titles = {
  headInbox: 'inbox of somebody for whom a fifth of all that waits is',
  inbox: 'inbox of one of a team of ten',
  approval: 'one approval',
  log: 'the newest page of the log',
  deepLog: 'a page of the log from its middle',
  agent: 'one agent',
  people: 'the people',
  open: 'asking for what is held (POST /v1/actions)',
  ask: 'asking for what is allowed (POST /v1/actions)',
  decide: 'deciding what was asked just now (POST …/reviews)',
  decideOld: 'deciding what has waited for days',
} as const;
type What = keyof typeof titles;

/** Who is signed in: for whom much waits, one of a team, an auditor. */
type Reader = 'head' | 'member' | 'auditor';

export async function scale(folder: string, effort: Effort): Promise<Measurement> {
  return behind(await fillPostgres(folder, effort.scale), effort);
}

/** @param filled stopped with the measurement. */
export async function behind(filled: Filled, effort: Effort): Promise<Measurement> {
  const from = performance.now();
  const gate = await serving('../src/cli.ts', ['serve', '--config', filled.config, '--port', '0']);
  const bench = new Scale(filled, gate, effort, performance.now() - from);
  await bench.start();
  return bench;
}

interface Waiting {
  readonly id: string;
  readonly digest: string;
}

class Scale implements Measurement {
  readonly name = 'scale';
  readonly #filled: Filled;
  readonly #gate: Serving;
  readonly #effort: Effort;
  readonly #startMs: number;
  readonly #series = new Map<What, Series>();
  readonly #memory = new Series('resident memory of the gate');
  readonly #cookies: Record<Reader, string> = { head: '', member: '', auditor: '' };
  /** What waited before, oldest first. */
  #old: Waiting[] = [];
  #opened: Waiting[] = [];
  #approval = '';
  // What an earlier run asked for is never asked again.
  #serial = process.pid * 1_000_000;
  #actions = 0;
  #sizes = '';
  #plans: Plans = { fine: false, says: '' };

  constructor(filled: Filled, gate: Serving, effort: Effort, startMs: number) {
    this.#filled = filled;
    this.#gate = gate;
    this.#effort = effort;
    this.#startMs = startMs;
  }

  async start(): Promise<void> {
    const { postgres, links } = this.#filled;
    for (const who of ['head', 'member', 'auditor'] as const)
      this.#cookies[who] = await this.#signIn(links[who]);
    const waits = `SELECT a.approval_id || ' ' || a.digest FROM inbox i JOIN actions a ON a.ord = i.ord WHERE a.state = 'pending' AND i.person_id =`;
    const rows = await postgres.sql(`${waits} '${personOf(team, 0)}' ORDER BY i.ord LIMIT 2000`);
    this.#old = rows
      .trim()
      .split('\n')
      .map((row) => {
        const [id = '', digest = ''] = row.split(' ');
        return { id, digest };
      });
    this.#approval =
      (await postgres.sql(`${waits} '${head}' ORDER BY i.ord DESC LIMIT 1`)).split(' ')[0] ?? '';
    this.#sizes = (
      await postgres.sql(`SELECT string_agg(name || ' ' || pg_size_pretty(bytes), ', ' ORDER BY bytes DESC) FROM (
        SELECT coalesce(i.inhparent::regclass::text, c.relname) AS name, sum(pg_total_relation_size(c.oid)) AS bytes
          FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
          WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1 ORDER BY 2 DESC LIMIT 8) AS largest`)
    ).trim();
    this.#plans = plansOn(postgres.url);
    await this.round();
    for (const series of [...this.#series.values(), this.#memory]) series.slices.length = 0;
  }

  async round(backwards = false): Promise<void> {
    const many = this.#effort.approvals;
    const page = (what: What, path: string, who: Reader) => () =>
      this.#timed(what, many, () => this.#page(path, who));
    await inOrder(
      [
        page('headInbox', '/inbox', 'head'),
        page('inbox', '/inbox', 'member'),
        page('approval', `/approvals/${this.#approval}`, 'head'),
        page('log', '/log', 'auditor'),
        page('deepLog', `/log?before=${Math.floor(this.#filled.entries / 2)}`, 'auditor'),
        page('agent', `/agent?id=${agentOf(7)}`, 'auditor'),
        page('people', '/people', 'auditor'),
      ],
      backwards,
    );
    await this.#timed('ask', many, () => this.#ask(false));
    await this.#timed('open', many, () => this.#ask(true));
    await this.#timed('decide', many, () => this.#decide(this.#opened.pop()));
    // A quick run may have had them all.
    await this.#timed('decideOld', Math.min(many, this.#old.length), () => this.#decide(this.#old.shift()));
    await this.#traffic(this.#effort.sliceMs * trafficSlices);
    this.#memory.slice([memoryMiB(this.#gate)]);
  }

  /** Agents that ask, and people who read, for the memory. */
  async #traffic(ms: number): Promise<void> {
    const end = performance.now() + ms;
    const paths = ['/inbox', `/approvals/${this.#approval}`, '/account'];
    await Promise.all(
      Array.from({ length: callers }, async (_, caller) => {
        for (let n = 0; performance.now() < end; n += 1) {
          if (n % pageEvery === 0) await this.#page(paths[(n / pageEvery) % paths.length] ?? '/', 'head');
          else await this.#ask(false, caller);
        }
      }),
    );
  }

  async #timed(what: What, count: number, one: () => Promise<void>): Promise<void> {
    let series = this.#series.get(what);
    if (series === undefined) this.#series.set(what, (series = new Series(titles[what])));
    const samples: number[] = [];
    for (let at = 0; at < count; at += 1) {
      const from = performance.now();
      await one();
      samples.push(performance.now() - from);
    }
    series.slice(samples);
  }

  async #signIn(link: string): Promise<string> {
    const response = await fetch(`${this.#gate.url}/sign-in`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: this.#gate.url, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token: link }),
    });
    const cookie = response.headers.get('set-cookie')?.split(';')[0];
    if (cookie === undefined) throw new Error(`Signing in was answered ${response.status}.`);
    return cookie;
  }

  async #page(path: string, who: Reader): Promise<void> {
    const response = await fetch(this.#gate.url + path, { headers: { cookie: this.#cookies[who] } });
    const text = await response.text();
    if (response.status !== 200)
      throw new Error(`${path} was answered ${response.status}: ${text.slice(0, 200)}`);
  }

  async #ask(held: boolean, caller = 0): Promise<void> {
    this.#serial += 1;
    const { agentTokens } = this.#filled;
    const said = await this.#send(
      '/v1/actions',
      agentTokens[(this.#serial + caller) % agentTokens.length] ?? '',
      {
        operation: operationOf(team),
        input: { cents: held ? 5204 : 50, order: `B-${this.#serial}` },
      },
    );
    this.#actions += 1;
    if (!held) return;
    const { approval, digest } = said as {
      readonly approval?: { readonly id?: string };
      readonly digest?: string;
    };
    if (approval?.id === undefined || digest === undefined)
      throw new Error(`nothing waits: ${JSON.stringify(said)}`);
    this.#opened.push({ id: approval.id, digest });
  }

  async #decide(one: Waiting | undefined): Promise<void> {
    const body = { decision: 'approve', digest: one?.digest, reason: 'as agreed' };
    await this.#send(`/v1/approvals/${one?.id ?? ''}/reviews`, this.#filled.personTokens[team] ?? '', body);
  }

  async #send(path: string, token: string, body: object): Promise<unknown> {
    const response = await fetch(this.#gate.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`POST ${path} was answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }

  tables(): readonly Table[] {
    const { entries, tookSeconds } = this.#filled;
    const { pending, actions } = this.#effort.scale;
    const p95 = (what: What): number => summary(this.#series.get(what) ?? new Series(what)).p95;
    const goal = (what: What, msMax: number) => ({
      text: `${titles[what]}: p95 ≤ ${msMax} ms: ${p95(what).toFixed(1)}`,
      met: p95(what) <= msMax,
    });
    const memory = this.#memory.all();
    // A program that has just started grows until its heap is as large as its work wants it.
    const settled = Math.floor(memory.length / 3);
    const ratio = median(memory.slice(-memoryRounds)) / median(memory.slice(settled, settled + memoryRounds));
    return [
      {
        title: `A gate on PostgreSQL with ${entries.toLocaleString('en')} entries and ${pending.toLocaleString('en')} pending approvals`,
        method:
          'One request after another over HTTP, by people who are signed in and agents with tokens; the database, the gate and the clients share the cores.',
        unit: 'ms',
        variants: [...this.#series.values()].map(summary),
        comparisons: [],
        goals: [
          goal('headInbox', goals.inbox),
          goal('inbox', goals.inbox),
          goal('decide', goals.decide),
          goal('decideOld', goals.decide),
          {
            text: `no statement of pages, API and a gate at work reads a growing table whole, or sorts it (test/pg/plans.test.ts on this database): ${this.#plans.says}`,
            met: this.#plans.fine,
          },
        ],
        notes: [
          `${actions.toLocaleString('en')} actions of 2,000 agents, 402 people in 40 teams; written in ${Math.round(tookSeconds)} s with COPY, past the store`,
          `the gate was ready ${Math.round(this.#startMs)} ms after its command`,
          `tables with their indexes: ${this.#sizes}`,
        ],
      },
      {
        title: 'Memory of that gate while it works',
        method: `Resident set after each round, in the order of the rounds; ${this.#actions.toLocaleString('en')} actions were asked for meanwhile, most of them by ${callers} agents at a time for ${Math.round((this.#effort.sliceMs * trafficSlices) / 1000)} s in each round, beside people who read pages.`,
        unit: 'MiB',
        variants: [summary(this.#memory)],
        comparisons: [],
        goals: [
          {
            text: `flat: the last ${memoryRounds} rounds at most ${goals.memoryRatio} times those after the first third: ${ratio.toFixed(2)}`,
            met: ratio <= goals.memoryRatio,
          },
        ],
        notes: [`MiB by round: ${memory.map((one) => one.toFixed(0)).join(', ')}`],
      },
    ];
  }

  async close(): Promise<void> {
    await this.#gate.stop();
    await this.#filled.postgres.stop();
  }
}

interface Plans {
  readonly fine: boolean;
  readonly says: string;
}

/** What the test of plans says, asked of this database in the place of its own. */
function plansOn(url: string): Plans {
  const file = join(import.meta.dirname, '..', 'test', 'pg', 'plans.test.ts');
  const env = { ...process.env, DATABASE_URL: url, PLANS_DATABASE: url };
  const { status, stdout } = spawnSync(process.execPath, ['--test', file], { env, encoding: 'utf8' });
  const says = /\d+ statements; .*/.exec(stdout)?.[0] ?? stdout.slice(-2000);
  if (status !== 0) console.error(stdout);
  return { fine: status === 0, says };
}

/** Resident memory of the gate's process, as the system sees it. */
function memoryMiB({ pid }: Serving): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
