/** Commands about the log itself: keys that begin and end to sign, what is erased or must not be, what targets recorded. */
import type { By } from './case.ts';
import type { HoldId, PersonId } from './ids.ts';
import type { LogKey } from './log-key.ts';
import type { Reconciliation } from './reconcile.ts';
import type { ErasureScope, Hold } from './retention.ts';

/** A key begins to sign. Nothing where it is known already. */
export interface BeginKeyCommand {
  readonly kind: 'beginKey';
  readonly key: LogKey;
}
export interface EndKeyCommand {
  readonly kind: 'endKey';
  readonly key: LogKey['id'];
}
/** Erases payloads. Only operators, never their own; nothing that is held, or that is not in the tree yet, or not over. */
export interface EraseCommand {
  readonly kind: 'erase';
  /** A person; or the gate, where the retention that is configured says so. */
  readonly by: { readonly kind: 'person'; readonly id: PersonId } | { readonly kind: 'gate' };
  readonly scope: ErasureScope;
  readonly reason: string;
  /** What entitles to it, such as "GDPR Art. 17"; null: not said. */
  readonly basis: string | null;
}
/** Keeps payloads from being erased, whoever asks, until it is released. */
export interface HoldCommand {
  readonly kind: 'hold';
  readonly by: PersonId;
  readonly hold: Pick<Hold, 'id' | 'action' | 'person' | 'reason'>;
}
export interface ReleaseCommand {
  readonly kind: 'release';
  readonly by: PersonId;
  readonly hold: HoldId;
  readonly reason: string;
}
/** What management says to an exception of the evidence. */
export interface AnswerExceptionCommand {
  readonly kind: 'answerException';
  readonly by: PersonId;
  /** The exception's stable name in the evidence, such as `downtime/1042`. */
  readonly exception: string;
  readonly text: string;
}
/** What a target itself recorded was compared with the log. */
export interface ReconcileCommand {
  readonly kind: 'reconcile';
  readonly by: By;
  readonly found: Reconciliation;
}

export type LogCommand =
  | BeginKeyCommand
  | EndKeyCommand
  | ReconcileCommand
  | EraseCommand
  | HoldCommand
  | ReleaseCommand
  | AnswerExceptionCommand;
