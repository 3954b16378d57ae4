/**
 * Spans of MCP by OpenTelemetry's semantic conventions ("Semantic conventions for Model Context Protocol", development): one of kind
 * server for a request of the agent, one of kind client for each request to an upstream, and the trace context in `_meta` (SEP-414).
 *
 * Promises: what an upstream gets as trace context is ours, whatever the agent said; no argument, result, address with its path, or
 * session of an upstream is in a span; names of spans are of what is configured or pinned, so that no agent makes up new ones.
 */
import { operationOf } from '../../core/action.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { ok, type Result } from '../../core/result.ts';
import type { Parts } from '../../app/parts.ts';
import type { Upstream } from '../../ports/settings.ts';
import { type Attributes, type Span, type Tracing } from '../../ports/tracing.ts';
import type { Connection } from './connection.ts';
import type { Answer, RequestId } from './message.ts';
import type { Failure } from './pipe.ts';
import type { Reply } from './reply.ts';

/** Methods that spans are named after; agents may send any text as one. */
const methods: ReadonlySet<string> = new Set([
  'initialize', 'ping', 'server/discover', 'tools/list', 'tools/call', 'resources/list', 'resources/templates/list',
  'resources/read', 'resources/subscribe', 'resources/unsubscribe', 'prompts/list', 'prompts/get', 'completion/complete',
  'logging/setLevel', 'subscriptions/listen', 'tasks/get', 'tasks/update', 'tasks/cancel', 'tasks/list', 'tasks/result',
]); // prettier-ignore

/** Ids are the agent's own text: only what looks like one is told. */
const idForm = /^[\w.:-]{1,64}$/;
/** A longer answer is not read again to see whether it is an error. */
const readCharsMax = 16_384;

/** What is the same on both sides. */
function attributesOf(method: string, tool: string | undefined, id: RequestId | undefined): Attributes {
  const shown = String(id ?? '');
  return {
    'mcp.method.name': methods.has(method) ? method : 'other',
    ...(tool === undefined ? {} : { 'gen_ai.tool.name': tool }),
    ...(method === 'tools/call' ? { 'gen_ai.operation.name': 'execute_tool' } : {}),
    ...(idForm.test(shown) ? { 'jsonrpc.request.id': shown } : {}),
  };
}

const nameOf = (method: string, tool: string | undefined): string =>
  [methods.has(method) ? method : 'other', ...(tool === undefined ? [] : [tool])].join(' ');

export interface AgentRequest {
  readonly server: string;
  readonly id: RequestId;
  readonly method: string;
  /** The tool of a call, as the agent names it. */
  readonly tool?: string;
  /** `_meta`, as it came. */
  readonly meta: JsonValue | undefined;
  /** The gate's own session with the agent, in revisions that have one. */
  readonly session?: string;
  readonly version: string | undefined;
}

/** Answers a request of an agent within a span that ends with its answer, or when people are waited for. */
export function answered(
  parts: Parts,
  request: AgentRequest,
  reply: Reply,
  work: (reply: Reply) => Promise<void>,
): Promise<void> {
  const { tracing } = parts;
  if (tracing === undefined) return work(reply);
  const { server, method, session, version, meta } = request;
  const asked = method === 'tools/call' ? request.tool : undefined;
  // A tool that nobody pinned is any text.
  const known = asked !== undefined && parts.world.catalog.entry(operationOf(server, asked)) !== undefined;
  const tool = known ? asked : undefined;
  const said = isJsonObject(meta) ? meta : {};
  const span = tracing.start({
    name: nameOf(method, tool),
    kind: 'server',
    from: { traceparent: said['traceparent'], tracestate: said['tracestate'] },
    attributes: {
      ...attributesOf(method, tool, request.id),
      ...(session === undefined ? {} : { 'mcp.session.id': session }),
      ...(version === undefined ? {} : { 'mcp.protocol.version': version }),
      'network.transport': 'tcp',
      'network.protocol.name': 'http',
      'countersign.server': server,
    },
  });
  return tracing.within(span, () => work(watching(reply, span))).finally(() => span.end());
}

