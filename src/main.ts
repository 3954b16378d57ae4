/**
 * Builds the parts, starts them in order, and stops them in the other: the only file that knows all of them.
 *
 * Promises: what the files say is in force, or everything is denied and the operator is told why, before anything is served;
 * a failure while starting leaves nothing behind; closing is idempotent, and loses nothing that was acknowledged.
 */
import { keepAlive, type Alive } from './app/alive.ts';
import { recover } from './app/deadlines.ts';
import { acceptedTimezone } from './app/accepted.ts';
import type { Parts } from './app/parts.ts';
import { isLoopback, readSettings, type Settings } from './config.ts';
import { keepProposals, type Reload } from './config/propose.ts';
import { aboutNothing, type EntryType } from './core/entry.ts';
import { gateIdOf } from './core/ids.ts';
import type { JsonObject } from './core/json.ts';
import { serve } from './http/server.ts';
import { whileWhole } from './log/guard.ts';
import { channelNames, openChannels, type Platforms } from './main/channels.ts';
import { Closers } from './main/closers.ts';
import { Door } from './main/door.ts';
import { bodyOf, othersOf } from './main/gate.ts';
import { keepGoing } from './main/going.ts';
import { openLog, type RunningLog } from './main/log.ts';
import { handlerOf } from './main/mounting.ts';
import { as, openTelemetry } from './main/telemetry.ts';
import { Stopping, type StopHow, type Stopped } from './main/stopping.ts';
import type { Clock } from './ports/clock.ts';
import type { Meters } from './ports/meters.ts';
import type { Random } from './ports/random.ts';
import type { Say } from './ports/say.ts';
import type { Store } from './ports/store.ts';
import { pooledRandom } from './store/random.ts';
import { openSqlite } from './store/sqlite.ts';
import { aboutNow, partsOf } from './main/parts.ts';

/** What a caller may replace or listen to. */
export interface GateHooks {
  /** Told what an operator should read, one line at a time; default: stderr. */
  readonly say?: (line: string) => void;
  /** What upstreams write to standard error, and what is wrong with them, one line at a time; default: as `say`. */
  readonly upstreams?: (line: string) => void;
  /** Whether `say` reaches a terminal that shows colours. */
  readonly colours?: boolean;
  /** Whether people read what is said: then it is text, unless the configuration says otherwise. Default: true. */
  readonly terminal?: boolean;
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
  /** Says a line where the gate says its own. */
  readonly say: Say;
  /** Stops everything (main/stopping.ts); a second call waits for the first. */
  close(how?: StopHow): Promise<Stopped>;
}

export const systemClock: Clock = { nowMs: () => Date.now() };
export const systemRandom: Random = pooledRandom();

/** How a store is opened. Not exclusive: beside a running gate. */
interface Opening {
  readonly exclusive: boolean;
  readonly clock?: Clock;
  readonly gate?: string;
  readonly say?: (line: string) => void;
  readonly meters?: Meters;
}

/** Opens the store that a configuration names. */
export async function openStore(settings: Settings, { exclusive, say, ...how }: Opening): Promise<Store> {
  const channels = channelNames(settings);
  const { store } = settings;
  if (store.kind === 'sqlite') return openSqlite({ directory: store.directory, channels, exclusive, ...how });
  // Loaded only by those who have one.
  const { openPostgres } = await import('./store/postgres.ts');
  // Any number of gates share it.
  const { url, direct, standby } = store;
  return openPostgres({ url, direct, standby, channels, ...how, ...(say !== undefined && { say }) });
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
  const begun = await begin(settings, hooks, closers);
  const { opened, store, door, served, gate, origin, timezone, telemetry, parts } = begun;
  const { say } = telemetry;
  const { world } = parts;
  const body = bodyOf(served.url, () => {
    const { candidate, olderSinceMs } = world.config();
    return { config: candidate, current: olderSinceMs === undefined };
  });
  const alive = await keepAlive({ store: opened, gate, body, say });
  begun.living(alive);
  // Where other gates may live, what is left running is given up once it is known whose it was (app/alive.ts).
  const lost = opened.shared ? 0 : await recover(parts);
  if (lost > 0)
    say(`Running when the gate last stopped: ${lost}. How they ended is unknown, and nothing is repeated.`);
  const reload = telemetry.learning(hooks.reload ?? (() => readSettings(settings.file)));
  const proposals = await keepProposals({ settings, world, store, say: as(say, 'config.note'), reload });
  closers.add(() => proposals.stop());

  // Its own lines are escaped already, and carry our colours.
  const colours = hooks.colours === true && telemetry.text;
  const speaks = { write: telemetry.own, colours, say: as(say, 'channel.trouble', 'warn') };
  const channels = await openChannels(parts, settings.channels, speaks, hooks.platforms);
  const stopping = new Stopping({
    door,
    closers,
    graceMs: settings.shutdown.graceMs,
    waiting: () => parts.waiters.waiting(),
    endStreams: () => served.endStreams(),
  });
  const handler = handlerOf(parts, {
    about: aboutNow(parts, { ...settings, timezone }, gate),
    say,
    upstreams: hooks.upstreams ?? as(say, 'upstream.output'),
    access: telemetry.access,
    door,
    stopping,
    closers,
    channels,
    callbacks: settings.callbacks,
    timezone,
  });
  keepGoing(parts, settings, { gate, channels, routing: () => proposals.routing(), closers });
  await record(store, 'gate.started', {
    gate,
    ...othersOf(alive, gate),
    url: served.url,
    origin,
    lost,
    after: begun.after,
    observed: world.observed(),
  });
  door.handler = handler;
  door.closed = null;
  await channels.start();
  closers.add(() => channels.stop());
  closers.add(store.onChange(() => channels.changed()));
  return { url: served.url, origin, parts, say, close: (how) => stopping.stop(how) };
}

