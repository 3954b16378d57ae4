/** Server-sent events (WHATWG HTML §9.2) as MCP's Streamable HTTP uses them: reading an upstream's, writing ours. */

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

export interface Events {
  /** Takes the next piece of decoded text; false once one event grew larger than allowed. */
  push(text: string): boolean;
  /** The last event id that was seen, for resuming; null where there was none. */
  readonly lastId: string | null;
  /** The time to wait before reconnecting that the server named. */
  readonly retryMs: number | null;
}

/** Reads a stream of events; `take` gets those with data. @param primed told of an event with an id and no data. */
export function readEvents(
  charsMax: number,
  take: (event: ServerEvent) => void,
  primed?: () => void,
): Events {
  let rest = '';
  let halfEnd = false;
  let data: string[] = [];
  let event = '';
  let size = 0;
  let lastId: string | null = null;
  let named = false;
  let retryMs: number | null = null;
  const dispatch = (): void => {
    const whole = { event: event === '' ? 'message' : event, data: data.join('\n') };
    const primes = named && whole.data === '';
    [data, event, size, named] = [[], '', 0, false];
    if (primes) primed?.();
    if (whole.data !== '') take(whole);
  };
  const field = (line: string): void => {
    if (line === '') return dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment: keeps the connection alive
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data') {
      data.push(value);
      size += value.length;
    } else if (name === 'event') event = value;
    else if (name === 'id' && !value.includes('\0')) [lastId, named] = [value, true];
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) retryMs = Number(value);
  };
  return {
    push: (text) => {
      if (text === '') return true;
      // A carriage return that ended the last piece has ended its line: a line feed now is its other half.
      rest += halfEnd && text.startsWith('\n') ? text.slice(1) : text;
      halfEnd = text.endsWith('\r');
      if (/[\r\n]/.test(text)) {
        const lines = rest.split(/\r\n|\n|\r/);
        rest = lines.pop() ?? '';
        for (const line of lines) field(line);
      }
      return rest.length + size <= charsMax;
    },
    get lastId() {
      return lastId;
    },
    get retryMs() {
      return retryMs;
    },
  };
}

/** One event with a JSON text that has no line breaks. @param id of the event, where its stream can be resumed. */
export const eventText = (text: string, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: message\ndata: ${text}\n\n`;

/** An event that gives the reader an id to come back with, and says nothing. Clients before 2025-11-25 fail on it. */
export const primingText = (id: string, retryMs: number): string =>
  `id: ${id}\nretry: ${retryMs}\ndata: \n\n`;

/** Tells when to come back, before the connection is closed. */
export const retryText = (retryMs: number): string => `retry: ${retryMs}\n\n`;

/** A comment that keeps proxies from closing a quiet stream. */
export const keepAliveText = ': waiting\n\n';
