/**
 * What is queued for the writer: a command, or one of the small writes of the outbox. Jobs and their outcomes are JSON, so
 * that they can cross to a worker thread.
 */
import type { Command, Idempotency } from '../core/command.ts';
import type { ActionId } from '../core/ids.ts';
import type { Answer } from '../core/loaded.ts';
import { err, type Result } from '../core/result.ts';
import type { ChangeError, Due } from '../ports/store.ts';

export type Job =
  | {
      readonly kind: 'change';
      readonly command: Command;
      readonly idempotency: Idempotency | null;
      /** Nobody reads what it comes to, but whether it worked: `done` in the place of a case. */
      readonly brief?: boolean;
    }
  | {
      readonly kind: 'takeNotices';
      readonly channel: string;
      readonly leaseMs: number;
      readonly limit: number;
    }
  | { readonly kind: 'noticeDone'; readonly id: string }
  | {
      readonly kind: 'noticeLater';
      readonly id: string;
      readonly untilMs: number;
      readonly why: { readonly detail: string; readonly fellBack: boolean } | null;
    }
  /** Writes a row as it was, to learn whether writing works again. */
  | { readonly kind: 'probe' };

export type Outcome = Result<
  Answer | { readonly kind: 'notices'; readonly due: readonly Due[] },
  ChangeError
>;

export interface Flushed {
  /** One for each job, in the order of the jobs. */
  readonly outcomes: readonly Outcome[];
  /** Actions that changed; `everything` where the world that actions are judged in did. */
  readonly changed: readonly ActionId[] | 'everything';
  /** Whether notices were written, so that channels have something to take. */
  readonly notices: boolean;
  /** Whether anything reached the disk: only then is a success a sign of health. */
  readonly wrote: boolean;
  /** Entries in the log afterwards; −1 where that is not known. */
  readonly size: number;
  /** Why nothing was written; null where the transaction was committed. */
  readonly fault: string | null;
}

export const faulted = (detail: string): Outcome => err({ kind: 'fault', detail });

/** Everything of a flush failed, for one reason. */
export const faultedAll = (jobs: readonly Job[], detail: string): Flushed => ({
  outcomes: jobs.map(() => faulted(detail)),
  changed: [],
  notices: false,
  wrote: false,
  size: -1,
  fault: detail,
});
