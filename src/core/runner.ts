/**
 * Whether the gate that runs something is gone, so that nobody will ever say how that ended. Promises: a gate that lives is never
 * taken for gone because the database was away; times are the database's.
 * What is taken for gone becomes `unknown`, and whoever asks again after that may run it again.
 */

export const gateLimits = {
  /** How often a gate says that it lives. */
  beatMs: 2_000,
  /** A gap between two beats that is still none: two of them were lost. */
  gapMsMax: 7_000,
  /** Whoever was silent for this long is gone. */
  goneMs: 15_000,
  /**
   * A run that was written down this long ago may still begin, however long the gate was silent. Its start is a sign of life; a
   * flush that takes longer than 10 s is a fault (store/queue.ts), so that nobody has given it up by then.
   */
  beginMsMax: 4_000,
} as const;

/** Whose a run is, and what is known of that gate and of the one that asks. */
export interface Runner {
  /** The gate that started it; null: no gate did, or an earlier program. */
  readonly gate: string | null;
  /** When that gate was heard of last; null: never, or it said that it stopped. */
  readonly seenAtMs: number | null;
  /** The gate that asks; null: none, such as a command line. */
  readonly self: string | null;
  /** Since when that one has been heard of without a gap; null: never. */
  readonly steadyAtMs: number | null;
  /** As the database says, which may be behind the log's own time: what is above goes by it. */
  readonly nowMs: number;
  /** Whether no other gate than the one that asks can be on the store: it is locked to one process. */
  readonly alone: boolean;
}

/**
 * Whether nobody runs it any more. Only who has been heard of itself for long enough may say so: after an outage of the database
 * everybody has been silent, and everybody lives.
 */
export function isGone(runner: Runner, startedAtMs: number): boolean {
  const { gate, seenAtMs, self, steadyAtMs, nowMs, alone } = runner;
  if (gate === null) return true;
  if (gate === self) return false;
  if (alone) return true;
  if (steadyAtMs === null || nowMs - steadyAtMs < gateLimits.goneMs) return false;
  // Whatever it wrote is a sign of life as well.
  return nowMs - Math.max(seenAtMs ?? 0, startedAtMs) >= gateLimits.goneMs;
}
