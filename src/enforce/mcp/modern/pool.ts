/**
 * An upstream of 2025-11-25 or older behind an agent that needs no session: one connection for each agent, kept while it is
 * used and ended when it has been idle. What goes up and comes down is translated: ids and progress tokens (requests of one
 * agent are independent of each other and may repeat them), the kind of a result, caching hints, error codes.
 */
import type { Parts } from '../../../app/parts.ts';
import type { AgentId } from '../../../core/ids.ts';
import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import type { Refusal } from '../../../core/refusal.ts';
import { ok, type Result } from '../../../core/result.ts';
import type { ServerSettings } from '../../../ports/settings.ts';
import type { Connection, FromUpstream } from '../connection.ts';
import { Link, revisions } from '../link.ts';
import { errorText, keyOf, notificationText, resultText, rpcCodes, type RequestId } from '../message.ts';
import { messageOf, type Log } from '../pipe.ts';
import { questionMethods } from '../questions.ts';
import type { ToolLink } from '../tool-link.ts';
import { ownMeta, type Heard } from './exchange.ts';
import { newer } from './translate.ts';

/** A question of the upstream while a call runs. */
export type Asking = FromUpstream & { readonly kind: 'request' };

/** One request of the agent, as the connection sees it. */
export interface Use {
  readonly heard: (notification: Heard) => void;
  /** Takes a question; where it is undefined, or two requests run on a transport that does not tell, nobody is asked. */
  readonly asking?: (question: Asking) => void;
}

export interface PooledAt {
  readonly parts: Parts;
  readonly agent: AgentId;
  readonly server: string;
  readonly settings: () => ServerSettings | undefined;
  readonly log: Log;
  readonly secret: string;
  /** How long without a request before it is ended. */
  readonly idleMs: number;
  /** It is ended, and not to be used again. */
  readonly gone: () => void;
}

/** How long subscribing to one resource may take. */
const subscribeMs = 10_000;

