/**
 * Which era each upstream speaks, and the way to it for a request of an agent that needs no session. An upstream by URL is
 * asked once (`server/discover`), and the verdict is kept with its date; a process speaks the older era here.
 */
import { hex } from '../../../app/authorize.ts';
import type { Parts } from '../../../app/parts.ts';
import { upstreamOn } from '../../../app/standing.ts';
import type { AgentId } from '../../../core/ids.ts';
import { isJsonArray, type JsonObject } from '../../../core/json.ts';
import { refuse, type Refusal } from '../../../core/refusal.ts';
import { err, ok, type Result } from '../../../core/result.ts';
import type { ServerSettings, Upstream } from '../../../ports/settings.ts';
import { unavailable } from '../link.ts';
import type { Log } from '../pipe.ts';
import type { ToolLink } from '../tool-link.ts';
import { modernRevision } from './envelope.ts';
import { Pooled, type Use } from './pool.ts';
import { Relay } from './relay.ts';

/** How long a verdict is believed; an answer that contradicts it ends it at once. */
const verdictMs = 5 * 60_000;
/** How long a description of an upstream is handed on before it is asked for again. */
const describedMs = 30_000;
/** How long an upstream may take to say what it is. */
const probeMs = 15_000;

/** The way to an upstream. */
export type Side =
  | { readonly kind: 'modern'; readonly relay: Relay; readonly described: JsonObject }
  | { readonly kind: 'legacy'; readonly pooled: Pooled };

export interface UpstreamsAt {
  readonly parts: Parts;
  readonly settings: (server: string) => ServerSettings | undefined;
  readonly log: Log;
  readonly idleMs: number;
  /** Connections to older upstreams: of one agent, and altogether. */
  readonly perAgentMax: number;
  readonly max: number;
}

interface Verdict {
  readonly upstream: string;
  readonly atMs: number;
  readonly relay: Relay;
  /** What `server/discover` answered; null for an upstream of the older era. */
  readonly described: JsonObject | null;
}

interface Kept {
  readonly agent: AgentId;
  readonly pooled: Pooled;
  used: number;
}

export class Upstreams {
  readonly #at: UpstreamsAt;
  readonly #verdicts = new Map<string, Verdict>();
  readonly #probing = new Map<string, Promise<Result<Verdict, Refusal>>>();
  readonly #pool = new Map<string, Kept>();
  #uses = 0;
  #closed = false;

  constructor(at: UpstreamsAt) {
    this.#at = at;
  }

  /** @param afresh for whoever asks what the upstream is: no old description. */
  async of(agent: AgentId, server: string, afresh = false): Promise<Result<Side, Refusal>> {
    const settings = this.#at.settings(server);
    if (settings === undefined || this.#closed) return err(unavailable('it is no longer configured'));
    if (settings.upstream.kind === 'url') {
      const verdict = await this.#verdict(server, settings.upstream, afresh ? describedMs : verdictMs);
      if (!verdict.ok) return verdict;
      const { relay, described } = verdict.value;
      if (described !== null) return ok({ kind: 'modern', relay, described });
    }
    const pooled = this.#pooled(agent, server);
    if (!pooled.ok) return pooled;
    const started = await pooled.value.start();
    return started.ok ? ok({ kind: 'legacy', pooled: pooled.value }) : started;
  }

  /** Something that the upstream said does not fit what is believed of it. */
  doubt(server: string): void {
    this.#verdicts.delete(server);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#pool.values()].map(({ pooled }) => pooled.close()));
    this.#pool.clear();
  }

  async #verdict(
    server: string,
    upstream: Upstream & { readonly kind: 'url' },
    ageMsMax: number,
  ): Promise<Result<Verdict, Refusal>> {
    const name = JSON.stringify(upstream);
    const known = this.#verdicts.get(server);
    if (known?.upstream === name && this.#at.parts.clock.nowMs() - known.atMs < ageMsMax) return ok(known);
    const key = `${server} ${name}`;
    const probing =
      this.#probing.get(key) ??
      this.#probe(server, upstream, known?.upstream === name ? known.relay : null).finally(() =>
        this.#probing.delete(key),
      );
    this.#probing.set(key, probing);
    const found = await probing;
    if (found.ok) this.#verdicts.set(server, found.value);
    return found;
  }

