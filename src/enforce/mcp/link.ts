/**
 * The upstream side of one agent connection. Opens connections one after another: the first by the agent's own
 * `initialize`; the next, by the same words, when a process was stopped after idle minutes, when it died, when the upstream
 * forgot the session, or when the configuration names another upstream. The agent notices nothing but a new process.
 *
 * Promise: nothing is called on a connection before its own list of tools was read and compared with what is pinned.
 */
import type { Parts } from '../../app/parts.ts';
import { operationOf } from '../../core/action.ts';
import { upstreamOn } from '../../app/standing.ts';
import type { JsonObject } from '../../core/json.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ServerSettings } from '../../ports/settings.ts';
import type { Connection, FromUpstream } from './connection.ts';
import { handshake, initializeMs } from './handshake.ts';
import { hashesOf, listAll } from './listing.ts';
import { notificationText, type Answer, type RequestId } from './message.ts';
import type { Log, StreamTurn } from './pipe.ts';
import { pin, type SeenTool } from './pins.ts';
import type { SeenHashes, ToolLink } from './tool-link.ts';
import { tracedConnection } from './traced.ts';

/** The revisions of the protocol that this gate carries; agent and upstream agree on one of them. */
export const revisions: readonly string[] = [
  '2025-11-25',
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
  '2024-10-07',
];

/** How long a list of tools is believed: a server may change a tool without saying so. Held calls never believe an old one. */
export const believedMs = 30_000;
/** What one connection may set for itself (logging level, subscriptions), to be set again on the next. */
const rememberedMax = 256;

export interface LinkAt {
  readonly parts: Parts;
  /** What the configuration says of the server now; undefined once it is gone. */
  readonly settings: () => ServerSettings | undefined;
  readonly log: Log;
  /** Random text. */
  readonly secret: string;
  readonly message: (incoming: FromUpstream, related: RequestId | null) => void;
  /** As PipeEvents. */
  readonly stream?: (id: RequestId, turn: StreamTurn) => void;
  /** A connection ended, and with it what it asked. */
  readonly ended: () => void;
}

/** A request that sets something for the whole connection. */
interface Setting {
  readonly method: string;
  readonly params: JsonObject;
}

/** One connection, with what was read from it. */
interface Live {
  readonly connection: Connection;
  readonly settings: ServerSettings;
  seen: SeenHashes | null;
  seenAtMs: number;
  listing: { readonly round: object; readonly listing: Promise<Result<SeenHashes, Refusal>> } | null;
}

type Connected = Result<{ readonly live: Live; readonly result: JsonObject }, Refusal>;

export const unavailable = (detail: string): Refusal =>
  refuse('upstream_unavailable', `The MCP server behind the gate cannot be reached: ${detail}.`);

export class Link implements ToolLink {
  readonly #at: LinkAt;
  readonly #settings = new Map<string, Setting>();
  #hello: JsonObject | undefined;
  #version: string | undefined;
  #initialized = false;
  #closed = false;
  #current: Promise<Result<Live, Refusal>> | undefined;

  constructor(at: LinkAt) {
    this.#at = at;
  }

  /** The first connection; answers the upstream's `initialize` result. */
  async start(hello: JsonObject): Promise<Result<JsonObject, Refusal>> {
    this.#hello = hello;
    const made = this.#connect(hello);
    this.#current = made.then((one) => (one.ok ? ok(one.value.live) : one));
    const first = await made;
    return first.ok ? ok(first.value.result) : first;
  }

  /** A connection that lives, opened anew where the last one ended. */
  async live(): Promise<Result<Connection, Refusal>> {
    const live = await this.#live();
    return live.ok ? ok(live.value.connection) : live;
  }

  /** What the upstream of the live connection says of all its tools. @param afresh asks it now. */
  async tools(afresh: boolean): Promise<Result<SeenHashes, Refusal>> {
    const live = await this.#live();
    if (!live.ok) return live;
    const { seen, seenAtMs, listing } = live.value;
    const fresh = this.#at.parts.clock.nowMs() - seenAtMs < believedMs;
    if (!afresh && fresh && seen !== null) return ok(seen);
    return !afresh && listing !== null ? listing.listing : this.#list(live.value);
  }

