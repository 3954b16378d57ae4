/**
 * Builds the parts, starts them in order, and stops them in the other: the only file that knows all of them.
 *
 * Promises: what the files say is in force, or everything is denied and the operator is told why, before anything is served;
 * a failure while starting leaves nothing behind; closing is idempotent, and loses nothing that was acknowledged.
 */
import { randomFillSync } from 'node:crypto';
import { keepDeadlines, recover } from './app/deadlines.ts';
import { keepNotices } from './app/notices.ts';
import type { Parts } from './app/parts.ts';
import { createWaiters } from './app/waiters.ts';
import { createWorld } from './app/world.ts';
import { createTerminal } from './channels/terminal.ts';
import { createWebhook } from './channels/webhook.ts';
import { isLoopback, type Settings } from './config.ts';
import { keepProposals, type Reload } from './config/propose.ts';
import { aboutNothing, type EntryType } from './core/entry.ts';
import type { JsonObject } from './core/json.ts';
import { headlineOf } from './core/render/headline.ts';
import { visible } from './core/visible.ts';
import { createMcpFront } from './enforce/mcp/front.ts';
import { createPages } from './http/pages/pages.ts';
import { createHttp, serve } from './http/server.ts';
import { createIdentity } from './identity/tokens.ts';
import { createPolicyEngine } from './policy/engine.ts';
import type { Channel } from './ports/channel.ts';
import type { Clock } from './ports/clock.ts';
import type { Random } from './ports/random.ts';
import type { Store } from './ports/store.ts';
import { openSqlite } from './store/sqlite.ts';

/** What a caller may replace or listen to. */
export interface GateHooks {
  /** Told what an operator should read, one line at a time; default: stderr. */
  readonly say?: (line: string) => void;
  /** What upstreams write to standard error, and what is wrong with them, one line at a time; default: as `say`. */
  readonly upstreams?: (line: string) => void;
  /** Whether `say` reaches a terminal that shows colours. */
  readonly colours?: boolean;
  /** Reads the configuration again when its file has changed; default: the file of the settings, with this environment. */
  readonly reload?: Reload;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface RunningGate {
  /** Where it listens. */
  readonly url: string;
  /** What it calls itself: links, Host check. */
  readonly origin: string;
  readonly parts: Parts;
  /** Stops everything; a second call waits for the first. */
  close(): Promise<void>;
}

export const systemClock: Clock = { nowMs: () => Date.now() };
export const systemRandom: Random = { bytes: (count) => randomFillSync(new Uint8Array(count)) };

/** Opens the store that a configuration names. Not exclusive: beside a running gate. */
export async function openStore(settings: Settings, how: { readonly exclusive: boolean; readonly clock?: Clock }): Promise<Store> {
  const channels = channelNames(settings);
  const { store } = settings;
  if (store.kind === 'sqlite') return openSqlite({ directory: store.directory, channels, ...how });
  // Loaded only by those who have one.
  const { openPostgres } = await import('./store/postgres.ts');
  return openPostgres({ url: store.url, channels, ...how });
}

/** Who is told of approvals; the store keeps a notice for each. */
export const channelNames = (settings: Settings): readonly string[] => ['terminal', ...(settings.webhook === null ? [] : ['webhook'])];

/** What is undone at the end, last first. */
class Closers {
  readonly #closers: (() => unknown)[] = [];
  #closing: Promise<void> | undefined;

  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  run(): Promise<void> {
    return (this.#closing ??= this.#run());
  }

  async #run(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.toReversed()) {
      // One part that does not stop must not keep the others from stopping.
      await Promise.resolve(close()).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** Starts a gate; resolves when it serves. Rejects, having undone everything, where it cannot. */
export async function startGate(settings: Settings, hooks: GateHooks = {}): Promise<RunningGate> {
  const closers = new Closers();
  try {
    return await start(settings, hooks, closers);
  } catch (error) {
    await closers.run().catch(() => undefined);
    throw error;
  }
}

async function start(settings: Settings, hooks: GateHooks, closers: Closers): Promise<RunningGate> {
  const say = (line: string): void => (hooks.say ?? ((text) => void process.stderr.write(`${text}\n`)))(visible(line));
  const clock = hooks.clock ?? systemClock;
  const random = hooks.random ?? systemRandom;
  for (const warning of settings.warnings) say(`warning: ${warning}`);
  const store = await openStore(settings, { exclusive: true, clock });
  closers.add(() => store.close());
  let started = false;
  closers.add(() => (started ? record(store, 'gate.stopped', {}) : undefined));

  // Bound before anything is built, because links need the port; answered only once everything is.
  let notReady: string | null = 'The gate is starting.';
  const busy = (): Promise<Response> => Promise.resolve(new Response(`${notReady ?? ''}\n`, { status: 503, headers: { 'retry-after': '1' } }));
  let handler: (request: Request) => Promise<Response> = busy;
  const served = await serve((request) => handler(request), settings.listen);
  closers.add(() => served.close());
  const origin = settings.url ?? originOf(settings, served.port);

  const waiters = createWaiters();
  closers.add(store.onChange((changed) => waiters.wake(changed)));
  const policy = createPolicyEngine();
  const world = createWorld(store, policy);
  const parts: Parts = { store, policy, clock, random, waiters, world, limits: settings.limits, origin };

  const lost = await recover(parts);
  if (lost > 0) say(`${lost} ${lost === 1 ? 'action was' : 'actions were'} running when the gate stopped; how they ended is unknown, and nothing is repeated.`);
  const proposals = await keepProposals({ settings, world, store, say, ...(hooks.reload === undefined ? {} : { reload: hooks.reload }) });
  closers.add(() => proposals.stop());

  const closing = new AbortController();
  const report = (error: unknown): void => say(`fault: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  const identity = createIdentity({ store, origin, clock, random });
  const mcp = createMcpFront({ parts, server: (name) => proposals.proposal.servers.find((one) => one.name === name), log: hooks.upstreams ?? say });
  closers.add(() => mcp.close());
  handler = createHttp({
    parts,
    identity,
    pages: createPages(parts, identity),
    mcp: (request, to) => mcp.handle(request, to.agent, to.server),
    ready: () => notReady,
    closing: closing.signal,
    report,
  });
  const deadlines = keepDeadlines(parts);
  closers.add(() => deadlines.stop());
  const notices = keepNotices(parts, channelsOf(settings, say, hooks), (held) => headlineOf(held.asked).text);
  closers.add(() => notices.stop());
  await record(store, 'gate.started', { url: served.url, origin, lost });
  started = true;
  // Added last, so that it is first: whoever waits is answered before anything is taken away.
  closers.add(() => {
    notReady = 'The gate is stopping.';
    handler = busy;
    closing.abort();
  });
  notReady = null;
  return { url: served.url, origin, parts, close: () => closers.run() };
}

/** On loopback people type `localhost`; elsewhere the address is all that we know. */
function originOf(settings: Settings, port: number): string {
  const { host } = settings.listen;
  const name = isLoopback(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

function channelsOf(settings: Settings, say: (line: string) => void, hooks: GateHooks): readonly Channel[] {
  // Its own lines are escaped already, and carry our colours.
  const write = hooks.say ?? say;
  const terminal = createTerminal({ write, colours: hooks.colours === true });
  return settings.webhook === null ? [terminal] : [terminal, createWebhook(settings.webhook, () => Date.now())];
}

async function record(store: Store, type: EntryType, data: JsonObject): Promise<void> {
  await store.change({ kind: 'record', entries: [{ type, by: { kind: 'gate' }, about: aboutNothing, subject: null, data }] });
}
