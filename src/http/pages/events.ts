/**
 * Live pages: a stream of server-sent events that says only "something changed"; the page then asks for itself again, with
 * its own session. It carries no data, so whoever reads it learns nothing that they may not see.
 */
import type { Parts } from '../../app/parts.ts';
import type { PersonId } from '../../core/ids.ts';

/** At most one message in this time, however much happens. */
const everyMs = 250;
/** By then a notice that failed is put back, with the reason. */
const noticeMs = 300;
/** A comment in between, so that proxies keep the connection. */
const beatMs = 20_000;
/** Then the browser connects again, and is asked again who it is. */
const lifeMs = 10 * 60_000;
/** Streams that one person holds; the oldest gives way. */
const streamsMax = 12;

const encoder = new TextEncoder();

export interface Events {
  /** The response to a GET of `/events`. */
  open(person: PersonId): Response;
}

export function createEvents(parts: Pick<Parts, 'waiters' | 'clock' | 'board'>): Events {
  const open = new Map<PersonId, Set<() => void>>();
  return {
    open: (person) => {
      const mine = open.get(person) ?? new Set();
      open.set(person, mine);
      const [oldest] = mine;
      if (mine.size >= streamsMax) oldest?.();
      const stream = streamOf(parts, (close) => {
        mine.add(close);
        return () => {
          mine.delete(close);
          if (mine.size === 0 && open.get(person) === mine) open.delete(person);
        };
      });
      return new Response(stream, {
        headers: {
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        },
      });
    },
  };
}

/** @param register is given how to close the stream, and answers what to call once it is closed. */
function streamOf(
  parts: Pick<Parts, 'waiters' | 'clock' | 'board'>,
  register: (close: () => void) => () => void,
): ReadableStream<Uint8Array> {
  let end = (): void => undefined;
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        let sentAtMs = 0;
        let later: NodeJS.Timeout | undefined;
        // A client that does not read is not written to: it asks for the page again when it reads.
        const write = (text: string): void => {
          if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(text));
        };
        const tell = (): void => {
          later = undefined;
          sentAtMs = parts.clock.nowMs();
          write('event: changed\ndata: 1\n\n');
        };
        const changed = (): void => {
          later ??= setTimeout(
            tell,
            Math.max(0, Math.min(everyMs, sentAtMs + everyMs - parts.clock.nowMs())),
          ).unref();
        };
        const stopWatching = [
          parts.waiters.watch(changed),
          // That a channel fails is said before its notice says why.
          parts.board?.watch(() => void setTimeout(changed, noticeMs).unref()),
        ];
        const beat = setInterval(() => write(': still here\n\n'), beatMs).unref();
        const life = setTimeout(() => close(), lifeMs).unref();
        end = (): void => {
          clearTimeout(later);
          clearInterval(beat);
          clearTimeout(life);
          for (const stop of stopWatching) stop?.();
          closed();
          end = (): void => undefined;
        };
        const close = (): void => {
          end();
          controller.close();
        };
        const closed = register(close);
        write('retry: 1000\n: open\n\n');
      },
      cancel: () => end(),
    },
    { highWaterMark: 16 },
  );
}