  async #probe(
    server: string,
    upstream: Upstream & { readonly kind: 'url' },
    earlier: Relay | null,
  ): Promise<Result<Verdict, Refusal>> {
    const { parts, log } = this.#at;
    const settings = (): ServerSettings | undefined => this.#at.settings(server);
    const tell: Log = (line) => log(`${server}: ${line}`);
    const doubted = (): void => this.doubt(server);
    const relay = earlier ?? new Relay({ parts, server, upstream, settings, log: tell, doubted });
    const connection = relay.open(() => undefined);
    const answer = await connection.ask('server/discover', undefined, probeMs);
    void connection.close();
    const verdict = (described: JsonObject | null): Result<Verdict, Refusal> =>
      ok({ upstream: JSON.stringify(upstream), atMs: parts.clock.nowMs(), relay, described });
    const standing = upstreamOn(parts, server);
    if (answer.ok) {
      const said = answer.value.kind === 'result' ? answer.value.result : {};
      const versions = said['supportedVersions'];
      const speaks = isJsonArray(versions) && versions.includes(modernRevision);
      if (speaks) {
        // It answers; there is no connection to count.
        standing.opened();
        standing.ended();
      }
      return verdict(speaks ? said : null);
    }
    const { status, detail } = answer.error;
    // Whatever else it answers, it does not know the method: an older server. What asks for a key says nothing of its era.
    if (status !== undefined && status !== 401 && status !== 403) return verdict(null);
    standing.failed(detail);
    return err(unavailable(detail));
  }

  #pooled(agent: AgentId, server: string): Result<Pooled, Refusal> {
    const key = JSON.stringify([agent, server]);
    this.#uses += 1;
    const known = this.#pool.get(key);
    if (known !== undefined) {
      known.used = this.#uses;
      return ok(known.pooled);
    }
    const full = this.#makeRoom(agent);
    if (full !== undefined) return err(full);
    const { parts, settings, log, idleMs } = this.#at;
    const pooled = new Pooled({
      parts,
      agent,
      server,
      settings: () => settings(server),
      log: (line) => log(`${server}: ${line}`),
      secret: hex(parts.random.bytes(16)),
      idleMs,
      gone: () => {
        if (this.#pool.get(key)?.pooled === pooled) this.#pool.delete(key);
      },
    });
    this.#pool.set(key, { agent, pooled, used: this.#uses });
    return ok(pooled);
  }

  /** One agent's crowd costs that agent, never another; the least recently used idle connection goes first. */
  #makeRoom(agent: AgentId): Refusal | undefined {
    const all = [...this.#pool.entries()];
    const own = all.filter(([, kept]) => kept.agent === agent);
    const crowd = own.length >= this.#at.perAgentMax ? own : all.length >= this.#at.max ? all : [];
    if (crowd.length === 0) return undefined;
    const [idle] = crowd.filter(([, { pooled }]) => !pooled.busy).toSorted(([, a], [, b]) => a.used - b.used);
    if (idle === undefined)
      return refuse('quota', 'Too many connections to MCP servers are open and busy; wait.');
    this.#pool.delete(idle[0]);
    void idle[1].pooled.close();
    return undefined;
  }
}

/** A way to call on behalf of one request; close it when the call is over. */
export function linkTo(
  side: Side,
  use: Required<Use>,
): {
  readonly link: ToolLink;
  readonly tell: ((text: string) => Promise<void>) | undefined;
  readonly close: () => void;
} {
  if (side.kind === 'legacy') {
    const link = side.pooled.link(use);
    return { link, tell: link.tell, close: () => undefined };
  }
  const connection = side.relay.open(use.heard);
  return { link: side.relay.link(connection), tell: undefined, close: () => void connection.close() };
}