/** The same reply; its answer is looked at on its way. */
const watching = (reply: Reply, span: Span): Reply => ({
  response: reply.response,
  get open() {
    return reply.open;
  },
  get here() {
    return reply.here;
  },
  gone: reply.gone,
  event: (text) => reply.event(text),
  end: (text, status, later) => {
    if (text !== null && text.length <= readCharsMax) judge(span, text);
    span.end();
    return reply.end(text, status, later);
  },
  turn: (turn) => reply.turn(turn),
  back: (signal) => reply.back(signal),
});

function judge(span: Span, text: string): void {
  let message: JsonValue;
  try {
    message = JSON.parse(text) as JsonValue; // JSON.parse makes nothing but JSON
  } catch {
    return; // an answer of an upstream, passed on as it was written
  }
  if (!isJsonObject(message)) return;
  const { error, result } = message;
  if (isJsonObject(error)) {
    failed(span, error['code']);
    return;
  }
  const meta = isJsonObject(result) ? result['_meta'] : undefined;
  const code = isJsonObject(meta) ? meta['dev.countersign/code'] : undefined;
  if (typeof code === 'string') span.set({ 'countersign.code': code });
  if (isJsonObject(result) && result['isError'] === true) span.fail('tool_error');
}

function failed(span: Span, code: JsonValue | undefined): void {
  const said = typeof code === 'number' ? String(code) : '_OTHER';
  span.set({ 'rpc.response.status_code': said });
  span.fail(said);
}

/** A connection whose requests are spans, and carry them. The tools that are called on it are pinned. */
export function tracedConnection(
  connection: Connection,
  tracing: Tracing | undefined,
  at: { readonly server: string; readonly version: string | undefined },
): Connection {
  if (tracing === undefined) return connection;
  const fixed: Attributes = {
    ...addressOf(connection.upstream),
    ...(at.version === undefined ? {} : { 'mcp.protocol.version': at.version }),
    'countersign.server': at.server,
  };
  const spanned = async (
    method: string,
    params: JsonObject | undefined,
    id: RequestId | undefined,
    send: (params: JsonObject) => Promise<Result<Answer, Failure>>,
  ): Promise<Result<Answer, Failure>> => {
    const name = method === 'tools/call' ? params?.['name'] : undefined;
    const tool = typeof name === 'string' ? name : undefined;
    const span = tracing.start({
      name: nameOf(method, tool),
      kind: 'client',
      attributes: { ...fixed, ...attributesOf(method, tool, id) },
    });
    const answer = await tracing.within(span, () => send(carrying(params, span)));
    if (!answer.ok) span.fail(answer.error.kind);
    else if (answer.value.kind === 'error') failed(span, answer.value.error.code);
    else if (answer.value.result['isError'] === true) span.fail('tool_error');
    span.end();
    return answer.ok ? ok(answer.value) : answer;
  };
  return {
    upstream: connection.upstream,
    get over() {
      return connection.over;
    },
    request: (id, method, params) =>
      spanned(method, params, id, (sent) => connection.request(id, method, sent)),
    // What was made ready would not carry the span: `prepare` is left out.
    ask: (method, params, timeoutMs) =>
      spanned(method, params, undefined, (sent) => connection.ask(method, sent, timeoutMs)),
    tell: (text) => connection.tell(text),
    forget: (id) => connection.forget(id),
    agreed: (version) => connection.agreed(version),
    close: () => connection.close(),
  };
}

/** Parameters with the span in their `_meta`, in the place of what an agent said of its own. */
function carrying(params: JsonObject | undefined, span: Span): JsonObject {
  const meta = params?.['_meta'];
  const { traceparent: _parent, tracestate: _state, ...rest } = isJsonObject(meta) ? meta : {};
  return { ...params, _meta: { ...rest, ...span.carried } };
}

/** Where an upstream is, without what its address may give away: path, query and credentials. */
function addressOf(upstream: Upstream): Attributes {
  if (upstream.kind === 'command') return { 'network.transport': 'pipe' };
  if (!URL.canParse(upstream.url)) return { 'network.transport': 'tcp' };
  const { hostname, port, protocol } = new URL(upstream.url);
  return {
    'network.transport': 'tcp',
    'network.protocol.name': 'http',
    'server.address': hostname,
    'server.port': Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port),
  };
}
