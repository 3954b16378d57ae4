/**
 * `/mcp/SERVER`: MCP over Streamable HTTP for agents that are already authenticated. Bodies are read strictly before
 * anything else looks at them; what is refused leaves an entry, and nothing is forwarded.
 */
import { hex } from '../../app/authorize.ts';
import type { Parts } from '../../app/parts.ts';
import { refusesStoppedNow } from '../../app/stops.ts';
import { recordRefusal } from '../../app/told.ts';
import { noChain } from '../../core/directory.ts';
import { isJsonObject, type JsonValue } from '../../core/json.ts';
import type { ServerSettings } from '../../ports/settings.ts';
import { readBody, type BodyProblem } from './body.ts';
import { classify, type Classified } from './classify.ts';
import { revisions } from './link.ts';
import { errorText, resultText, rpcCodes } from './message.ts';
import { eraOf, headsOf, modernRevisions, namesModern } from './modern/envelope.ts';
import { ModernFront, refusedEra } from './modern/front.ts';
import { refusalText } from './modern/request.ts';
import type { Log } from './pipe.ts';
import { createReply, jsonResponse } from './reply.ts';
import { createInputChecks, type InputChecks } from './schema.ts';
import { Session } from './session.ts';
import { mcpLimits, Sessions, type McpLimits } from './sessions.ts';
import { stoppedResponse, type Caller } from './stopped.ts';
import { answered, type AgentRequest } from './traced.ts';

export interface McpFrontOptions {
  readonly parts: Parts;
  /** What the configuration says now of a server; asked again at every use, so that a reload holds at once. */
  readonly server: (name: string) => ServerSettings | undefined;
  /** What upstreams write to standard error, and what the gate finds wrong with them; one line at a time. */
  readonly log?: Log;
  readonly limits?: Partial<McpLimits>;
}

export interface McpFront {
  /** Answers any request to `/mcp/SERVER`; the caller has authenticated the agent and checked Host and Origin. */
  handle(request: Request, caller: Caller): Promise<Response>;
  /** Ends all sessions: what runs is given a short time to end. */
  close(): Promise<void>;
  /**
   * The gate stops: agents that wait are told at once to call again, and what runs is waited for. Answers how many runs were
   * cut off after `graceMs`, whose end nobody knows.
   */
  handOver(graceMs: number): Promise<number>;
  /** How many actions run upstream now. */
  running(): number;
}

export function createMcpFront(options: McpFrontOptions): McpFront {
  const limits = { ...mcpLimits, ...options.limits };
  const checks = createInputChecks();
  const modern = new ModernFront({
    parts: options.parts,
    checks,
    settings: options.server,
    log: (line) => options.log?.(line),
    limits,
  });
  const front = { options, limits, sessions: new Sessions(limits), checks, modern };
  let closed = false;
  return {
    handle: async (request, caller) => {
      if (closed) return problem(404, rpcCodes.gate, 'There is no such MCP server here.');
      if (options.server(caller.server) === undefined) return noServer(options.parts, caller.server);
      const wrong = wrongHead(request);
      if (wrong !== undefined) return wrong;
      if (request.method === 'POST') return post(front, request, caller);
      const session = sessionOf(front, request, caller);
      if (session instanceof Response) return session;
      if (session === undefined) return noSession();
      if (request.method === 'GET') return listen(front, session, request.headers.get('last-event-id'));
      void front.sessions.drop(session);
      return new Response(null, { status: 200 });
    },
    close: () => {
      closed = true;
      return Promise.all([modern.close(), front.sessions.closeAll()]).then(() => undefined);
    },
    handOver: async (graceMs) => {
      closed = true;
      const [newer, older] = await Promise.all([modern.handOver(graceMs), front.sessions.handOver(graceMs)]);
      return newer + older;
    },
    running: () => modern.running + front.sessions.running,
  };
}

/** A server that the files name and that is not served yet is no wrong address: its agent can come again later. */
function noServer({ world }: Parts, name: string): Response {
  const waits = world.config().left.some((one) => one.what === 'server' && one.id === name && !one.tightens);
  return waits || world.catalog.isServer(name)
    ? problem(
        503,
        rpcCodes.gate,
        `The MCP server ${name} is not served now: its changed configuration waits until people accept it. Nothing was run. Try again later.`,
      )
    : problem(404, rpcCodes.gate, 'There is no such MCP server here.');
}

