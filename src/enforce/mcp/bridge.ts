/**
 * `countersign mcp SERVER`: a stdio MCP server that speaks to a running gate over Streamable HTTP. It decides nothing and
 * changes nothing: the client's lines reach the gate as they were written, and the gate's answers the client.
 *
 * Promises: each request is answered, if only by an error that says what is wrong; a gate that was restarted is found again
 * with the next request; when standard input ends, the session is closed and the bridge ends. Requests of 2026-07-28 have no
 * session: each gets the headers that its own text says, and a cancellation closes its stream.
 */
import type { Readable, Writable } from 'node:stream';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { openHttp } from './http.ts';
import { readLines } from './lines.ts';
import {
  errorText,
  isRequestId,
  keyOf,
  notificationText,
  requestText,
  rpcCodes,
  type Incoming,
  type RequestId,
} from './message.ts';
import { BridgeHeaders } from './modern/bridge-headers.ts';
import { messageBytesMax, type Failure, type Log, type Pipe } from './pipe.ts';

export interface BridgeOptions {
  /** Where the gate listens. */
  readonly url: string;
  readonly server: string;
  /** The agent's bearer token. */
  readonly token: string;
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  /** Told what went wrong beside the protocol; default: standard error. */
  readonly log?: Log;
}

/** How long the gate may take to open a session anew. */
const reopenMs = 60_000;
/** The bridge's own requests. */
const ownPrefix = 'countersign-bridge-';

/** Runs until standard input ends; resolves with the exit code. */
export async function runBridge(options: BridgeOptions): Promise<number> {
  const { stdin = process.stdin } = options;
  const bridge = new Bridge(options);
  const lines = readLines(messageBytesMax, (line) => {
    if (line.trim() !== '') bridge.take(line);
  });
  try {
    for await (const chunk of stdin) {
      // Without an encoding set, a stream of bytes yields them.
      if (!lines.push(chunk as Uint8Array)) return 1;
    }
    return 0;
  } finally {
    await bridge.close();
  }
}

class Bridge {
  readonly #options: BridgeOptions;
  readonly #write: (text: string) => void;
  readonly #log: Log;
  /** What the client sent and has no answer to, by the key of its id. */
  readonly #sent = new Map<string, string>();
  readonly #own = new Map<string, (incoming: Incoming | Failure) => void>();
  readonly #headers = new BridgeHeaders();
  /** Requests of 2026-07-28 on their way. */
  readonly #modern = new Set<string>();
  #pipe: Pipe;
  /** The client's `initialize`. */
  #hello: { readonly id: RequestId; readonly params: JsonObject } | undefined;
  #initialized = false;
  #count = 0;
  /** Notifications keep their order, and what follows them waits until they were taken. */
  #order: Promise<unknown> = Promise.resolve();
  #reopening: Promise<boolean> | undefined;

  constructor(options: BridgeOptions) {
    const { stdout = process.stdout, log = (line) => void process.stderr.write(`countersign: ${line}\n`) } =
      options;
    this.#options = options;
    this.#write = (text) => void stdout.write(`${text}\n`);
    this.#log = log;
    this.#pipe = this.#open();
  }

  /** One message of the client. */
  take(line: string): void {
    const message = read(line);
    if (message === undefined) {
      this.#write(errorText(null, { code: rpcCodes.parse, message: 'This line is no JSON.' }));
      return;
    }
    const { id, method, params } = isJsonObject(message) ? message : {};
    if (method === 'initialize' && isJsonObject(params) && isRequestId(id)) this.#hello = { id, params };
    if (method === 'notifications/initialized') this.#initialized = true;
    const headers = this.#headers.of(message);
    if (headers !== undefined && isRequestId(id)) {
      // Stands for itself: no session, and no order.
      this.#modern.add(keyOf(id));
      this.#sent.set(keyOf(id), line);
      this.#pipe.request(id, line, headers);
    } else if (method === 'notifications/cancelled' && this.#cancelled(params)) {
      return;
    } else if (typeof method === 'string' && isRequestId(id)) {
      this.#sent.set(keyOf(id), line);
      void this.#order.then(() => this.#pipe.request(id, line));
    } else {
      this.#order = this.#order.then(() => this.#pipe.tell(line));
    }
  }

  /** Over HTTP, closing a request’s stream cancels it (2026-07-28 "Cancellation"); true where it was one of that era. */
  #cancelled(params: JsonValue | undefined): boolean {
    const id = isJsonObject(params) ? params['requestId'] : undefined;
    if (!isRequestId(id) || !this.#modern.delete(keyOf(id))) return false;
    this.#sent.delete(keyOf(id));
    this.#pipe.forget(id);
    return true;
  }

