/** Streams of events from an upstream over HTTP: of one request until its answer, and the one that belongs to none. */
import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as after } from 'node:timers/promises';
import { eachPiece, fail, isStream, receive, send, type Http } from './http-exchange.ts';
import { keyOf, readIncoming, type RequestId } from './message.ts';
import { messageBytesMax, messageOf } from './pipe.ts';
import { readEvents, type Events, type ServerEvent } from './sse.ts';

/** How often a stream that broke before its answer is resumed (`Last-Event-ID`) before the answer counts as lost. */
const resumeTries = 5;
/** Before the first resumption, where the server names no time. */
const resumeAfterMs = 1000;
/** The longest time that a server may name. */
const resumeAfterMsMax = 30_000;
/** The longest pause between two tries to listen again. */
const listenAgainMsMax = 30_000;

/** Reads a request's stream to its answer; one that ends before is resumed where the server gave it event ids (SEP-1699). */
export async function followed(
  http: Http,
  id: RequestId,
  first: IncomingMessage,
  signal: AbortSignal,
): Promise<void> {
  const waiting = (): boolean => http.inFlight.has(keyOf(id));
  const take = (event: ServerEvent): void => {
    if (event.event !== 'message') return;
    for (const one of readIncoming(event.data)) receive(http, one, id);
  };
  const events = readEvents(messageBytesMax, take, () => http.on.stream?.(id, { kind: 'primed' }));
  let why = await drain(first, events);
  let ended = why === undefined;
  for (let tries = 0; waiting() && !http.over && events.lastId !== null && tries < resumeTries; tries += 1) {
    const retryMs = Math.min(events.retryMs ?? resumeAfterMs, resumeAfterMsMax);
    if (ended && events.retryMs !== null) http.on.stream?.(id, { kind: 'paused', retryMs });
    ended = false;
    await after(retryMs, undefined, { signal, ref: false });
    const before = events.lastId;
    const response = await send(http, { method: 'GET', lastId: before }, signal).catch(() => undefined);
    if (response === undefined) continue;
    if (response.statusCode !== 200 || !isStream(response)) {
      response.resume();
      break;
    }
    why = await drain(response, events);
    ended = why === undefined;
    if (events.lastId !== before) tries = 0; // it goes on
  }
  if (waiting()) fail(http, id, { kind: 'lost', detail: why ?? 'its stream ended without an answer' });
}

/** Feeds a response's text to the reader; answers why it broke, undefined where it ended well. */
async function drain(response: IncomingMessage, events: Events): Promise<string | undefined> {
  const decoder = new StringDecoder('utf8');
  try {
    let fits = true;
    await eachPiece(response, (piece) => (fits = events.push(decoder.write(piece))));
    return fits ? undefined : 'it wrote a message that is too large';
  } catch (error) {
    return `its stream broke: ${messageOf(error)}`;
  }
}

/** Keeps one GET stream open for what belongs to no request; a server without one (405) is left in peace. */
export async function listen(http: Http): Promise<void> {
  const events = readEvents(messageBytesMax, (event) => {
    if (event.event !== 'message') return;
    for (const one of readIncoming(event.data)) receive(http, one, null);
  });
  for (let pauseMs = resumeAfterMs; !http.over;) {
    const response = await send(http, { method: 'GET', lastId: events.lastId }, http.stop.signal).catch(
      () => undefined,
    );
    if (response !== undefined && response.statusCode === 200 && isStream(response)) {
      pauseMs = resumeAfterMs;
      await drain(response, events);
    } else {
      response?.resume();
      // Only a server that cannot be reached may have a stream later; what says no means it.
      if (response !== undefined && (response.statusCode ?? 0) < 500) return;
      pauseMs = Math.min(pauseMs * 2, listenAgainMsMax);
    }
    await after(events.retryMs ?? pauseMs, undefined, { signal: http.stop.signal, ref: false }).catch(
      () => undefined,
    );
  }
}
