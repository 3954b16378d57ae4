/** A stream of events to one agent: what waits for a slow reader is bounded, and a quiet one says that it lives. */
import { eventText, keepAliveText } from './sse.ts';

/** How often a quiet stream says that it lives. */
const keepAliveMs = 15_000;
/** Events that wait for a slow agent before further ones are dropped; an answer never is. */
const eventsMax = 1024;
/** And their size: an upstream may say much to an agent that reads nothing. */
const bytesMax = 8 * 1024 * 1024;

export interface EventStream {
  readonly body: ReadableStream<Uint8Array>;
  /** @param must an answer: never dropped. False where nobody reads any more, or too much waits already. */
  send(text: string, must: boolean): boolean;
  /** The same for an event that is written already (sse.ts). */
  write(event: string, must: boolean): boolean;
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
    { highWaterMark: bytesMax, size: (event) => Math.max(event.byteLength, bytesMax / eventsMax) },
  );
  const timer = setInterval(() => {
    if ((controller?.desiredSize ?? 0) > 0) controller?.enqueue(encoder.encode(keepAliveText));
  }, keepAliveMs).unref();
  const write = (event: string, must: boolean): boolean => {
    if (controller === undefined || (!must && (controller.desiredSize ?? 0) <= 0)) return false;
    controller.enqueue(encoder.encode(event));
    return true;
  };
  return {
    body,
    send: (text, must) => write(eventText(text), must),
    write,
    close: () => {
      const last = controller;
      end();
      last?.close();
    },
  };
}

const streamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const;

/** The response that carries a stream. */
export const streamResponse = (stream: EventStream, headers: Readonly<Record<string, string>>): Response =>
  new Response(stream.body, { status: 200, headers: { ...headers, ...streamHeaders } });
