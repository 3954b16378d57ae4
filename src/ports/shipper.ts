/**
 * A place that the log is shipped to. Promises of every implementation:
 *
 * - `send` is given entries in order, again after a failure or a crash: at least once, never another order, never a gap.
 * - It answers `ok` only when it has done what its place lets be known of an arrival; a failure is an answer, never an exception.
 * - It gives up when the signal aborts, and no failure holds a secret.
 */
import type { About, EntryType } from '../core/entry.ts';
import type { JsonObject } from '../core/json.ts';
import type { Result } from '../core/result.ts';

/** One entry as it leaves. */
export interface Shipped {
  readonly index: number;
  /** The same at every repeat, and of no other entry, also where a log was restored and goes on another way. */
  readonly id: string;
  readonly at: string;
  readonly type: EntryType;
  readonly about: About;
  /** Something that whoever watches should look at. */
  readonly warns: boolean;
  /** What it says, in the format of its place; no secrets. */
  readonly body: JsonObject;
}

export interface ShipFailure {
  /** For operators; holds no secret. */
  readonly detail: string;
  /** How long the place wants to be left alone (RFC 9110 §10.2.3). */
  readonly retryAfterMs?: number;
  /** How many from the beginning of the batch have arrived; absent: none, as far as is known. */
  readonly arrived?: number;
}

export interface Shipper {
  /** As configured; its cursor goes by it. */
  readonly name: string;
  /** Never rejects. @param batch at least one entry, their indexes dense. */
  send(batch: readonly Shipped[], signal: AbortSignal): Promise<Result<null, ShipFailure>>;
  close(): Promise<void>;
}
