/**
 * What is queued for the writer: a command, or one of the small writes of the outbox. Jobs and their outcomes are JSON, so
 * that they can cross to a worker thread.
 */
import type { Command, Idempotency } from '../core/command.ts';
import type { ActionId } from '../core/ids.ts';
import type { Answer } from '../core/loaded.ts';
import { err, type Result } from '../core/result.ts';
import type { GateBody, GateRow } from '../ports/gates.ts';
import type { Cosignature, Published, Publishing } from '../ports/log-store.ts';
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
  | LogJob
  | GateJob
  /** Writes a row as it was, to learn whether writing works again. */
  | { readonly kind: 'probe' };

/** The small writes of the transparency log. Hashes are base64, because jobs are JSON. */
export type LogJob =
  | { readonly kind: 'takeTree'; readonly holder: string; readonly forMs: number }
  | {
      readonly kind: 'publish';
      readonly publishing: Omit<Publishing, 'tiles'> & {
        readonly tiles: readonly { readonly level: number; readonly n: number; readonly hashes: string }[];
      };
    }
  | {
      readonly kind: 'addCosignature';
      readonly origin: string;
      readonly size: number;
      readonly cosignature: Cosignature;
    }
  | { readonly kind: 'addStamp'; readonly origin: string; readonly size: number; readonly stamp: string }
  | { readonly kind: 'confirm'; readonly origin: string; readonly size: number; readonly note: string }
  | {
      readonly kind: 'setCursor';
      readonly name: string;
      readonly next: number;
      readonly detail: string | null;
    };

/** The small writes of gates that share the store (gate-rows.ts). */
export type GateJob =
  | { readonly kind: 'beat'; readonly gate: string; readonly body: GateBody }
  | { readonly kind: 'leave'; readonly gate: string }
  | { readonly kind: 'takeLease'; readonly name: string; readonly holder: string; readonly forMs: number }
  | { readonly kind: 'setDamage'; readonly what: string | null }
  | { readonly kind: 'propose'; readonly digest: string };

const gateKinds: ReadonlySet<Job['kind']> = new Set<GateJob['kind']>([
  'beat',
  'leave',
  'takeLease',
  'setDamage',
  'propose',
]);

// The set holds the kinds of GateJob, and no others.
export const isGateJob = (job: Job): job is GateJob => gateKinds.has(job.kind);

export const isLogJob = (job: Job): job is LogJob => {
  switch (job.kind) {
    case 'takeTree':
    case 'publish':
    case 'addCosignature':
    case 'addStamp':
    case 'confirm':
    case 'setCursor':
      return true;
    case 'change':
    case 'takeNotices':
    case 'noticeDone':
    case 'noticeLater':
    case 'beat':
    case 'leave':
    case 'takeLease':
    case 'setDamage':
    case 'propose':
    case 'probe':
      return false;
  }
};

export type Outcome = Result<
  | Answer
  | { readonly kind: 'notices'; readonly due: readonly Due[] }
  | { readonly kind: 'gates'; readonly gates: readonly GateRow[] }
  | { readonly kind: 'lease'; readonly held: boolean }
  | { readonly kind: 'confirmed'; readonly there: boolean }
  /** Null: somebody else has the tree, or it stands elsewhere. */
  | { readonly kind: 'tree'; readonly published: Published | null },
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