  /** Takes one page of tools that the agent asked for; pins what is new. */
  async page(seen: readonly SeenTool[]): Promise<Result<null, Refusal>> {
    const live = await this.#live();
    if (!live.ok) return live;
    // A page is no whole list, but what it says of a tool is newer than what was seen before.
    if (live.value.seen !== null) live.value.seen = new Map([...live.value.seen, ...hashesOf(seen)]);
    return pin(this.#at.parts, live.value.settings, seen, this.#at.log);
  }

  /** The agent has said `notifications/initialized`: so is the next connection told. */
  initialized(): void {
    this.#initialized = true;
  }

  /** Sends an answer or a notification on the connection that lives; nowhere where none does. */
  async tell(text: string): Promise<void> {
    const now = await this.#current;
    if (now?.ok === true && now.value.connection.over === null) await now.value.connection.tell(text);
  }

  /** Remembers a setting for the next connection; null forgets it. */
  remember(key: string, setting: Setting | null): void {
    if (setting === null) this.#settings.delete(key);
    else if (this.#settings.size < rememberedMax || this.#settings.has(key)) this.#settings.set(key, setting);
  }

  /** Ends the connection; the next use opens another. */
  async stop(): Promise<void> {
    const now = await this.#current;
    if (now?.ok === true) await now.value.connection.close();
  }

  /** Ends it for good. */
  close(): Promise<void> {
    this.#closed = true;
    return this.stop();
  }

  async #live(): Promise<Result<Live, Refusal>> {
    const held = this.#current;
    const now = await held;
    if (now?.ok === true && now.value.connection.over === null) {
      if (!this.#closed && sameUpstream(now.value.settings, this.#at.settings())) return now;
      void now.value.connection.close();
    }
    // Else somebody else has begun already.
    if (this.#current === held) this.#current = this.#revive();
    return this.#current ?? err(unavailable('it was closed'));
  }

  async #connect(hello: JsonObject): Promise<Connected> {
    const { settings: settingsNow, message, stream, ended } = this.#at;
    const settings = settingsNow();
    if (settings === undefined || this.#closed) return err(unavailable('it is no longer configured'));
    const standing = upstreamOn(this.#at.parts, settings.name);
    const closed = (): void => {
      standing.ended();
      ended();
    };
    const { parts, secret, log } = this.#at;
    const schemaOf = (tool: string): JsonObject | undefined =>
      parts.world.catalog.entry(operationOf(settings.name, tool))?.inputSchema;
    const on = { message, closed, ...(stream && { stream }) };
    const opened = await handshake(settings.upstream, { secret, on, log, schemaOf }, hello);
    if (typeof opened === 'string') {
      standing.failed(opened);
      return err(unavailable(opened));
    }
    const { connection, answer } = opened;
    const result = answer.ok && answer.value.kind === 'result' ? answer.value.result : undefined;
    const version = result?.['protocolVersion'];
    const agreed = this.#version ?? revisions.find((one) => one === version);
    if (result !== undefined && agreed !== undefined && agreed === version) {
      this.#version = agreed;
      connection.agreed(agreed);
      if (connection.over === null) standing.opened();
      const traced = tracedConnection(connection, parts.tracing, { server: settings.name, version: agreed });
      return ok({
        live: { connection: traced, settings, seen: null, seenAtMs: 0, listing: null },
        result,
      });
    }
    void connection.close();
    const why = answer.ok ? whyNot(answer.value) : answer.error.detail;
    standing.failed(why);
    return err(unavailable(why));
  }

  async #revive(): Promise<Result<Live, Refusal>> {
    if (this.#hello === undefined) return err(unavailable('the connection was never initialized'));
    const made = await this.#connect(this.#hello);
    if (!made.ok) return made;
    const { connection } = made.value.live;
    if (this.#initialized) await connection.tell(notificationText('notifications/initialized'));
    // What fails here fails as it would for the agent: the setting is lost, not the connection.
    for (const { method, params } of this.#settings.values())
      await connection.ask(method, params, initializeMs);
    return ok(made.value.live);
  }

  #list(live: Live): Promise<Result<SeenHashes, Refusal>> {
    const round = {};
    const askedAtMs = this.#at.parts.clock.nowMs();
    live.seen = null; // whoever calls meanwhile waits for what is asked now
    const settle = (seen: SeenHashes | null): void => {
      if (live.listing?.round !== round) return; // a later question is under way
      live.listing = null;
      live.seen = seen;
      live.seenAtMs = askedAtMs;
    };
    const listing = this.#listNow(live).then(
      (result) => {
        settle(result.ok ? result.value : null);
        return result;
      },
      (error: unknown) => {
        settle(null);
        throw error;
      },
    );
    live.listing = { round, listing };
    return listing;
  }

  /** Reads all tools of a connection, and pins what is new. */
  async #listNow(live: Live): Promise<Result<SeenHashes, Refusal>> {
    const tools = await listAll(live.connection, this.#at.log);
    if (!tools.ok) return err(unavailable(tools.error.detail));
    const pinned = await pin(this.#at.parts, live.settings, tools.value, this.#at.log);
    return pinned.ok ? ok(hashesOf(tools.value)) : pinned;
  }
}

function whyNot(answer: Answer): string {
  if (answer.kind === 'error') return `it refused to start: ${answer.error.message.slice(0, 200)}`;
  const version = JSON.stringify(answer.result['protocolVersion'] ?? null).slice(0, 40);
  return `it speaks revision ${version} of the protocol, which this connection does not`;
}

/** Whether the configuration still names the same upstream, credentials included. */
const sameUpstream = (before: ServerSettings, now: ServerSettings | undefined): boolean =>
  now !== undefined &&
  (now.upstream === before.upstream || JSON.stringify(now.upstream) === JSON.stringify(before.upstream));
