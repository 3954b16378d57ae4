/**
 * Builds the parts, starts them in order, and stops them in the other: the only file that knows all of them.
 *
 * Promises: what the files say is in force, or everything is denied and the operator is told why, before anything is served;
 * a failure while starting leaves nothing behind; closing is idempotent, and loses nothing that was acknowledged.
 */
import { keepCallbacks } from './app/callbacks.ts';
import { keepDeadlines, recover } from './app/deadlines.ts';
import type { About } from './app/about.ts';
import { acceptedTimezone } from './app/accepted.ts';
import { keepNotices } from './app/notices.ts';
import { gatherMs } from './app/outbox.ts';
import { keepRetention } from './app/retention.ts';
import { keepShipping } from './app/shipping.ts';
import { createBoard, toldOn } from './app/standing.ts';
import { createPaces } from './app/pace.ts';
import type { Limits, Parts, WorldNow } from './app/parts.ts';
import { createTurns } from './app/turns.ts';
import { createUnwritten } from './app/unwritten.ts';
import { createWaiters } from './app/waiters.ts';
import { createWorld } from './app/world.ts';
import { createCallback } from './channels/callback.ts';
import { isLoopback, type Settings } from './config.ts';
import { aboutOf } from './config/about.ts';
import { keepProposals, type Reload } from './config/propose.ts';
import type { CallbackRules } from './core/callback.ts';
import { aboutNothing, type EntryType } from './core/entry.ts';
import type { PersonId } from './core/ids.ts';
import type { JsonObject } from './core/json.ts';
import { headlineOf } from './core/render/headline.ts';
import { visible } from './core/visible.ts';
import { createMcpFront } from './enforce/mcp/front.ts';
import { actionView, lookerOf } from './http/api/views.ts';
import { createPages } from './http/pages/pages.ts';
import { createHttp, serve } from './http/server.ts';
import { createPasskeys } from './identity/passkeys.ts';
import { createIdentity } from './identity/tokens.ts';
import { whileWhole } from './log/guard.ts';
import { channelNames, openChannels, type Channels, type Platforms } from './main/channels.ts';
import { Closers } from './main/closers.ts';
import { Door } from './main/door.ts';
import { createShippers } from './main/ship.ts';
import { evidenceDesk } from './main/evidence.ts';
import { openLog, type RunningLog } from './main/log.ts';
import { createPolicyEngine } from './policy/engine.ts';
import type { Channel, Routing } from './ports/channel.ts';
import type { Clock } from './ports/clock.ts';
import type { Random } from './ports/random.ts';
import type { Store } from './ports/store.ts';
import { pooledRandom } from './store/random.ts';
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
  /** Chats in the place of the real ones. */
  readonly platforms?: Platforms;
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
export const systemRandom: Random = pooledRandom();