export class Pooled {
  readonly #at: PooledAt;
  readonly #link: Link;
  readonly #uses = new Map<string, Use>();
  /** The agent's progress tokens by ours. */
  readonly #tokens = new Map<string, { readonly token: RequestId; readonly use: Use }>();
  readonly #listeners = new Set<(notification: Heard) => void>();
  /** How many streams are about a resource. */
  readonly #followed = new Map<string, number>();
  #started: Promise<Result<JsonObject, Refusal>> | undefined;
  #count = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(at: PooledAt) {
    this.#at = at;
    const { parts, settings, log, secret } = at;
    this.#link = new Link({
      parts,
      settings,
      log,
      secret,
      message: (incoming, related) => this.#message(incoming, related),
      ended: () => undefined, // the next use opens another
    });
  }

  /** The upstream's `initialize` result. */
  start(): Promise<Result<JsonObject, Refusal>> {
    this.#rest();
    this.#started ??= this.#start();
    return this.#started;
  }

  get busy(): boolean {
    return this.#uses.size > 0 || this.#listeners.size > 0;
  }

  /** Gets what belongs to no request: changes of lists, updates of resources. Answers how to stop. */
  listen(listener: (notification: Heard) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      this.#rest();
    };
  }

  /** Subscribes to resources, each once however many streams are about it. */
  async follow(uris: readonly string[]): Promise<void> {
    for (const uri of uris) {
      const count = this.#followed.get(uri) ?? 0;
      this.#followed.set(uri, count + 1);
      if (count === 0) await this.#subscribe('resources/subscribe', uri);
    }
  }

  async unfollow(uris: readonly string[]): Promise<void> {
    for (const uri of uris) {
      const count = (this.#followed.get(uri) ?? 1) - 1;
      if (count > 0) this.#followed.set(uri, count);
      else {
        this.#followed.delete(uri);
        await this.#subscribe('resources/unsubscribe', uri);
      }
    }
  }

  async #subscribe(method: string, uri: string): Promise<void> {
    const setting = { method, params: { uri } };
    this.#link.remember(`uri ${uri}`, method === 'resources/subscribe' ? setting : null);
    const live = await this.#link.live();
    if (live.ok) await live.value.ask(method, { uri }, subscribeMs);
  }

  link(use: Use): ToolLink & { readonly tell: (text: string) => Promise<void> } {
    return {
      tools: (afresh) => this.#link.tools(afresh),
      live: async () => {
        const live = await this.#link.live();
        return live.ok ? ok(this.#wrapped(live.value, use)) : live;
      },
      tell: (text) => this.#link.tell(text),
    };
  }

  /** Pins a page of tools that an agent asked for. */
  page(...args: Parameters<Link['page']>): ReturnType<Link['page']> {
    return this.#link.page(...args);
  }

  close(): Promise<void> {
    clearTimeout(this.#idle);
    return this.#link.close();
  }

  async #start(): Promise<Result<JsonObject, Refusal>> {
    const hello = {
      protocolVersion: revisions[0] ?? '',
      // What an agent cannot answer is refused when it is asked: agents say it with each request.
      capabilities: { elicitation: {}, sampling: {} },
      clientInfo: ownMeta['io.modelcontextprotocol/clientInfo'] ?? {},
    };
    const started = await this.#link.start(hello);
    if (started.ok) {
      this.#link.initialized();
      await this.#link.tell(notificationText('notifications/initialized'));
    } else {
      this.#started = undefined;
    }
    return started;
  }

  #wrapped(connection: Connection, use: Use): Connection {
    const ours = new Map<string, string>();
    return {
      upstream: connection.upstream,
      get over() {
        return connection.over;
      },
      request: async (id, method, params = {}) => {
        this.#count += 1;
        const own = `modern-${this.#count}`;
        ours.set(keyOf(id), own);
        this.#uses.set(keyOf(own), use);
        clearTimeout(this.#idle);
        const answer = await connection.request(own, method, this.#older(params, own, use));
        this.#uses.delete(keyOf(own));
        this.#tokens.delete(own);
        this.#rest();
        return answer.ok ? ok(newer(answer.value, id, method)) : answer;
      },
      ask: (method, params, timeoutMs) => connection.ask(method, params, timeoutMs),
      tell: async (text) => {
        // Only a cancellation of our own (run.ts, forward.ts): its request goes by another id up there.
        const { params } = JSON.parse(text) as { readonly params?: { readonly requestId?: RequestId } };
        const own = params?.requestId === undefined ? undefined : ours.get(keyOf(params.requestId));
        if (own !== undefined)
          await connection.tell(notificationText('notifications/cancelled', { requestId: own }));
      },
      forget: (id) => {
        const own = ours.get(keyOf(id));
        if (own === undefined) return;
        connection.forget(own);
        this.#uses.delete(keyOf(own));
        this.#tokens.delete(own);
        this.#rest();
      },
      agreed: () => undefined,
      close: () => Promise.resolve(),
    };
  }

  /** Parameters without what the older era does not know, and with a progress token of ours. */
  #older(params: JsonObject, own: string, use: Use): JsonObject {
    const { _meta: meta, inputResponses: _answers, requestState: _state, ...rest } = params;
    if (!isJsonObject(meta)) return rest;
    const { progressToken, ...others } = meta;
    const kept = Object.fromEntries(
      Object.entries(others).filter(([key]) => !key.startsWith('io.modelcontextprotocol/')),
    );
    if (typeof progressToken !== 'string' && typeof progressToken !== 'number')
      return Object.keys(kept).length === 0 ? rest : { ...rest, _meta: kept };
    this.#tokens.set(own, { token: progressToken, use });
    return { ...rest, _meta: { ...kept, progressToken: own } };
  }

  #message(incoming: FromUpstream, related: RequestId | null): void {
    if (incoming.kind === 'request') return this.#question(incoming, related);
    const { method, params } = incoming;
    if (method === 'notifications/progress') {
      const { progressToken: own } = params;
      const known = typeof own === 'string' ? this.#tokens.get(own) : undefined;
      if (known === undefined) return;
      const told = { ...params, progressToken: known.token };
      return known.use.heard({ ...incoming, params: told, text: notificationText(method, told) });
    }
    if (method === 'notifications/tools/list_changed') {
      // The gate looks first, so that what changed is disabled before the agent can ask for it.
      this.#link.tools(true).then(
        () => this.#tellAll(incoming),
        (error: unknown) => this.#at.log(`the gate failed to pass ${method}: ${messageOf(error)}`),
      );
      return;
    }
    // Log messages are for those who asked for them, and nobody can in this era of an older upstream.
    if (method !== 'notifications/message') this.#tellAll(incoming);
  }

  #tellAll(incoming: Heard): void {
    for (const listener of this.#listeners) listener(incoming);
  }

  #question(incoming: Asking, related: RequestId | null): void {
    const { id, method } = incoming;
    if (method === 'ping') return void this.#link.tell(resultText(id, {}));
    const only = this.#uses.size === 1 ? [...this.#uses.values()][0] : undefined;
    const use = related === null ? only : this.#uses.get(keyOf(related));
    if (questionMethods.has(method) && use?.asking !== undefined) return use.asking(incoming);
    const message = questionMethods.has(method)
      ? 'the gate cannot tell which call asks this'
      : `the gate does not pass ${method}`;
    void this.#link.tell(errorText(id, { code: rpcCodes.gate, message }));
  }

  /** With nothing under way, it is ended after a while. */
  #rest(): void {
    clearTimeout(this.#idle);
    if (this.busy) return;
    this.#idle = setTimeout(() => {
      this.#at.gone();
      void this.close();
    }, this.#at.idleMs).unref();
  }
}
