/**
 * An upstream that speaks 2026-07-28 alone, behind an agent of an older revision: a pipe that looks like one to an older server.
 * `initialize` is answered from what the upstream says of itself, each request becomes one that stands for itself, and what an
 * answer asks becomes a request to the agent (which back.ts judges, as any question).
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../core/json.ts';
import type { Upstream } from '../../../ports/settings.ts';
import type { Connection } from '../connection.ts';
import {
  errorText,
  isRequestId,
  keyOf,
  notificationText,
  requestText,
  resultText,
  type Answer,
  type RequestId,
} from '../message.ts';
import { messageOf, type Log, type Pipe, type PipeEvents } from '../pipe.ts';
import { questionMethods } from '../questions.ts';
import { protocolKeys, tasksExtension } from './envelope.ts';
import { openExchange, ownMeta, type Heard } from './exchange.ts';
import { patience } from './legs.ts';

/** How long an answer of the agent to one question is waited for. */
const questionMs = 10 * 60_000;
/** How often one request may ask. */
const roundsMax = 32;
/** How long describing itself may take. */
const describeMs = 15_000;
/** Resources that one connection may be subscribed to: each new one opens the stream of changes anew. */
const resourcesMax = 256;
/** Keys of `_meta` that say what a client is: once, as it initialized. */
const isReserved = (key: string): boolean => key.startsWith('io.modelcontextprotocol/');
/** Requests of older revisions that have no other in this one, and do nothing. */
const settled: ReadonlySet<string> = new Set(['logging/setLevel', 'resources/unsubscribe']);
/** Changes that an older server tells unasked. */
const changes = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };

export interface OlderAt {
  readonly upstream: Upstream & { readonly kind: 'url' };
  readonly on: PipeEvents;
  readonly log: Log;
  /** The pinned input schema of a tool. */
  readonly schemaOf: (tool: string) => JsonObject | undefined;
}

/** Opens nothing yet: the first request does. */
export class OlderPipe implements Pipe {
  readonly #at: OlderAt;
  /** The agent's own words of itself, as it initialized. */
  #meta: JsonObject = ownMeta;
  readonly #open = new Map<string, Connection>();
  readonly #asked = new Map<string, (answer: JsonObject | null) => void>();
  readonly #uris = new Set<string>();
  readonly #stop = new AbortController();
  #listening: Connection | undefined;
  #questions = 0;

  constructor(at: OlderAt) {
    this.#at = at;
  }

  request(id: RequestId, text: string): void {
    const { on } = this.#at;
    if (this.#stop.signal.aborted)
      return on.failed(id, { kind: 'unsent', detail: 'the connection is closed' });
    // A text of ours: a request (connection.ts).
    const { method, params } = JSON.parse(text) as { readonly method: string; readonly params?: JsonObject };
    void this.#handle(id, method, params ?? {}).catch((error: unknown) =>
      on.failed(id, { kind: 'lost', detail: messageOf(error) }),
    );
  }

  /** Its stream ends with it: that is the cancellation. */
  forget(id: RequestId): void {
    const connection = this.#open.get(keyOf(id));
    this.#open.delete(keyOf(id));
    void connection?.close();
  }

  tell(text: string): Promise<void> {
    const message = JSON.parse(text) as JsonObject; // a text of ours, or one that was read before
    const { id, method, params, result } = message;
    if (method === undefined && isRequestId(id))
      this.#asked.get(keyOf(id))?.(isJsonObject(result) ? result : null);
    const gone = isJsonObject(params) ? params['requestId'] : undefined;
    if (method === 'notifications/cancelled' && isRequestId(gone) && this.#open.has(keyOf(gone))) {
      this.forget(gone);
      this.#at.on.failed(gone, { kind: 'lost', detail: 'it was cancelled while it ran' });
    }
    return Promise.resolve();
  }

  agreed(): void {
    // Each request names its revision.
  }

