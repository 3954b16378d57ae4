/**
 * What a failed delivery leads to: another try and when, another channel as well, or that it is given up. Pure.
 *
 * While people are waited for nothing that asks them is given up on a channel that could work again; what tells of an end is
 * tried for a day. What is given up leaves an entry, so that a channel's silence is on record.
 */
import { stateOf, type Case } from '../core/case.ts';
import type { RoutedChannel } from '../core/chat.ts';
import type { NoticeKind } from '../core/loaded.ts';
import type { ChannelFailure } from '../ports/channel.ts';
import type { Due } from '../ports/store.ts';
import { fallBackTries, isRouted } from './routes.ts';

/** Pauses before each further try; the last one repeats. */
export const pausesMs: readonly number[] = [1000, 5000, 30_000, 60_000, 5 * 60_000, 10 * 60_000];
/** The same where the channel as a whole cannot be reached: one try for all that waits, so it may be oftener. */
const wholePausesMs: readonly number[] = [1000, 5000, 15_000, 30_000, 60_000];
/** Longest time that a receiver is left alone because it wants to be. */
export const retryAfterMsMax = 60 * 60_000;
/** For how long it is tried to tell of an end. */
export const endTriesMs = 24 * 3_600_000;

export type After =
  | { readonly kind: 'giveUp' }
  | {
      readonly kind: 'later';
      readonly pauseMs: number;
      /** Channels that are told instead from now on; empty for none. */
      readonly instead: readonly RoutedChannel[];
    };

/** Whether it asks people for something: true only while they are waited for. */
export function asks(kind: NoticeKind): boolean {
  switch (kind) {
    case 'approval.opened':
    case 'approval.reviewed':
    case 'approval.escalated':
    case 'approval.reminded':
      return true;
    case 'approval.closed':
    case 'execution.ended':
    case 'glass.opened':
    case 'glass.closed':
    case 'glass.reviewed':
      return false;
  }
}

/** Whether another channel is told where this one fails: that somebody has approved asks nobody anew. */
const fallsBack = (kind: NoticeKind): boolean => asks(kind) && kind !== 'approval.reviewed';

/**
 * @param of.failures how often in a row the channel as a whole could not be reached, this time included.
 * @param of.next the channels that come next for whom it did not reach.
 */
export function afterFailure(
  notice: Due,
  failure: ChannelFailure,
  of: {
    readonly held: Case;
    readonly failures: number;
    readonly next: readonly RoutedChannel[];
    readonly nowMs: number;
  },
): After {
  const waits = asks(notice.kind);
  const over = waits ? stateOf(of.held, of.nowMs) !== 'pending' : of.nowMs - notice.sinceMs >= endTriesMs;
  if (over) return { kind: 'giveUp' };
  // A chat that refuses a place may be mended while people are waited for; a receiver of ours that is gone is gone.
  const hopeless = !failure.retryable && failure.busy !== true;
  if (hopeless && !(waits && isRouted(notice.channel))) return { kind: 'giveUp' };
  const tried = Math.max(notice.attempts + 1, of.failures);
  const turns =
    fallsBack(notice.kind) &&
    !notice.fellBack &&
    failure.busy !== true &&
    (hopeless || tried >= fallBackTries);
  return { kind: 'later', pauseMs: pauseOf(notice, failure, of.failures), instead: turns ? of.next : [] };
}

function pauseOf(notice: Due, failure: ChannelFailure, failures: number): number {
  if (failure.retryAfterMs !== undefined) return Math.min(Math.max(1, failure.retryAfterMs), retryAfterMsMax);
  if (!failure.retryable) return pausesMs.at(-1) ?? 0;
  return failure.whole === true
    ? nth(wholePausesMs, Math.max(0, failures - 1))
    : nth(pausesMs, notice.attempts);
}

/** The last one repeats. */
const nth = (pauses: readonly number[], at: number): number => pauses[at] ?? pauses.at(-1) ?? 0;
