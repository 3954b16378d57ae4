/** What every measurement of this folder is: rounds of short slices, and rows of a report. */
import type { Comparison, Summary } from './stats.ts';

export interface Goal {
  readonly text: string;
  readonly met: boolean;
}

/** One table of the report. */
export interface Table {
  readonly title: string;
  /** What was compared with what; one sentence or two. */
  readonly method: string;
  /** `ms`, `µs` or `/s`. */
  readonly unit: string;
  readonly variants: readonly Summary[];
  readonly comparisons: readonly Comparison[];
  readonly goals: readonly Goal[];
  /** Sizes and counts that a reader needs to compare with other machines. */
  readonly notes: readonly string[];
}

export interface Measurement {
  readonly name: string;
  /**
   * One slice of each variant. `backwards` turns their order around: it is true in every second round, so that what drifts
   * while a round lasts weighs on both sides alike.
   */
  round(backwards: boolean): Promise<void>;
  tables(): readonly Table[];
  close(): Promise<void>;
}

/** How much is measured. */
export interface Effort {
  readonly rounds: number;
  /** Calls of each way before the clock runs, so that what is measured is a program that has been running for a while. */
  readonly warmUp: number;
  /** How long one slice of a rate lasts, about. */
  readonly sliceMs: number;
  /** Calls of each way in a round. */
  readonly calls: number;
  /** Approvals decided in a round. */
  readonly approvals: number;
  /** Pending approvals, rising, and about how many entries the log has behind the most of them. */
  readonly pendings: readonly number[];
  readonly logEntries: number;
  /** Of the large database: actions, of which so many wait. */
  readonly scale: { readonly actions: number; readonly pending: number };
  /** No further round starts after this. */
  readonly totalMsMax: number;
}

export const usual: Effort = {
  rounds: 11,
  warmUp: 800,
  sliceMs: 600,
  calls: 300,
  approvals: 40,
  pendings: [1, 1000, 10_000, 100_000],
  logEntries: 1_000_000,
  scale: { actions: 3_000_000, pending: 100_000 },
  totalMsMax: 270_000,
};

export const quick: Effort = {
  rounds: 3,
  warmUp: 200,
  sliceMs: 200,
  calls: 80,
  approvals: 10,
  pendings: [1, 100, 1000],
  logEntries: 20_000,
  scale: { actions: 20_000, pending: 2000 },
  totalMsMax: 40_000,
};

/** Runs the steps one after another, in this order or in the other. */
export async function inOrder(steps: readonly (() => Promise<void>)[], backwards: boolean): Promise<void> {
  for (const step of backwards ? steps.toReversed() : steps) await step();
}

/** Runs `work` for `count` jobs by `callers` loops; answers each job's milliseconds. */
export async function timed(
  callers: number,
  count: number,
  work: (job: number, caller: number) => Promise<void>,
): Promise<{ readonly samplesMs: readonly number[]; readonly tookMs: number }> {
  const samplesMs: number[] = [];
  let next = 0;
  const loop = async (caller: number): Promise<void> => {
    while (next < count) {
      const job = next;
      next += 1;
      const from = performance.now();
      await work(job, caller);
      samplesMs.push(performance.now() - from);
    }
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: callers }, (_, caller) => loop(caller)));
  return { samplesMs, tookMs: performance.now() - from };
}