  close(): Promise<void> {
    if (this.#stop.signal.aborted) return Promise.resolve();
    this.#stop.abort();
    void this.#listening?.close();
    for (const connection of this.#open.values()) void connection.close();
    this.#at.on.closed('the gate closed it');
    return Promise.resolve();
  }

  #connect(heard: (notification: Heard) => void): Connection {
    const { upstream, log, schemaOf } = this.#at;
    return openExchange(upstream, { log, schemaOf, doubted: () => undefined, heard });
  }

  async #handle(id: RequestId, method: string, params: JsonObject): Promise<void> {
    if (method === 'initialize') return this.#initialize(id, params);
    if (method === 'resources/subscribe' && typeof params['uri'] === 'string') {
      if (this.#uris.size >= resourcesMax && !this.#uris.has(params['uri']))
        return this.#at.on.failed(id, { kind: 'unsent', detail: 'it is subscribed to too many resources' });
      this.#uris.add(params['uri']);
      this.#listen();
    } else if (!settled.has(method)) {
      return this.#answer(id, method, params);
    } else if (method === 'resources/unsubscribe' && typeof params['uri'] === 'string') {
      this.#uris.delete(params['uri']);
    }
    this.#at.on.message({ kind: 'result', id, result: {}, text: resultText(id, {}) }, id);
  }

  /** One request of the agent, in as many upstream as it takes. */
  async #answer(id: RequestId, method: string, params: JsonObject): Promise<void> {
    const { on } = this.#at;
    const connection = this.#connect((notification) => on.message(notification, id));
    this.#open.set(keyOf(id), connection);
    // Of this era, and so nothing that an agent of an older one may say: answers go up only where back.ts judged them.
    const { _meta: meta, inputResponses: _answers, requestState: _state, ...own } = params;
    const said = Object.entries(isJsonObject(meta) ? meta : {}).filter(([key]) => !isReserved(key));
    let retry: JsonObject = {};
    for (let round = 0; round < roundsMax; round += 1) {
      const whole = { ...own, ...retry, _meta: { ...this.#meta, ...Object.fromEntries(said) } };
      const answer = await connection.request(id, method, whole);
      if (!this.#open.has(keyOf(id))) return; // forgotten meanwhile
      const asks = answer.ok && answer.value.kind === 'result' ? answer.value : undefined;
      if (asks?.result['resultType'] !== 'input_required') {
        this.#open.delete(keyOf(id));
        if (asks?.result['resultType'] === 'task')
          return on.failed(id, { kind: 'lost', detail: 'it went on as a task, which nobody asked it to be' });
        return answer.ok ? on.message(answer.value, id) : on.failed(id, answer.error);
      }
      retry = await this.#askAll(asks, id);
    }
    this.#open.delete(keyOf(id));
    on.failed(id, { kind: 'unsent', detail: 'it asked again and again' });
  }

  /** What the agent answers to all that a result asks; what it may not be asked has no answer. */
  async #askAll({ result }: Answer & { readonly kind: 'result' }, related: RequestId): Promise<JsonObject> {
    const { inputRequests, requestState } = result;
    const answers: Record<string, JsonValue> = {};
    for (const [key, request] of Object.entries(isJsonObject(inputRequests) ? inputRequests : {})) {
      const answer = await this.#ask(request, related);
      if (answer !== null) answers[key] = answer;
    }
    return { inputResponses: answers, ...(typeof requestState === 'string' ? { requestState } : {}) };
  }

  async #ask(request: JsonValue, related: RequestId): Promise<JsonObject | null> {
    const { method, params } = isJsonObject(request) ? request : {};
    if (typeof method !== 'string' || !questionMethods.has(method)) return null;
    this.#questions += 1;
    const id = `question-${this.#questions}`;
    const whole = isJsonObject(params) ? params : {};
    const answered = Promise.withResolvers<JsonObject | null>();
    this.#asked.set(keyOf(id), answered.resolve);
    const text = requestText(id, method, whole);
    this.#at.on.message({ kind: 'request', id, method, params: whole, text }, related);
    const answer = await patience(answered.promise, questionMs, this.#stop.signal);
    this.#asked.delete(keyOf(id));
    return answer ?? null;
  }

  async #initialize(id: RequestId, params: JsonObject): Promise<void> {
    const { on } = this.#at;
    const { capabilities, clientInfo, protocolVersion } = params;
    this.#meta = {
      ...ownMeta,
      ...(isJsonObject(capabilities) ? { [protocolKeys.capabilities]: withoutTasks(capabilities) } : {}),
      ...(isJsonObject(clientInfo) ? { [protocolKeys.clientInfo]: clientInfo } : {}),
    };
    const connection = this.#connect(() => undefined);
    const answer = await connection.ask('server/discover', undefined, describeMs);
    void connection.close();
    if (!answer.ok) return on.failed(id, answer.error);
    if (answer.value.kind === 'error')
      return on.message({ ...answer.value, id, text: errorText(id, answer.value.error) }, id);
    const result = initializeResult(answer.value.result, protocolVersion ?? null);
    on.message({ kind: 'result', id, result, text: resultText(id, result) }, id);
    this.#listen();
  }

  /** Changes come on a stream of their own in this era; a new one takes the place of the last. */
  #listen(): void {
    const earlier = this.#listening;
    const connection = this.#connect(({ method, params }) => {
      if (method === 'notifications/subscriptions/acknowledged') return;
      const { _meta: _subscription, ...rest } = params;
      const text = notificationText(method, rest);
      this.#at.on.message({ kind: 'notification', method, params: rest, text }, null);
    });
    this.#listening = connection;
    void earlier?.close();
    const uris = this.#uris.size === 0 ? {} : { resourceSubscriptions: [...this.#uris] };
    const params = { notifications: { ...changes, ...uris }, _meta: this.#meta };
    void connection.request('listen', 'subscriptions/listen', params);
  }
}

/** A call of an older revision ends with its answer: a task that goes on would be recorded as its success. */
function withoutTasks(capabilities: JsonObject): JsonObject {
  const { extensions } = capabilities;
  if (!isJsonObject(extensions)) return capabilities;
  const { [tasksExtension]: _tasks, ...others } = extensions;
  return { ...capabilities, extensions: others };
}

/** The answer to `initialize`, made from what `server/discover` says. */
function initializeResult(described: JsonObject, protocolVersion: JsonValue): JsonObject {
  const { capabilities, instructions, _meta: meta } = described;
  const { extensions: _extensions, ...rest } = isJsonObject(capabilities) ? capabilities : {};
  const info = isJsonObject(meta) ? meta[protocolKeys.serverInfo] : undefined;
  return {
    protocolVersion,
    capabilities: rest,
    serverInfo: isJsonObject(info) ? info : { name: 'unnamed', version: '0' },
    ...(typeof instructions === 'string' ? { instructions } : {}),
  };
}
