/**
 * One agent connection: an MCP session of one agent with one server. Requests of the agent go up, what the upstream says
 * comes down, and `tools/call` is judged on the way (call.ts). One upstream connection at a time serves it (link.ts), so
 * that ids pass as they are.
 */
import { hex } from '../../app/authorize.ts';
import { delivered } from '../../app/execute.ts';
import type { Parts } from '../../app/parts.ts';
import type { Chain, Credential } from '../../core/directory.ts';
import type { AgentId } from '../../core/ids.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Refusal } from '../../core/refusal.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ServerSettings } from '../../ports/settings.ts';
import { createBack, type Back } from './back.ts';
import { callTool } from './call.ts';
import type { Classified } from './classify.ts';
import { flightOf, progressOf, runs, untilNone, type Flight, type Request } from './flight.ts';
import { listTools, passOn } from './forward.ts';
import { Link } from './link.ts';
import { errorText, keyOf, notificationText, resultText, rpcCodes, type RequestId } from './message.ts';
import { createOutlet } from './outlet.ts';
import { messageOf, type Log } from './pipe.ts';
import type { Reply } from './reply.ts';
import { Streams } from './resume.ts';
import type { InputChecks } from './schema.ts';

/** How long a closed session still waits for what runs, before its upstream is ended. */
const closeWaitMs = 10_000;
/** How long the outcomes of what was cut off then may take to be written. */
export const cutMs = 3000;
/** Requests of one session that may be on their way at once. */
const flightsMax = 1000;
/** The first revision whose clients take an event without data; before, they fail on it. */
const resumableSince = '2025-11-25';
/** JSON-RPC 2.0 §5.1, "Internal error". */
const internalError = -32603;

export interface SessionAt {
  readonly id: string;
  readonly parts: Parts;
  readonly checks: InputChecks;
  readonly agent: AgentId;
  /** Whom the agent acts for in every call of this session. */
  readonly chain: Chain;
  readonly server: string;
  readonly settings: () => ServerSettings | undefined;
  readonly log: Log;
  /** Random text, for the ids of the gate's own requests. */
  readonly secret: string;
  /** How long without a request before a process upstream is stopped. */
  readonly idleMs: number;
  /** How long a stream waits for an agent that is away. */
  readonly awayMs: number;
}

export class Session {
  readonly id: string;
  readonly agent: AgentId;
  readonly chain: Chain;
  readonly server: string;
  /** Counts uses: the least recently used idle session makes room for a new one. */
  used = 0;
  readonly #at: SessionAt;
  readonly #flights = new Map<string, Flight>();
  readonly #outlet = createOutlet();
  readonly #link: Link;
  readonly #back: Back;
  #streams: Streams | undefined;
  #closing = false;
  #idle: NodeJS.Timeout | undefined;

