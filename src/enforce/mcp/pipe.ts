/**
 * A pipe to one upstream: carries JSON-RPC texts there and messages back, and knows nothing of what they mean. Two make
 * one: `stdio.ts` (a process) and `http.ts` (Streamable HTTP).
 *
 * Promises of both: nothing throws; each request sent is answered by a message, or by one `failed`; after `closed`, which
 * comes at most once, nothing more comes and all that was in flight has failed.
 */
import type { Incoming, RequestId } from './message.ts';

/**
 * Why a request has no answer. `unsent`: it did not reach the upstream, or was turned away at its door, so nothing was
 * done. `lost`: nobody knows. `session`: the upstream no longer knows this connection; nothing was done.
 */
export interface Failure {
  readonly kind: 'unsent' | 'lost' | 'session';
  /** For operators and agents: holds no secret. */
  readonly detail: string;
  /** The HTTP status that turned it away, where one did. */
  readonly status?: number;
}

/** What an upstream does with the stream of a request: it said how to come back to it, or ended the connection and waits for that. */
export type StreamTurn =
  | { readonly kind: 'primed' }
  | {
      readonly kind: 'paused';
      /** When to come back. */
      readonly retryMs: number;
    };

export interface PipeEvents {
  /** @param related the request on whose stream the message came; null where the transport does not tell. */
  message(incoming: Incoming, related: RequestId | null): void;
  /** The pipe itself comes back to the stream: this is for who wants to do the same. */
  stream?(id: RequestId, turn: StreamTurn): void;
  failed(id: RequestId, failure: Failure): void;
  closed(detail: string): void;
}

export interface Pipe {
  /**
   * Sends a request; what becomes of it is told by events.
   * @param headers for this message alone, in lower case; transports without headers leave them out.
   */
  request(id: RequestId, text: string, headers?: Readonly<Record<string, string>>): void;
  /** Makes ready to send a request with just this text soon. Nothing of it leaves. */
  prepare?(text: string, headers?: Readonly<Record<string, string>>): void;
  /** No answer to this request is waited for any more; nothing is told of it. */
  forget(id: RequestId): void;
  /** Sends a notification or an answer; resolves when it was taken, or when it could not be. */
  tell(text: string): Promise<void>;
  /** The revision that both ends agreed on, and that they are about to start: for transports that must name it. */
  agreed(version: string): void;
  close(): Promise<void>;
}

/** Where operators read what upstreams say beside the protocol; lines are bounded by whoever calls it. */
export type Log = (line: string) => void;

/** Largest message from an upstream. */
export const messageBytesMax = 32 * 1024 * 1024;

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
