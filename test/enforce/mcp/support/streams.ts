/** Agents by hand that lose their connections and come back, and an upstream that sends whoever calls it away to poll. */
import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Upstream } from '../../../../src/ports/settings.ts';

type Json = Record<string, unknown>;

export interface Event {
  readonly id: string | undefined;
  readonly retry: string | undefined;
  /** Undefined for an event that says nothing. */
  readonly message: Json | undefined;
}

/** One response that may be a stream. */
export class Heard {
  readonly response: Response;
  readonly events: Event[] = [];
  /** Resolves at its end, however it comes. */
  readonly ended: Promise<void>;
  readonly #stop: AbortController;
  #woken: (() => void)[] = [];

  constructor(response: Response, stop: AbortController) {
    this.response = response;
    this.#stop = stop;
    this.ended = this.#read().catch(() => undefined);
  }

  get isStream(): boolean {
    return this.response.headers.get('content-type') === 'text/event-stream';
  }

  /** The id to come back with. */
  get lastId(): string {
    return this.events.findLast((event) => event.id !== undefined)?.id ?? '';
  }

  /** Waits for an event; fails where the stream ends without one. */
  async until(what: string, fits: (event: Event) => boolean): Promise<Event> {
    let over = false;
    void this.ended.then(() => (over = true));
    for (;;) {
      const found = this.events.find(fits);
      if (found !== undefined) return found;
      assert.ok(!over, `the stream ended before ${what}: ${JSON.stringify(this.events)}`);
      await Promise.race([this.ended, new Promise<void>((resolve) => this.#woken.push(resolve))]);
    }
  }

  /** The answer to the request with this id, as JSON or on the stream. */
  async answer(id: number): Promise<Json> {
    const { message } = await this.until(`the answer to ${id}`, (event) => event.message?.['id'] === id);
    return message ?? {};
  }

  /** Hangs up. */
  async drop(): Promise<void> {
    this.#stop.abort();
    await this.ended;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const piece of this.response.body ?? []) {
      rest += decoder.decode(piece, { stream: true });
      if (!this.isStream) continue;
      const blocks = rest.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) if (!block.startsWith(':')) this.#take(block);
    }
    if (!this.isStream && rest !== '')
      this.events.push({ id: undefined, retry: undefined, message: JSON.parse(rest) as Json });
  }

  #take(block: string): void {
    const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    const data = field('data') ?? '';
    const message = data === '' ? undefined : (JSON.parse(data) as Json);
    this.events.push({ id: field('id'), retry: field('retry'), message });
    for (const wake of this.#woken.splice(0)) wake();
  }
}

export interface RawAgent {
  readonly session: string;
  call(id: number, name: string, args?: Json, meta?: Json): Promise<Heard>;
  send(message: Json): Promise<Heard>;
  /** @param lastId null: a stream that belongs to no request. */
  get(lastId: string | null, session?: string): Promise<Heard>;
}

/** Opens a session. */
export async function rawAgent(
  gate: { readonly url: string },
  server: string,
  { token = 'crm-bot', revision = '2025-11-25' } = {},
): Promise<RawAgent> {
  const url = `${gate.url}/mcp/${server}`;
  let session = '';
  const headers = (more: Record<string, string>): Record<string, string> => ({
    authorization: `Bearer ${token}`,
    ...(session === '' ? {} : { 'mcp-session-id': session, 'mcp-protocol-version': revision }),
    ...more,
  });
  const hear = async (init: RequestInit): Promise<Heard> => {
    const stop = new AbortController();
    return new Heard(await fetch(url, { ...init, signal: stop.signal }), stop);
  };
  const send = (message: Json): Promise<Heard> =>
    hear({
      method: 'POST',
      headers: headers({
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      }),
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
  const clientInfo = { name: 'raw', version: '1' };
  const params = { protocolVersion: revision, capabilities: {}, clientInfo };
  const hello = await send({ id: 0, method: 'initialize', params });
  await hello.answer(0);
  session = hello.response.headers.get('mcp-session-id') ?? '';
  await (
    await send({ method: 'notifications/initialized' })
  ).ended;
  return {
    session,
    send,
    call: (id, name, args = {}, meta) =>
      send({ id, method: 'tools/call', params: { name, arguments: args, ...(meta && { _meta: meta }) } }),
    get: (lastId, of) =>
      hear({
        headers: headers({
          accept: 'text/event-stream',
          ...(of === undefined ? {} : { 'mcp-session-id': of }),
          ...(lastId === null ? {} : { 'last-event-id': lastId }),
        }),
      }),
  };
}

export interface PollingServer {
  readonly upstream: Upstream & { readonly kind: 'url' };
  /** Names of the tools that were called. */
  readonly calls: readonly string[];
  /** `Last-Event-ID` of those that came back. */
  readonly polls: readonly string[];
  /** Answers all calls of `slow` and `poll`, now and later. */
  release(): void;
  stop(): Promise<void>;
}

/**
 * A server of 2025-11-25. `quick` answers with JSON, `slow` with JSON once released, `primed` with a stream that is primed, `poll`
 * sends the caller away and answers, once released, who comes back; `vague` does too, and does not say when.
 */
export async function startPollingServer(retryMs = 20): Promise<PollingServer> {
  const [calls, polls]: [string[], string[]] = [[], []];
  let released = false;
  const waiting: (() => void)[] = [];
  const whenReleased = (then: () => void): void => (released ? then() : void waiting.push(then));
  const json = (response: ServerResponse, body: unknown): void => {
    response
      .writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's' })
      .end(JSON.stringify({ jsonrpc: '2.0', ...(body as Json) }));
  };
  const stream = (response: ServerResponse): ServerResponse =>
    response.writeHead(200, { 'content-type': 'text/event-stream' });
  const done = (id: unknown): string =>
    JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'done' }] } });
  const handle = ({ id, method, params }: Json, response: ServerResponse): void => {
    const name = String((params as Json | undefined)?.['name']);
    switch (method) {
      case 'initialize':
        return json(response, {
          id,
          result: {
            protocolVersion: (params as Json)['protocolVersion'],
            capabilities: { tools: {} },
            serverInfo: { name: 'polling', version: '1' },
          },
        });
      case 'tools/list': {
        const tools = ['quick', 'slow', 'primed', 'poll', 'held', 'held-poll', 'vague'];
        const inputSchema = { type: 'object' };
        return json(response, { id, result: { tools: tools.map((one) => ({ name: one, inputSchema })) } });
      }
      case 'tools/call':
        break;
      default:
        return void response.writeHead(202).end();
    }
    calls.push(name);
    switch (name) {
      case 'slow':
        return whenReleased(() => json(response, JSON.parse(done(id))));
      case 'primed':
        return void stream(response).end(`id: a\nretry: ${retryMs}\ndata: \n\nid: b\ndata: ${done(id)}\n\n`);
      case 'poll':
      case 'held-poll':
      case 'vague':
        return void stream(response).end(
          `id: ${JSON.stringify(id)}\n${name === 'vague' ? '' : `retry: ${retryMs}\n`}data: \n\n`,
        );
      default:
        return json(response, JSON.parse(done(id)));
    }
  };
  const server = createServer((request, response) => {
    const lastId = request.headers['last-event-id'];
    if (request.method === 'GET' && typeof lastId === 'string') {
      polls.push(lastId);
      stream(response).flushHeaders();
      return whenReleased(() => void response.end(`id: end\ndata: ${done(JSON.parse(lastId))}\n\n`));
    }
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => handle(JSON.parse(Buffer.concat(chunks).toString()) as Json, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    upstream: {
      kind: 'url',
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
      headers: {},
    },
    calls,
    polls,
    release: () => {
      released = true;
      for (const then of waiting.splice(0)) then();
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