  constructor(at: SessionAt) {
    this.id = at.id;
    this.agent = at.agent;
    this.chain = at.chain;
    this.server = at.server;
    this.#at = at;
    const { parts, agent, settings, log, secret } = at;
    this.#link = new Link({
      parts,
      settings,
      log,
      secret,
      message: (incoming, related) => this.#back.message(incoming, related),
      stream: (id, turn) => this.#flights.get(keyOf(id))?.reply.turn(turn),
      ended: () => this.#back.ended(),
    });
    const [link, flights, outlet] = [this.#link, this.#flights, this.#outlet];
    this.#back = createBack({ parts, agent, link, flights, outlet, log, settings });
  }

  get busy(): boolean {
    return this.#flights.size > 0;
  }

  /** How many of its calls run upstream. */
  get running(): number {
    return [...this.#flights.values()].filter(runs).length;
  }

  /** Connects the upstream; answers its `initialize` result. */
  async start(hello: JsonObject): Promise<Result<JsonObject, Refusal>> {
    const result = await this.#link.start(without(hello, 'tasks', 'roots'));
    this.#rest();
    const version = result.ok ? result.value['protocolVersion'] : undefined;
    if (typeof version === 'string' && version >= resumableSince) {
      const { parts, awayMs } = this.#at;
      this.#streams = new Streams({ name: () => hex(parts.random.bytes(16)), keptMs: awayMs });
    }
    return result.ok ? ok(without(result.value, 'tasks')) : result;
  }

  /** Where an agent that lost a stream finds it again; undefined in revisions that know no such thing. */
  get streams(): Streams | undefined {
    return this.#streams;
  }

  /** Handles a request of the agent, authenticated `via`; resolves when it is over, and never rejects. */
  async request(request: Request, reply: Reply, via?: Credential): Promise<void> {
    if (request.kind === 'pass' && request.method === 'ping') {
      // Asks whether this end lives. It starts no process, and keeps none from being stopped.
      reply.end(resultText(request.id, {}));
      return;
    }
    clearTimeout(this.#idle);
    const key = keyOf(request.id);
    const no = this.#closing
      ? 'The session is closing.'
      : this.#flights.has(key)
        ? 'A request with this id is on its way.'
        : this.#flights.size >= flightsMax
          ? 'Too many requests of this session are on their way.'
          : undefined;
    if (no !== undefined) {
      reply.end(errorText(request.id, { code: rpcCodes.gate, message: no }));
      return;
    }
    const flight = flightOf(request, reply);
    this.#flights.set(key, flight);
    try {
      await this.#handle(request, flight, via);
    } catch (error) {
      this.#at.log(`the gate failed to handle a request: ${messageOf(error)}`);
      const message = 'The gate failed while it handled this request.';
      reply.end(errorText(request.id, { code: internalError, message }));
    } finally {
      this.#release(request.id, flight);
      this.#rest();
    }
  }

  #release(id: RequestId, flight: Flight): void {
    const key = keyOf(id);
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  async #handle(request: Request, flight: Flight, via: Credential | undefined): Promise<void> {
    const { reply } = flight;
    switch (request.kind) {
      case 'list':
        reply.end(await listTools(this.#at, this.#link, request, flight));
        return;
      case 'pass':
        reply.end(await passOn(this.#link, request, flight));
        return;
      case 'call': {
        const said = await callTool({
          ...this.#at,
          ...(via === undefined ? {} : { via }),
          link: this.#link,
          id: request.id,
          call: request.call,
          gone: flight.left.signal,
          away: () => (reply.here ? undefined : reply.back(flight.left.signal)),
          cancelled: flight.cancelled.signal,
          tell: progressOf(flight),
          running: (held) => {
            flight.running = held;
          },
          answer: (text) => {
            const handed = reply.end(text);
            // The agent has its answer, so it may use the id again, whether or not the outcome is written.
            if (handed) this.#release(request.id, flight);
            return handed;
          },
        });
        const { told } = said;
        const isDelivered = (): Promise<void> =>
          told === null ? Promise.resolve() : delivered(this.#at.parts, told);
        const handed = reply.end(said.text, 200, () => void isDelivered());
        if (handed && said.text !== null) await isDelivered();
      }
    }
  }

  /** Takes what the agent says without waiting for an answer. */
  async tell(message: Classified & { readonly kind: 'cancel' | 'notification' | 'answer' }): Promise<void> {
    this.#rest();
    switch (message.kind) {
      case 'answer':
        return this.#back.answer(message.id, message.answer);
      case 'cancel': {
        const flight = this.#flights.get(keyOf(message.request));
        flight?.cancelled.abort();
        flight?.left.abort();
        return;
      }
      case 'notification':
        if (message.method === 'notifications/initialized') this.#link.initialized();
        return this.#link.tell(notificationText(message.method, message.params));
    }
  }

  /**
   * The agent's GET: a stream of what belongs to no request; or the rest of one that does.
   * @param lastId the last event that it has of that. Undefined for one that this session does not know.
   */
  listen(headers: Readonly<Record<string, string>>, lastId: string | null): Response | undefined {
    return lastId === null || this.#streams === undefined
      ? this.#outlet.listen(headers)
      : this.#streams.resume(lastId, headers);
  }

  /** Ends the session: nobody waits any more; what runs is given a short time to end. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#leave();
    await untilNone(this.#flights, runs, closeWaitMs);
    await this.#link.close();
  }

  /**
   * Ends the session because the gate stops. Calls that wait are told to come again; every other is waited for, also one that
   * is taking its grant just now: taken, it runs. Answers how many were cut off, which nobody knows the end of.
   */
  async handOver(graceMs: number): Promise<number> {
    if (this.#closing) return 0;
    this.#leave();
    this.#back.letGo();
    await untilNone(this.#flights, ({ isCall }) => isCall, graceMs);
    const cut = this.running;
    await this.#link.close();
    await untilNone(this.#flights, runs, cutMs);
    return cut;
  }

  #leave(): void {
    this.#closing = true;
    clearTimeout(this.#idle);
    for (const flight of this.#flights.values()) flight.left.abort();
    this.#streams?.close();
    this.#outlet.close();
  }

  /** With nothing in flight, a process upstream is stopped after a while. */
  #rest(): void {
    clearTimeout(this.#idle);
    if (this.busy || this.#closing || this.#at.settings()?.upstream.kind !== 'command') return;
    this.#idle = setTimeout(() => void this.#link.stop(), this.#at.idleMs).unref();
  }
}

/**
 * Capabilities that this gate offers to neither side. Tasks (experimental in 2025-11-25) would run a call outside its
 * request. Roots would let the agent say what an upstream may touch: server-filesystem then forgets the folders that the
 * operator named, and opens those that the agent names.
 */
function without(said: JsonObject, ...names: readonly string[]): JsonObject {
  const { capabilities } = said;
  if (!isJsonObject(capabilities)) return said;
  const kept = Object.entries(capabilities).filter(([name]) => !names.includes(name));
  return { ...said, capabilities: Object.fromEntries(kept) };
}
