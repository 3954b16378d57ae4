/**
 * The response to one POST of an agent (MCP Streamable HTTP). It is plain JSON where the answer comes first and soon; as
 * soon as something else has to be said before, or after a short while, it becomes a stream of events.
 *
 * The official SDK's WebStandardStreamableHTTPServerTransport is not used: it is either always JSON, and then cannot carry
 * progress, or always a stream; it does not tell when the agent has gone; and it takes parsed messages only (see stdio.ts).
 */
import { openEventStream, streamResponse } from './event-stream.ts';
import type { StreamTurn } from './pipe.ts';
import type { ReplyStream, Streams } from './resume.ts';

/** How long an answer is waited for before the response starts as a stream. */
const streamAfterMs = 2000;

export interface Reply {
  readonly response: Promise<Response>;
  /** False once it is answered, or the agent is gone. */
  readonly open: boolean;
  /** Whether a connection of the agent waits for it; an agent that is away may come back until `gone`. */
  readonly here: boolean;
  /** Aborts when nobody can get the answer any more. */
  readonly gone: AbortSignal;
  /** Says something before the answer. False where it could neither be handed over nor kept. */
  event(text: string): boolean;
  /**
   * Hands over the answer; false where nobody is there to take it. Null ends the response without one.
   * @param status of HTTP, where nothing was said before; default 200.
   * @param later called if it is handed over only when the agent comes back.
   */
  end(text: string | null, status?: number, later?: () => void): boolean;
  /** Does as the upstream does, where the agent can come back. */
  turn(turn: StreamTurn): void;
  /** Resolves when the agent is there: true; or with false, once it will not come any more or the signal aborts. */
  back(signal: AbortSignal): Promise<boolean>;
}

export interface ReplyOptions {
  /** The request's signal: aborts when the connection drops. */
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
  /** Where the agent's revision can come back to a stream. */
  readonly streams?: Streams | undefined;
}

export function createReply(options: ReplyOptions): Reply {
  const { signal, headers, streams } = options;
  const gone = new AbortController();
  const { promise: response, resolve } = Promise.withResolvers<Response>();
  let stream: ReplyStream | undefined;
  let open = true;
  const leave = (): void => {
    if (!open) return;
    open = false;
    clearTimeout(timer);
    gone.abort();
    resolve(new Response(null, { status: 202, headers })); // nobody reads it
  };
  const dropped = (): void => (stream === undefined ? leave() : stream.drop());
  const start = (): ReplyStream => {
    if (stream === undefined) {
      clearTimeout(timer);
      stream = streams?.open(headers, leave) ?? passingStream(headers, leave);
      resolve(stream.response);
    }
    return stream;
  };
  const timer = setTimeout(start, streamAfterMs);
  if (signal.aborted) leave();
  else signal.addEventListener('abort', dropped, { once: true });
  return {
    response,
    get open() {
      return open;
    },
    get here() {
      return open && (stream?.here ?? true);
    },
    gone: gone.signal,
    event: (text) => open && start().send(text),
    end: (text, status = 200, later) => {
      if (!open) return false;
      open = false;
      clearTimeout(timer);
      signal.removeEventListener('abort', dropped);
      if (stream !== undefined) return stream.end(text, later);
      resolve(
        text === null ? new Response(null, { status: 202, headers }) : jsonResponse(text, status, headers),
      );
      return true;
    },
    turn: (turn) => {
      if (!open || streams === undefined) return;
      if (turn.kind === 'primed') start();
      else stream?.pause(turn.retryMs);
    },
    back: (until) => stream?.back(until) ?? Promise.resolve(open),
  };
}

/** A stream that nobody can come back to: it ends with its connection. */
function passingStream(headers: Readonly<Record<string, string>>, left: () => void): ReplyStream {
  const events = openEventStream(left);
  return {
    response: streamResponse(events, headers),
    here: true,
    send: (text) => events.send(text, false),
    end: (text) => {
      const sent = text === null || events.send(text, true);
      events.close();
      return sent;
    },
    pause: () => undefined,
    drop: () => {
      events.close();
      left();
    },
    back: () => Promise.resolve(true),
  };
}

export const jsonResponse = (
  text: string,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Response => new Response(text, { status, headers: { ...headers, 'content-type': 'application/json' } });
