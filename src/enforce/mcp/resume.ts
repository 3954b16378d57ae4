/**
 * Streams that an agent can come back to (MCP 2025-11-25 "Resumability and Redelivery", SEP-1699). The events of a reply that
 * became a stream have ids and are kept for a while, so that an agent that lost its connection, or was sent away to poll, gets
 * the rest by a GET that names the last event it has.
 *
 * Promises: an event id names one stream of one session, and nothing of another is told to who has it; what is kept is bounded
 * in number, size and time; nothing is kept of an answer that needed no stream.
 */
import { openEventStream, streamResponse, type EventStream } from './event-stream.ts';
import { eventText, primingText, retryText } from './sse.ts';

/** Streams without a connection that one session keeps: finished ones are forgotten first, then those left longest ago. */
const awayMax = 32;
/** Events of one stream that are kept. */
const eventsMax = 256;
/** All that one session keeps, in UTF-16 units. A larger answer is handed over, and not kept. */
const charsMax = 512 * 1024;
/** When an agent whose connection was lost should come back; told at the start of each stream. */
const retryMs = 1000;

/** The reply to one request, as a stream. */
export interface ReplyStream {
  readonly response: Response;
  /** Whether a connection of the agent is there. */
  readonly here: boolean;
  /** Says something before the answer; false where it could neither be handed over nor kept. */
  send(text: string): boolean;
  /**
   * Ends it, with the answer or without; true where that was handed over.
   * @param later called if it is handed over only when the agent comes back.
   */
  end(text: string | null, later?: () => void): boolean;
  /** Ends the connection, and not the stream: the agent polls. */
  pause(retryMs: number): void;
  /** The connection that it was opened on is gone. */
  drop(): void;
  /** Resolves when the agent is there: true; or with false, once it will not come any more or the signal aborts. */
  back(signal: AbortSignal): Promise<boolean>;
}

export interface StreamsAt {
  /** 32 hex digits that nobody can guess; others at each call. */
  readonly name: () => string;
  /** How long a stream waits for an agent that is away. */
  readonly keptMs: number;
}

type Headers = Readonly<Record<string, string>>;

interface Kept {
  readonly name: string;
  readonly gone: () => void;
  readonly events: { readonly number: number; readonly text: string }[];
  readonly waiting: ((back: boolean) => void)[];
  /** The number of the next event. */
  next: number;
  line: EventStream | undefined;
  done: boolean;
  later: (() => void) | undefined;
  timer: NodeJS.Timeout | undefined;
}

const eventId = /^([0-9a-f]{32})-(0|[1-9]\d{0,8})$/;

/** All streams of one session that its agent may come back to. */
export class Streams {
  readonly #at: StreamsAt;
  /** By name; those without a connection in the order in which they lost it. */
  readonly #all = new Map<string, Kept>();
  #chars = 0;
  #closed = false;

  constructor(at: StreamsAt) {
    this.#at = at;
  }