/** Opens the store that a configuration names. Not exclusive: beside a running gate. */
export async function openStore(
  settings: Settings,
  how: { readonly exclusive: boolean; readonly clock?: Clock },
): Promise<Store> {
  const channels = channelNames(settings);
  const { store } = settings;
  if (store.kind === 'sqlite') return openSqlite({ directory: store.directory, channels, ...how });
  // Loaded only by those who have one.
  const { openPostgres } = await import('./store/postgres.ts');
  return openPostgres({ url: store.url, channels, ...how });
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
  const say = (line: string): void =>
    (hooks.say ?? ((text) => void process.stderr.write(`${text}\n`)))(visible(line));
  for (const warning of settings.warnings) say(`warning: ${warning}`);
  const clock = hooks.clock ?? systemClock;
  const opened = await openStore(settings, { exclusive: true, clock });
  closers.add(() => opened.close());
  let log: RunningLog | undefined;
  // After the last entry.
  closers.add(() => log?.stop());
  const store = whileWhole(opened, () => log?.transparency.damage() ?? null);
  const { size: after } = await store.head();
  const door = new Door();
  closers.add(() => (door.handler === null ? undefined : record(store, 'gate.stopped', {})));
  // Bound before anything is built, because links need the port.
  const served = await serve((request) => door.handle(request), settings.listen);
  closers.add(() => served.close());

  const waiters = createWaiters();
  closers.add(store.onChange((changed) => waiters.wake(changed)));
  const timezone = await zoneOf(store, settings, say);
  const policy = createPolicyEngine({ timezone });
  const origin = originOf(settings, served.port);
  const random = hooks.random ?? systemRandom;
  log = await openLog(settings, { store: opened, clock, origin, say });
  const { transparency } = log;
  const world = createWorld({ store, policy, clock, random });
  const turns = createTurns();
  const pace = createPaces();
  const board = createBoard();
  const allowVirtualAuthenticator = (): boolean => world.signIn().allowVirtualAuthenticator;
  const passkeys = createPasskeys({ origin, random, allowVirtualAuthenticator });
  const unwritten = createUnwritten(store);
  const made = { store, unwritten, policy, clock, random, waiters, turns, pace, world };
  const limits = limitsNow(settings, world);
  const { ocsf, quorum } = settings.log;
  const evidence = evidenceDesk({ store, policy, clock, world, origin }, transparency, quorum);
  const parts: Parts = { ...made, limits, board, passkeys, transparency, ocsf, evidence, origin };
  closers.add(() => unwritten.stop());
  const lost = await recover(parts);
  if (lost > 0)
    say(`Running when the gate last stopped: ${lost}. How they ended is unknown, and nothing is repeated.`);
  const reload = hooks.reload === undefined ? {} : { reload: hooks.reload };
  const proposals = await keepProposals({ settings, world, store, say, ...reload });
  closers.add(() => proposals.stop());

  // Its own lines are escaped already, and carry our colours.
  const speaks = { write: hooks.say ?? say, colours: hooks.colours === true, say };
  const channels = await openChannels({ ...parts, board }, settings.channels, speaks, hooks.platforms);
  const closing = new AbortController();
  const handler = handlerOf(parts, {
    about: aboutNow({ ...parts, board }, { ...settings, timezone }),
    say,
    upstreams: hooks.upstreams ?? say,
    door,
    closing: closing.signal,
    closers,
    channels,
    callbacks: settings.callbacks,
    timezone,
  });
  keepGoing({ ...parts, board }, settings, { channels, routing: () => proposals.routing(), closers });
  await record(store, 'gate.started', { url: served.url, origin, lost, after, observed: world.observed() });
  door.handler = handler;
  door.closed = null;
  await channels.start();
  closers.add(() => channels.stop());
  closers.add(store.onChange(() => channels.changed()));
  // Added last, so that it is first: whoever waits is answered before anything is taken away.
  closers.add(() => {
    door.closed = 'The gate is stopping.';
    closing.abort();
  });
  return { url: served.url, origin, parts, close: () => closers.run() };
}

/** What is said of the gate, as it is when somebody looks. */
const aboutNow = (
  { board, clock, world }: Parts & Required<Pick<Parts, 'board'>>,
  settings: Settings,
): About =>
  aboutOf(settings, {
    board,
    channels: [...channelNames(settings), ...(settings.callbacks === null ? [] : ['callback'])],
    servers: () => world.inForce().servers,
    providers: () => world.signIn().people.providers,
    clock,
  });

/** What goes on by itself: deadlines, telling people, calling askers back, shipping the log. */
function keepGoing(
  parts: Parts & Required<Pick<Parts, 'board'>>,
  settings: Settings,
  {
    channels,
    routing,
    closers,
  }: { readonly channels: Channels; readonly routing: () => Routing; readonly closers: Closers },
): void {
  const { board, clock } = parts;
  const deadlines = keepDeadlines(parts);
  closers.add(() => deadlines.stop());
  const told = channels.channels.map((channel) => toldOn(board, clock, channel));
  const notices = keepNotices(parts, told, (held) => headlineOf(held.asked).text, {
    routing,
    // What keeps its words true tells a moment's news as one; what cannot take a word back tells each.
    gatherMsOf: (name) => (name === 'slack' || name === 'teams' ? gatherMs : 0),
  });
  closers.add(() => notices.stop());
  const callbacks = keepCallbacks(parts, {
    channel: toldOn(board, clock, callbackOf(parts, settings)),
    headlineOf: () => '',
  });
  closers.add(() => callbacks.stop());
  const { lateMs } = settings.log;
  const shipping = keepShipping(parts, { places: createShippers(parts, settings.log), lateMs });
  closers.add(() => shipping.stop());
  const retention = keepRetention(parts, { payloadsMs: settings.log.payloadsMs });
  closers.add(() => retention.stop());
}

