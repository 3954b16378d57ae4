/**
 * `/mcp/SERVER` for agents of revision 2026-07-28: each request stands for itself, and nothing is kept for it but what is in
 * the store, what it carries, and runs that wait for the agent's next word.
 */
import type { Parts } from '../../../app/parts.ts';
import { recordRefusal } from '../../../app/told.ts';
import type { AgentId } from '../../../core/ids.ts';
import { isJsonObject, type JsonValue } from '../../../core/json.ts';
import type { ServerSettings } from '../../../ports/settings.ts';
import { classify, type Classified } from '../classify.ts';
import { errorText, rpcCodes, type RpcError } from '../message.ts';
import { messageOf, type Log } from '../pipe.ts';
import { createReply, jsonResponse, type Reply } from '../reply.ts';
import type { InputChecks } from '../schema.ts';
import { cutMs } from '../session.ts';
import type { McpLimits } from '../sessions.ts';
import type { Caller } from '../stopped.ts';
import { answered, type AgentRequest } from '../traced.ts';
import { callModern } from './call.ts';
import { discover } from './discover.ts';
import {
  missingCapability,
  knowsTasks,
  modernRevision,
  tasksExtension,
  type Era,
  type ModernRequest,
} from './envelope.ts';
import { patience } from './legs.ts';
import { listen } from './listen.ts';
import { OpenTasks } from './open-tasks.ts';
import { readOn } from './read.ts';
import type { Exchange } from './request.ts';
import { handleTask } from './tasks.ts';
import { Upstreams } from './upstreams.ts';

export interface ModernFrontAt {
  readonly parts: Parts;
  readonly checks: InputChecks;
  readonly settings: (server: string) => ServerSettings | undefined;
  readonly log: Log;
  readonly limits: McpLimits;
}

/** JSON-RPC 2.0 §5.1, "Internal error". */
const internalError = -32603;
/** How long what runs is waited for when the gate closes, as for a session of an older revision. */
const closeWaitMs = 10_000;
/** Requests of one agent that may be on their way at once. */
const requestsMax = 1000;

export class ModernFront {
  readonly #at: ModernFrontAt;
  readonly #upstreams: Upstreams;
  readonly #tasks = new OpenTasks();
  readonly #open = new Map<AgentId, Set<Reply>>();
  /** Calls of tools that are on their way: each may be about to run something. */
  readonly #calls = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #ending = new AbortController();

  constructor(at: ModernFrontAt) {
    this.#at = at;
    const { parts, settings, log, limits } = at;
    this.#upstreams = new Upstreams({
      parts,
      settings,
      log,
      idleMs: limits.idleMs,
      perAgentMax: limits.sessionsPerAgentMax,
      max: limits.sessionsMax,
    });
  }

  /** Answers a request; its envelope was found sound. */
  handle(http: Request, who: Caller, message: JsonValue, request: ModernRequest): Promise<Response> {
    const reply = createReply({ signal: http.signal, headers: {} });
    const open = this.#open.get(who.agent) ?? new Set();
    if (open.size >= requestsMax) {
      const error = { code: rpcCodes.gate, message: 'Too many requests of this agent are on their way.' };
      reply.end(errorText(request.id, error));
      return reply.response;
    }
    this.#open.set(who.agent, open.add(reply));
    const exchange: Exchange = {
      ...who,
      parts: this.#at.parts,
      checks: this.#at.checks,
      upstreams: this.#upstreams,
      tasks: this.#tasks,
      log: (line) => this.#at.log(`${who.server}: ${line}`),
      request,
      headers: http.headers,
      reply,
      closing: this.#closing.signal,
      ending: this.#ending.signal,
    };
    const classified = classify(message);
    const asked: AgentRequest = {
      server: who.server,
      id: request.id,
      method: request.method,
      meta: request.params['_meta'],
      version: modernRevision,
      ...(classified.kind === 'call' ? { tool: classified.call.name } : {}),
    };
    const run = answered(this.#at.parts, asked, reply, (on) =>
      this.#run({ ...exchange, reply: on }, classified),
    ).finally(() => {
      open.delete(reply);
      if (open.size === 0) this.#open.delete(who.agent);
      this.#calls.delete(run);
    });
    if (request.method === 'tools/call') this.#calls.add(run);
    return reply.response;
  }

  async #run(exchange: Exchange, classified: Classified): Promise<void> {
    const { request, reply, log } = exchange;
    try {
      await dispatch(exchange, classified);
    } catch (error) {
      log(`the gate failed to handle a request: ${messageOf(error)}`);
      const message = 'The gate failed while it handled this request.';
      reply.end(errorText(request.id, { code: internalError, message }));
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#tasks.quiet(closeWaitMs);
    this.#ending.abort();
    await this.#upstreams.close();
  }

  /** How many actions run upstream. */
  get running(): number {
    return this.#tasks.running;
  }

  /** As of a session (session.ts): calls that are taking their grant just now are waited for too. Answers how many were cut off. */
  async handOver(graceMs: number): Promise<number> {
    this.#closing.abort();
    void this.#tasks.quiet(0);
    await patience(this.#over(), graceMs, never);
    const cut = this.running;
    this.#ending.abort();
    await this.#upstreams.close();
    await patience(this.#over(), cutMs, never);
    return cut;
  }

  /** Resolves when all that is under way now has ended. */
  async #over(): Promise<void> {
    const runs = [...this.#tasks.runs.values()].map((run) => run.over);
    await Promise.allSettled([...this.#calls, ...runs]);
  }
}

/** A wait that only time ends. */
const never = new AbortController().signal;

function dispatch(exchange: Exchange, classified: Classified): Promise<void> {
  const { request } = exchange;
  switch (request.method) {
    case 'server/discover':
      return discover(exchange);
    case 'subscriptions/listen':
      return listen(exchange);
    case 'tasks/get':
    case 'tasks/update':
    case 'tasks/cancel':
      if (knowsTasks(request.capabilities)) return handleTask(exchange);
      return refuse(exchange, missingCapability({ extensions: { [tasksExtension]: {} } }), 400);
    case 'tools/call':
      if (classified.kind === 'call') return callModern(exchange, classified.call);
      break;
    case 'tools/list':
    case 'resources/list':
    case 'resources/templates/list':
    case 'resources/read':
    case 'prompts/list':
    case 'prompts/get':
    case 'completion/complete':
      if (classified.kind === 'list' || classified.kind === 'pass') return readOn(exchange, classified);
      break;
    default: // methods are an open list
      return refuse(exchange, { code: rpcCodes.noMethod, message: 'Method not found' }, 404);
  }
  return classified.kind === 'refuse' ? refuseParams(exchange, classified.error) : Promise.resolve();
}

/** Parameters that are not what the protocol says: an entry, and nothing is forwarded (design §8). */
async function refuseParams(
  { parts, agent, server, request, reply }: Exchange,
  error: RpcError,
): Promise<void> {
  const { data, message: detail } = error;
  const code = isJsonObject(data) ? data['code'] : undefined;
  if (code !== undefined) await recordRefusal(parts, agent, { server, code, detail });
  reply.end(errorText(request.id, error));
}

function refuse(
  { request, reply }: Exchange,
  error: { readonly code: number; readonly message: string; readonly data?: JsonValue },
  status: number,
): Promise<void> {
  reply.end(errorText(request.id, error), status);
  return Promise.resolve();
}

/** The response to a message whose envelope is not sound. */
export const refusedEra = ({ id, status, error }: Era & { readonly kind: 'refuse' }): Response =>
  jsonResponse(errorText(id, error), status);
