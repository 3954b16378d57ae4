/** A request of the agent on its way: from its arrival until its answer was handed over. */
import type { Case } from '../../core/case.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Classified } from './classify.ts';
import { notificationText, type RequestId } from './message.ts';
import type { Reply } from './reply.ts';

/** The kinds of message that are answered on their own response. */
export type Request = Classified & { readonly kind: 'call' | 'list' | 'pass' };

export interface Flight {
  readonly id: RequestId;
  readonly reply: Reply;
  /** A call of a tool: it may be about to run something. */
  readonly isCall: boolean;
  readonly progressToken: RequestId | null;
  /** The agent cancelled it. */
  readonly cancelled: AbortController;
  /** Nobody waits for it any more: it was cancelled, its connection is gone, or the session is closing. */
  readonly left: AbortController;
  /** What runs upstream for it. */
  running: Case | null;
}

export function flightOf(request: Request, reply: Reply): Flight {
  const progressToken = request.kind === 'call' ? request.call.progressToken : tokenOf(request.params);
  const [cancelled, left] = [new AbortController(), new AbortController()];
  reply.gone.addEventListener('abort', () => left.abort(), { once: true });
  const isCall = request.kind === 'call';
  return { id: request.id, reply, isCall, progressToken, cancelled, left, running: null };
}

function tokenOf(params: JsonObject | undefined): RequestId | null {
  const meta = params?.['_meta'];
  const token = isJsonObject(meta) ? meta['progressToken'] : undefined;
  return typeof token === 'string' || typeof token === 'number' ? token : null;
}

/**
 * Progress of a call that waits for people; nothing where the client asked for none. It has to increase with each message
 * (MCP "Progress"), the upstream's own included, which starts at 0 or 1: so it counts in millionths.
 */
export function progressOf(flight: Pick<Flight, 'progressToken' | 'reply'>): (message: string) => void {
  let count = 0;
  return (message) => {
    if (flight.progressToken === null) return;
    count += 1;
    const params = { progressToken: flight.progressToken, progress: count / 1_000_000, message };
    flight.reply.event(notificationText('notifications/progress', params));
  };
}

/** How long a closing session looks for quiet between two looks. */
const lookMs = 20;

/** Something runs upstream for it. */
export const runs = (flight: Flight): boolean => flight.running !== null;

/** Resolves when no flight is so any more, or when the time is over. */
export async function untilNone(
  flights: ReadonlyMap<string, Flight>,
  is: (flight: Flight) => boolean,
  withinMs: number,
): Promise<void> {
  const untilMs = performance.now() + withinMs;
  while ([...flights.values()].some(is) && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}