/** As at start, but for the cool-off: it is a part of what is accepted, and may change while the gate runs. */
const limitsNow = (settings: Settings, world: WorldNow): Limits => ({
  ...settings.limits,
  get coolOffMs() {
    return world.signIn().people.coolOffMs;
  },
});

/** What policies read of the time changes what they say: another zone waits for people, as any change does. */
async function zoneOf(store: Store, settings: Settings, say: (line: string) => void): Promise<string> {
  const accepted = acceptedTimezone((await store.accepted('servers'))?.body) ?? settings.timezone;
  if (accepted !== settings.timezone)
    say(
      `warning: policies read the time of ${accepted}; ${settings.timezone} waits until people accept it, and then for a restart.`,
    );
  return accepted;
}

interface Mounting {
  readonly about: About;
  readonly say: (line: string) => void;
  readonly upstreams: (line: string) => void;
  readonly door: Door;
  readonly closing: AbortSignal;
  readonly closers: Closers;
  readonly channels: Channels;
  readonly callbacks: CallbackRules | null;
  readonly timezone: string;
}

/** Everything that answers requests, behind one function. */
function handlerOf(parts: Parts, at: Mounting): (request: Request) => Promise<Response> {
  const { store, origin, clock, random, world } = parts;
  const identity = createIdentity({
    store,
    origin,
    clock,
    random,
    issuers: () => world.signIn().issuers,
    accountOf: personOfAccount(store),
    people: () => world.signIn().people,
    say: at.say,
  });
  const mcp = createMcpFront({
    parts,
    // Asked at every connection: a server that was removed a moment ago has none, nor one whose change waits for people.
    server: (name) => parts.world.inForce().servers.find((one) => one.name === name),
    log: at.upstreams,
  });
  at.closers.add(() => mcp.close());
  return createHttp({
    parts,
    identity,
    pages: createPages(parts, identity, at.about),
    mcp: (request, to) => mcp.handle(request, to),
    channels: (request) => at.channels.handle(request),
    authorizationServers: () =>
      world
        .signIn()
        .issuers.filter((one) => one.authorizationServer)
        .map((one) => one.issuer),
    ready: () => at.door.closed,
    closing: at.closing,
    callbacks: at.callbacks,
    timezone: at.timezone,
    report: (error) =>
      at.say(`fault: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
  });
}

/** Whose account this is at an OpenID provider: attached, and not taken away. */
const personOfAccount =
  (store: Store) =>
  async (issuer: string, subject: string): Promise<PersonId | undefined> => {
    const account = await store.account({ kind: 'oidc', issuer, subject });
    return account?.endedAtMs === null ? account.person : undefined;
  };

/** What a gate calls itself: as configured, else by its port. On loopback people type `localhost`. */
export function originOf(settings: Settings, port: number): string {
  if (settings.url !== null) return settings.url;
  const { host } = settings.listen;
  const name = isLoopback(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

function callbackOf(parts: Parts, { callbacks }: Settings): Channel {
  return createCallback({
    settings: callbacks,
    // What its agent gets where it asks for the action itself, and no more.
    body: (held) => actionView(held, lookerOf(parts, { kind: 'agent', id: held.asked.action.agent })),
    nowMs: () => Date.now(),
  });
}

async function record(store: Store, type: EntryType, data: JsonObject): Promise<void> {
  await store.change({
    kind: 'record',
    entries: [{ type, by: { kind: 'gate' }, about: aboutNothing, subject: null, data }],
  });
}
