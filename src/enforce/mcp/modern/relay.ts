/**
 * An upstream by URL that speaks 2026-07-28, as the gate uses it for all agents: it knows no connections, so what the gate
 * keeps of it is only what it said of its tools, and for how long that is believed.
 *
 * Promise: as for a connection of the older era (link.ts), nothing is called before the list of tools was read and compared
 * with what is pinned.
 */
import { operationOf } from '../../../core/action.ts';
import type { Parts } from '../../../app/parts.ts';
import type { Refusal } from '../../../core/refusal.ts';
import { err, ok, type Result } from '../../../core/result.ts';
import type { ServerSettings, Upstream } from '../../../ports/settings.ts';
import type { Connection } from '../connection.ts';
import { believedMs, unavailable } from '../link.ts';
import { hashesOf, listAll } from '../listing.ts';
import type { Log } from '../pipe.ts';
import { pin, type SeenTool } from '../pins.ts';
import type { SeenHashes, ToolLink } from '../tool-link.ts';
import { tracedConnection } from '../traced.ts';
import { modernRevision } from './envelope.ts';
import { openExchange, type Heard } from './exchange.ts';

export interface RelayAt {
  readonly parts: Parts;
  readonly server: string;
  readonly upstream: Upstream & { readonly kind: 'url' };
  /** What the configuration says of the server now. */
  readonly settings: () => ServerSettings | undefined;
  readonly log: Log;
  /** It answered as a server of another era would. */
  readonly doubted: () => void;
}

export class Relay {
  readonly upstream: Upstream & { readonly kind: 'url' };
  readonly #at: RelayAt;
  #seen: SeenHashes | null = null;
  #seenAtMs = 0;
  #listing: Promise<Result<SeenHashes, Refusal>> | undefined;

  constructor(at: RelayAt) {
    this.#at = at;
    this.upstream = at.upstream;
  }

  /** A way to ask it on behalf of one request. @param heard gets the notifications on that request's stream. */
  open(heard: (notification: Heard) => void): Connection {
    const { parts, server, log, upstream, doubted } = this.#at;
    const schemaOf = (tool: string) => parts.world.catalog.entry(operationOf(server, tool))?.inputSchema;
    const exchange = openExchange(upstream, { log, heard, schemaOf, doubted });
    return tracedConnection(exchange, parts.tracing, { server, version: modernRevision });
  }

  /** The same for calls. */
  link(connection: Connection): ToolLink {
    return { tools: (afresh) => this.tools(afresh), live: () => Promise.resolve(ok(connection)) };
  }

  tools(afresh: boolean): Promise<Result<SeenHashes, Refusal>> {
    const fresh = this.#at.parts.clock.nowMs() - this.#seenAtMs < believedMs;
    if (!afresh && this.#listing !== undefined) return this.#listing;
    if (!afresh && fresh && this.#seen !== null) return Promise.resolve(ok(this.#seen));
    return this.#list();
  }

  /** Takes one page of tools that an agent asked for; pins what is new. */
  page(seen: readonly SeenTool[]): Promise<Result<null, Refusal>> {
    if (this.#seen !== null) this.#seen = new Map([...this.#seen, ...hashesOf(seen)]);
    return this.#pin(seen);
  }

  #list(): Promise<Result<SeenHashes, Refusal>> {
    const askedAtMs = this.#at.parts.clock.nowMs();
    this.#seen = null; // whoever calls meanwhile waits for what is asked now
    const listing = this.#listNow().then((listed) => {
      if (this.#listing !== listing) return listed; // a later question is under way
      this.#listing = undefined;
      this.#seen = listed.ok ? listed.value : null;
      this.#seenAtMs = askedAtMs;
      return listed;
    });
    this.#listing = listing;
    listing.catch(() => {
      if (this.#listing === listing) this.#listing = undefined;
    });
    return listing;
  }

  async #listNow(): Promise<Result<SeenHashes, Refusal>> {
    const connection = this.open(() => undefined);
    const tools = await listAll(connection, this.#at.log);
    void connection.close();
    if (!tools.ok) return err(unavailable(tools.error.detail));
    const pinned = await this.#pin(tools.value);
    return pinned.ok ? ok(hashesOf(tools.value)) : pinned;
  }

  #pin(seen: readonly SeenTool[]): Promise<Result<null, Refusal>> {
    const settings = this.#at.settings();
    return settings === undefined
      ? Promise.resolve(err(unavailable('it is no longer configured')))
      : pin(this.#at.parts, settings, seen, this.#at.log);
  }
}