interface Front {
  readonly options: McpFrontOptions;
  readonly limits: McpLimits;
  readonly sessions: Sessions;
  readonly checks: InputChecks;
  /** Revision 2026-07-28. */
  readonly modern: ModernFront;
}

/** The session that a request names; undefined where it names none. */
function sessionOf(front: Front, request: Request, caller: Caller): Session | undefined | Response {
  const id = request.headers.get('mcp-session-id');
  const session = id === null ? undefined : front.sessions.find(id, caller);
  // The same for a session that never was, one that ended, and one of another agent, or of one that acts for somebody else.
  return id !== null && session === undefined ? problem(404, rpcCodes.session, 'Session not found') : session;
}

/** Each message is of one era, by its body first (modern/envelope.ts). */
async function post(front: Front, request: Request, caller: Caller): Promise<Response> {
  const { parts } = front.options;
  const body = await readBody(request);
  if (!body.ok) return refuseBody(front, caller, body.error);
  const era = eraOf(body.value, headsOf(request.headers));
  switch (era.kind) {
    case 'legacy':
      return (
        (await stoppedResponse(parts, caller, body.value)) ??
        wrongVersion(request) ??
        postLegacy(front, request, caller, body.value)
      );
    case 'notification':
      return new Response(null, { status: 202 });
    case 'refuse':
      return refusedEra(era);
    case 'request':
      return (
        (await stoppedResponse(parts, caller, body.value)) ??
        front.modern.handle(request, caller, body.value, era.request)
      );
  }
}

async function postLegacy(
  front: Front,
  request: Request,
  caller: Caller,
  value: JsonValue,
): Promise<Response> {
  const session = sessionOf(front, request, caller);
  if (session instanceof Response) return session;
  const message = classify(value);
  if (message.kind === 'refuse') {
    const { data, message: detail } = message.error;
    const code = isJsonObject(data) ? data['code'] : undefined;
    if (code !== undefined)
      await recordRefusal(front.options.parts, caller.agent, { server: caller.server, code, detail });
    return jsonResponse(errorText(message.id, message.error), message.id === null ? 400 : 200);
  }
  if (message.kind === 'initialize') {
    return session === undefined
      ? initialize(front, request, caller, message)
      : problem(400, rpcCodes.invalidRequest, 'This session is initialized already.');
  }
  return session === undefined
    ? noSession()
    : exchange(front, session, message, { request, via: caller.via });
}

async function refuseBody(front: Front, { agent, server }: Caller, wrong: BodyProblem): Promise<Response> {
  const { code, detail, path, id } = wrong;
  await recordRefusal(front.options.parts, agent, { server, code, path, detail });
  const message = `The message was refused: ${detail}`;
  const text = errorText(id, { code: rpcCodes.invalidParams, message, data: { code, path } });
  return jsonResponse(text, id !== null ? 200 : code === 'too_large' ? 413 : 400);
}

/** Opens a session; it stays only if its upstream answers and the agent is there to hear it. */
function initialize(
  front: Front,
  request: Request,
  { agent, server, chain = noChain }: Caller,
  { id, params }: Classified & { readonly kind: 'initialize' },
): Promise<Response> {
  const { options, sessions } = front;
  const { parts } = options;
  const full = sessions.makeRoom(agent);
  if (full !== undefined) return Promise.resolve(jsonResponse(refusalText(id, full), 200));
  const session = new Session({
    id: hex(parts.random.bytes(24)),
    parts,
    checks: front.checks,
    agent,
    chain,
    server,
    settings: () => options.server(server),
    log: (line) => options.log?.(`${server}: ${line}`),
    secret: hex(parts.random.bytes(16)),
    idleMs: front.limits.idleMs,
    awayMs: front.limits.awayMs,
  });
  sessions.add(session);
  const reply = createReply({ signal: request.signal, headers: { 'mcp-session-id': session.id } });
  const asked = { server, id, method: 'initialize', meta: params['_meta'], version: undefined };
  void answered(parts, { ...asked, session: session.id }, reply, async (on) => {
    const result = await session.start(params);
    const said = result.ok ? resultText(id, result.value) : refusalText(id, result.error);
    if (!on.end(said) || !result.ok) void sessions.drop(session);
  });
  return reply.response;
}

