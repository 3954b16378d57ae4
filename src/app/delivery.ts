/**
 * One delivery of a notice to a chat: what it works with, and what became of its many parts as one answer. What could not be
 * done is tried again, what was done is not.
 */
import type { Case } from '../core/case.ts';
import type { ApprovalId } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { ChannelFailure, Delivered, Proof, Told } from '../ports/channel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Desk } from './desk.ts';

/** What one delivery works with. */
export interface Delivery {
  readonly desk: Desk;
  readonly told: Told;
  readonly approval: ApprovalId;
  /** Whose accounts the platform's are: `issuer` of account keys. */
  readonly organisations: () => readonly string[];
  readonly gathered: Gathered;
}

/** The case as the store has it now. */
export const heldNow = ({ desk, approval }: Pick<Delivery, 'desk' | 'approval'>): Promise<Case | undefined> =>
  desk.parts.store.caseBy({ approval });

/** How long one delivery may go on beginning things; the rest of its lease is for what it has begun. */
export const deliveryMsMax = 40_000;
/** Reasons that one answer repeats. */
const reasonsMax = 3;

export class Gathered {
  readonly #clock: Clock;
  readonly #untilMs: number;
  readonly #proofs = new Map<string, Proof>();
  readonly #failures: ChannelFailure[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#untilMs = clock.nowMs() + deliveryMsMax;
  }

  arrived(proof: Proof): void {
    this.#proofs.set(JSON.stringify([proof.to, proof.ref]), proof);
  }

  failed(failure: ChannelFailure): void {
    this.#failures.push(failure);
  }

  /** Nothing more is begun: the platform cannot be reached, or the time is over. */
  isOver(): boolean {
    if (this.#failures.some((one) => one.whole === true)) return true;
    if (this.#clock.nowMs() < this.#untilMs) return false;
    // Not the channel's fault: it goes on where it stopped.
    if (!this.#failures.includes(unfinished)) this.#failures.push(unfinished);
    return true;
  }

  /** What arrived; or why some of it did not, of which anything that may yet work is tried again. */
  answer(): Delivered {
    const all = this.#failures;
    if (all.length === 0) return ok([...this.#proofs.values()]);
    const waits = all.flatMap((one) => (one.retryAfterMs === undefined ? [] : [one.retryAfterMs]));
    const real = all.filter((one) => one.busy !== true);
    const details = [...new Set((real.length > 0 ? real : all).map((one) => one.detail))];
    return err({
      detail: details.slice(0, reasonsMax).join('; '),
      retryable: all.some((one) => one.retryable),
      ...(waits.length === 0 ? {} : { retryAfterMs: Math.max(...waits) }),
      ...(all.some((one) => one.whole === true) ? { whole: true } : {}),
      ...(real.length === 0 ? { busy: true } : {}),
    });
  }
}

/** After a pause in which the others have their turn: what goes on without one would keep the channel to itself. */
export const unfinished: ChannelFailure = {
  detail: 'there is more of it than one delivery may take',
  retryable: true,
  busy: true,
  retryAfterMs: 1000,
};
