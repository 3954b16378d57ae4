/**
 * One whole run: a primary and its standby, gates, an upstream, agents and people, and what goes wrong meanwhile; then the checks.
 *
 * The seed gives the plan: who asks for what, who says what to it, what goes wrong after how many actions. The moment at which
 * a packet is lost is the machine's, so that a seed that found something may have to be run a few times to find it again.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../../../src/config.ts';
import type { Principal } from '../../../src/core/directory.ts';
import { asAgentId, asPersonId } from '../../../src/core/ids.ts';
import { newToken } from '../../../src/identity/tokens.ts';
import { openStore, systemRandom } from '../../../src/main.ts';
import { liveByHttp } from './agents.ts';
import { check, type Checked } from './check.ts';
import { Unanswered, type Field } from './client.ts';
import { endAll, goesWithUs } from './ended.ts';
import { endsWaits, faults, faultsOf, type FaultName } from './faults.ts';
import { Gate } from './gates.ts';
import { send } from './http.ts';
import { Ledger } from './ledger.ts';
import { McpAgent } from './mcp-agents.ts';
import { agents, auditor, people, writeConfig } from './organisation.ts';
import { Pace } from './pace.ts';
import { ServerPair } from './pair.ts';
import { keepDeciding } from './people.ts';
import { planOf } from './plan.ts';
import { chanceOf, pause } from './random.ts';
import { Effects, startUpstream } from './upstream.ts';

export interface Wanted {
  readonly seed: number;
  readonly actions: number;
  readonly gates: number;
  /** False for a negative control: nobody waits for the standby. */
  readonly synchronous?: boolean;
  /** Default: those of the seed. */
  readonly faults?: readonly FaultName[];
}

export interface Ran extends Checked {
  readonly ledger: Ledger;
  readonly faults: readonly FaultName[];
  readonly ms: number;
}

/** Processes of HTTP agents, and of MCP agents. */
const workers = { http: 10, mcp: 3 } as const;
/** One action in so many is an MCP call. */
const mcpEvery = 5;
/** How long whoever waits may wait once nothing goes wrong any more. */
const recoverMsMax = 60_000;

export async function clusterRun(wanted: Wanted): Promise<Ran> {
  const beganMs = Date.now();
  const folder = mkdtempSync(join(tmpdir(), 'countersign-cluster-'));
  goesWithUs(folder);
  const ledger = new Ledger(join(folder, 'ledger.jsonl'));
  const effects = new Effects(join(folder, 'effects.jsonl'));
  const upstream = await startUpstream(effects);
  const pair = await ServerPair.start({ synchronous: wanted.synchronous ?? true });
  const config = writeConfig(folder, upstream.port);
  const gates = await Promise.all(
    Array.from({ length: wanted.gates }, (_, at) => Gate.make(`gate-${at}`, pair, config)),
  );
  try {
    // All at once on an empty database: one of them makes the tables, and takes the first configuration.
    ledger.say({ phase: 'servers are there' });
    await Promise.all(gates.map((gate) => gate.start()));
    ledger.say({ phase: 'gates are there' });
    const tokens = await tokensOf(config, pair.primary.url);
    const planned = wanted.faults ?? faultsOf(chanceOf(wanted.seed, 1));
    ledger.say({ phase: 'life begins' });
    await live({ wanted, ledger, effects, pair, gates, tokens, planned });
    ledger.say({ phase: 'life is over' });
    await Promise.all(gates.map((gate) => gate.close()));
    const fresh = await Gate.make('fresh', pair, config);
    try {
      const checked = await check({ folder, config, ledger, effects, pair, fresh, tokens });
      ledger.say({ phase: 'checked', problems: checked.problems });
      return { ...checked, ledger, faults: planned, ms: Date.now() - beganMs };
    } finally {
      await fresh.close();
    }
  } finally {
    await Promise.all(gates.map((gate) => gate.close()));
    await pair.close();
    await upstream.close();
    effects.close();
    endAll();
  }
}