  async close(): Promise<void> {
    await this.#pipe.close();
  }

  #open(): Pipe {
    const { url, server, token } = this.#options;
    const upstream = {
      kind: 'url',
      url: `${url.replace(/\/$/, '')}/mcp/${encodeURIComponent(server)}`,
      headers: { authorization: `Bearer ${token}` },
    } as const;
    const events = {
      message: (incoming: Incoming) => this.#receive(incoming),
      failed: (id: RequestId, failure: Failure) => this.#failed(id, failure),
      closed: () => undefined,
    };
    return openHttp(upstream, events, this.#log);
  }

  #receive(incoming: Incoming): void {
    if (incoming.kind === 'result' || incoming.kind === 'error') {
      const own = incoming.id === null ? undefined : this.#own.get(keyOf(incoming.id));
      if (own !== undefined) return own(incoming);
      if (incoming.id !== null) this.#sent.delete(keyOf(incoming.id));
      if (incoming.id !== null && this.#modern.delete(keyOf(incoming.id)) && incoming.kind === 'result')
        this.#headers.saw(incoming.result);
      if (incoming.id === this.#hello?.id) this.#agree(incoming);
    }
    this.#write(incoming.text);
  }

  /** The transport has to name the revision that the two sides agreed on. */
  #agree(answer: Incoming): void {
    const version = answer.kind === 'result' ? answer.result['protocolVersion'] : undefined;
    if (typeof version === 'string') this.#pipe.agreed(version);
  }

  #failed(id: RequestId, failure: Failure): void {
    const own = this.#own.get(keyOf(id));
    if (own !== undefined) return own(failure);
    const line = this.#sent.get(keyOf(id));
    this.#sent.delete(keyOf(id));
    this.#modern.delete(keyOf(id));
    if (failure.kind === 'session' && line !== undefined && this.#hello !== undefined) {
      // Nothing was done with it: once more, in a new session.
      void this.#reopen().then((opened) => {
        if (opened) this.#pipe.request(id, line);
        else this.#refuse(id, 'it could not be asked for a new session');
      });
      return;
    }
    this.#refuse(id, failure.detail);
  }

  #refuse(id: RequestId, detail: string): void {
    const said = refusals.find((one) => detail.includes(`HTTP ${one.status}`));
    const message =
      said === undefined
        ? `The gate at ${this.#options.url} did not answer: ${detail}.`
        : `The gate at ${this.#options.url} refused: ${said.words}.`;
    const code = said?.code ?? 'upstream_unavailable';
    this.#write(errorText(id, { code: rpcCodes.gate, message, data: { code } }));
  }

  /** A new session by the client's own words; for all that wait for one at once. */
  #reopen(): Promise<boolean> {
    this.#reopening ??= this.#reopenNow().finally(() => {
      this.#reopening = undefined;
    });
    return this.#reopening;
  }

  async #reopenNow(): Promise<boolean> {
    this.#pipe = this.#open();
    this.#count += 1;
    const id = `${ownPrefix}${this.#count}`;
    const answer = await new Promise<Incoming | Failure>((resolve) => {
      const timer = setTimeout(() => resolve({ kind: 'lost', detail: 'no answer in time' }), reopenMs);
      this.#own.set(keyOf(id), (said) => {
        clearTimeout(timer);
        resolve(said);
      });
      this.#pipe.request(id, requestText(id, 'initialize', this.#hello?.params));
    });
    this.#own.delete(keyOf(id));
    if (answer.kind !== 'result') return false;
    this.#agree(answer);
    if (this.#initialized) await this.#pipe.tell(notificationText('notifications/initialized'));
    this.#log('the gate was restarted; a new session is open');
    return true;
  }
}

/** What a gate's refusal of the whole connection means for whoever set it up. */
const refusals = [
  { status: 401, code: 'unauthenticated', words: 'it does not know the token in COUNTERSIGN_TOKEN' },
  { status: 403, code: 'not_an_agent', words: 'the token in COUNTERSIGN_TOKEN is not an agent’s' },
  { status: 404, code: 'not_found', words: 'it has no MCP server of this name' },
] as const;

function read(line: string): JsonValue | undefined {
  try {
    return JSON.parse(line) as JsonValue; // JSON.parse makes nothing but JSON
  } catch {
    return undefined;
  }
}
