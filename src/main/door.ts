/**
 * The door of a gate that is being built or taken apart: whoever comes then is told so, and to come again. Whether the process
 * lives is answered here at any time, because it depends on nothing; whether the gate wants work is answered by the gate, while
 * it has one that does.
 */
import { hardened } from '../http/headers.ts';
import { alive, notReady } from '../http/ready.ts';

const starting = 'The gate is starting.';
const stopping = 'The gate is stopping.';

/** Seconds until somebody who is sent away should come again: to another gate, or to the next process here. */
export const comeAgainS = 1;

/** Answers that it is not ready until everything is built, and again once it is being taken apart. */
export class Door {
  handler: ((request: Request) => Promise<Response>) | null = null;
  /** Why it is closed; null while it is open. */
  closed: string | null = starting;
  /** Why nobody new should be sent here, although it is open; null: they may be. */
  leaving: string | null = null;

  /** Everything is still served, but whoever asks whether the gate is ready is told that it is not. */
  leave(): void {
    this.leaving = stopping;
  }

  /** Takes no new work. */
  close(): void {
    this.leaving = stopping;
    this.closed = stopping;
  }

  /** Why the gate is not ready; null: nothing here says so. */
  get why(): string | null {
    return this.closed ?? this.leaving;
  }

  async handle(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === '/healthz') return hardened(alive(), false);
    if (this.closed !== null || this.handler === null) return this.#sentAway(pathname);
    const response = await this.handler(request);
    return this.why === null ? response : lastOf(response);
  }

  #sentAway(pathname: string): Response {
    const why = this.closed ?? starting;
    const answer =
      pathname === '/readyz' ? notReady(why === starting ? 'starting' : 'stopping', [why]) : notNow(why);
    return hardened(lastOf(answer), false);
  }
}

/** 503 with RFC 9110 §10.2.3 `Retry-After`: nothing was done. */
const notNow = (why: string): Response =>
  new Response(`${why}\n`, {
    status: 503,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'retry-after': String(comeAgainS) },
  });

/** The last answer on its connection (RFC 9112 §9.6): the next request of a client that keeps connections goes elsewhere. */
function lastOf(response: Response): Response {
  try {
    response.headers.set('connection', 'close');
    return response;
  } catch {
    // Headers of some responses cannot be changed; their connection is closed a little later.
    return response;
  }
}
