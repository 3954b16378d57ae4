/**
 * Where a message of the upstream reaches the agent: the stream of the request that it belongs to, else the agent's own GET
 * stream, else whatever is open; until something is, a few messages wait.
 */
import { openEventStream, streamResponse, type EventStream } from './event-stream.ts';
import type { Reply } from './reply.ts';

/** GET streams that one agent connection may have open. */
const listenersMax = 4;
/** Messages that wait for a stream; older ones are dropped first. */
const queueMax = 64;

export interface Outlet {
  /** A GET of the agent. */
  listen(headers: Readonly<Record<string, string>>): Response;
  /**
   * Hands a message over, or keeps it for later.
   * @param replies that it may go out on, best first; a related one is tried before any GET stream.
   * @param dropped called if it is never handed over.
   */
  send(
    text: string,
    replies: { readonly related: Reply | null; readonly others: readonly Reply[] },
    dropped?: () => void,
  ): void;
  close(): void;
}

export function createOutlet(): Outlet {
  let listeners: EventStream[] = [];
  let queue: { readonly text: string; readonly dropped: (() => void) | undefined }[] = [];
  return {
    listen: (headers) => {
      const stream = openEventStream(() => {
        listeners = listeners.filter((one) => one !== stream);
      });
      // The newest gets the messages: an agent that reconnects need not wait until the old connection is found dead.
      listeners = [stream, ...listeners];
      for (const old of listeners.splice(listenersMax)) old.close();
      const waiting = queue;
      queue = [];
      for (const { text, dropped } of waiting) if (!stream.send(text, false)) dropped?.();
      return streamResponse(stream, headers);
    },
    send: (text, { related, others }, dropped) => {
      if (related?.event(text) === true) return;
      if (listeners.some((stream) => stream.send(text, false))) return;
      if (others.some((reply) => reply.event(text))) return;
      queue.push({ text, dropped });
      if (queue.length > queueMax) queue.shift()?.dropped?.();
    },
    close: () => {
      for (const stream of listeners) stream.close();
      for (const { dropped } of queue) dropped?.();
      [listeners, queue] = [[], []];
    },
  };
}