/** A stream of what the upstream says, which a stopped agent does not hear. */
async function listen({ options }: Front, session: Session, lastId: string | null): Promise<Response> {
  const refusal = await refusesStoppedNow(options.parts, session.agent, null);
  if (refusal !== undefined) return problem(403, rpcCodes.gate, refusal.detail);
  // Not 404: that would end the session for the client.
  const unknown = 'Bad Request: no stream of this session goes on after this event';
  return session.listen({ 'mcp-session-id': session.id }, lastId) ?? problem(400, rpcCodes.gate, unknown);
}

/** A message within a session: requests are answered on their own response, all else is taken with 202. */
async function exchange(
  { options }: Front,
  session: Session,
  message: Exclude<Classified, { kind: 'refuse' | 'initialize' }>,
  { request, via }: { readonly request: Request; readonly via: Caller['via'] | undefined },
): Promise<Response> {
  const headers = { 'mcp-session-id': session.id };
  switch (message.kind) {
    case 'call':
    case 'list':
    case 'pass': {
      const reply = createReply({ signal: request.signal, headers, streams: session.streams });
      const asked = agentRequest(session, message, request);
      void answered(options.parts, asked, reply, (on) => session.request(message, on, via));
      return reply.response;
    }
    case 'cancel':
    case 'notification':
    case 'answer':
      await session.tell(message);
      return new Response(null, { status: 202, headers });
    case 'ignore':
      return new Response(null, { status: 202, headers });
  }
}

/** What its span tells of a request. */
function agentRequest(
  { server, id: session }: Session,
  message: Classified & { readonly kind: 'call' | 'list' | 'pass' },
  { headers }: Request,
): AgentRequest {
  const version = headers.get('mcp-protocol-version') ?? undefined;
  const at = { server, session, version, id: message.id };
  return message.kind === 'call'
    ? { ...at, method: 'tools/call', tool: message.call.name, meta: message.call.meta }
    : {
        ...at,
        method: message.kind === 'list' ? 'tools/list' : message.method,
        meta: message.params?.['_meta'],
      };
}

/** What is wrong with a request before its body is read; statuses as the official SDK's. */
function wrongHead(request: Request): Response | undefined {
  const { headers, method } = request;
  if (method !== 'POST') {
    // Streams without a request, and sessions to end, are of older revisions.
    if (namesModern(headsOf(headers)))
      return problem(405, rpcCodes.gate, 'Method not allowed.', { allow: 'POST' });
    const wrong = wrongVersion(request);
    if (wrong !== undefined) return wrong;
  }
  const accept = headers.get('accept') ?? '';
  const takes = (type: string): boolean => accept.includes(type) || accept.includes('*/*');
  switch (method) {
    case 'GET':
      return takes('text/event-stream')
        ? undefined
        : problem(406, rpcCodes.gate, 'Not Acceptable: Client must accept text/event-stream');
    case 'DELETE':
      return undefined;
    case 'POST':
      if (!takes('application/json') || !takes('text/event-stream')) {
        const both = 'both application/json and text/event-stream';
        return problem(406, rpcCodes.gate, `Not Acceptable: Client must accept ${both}`);
      }
      return /^\s*application\/json\s*(?:;|$)/i.test(headers.get('content-type') ?? '')
        ? undefined
        : problem(415, rpcCodes.gate, 'Unsupported Media Type: Content-Type must be application/json');
    default: // methods are an open list
      return problem(405, rpcCodes.gate, 'Method not allowed.', { allow: 'GET, POST, DELETE' });
  }
}

function wrongVersion({ headers }: Request): Response | undefined {
  const version = headers.get('mcp-protocol-version');
  if (version === null || revisions.includes(version)) return undefined;
  const known = `supported versions: ${[...modernRevisions, ...revisions].join(', ')}`;
  return problem(400, rpcCodes.gate, `Bad Request: Unsupported protocol version (${known})`);
}

const problem = (
  status: number,
  code: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response => jsonResponse(errorText(null, { code, message }), status, headers);

const noSession = (): Response =>
  problem(400, rpcCodes.gate, 'Bad Request: Mcp-Session-Id header is required');