  /** @param gone called once the agent has been away for too long, without an answer. */
  open(headers: Headers, gone: () => void): ReplyStream {
    const line = openEventStream(() => this.#left(kept, line));
    const [events, waiting] = [[], []];
    const blank = { next: 0, done: false, later: undefined, timer: undefined };
    const kept: Kept = { name: this.#at.name(), gone, events, waiting, line, ...blank };
    this.#all.set(kept.name, kept);
    prime(kept, line);
    return {
      response: streamResponse(line, headers),
      get here() {
        return kept.line !== undefined;
      },
      send: (text) => this.#send(kept, text),
      end: (text, later) => this.#end(kept, text, later),
      pause: (ms) => {
        if (kept.done || kept.line === undefined) return;
        kept.line.write(retryText(ms), true);
        hangUp(kept);
        this.#park(kept);
      },
      drop: () => {
        line.close();
        this.#left(kept, line);
      },
      back: (signal) => back(kept, signal),
    };
  }

  /**
   * The rest of the stream that an event id names: 204 where there is nothing more (WHATWG HTML §9.2.3: the client stops);
   * undefined for an id that this session never gave, or no longer knows.
   */
  resume(lastId: string, headers: Headers): Response | undefined {
    const [, name = '', number = ''] = eventId.exec(lastId) ?? [];
    const kept = this.#all.get(name);
    const last = Number(number);
    if (kept === undefined || last >= kept.next) return undefined;
    const rest = kept.events.filter((event) => event.number > last);
    if (kept.done && rest.length === 0) return new Response(null, { status: 204, headers });
    const line = openEventStream(() => this.#left(kept, line));
    for (const { text } of rest) line.write(text, true);
    if (kept.done) {
      line.close();
      kept.later?.();
      kept.later = undefined;
      return streamResponse(line, headers);
    }
    // Clients that get no id on this connection have been seen to forget the one they came with.
    if (rest.length === 0) prime(kept, line);
    hangUp(kept); // the newest has it: the old one may be dead without anybody having noticed
    kept.line = line;
    clearTimeout(kept.timer);
    for (const wake of kept.waiting.splice(0)) wake(true);
    return streamResponse(line, headers);
  }

  /** Keeps nothing any more; streams with a connection still get their answers. */
  close(): void {
    this.#closed = true;
    for (const kept of this.#all.values()) if (kept.line === undefined) this.#forget(kept);
  }

  #send(kept: Kept, text: string): boolean {
    if (kept.done) return false;
    const { handed, stays } = this.#say(kept, text, false);
    return handed || stays;
  }

  #end(kept: Kept, text: string | null, later?: () => void): boolean {
    if (kept.done) return false;
    const { handed, stays } = text === null ? { handed: true, stays: false } : this.#say(kept, text, true);
    kept.done = true;
    const attached = kept.line !== undefined;
    hangUp(kept);
    if (!stays)
      this.#forget(kept); // nothing to come back for
    else if (attached) this.#park(kept);
    if (!handed && stays) kept.later = later;
    return handed;
  }

  /** @param must an answer. `stays`: it can be had again. */
  #say(kept: Kept, text: string, must: boolean): { readonly handed: boolean; readonly stays: boolean } {
    const event = eventText(text, `${kept.name}-${kept.next}`);
    const handed = kept.line?.write(event, must) ?? false;
    // A reader that is there, and does not read, has too much waiting already.
    if (!handed && !must && kept.line !== undefined) return { handed, stays: false };
    const stays = this.#makeRoom(kept, event.length, handed || must);
    if (stays) {
      kept.events.push({ number: kept.next, text: event });
      this.#chars += event.length;
    }
    if (handed || stays) kept.next += 1;
    return { handed, stays };
  }

  /**
   * Finished streams make room for any other.
   * @param shed so do earlier events of the same stream: those were handed over, or matter less than an answer.
   */
  #makeRoom(kept: Kept, size: number, shed: boolean): boolean {
    if (this.#closed || size > charsMax) return false;
    for (const one of this.#all.values()) {
      if (this.#chars + size <= charsMax) break;
      if (one.done && one !== kept) this.#forget(one);
    }
    const fits = (): boolean => kept.events.length < eventsMax && this.#chars + size <= charsMax;
    for (let most = shed ? kept.events.length : 0; most > 0 && !fits(); most -= 1)
      this.#chars -= kept.events.shift()?.text.length ?? 0;
    return fits();
  }

  #left(kept: Kept, line: EventStream): void {
    if (kept.line !== line) return; // another connection has taken over
    kept.line = undefined;
    this.#park(kept);
  }

  /** No connection is there: it waits for a while. */
  #park(kept: Kept): void {
    if (this.#closed) return this.#forget(kept);
    this.#all.delete(kept.name);
    this.#all.set(kept.name, kept);
    clearTimeout(kept.timer);
    kept.timer = setTimeout(() => this.#forget(kept), this.#at.keptMs).unref();
    const away = [...this.#all.values()].filter(({ line }) => line === undefined);
    const first = away.find(({ done }) => done) ?? away[0];
    if (away.length > awayMax && first !== undefined) this.#forget(first);
  }

  #forget(kept: Kept): void {
    if (!this.#all.delete(kept.name)) return;
    clearTimeout(kept.timer);
    for (const { text } of kept.events.splice(0)) this.#chars -= text.length;
    const unheard = !kept.done;
    kept.done = true;
    if (unheard) kept.gone();
    for (const wake of kept.waiting.splice(0)) wake(false);
  }
}

/** Gives the agent an id to come back with, before anything is said. */
function prime(kept: Kept, line: EventStream): void {
  line.write(primingText(`${kept.name}-${kept.next}`, retryMs), true);
  kept.next += 1;
}

function hangUp(kept: Kept): void {
  kept.line?.close();
  kept.line = undefined;
}

function back(kept: Kept, signal: AbortSignal): Promise<boolean> {
  if (kept.done || signal.aborted) return Promise.resolve(false);
  if (kept.line !== undefined) return Promise.resolve(true);
  return new Promise((resolve) => {
    kept.waiting.push(resolve);
    signal.addEventListener('abort', () => resolve(false), { once: true });
  });
}