/** A bearer token for everybody, written past every proxy. */
async function tokensOf(config: string, url: string): Promise<Readonly<Record<string, string>>> {
  const settings = await readSettings(config, { env: { DATABASE_URL: url } });
  if (!settings.ok) throw new Error(JSON.stringify(settings.error));
  const store = await openStore(settings.value, { exclusive: false });
  const tokens: Record<string, string> = {};
  const make = async (principal: Principal): Promise<void> => {
    const { token, hash } = newToken(systemRandom, principal.kind);
    const made = await store.change({ kind: 'token', principal, hash });
    if (!made.ok) throw new Error(JSON.stringify(made.error));
    tokens[principal.id] = token;
  };
  try {
    for (const id of agents) await make({ kind: 'agent', id: asAgentId(id) });
    for (const id of people) await make({ kind: 'person', id: asPersonId(id) });
  } finally {
    await store.close();
  }
  return tokens;
}

interface Living {
  readonly wanted: Wanted;
  readonly ledger: Ledger;
  readonly effects: Effects;
  readonly pair: ServerPair;
  readonly gates: readonly Gate[];
  readonly tokens: Readonly<Record<string, string>>;
  readonly planned: readonly FaultName[];
}

async function live({ wanted, ledger, effects, pair, gates, tokens, planned }: Living): Promise<void> {
  const { seed, actions } = wanted;
  let mendedMs = Number.POSITIVE_INFINITY;
  const isLate = (sinceMs: number): boolean => Date.now() > Math.max(mendedMs, sinceMs) + recoverMsMax;
  const readsAhead = planned.some((name) => endsWaits.has(name));
  const field: Field = { gates, ledger, tokens, isLate, readsAhead };
  const pace = new Pace(actions, planned.length);
  const over = new AbortController();
  const harm = async (): Promise<void> => {
    const chance = chanceOf(seed, 2);
    for (const name of planned) {
      await pace.fault();
      ledger.say({ fault: name });
      const beganMs = Date.now();
      await faults[name]({ pair, gates, ledger }, chance);
      ledger.say({ mended: name, ms: Date.now() - beganMs });
      pace.mended();
    }
    pace.over();
    mendedMs = Date.now();
  };
  const own = <T>(work: Promise<T>): Promise<T | undefined> =>
    work.catch((error: unknown) => {
      if (!(error instanceof Unanswered)) throw error;
      ledger.surprise(error.message);
      return undefined;
    });
  const all = Array.from({ length: actions }, (_, n) => n);
  const lists = { http: all.filter((n) => n % mcpEvery !== 0), mcp: all.filter((n) => n % mcpEvery === 0) };
  const http = async (): Promise<void> => {
    for (let n = lists.http.shift(); n !== undefined; n = lists.http.shift()) {
      await pace.action(n);
      await own(liveByHttp(field, planOf(seed, n, { mcp: false }), seed, effects));
    }
  };
  const mcp = async (at: number): Promise<void> => {
    const agent = new McpAgent(field, chanceOf(seed, 4, at));
    for (let n = lists.mcp.shift(); n !== undefined; n = lists.mcp.shift()) {
      await pace.action(n);
      await own(agent.live(planOf(seed, n, { mcp: true }), seed));
    }
    await agent.close();
  };
  const decided = own(keepDeciding(field, seed, over.signal));
  const watched = keepCheckpoints(field, over.signal);
  await Promise.all([
    harm(),
    ...Array.from({ length: workers.http }, http),
    ...Array.from({ length: workers.mcp }, (_, at) => mcp(at)),
  ]);
  over.abort();
  await Promise.all([decided, watched]);
}

/** How often each gate is asked what it gives out: often enough to see what is given out for a moment only. */
const watchMs = 100;

/** Somebody who follows the log at every gate, and keeps whatever they were given. */
async function keepCheckpoints({ gates, tokens, ledger }: Field, ended: AbortSignal): Promise<void> {
  const token = tokens[auditor] ?? '';
  const said = { method: 'GET', path: '/tlog/checkpoint', token, timeoutMs: 3000 } as const;
  const watch = async (gate: Gate): Promise<void> => {
    for (; !ended.aborted; await pause(watchMs)) {
      const answer = gate.running ? await send(gate.port, said) : null;
      if (answer?.status === 200) ledger.checkpoints.add(answer.body);
    }
  };
  await Promise.all(gates.map(watch));
}
