/**
 * The response to one POST of an agent (MCP Streamable HTTP). It is plain JSON where the answer comes first and soon; as
 * soon as something else has to be said before, or after a short while, it becomes a stream of events.
 *
 * The official SDK's WebStandardStreamableHTTPServerTransport is not used: it is either always JSON, and then cannot carry
 * progress, or always a stream; it does not tell when the agent has gone; and it takes parsed messages only (see stdio.ts).
 */
import { eventText, keepAliveText } from './sse.ts';

/** How long an answer is waited for before the response starts as a stream. */
const streamAfterMs = 2000;
/** How often a quiet stream says that it lives. */
const keepAliveMs = 15_000;
/** Events that wait for a slow agent before further ones are dropped; an answer never is. */
const eventsMax = 1024;

export interface Reply {
  readonly response: Promise<Response>;
  /** False once the agent has its answer, or is gone. */
  readonly open: boolean;
  /** Aborts when the agent's connection ends before the answer. */
  readonly gone: AbortSignal;
  /** Says something before the answer. False where it could not be handed over. */
  event(text: string): boolean;
  /** Hands over the answer; false where nobody is there to take it. Null ends the response without one. */
  end(text: string | null): boolean;
}

export interface ReplyOptions {
  /** The request's signal: aborts when the connection drops. */
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
}

export function createReply(options: ReplyOptions): Reply {
  const gone = new AbortController();
  const { promise: response, resolve } = Promise.withResolvers<Response>();
  let stream: EventStream | undefined;
  let open = true;
  const leave = (): void => {
    if (!open) return;
    open = false;
    clearTimeout(timer);
    stream?.close();
    gone.abort();
    resolve(new Response(null, { status: 202, headers: options.headers })); // nobody reads it
  };
  const start = (): EventStream => {
    if (stream === undefined) {
      stream = openEventStream(leave);
      resolve(new Response(stream.body, { status: 200, headers: { ...options.headers, ...streamHeaders } }));
    }
    return stream;
  };
  const timer = setTimeout(start, streamAfterMs);
  if (options.signal.aborted) leave();
  else options.signal.addEventListener('abort', leave, { once: true });
  return {
    response,
    get open() {
      return open;
    },
    gone: gone.signal,
    event: (text) => open && start().send(text, false),
    end: (text) => {
      if (!open) return false;
      open = false;
      clearTimeout(timer);
      options.signal.removeEventListener('abort', leave);
      if (stream === undefined) {
        resolve(
          text === null
            ? new Response(null, { status: 202, headers: options.headers })
            : jsonResponse(text, 200, options.headers),
        );
        return true;
      }
      const sent = text === null || stream.send(text, true);
      stream.close();
      return sent;
    },
  };
}

const streamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const;

export const jsonResponse = (
  text: string,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Response => new Response(text, { status, headers: { ...headers, 'content-type': 'application/json' } });

/** A stream of events to one agent. */
export interface EventStream {
  readonly body: ReadableStream<Uint8Array>;
  /** @param must an answer: never dropped. False where nobody reads any more, or too much waits already. */
  send(text: string, must: boolean): boolean;
  close(): void;
}

/** @param left called when the agent ends the stream. */
export function openEventStream(left: () => void): EventStream {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const end = (): void => {
    clearInterval(timer);
    controller = undefined;
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (given) => {
        controller = given;
      },
      cancel: () => {
        end();
        left();
      },
    },
    new CountQueuingStrategy({ highWaterMark: eventsMax }),
  );
  const timer = setInterval(() => {
    if ((controller?.desiredSize ?? 0) > 0) controller?.enqueue(encoder.encode(keepAliveText));
  }, keepAliveMs).unref();
  return {
    body,
    send: (text, must) => {
      if (controller === undefined || (!must && (controller.desiredSize ?? 0) <= 0)) return false;
      controller.enqueue(encoder.encode(eventText(text)));
      return true;
    },
    close: () => {
      const last = controller;
      end();
      last?.close();
    },
  };
}

/** The response that carries a stream which belongs to no request (GET). */
export const streamResponse = (stream: EventStream, headers: Readonly<Record<string, string>>): Response =>
  new Response(stream.body, { status: 200, headers: { ...headers, ...streamHeaders } });