/** The store, the log and the door of a gate that does not serve yet. */
async function begin(settings: Settings, hooks: GateHooks, closers: Closers) {
  const random = hooks.random ?? systemRandom;
  const gate = gateIdOf(random.bytes(16));
  const telemetry = await openTelemetry({ settings, gate, ...hooks });
  closers.add(() => telemetry.stop());
  const { say, meters } = telemetry;
  for (const warning of settings.warnings) say(`warning: ${warning}`);
  const door = new Door();
  // Bound before anything is built: links need the port, and whoever asks whether the process lives is answered also while the
  // store is brought to this version, which may take long.
  const served = await serve((request) => door.handle(request), settings.listen);
  closers.add(() => served.close());
  const given = hooks.clock === undefined ? {} : { clock: hooks.clock };
  const opened = await openStore(settings, { exclusive: true, gate, say, meters, ...given });
  const { clock } = opened;
  closers.add(() => opened.close());
  let alive: Alive | undefined;
  closers.add(() => alive?.stop());
  let log: RunningLog | undefined;
  // After the last entry.
  closers.add(() => log?.stop());
  const store = telemetry.watch(whileWhole(opened, () => log?.transparency.damage() ?? null));
  const { size: after } = await store.head();
  closers.add(() => (door.handler === null ? undefined : record(store, 'gate.stopped', { gate })));
  // Before what it needs is taken down; what was closed once is closed.
  closers.add(() => served.close());

  const timezone = await zoneOf(store, settings, say);
  const origin = originOf(settings, served.port);
  const trouble = as(say, 'log.trouble', 'warn');
  log = await openLog(settings, { store: opened, clock, origin, meters, say: trouble });
  const lives = (): boolean => alive?.lives() ?? true;
  const made = { store, log, clock, random, timezone, origin, closers, telemetry, lives };
  const parts = partsOf(settings, made);
  return {
    opened,
    store,
    after,
    door,
    served,
    gate,
    origin,
    timezone,
    telemetry,
    parts,
    /** It says from now on that it lives. */
    living: (now: Alive): void => void (alive = now),
  };
}

/** What policies read of the time changes what they say: another zone waits for people, as any change does. */
async function zoneOf(store: Store, settings: Settings, say: (line: string) => void): Promise<string> {
  const accepted = acceptedTimezone((await store.accepted('servers'))?.body) ?? settings.timezone;
  if (accepted !== settings.timezone)
    say(
      `warning: policies read the time of ${accepted}; ${settings.timezone} waits until people accept it, and then for a restart.`,
    );
  return accepted;
}

/** What a gate calls itself: as configured, else by its port. On loopback people type `localhost`. */
export function originOf(settings: Settings, port: number): string {
  if (settings.url !== null) return settings.url;
  const { host } = settings.listen;
  const name = isLoopback(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

async function record(store: Store, type: EntryType, data: JsonObject): Promise<void> {
  await store.change({
    kind: 'record',
    entries: [{ type, by: { kind: 'gate' }, about: aboutNothing, subject: null, data }],
  });
}
