/**
 * A channel that is told of approvals while nobody looks at a page. Promises of every implementation (test/channels/contract.ts):
 *
 * - `deliver` is called at least once for each notice, again after a failure or a crash, and a repeat of one that has arrived
 *   adds no second copy where the platform lets that be known.
 * - It decides nothing, and shows nothing that those who read there may not see.
 * - What it says is what the store says then: what is over is never told as open, however late it comes.
 * - A failure is an answer, never an exception.
 */
import type { RoutedChannel } from '../core/chat.ts';
import type { Case } from '../core/case.ts';
import type { Glass } from '../core/glass.ts';
import type { GroupId, PersonId } from '../core/ids.ts';
import type { NoticeKind } from '../core/loaded.ts';
import type { Result } from '../core/result.ts';

/** Where one group is reached on a channel, as the configuration says it. */
export interface Route {
  readonly channel: RoutedChannel;
  /** Slack: a channel's id or `#name`. Teams: a conversation's id. E-mail: an address. */
  readonly to: string;
}

/** Where people are reached; the first route of a group is used, the next where that one fails. */
export interface Routing {
  readonly groups: ReadonlyMap<GroupId, readonly Route[]>;
  /** Of groups that name none. */
  readonly otherwise: readonly Route[];
}

/** A route with whose it is. */
export interface Destination {
  readonly group: GroupId;
  readonly to: string;
}

export interface Told {
  readonly kind: NoticeKind;
  /** Stable across repeats: receivers drop what they have seen. */
  readonly id: string;
  readonly case: Case;
  /** Where a person can look at it. */
  readonly url: string;
  readonly headline: string;
  /** Where this channel reaches those whom it is for; empty where it reaches nobody, or needs no routes. */
  readonly to: readonly Destination[];
  /** The channel that failed, where this one is told because of that; null: it is told as every channel is. */
  readonly insteadOf: string | null;
  /** Who owns the agent, the accountable one first: they are told every outcome. */
  readonly owners: readonly { readonly id: PersonId; readonly name: string }[];
  /** What a notice `glass.…` is about, with the names of whoever had a part in it. */
  readonly glass?: { readonly now: Glass; readonly names: ReadonlyMap<PersonId, string> };
  /** It was tried before: some of it may have arrived. */
  readonly again?: true;
  readonly nowMs: number;
}

/** That something has arrived, as its receiver says it. */
export interface Proof {
  readonly to: string;
  /** What the receiver calls it: a message's id; null where it says no more than that it has it. */
  readonly ref: string | null;
}

export interface ChannelFailure {
  /** For operators; holds no secret. */
  readonly detail: string;
  readonly retryable: boolean;
  /** How long the receiver wants to be left alone (RFC 9110 §10.2.3 Retry-After); absent: it did not say. */
  readonly retryAfterMs?: number;
  /** Whether nothing else can be delivered on this channel either. */
  readonly whole?: boolean;
  /** Nothing of it has arrived: it was refused, or never left. Absent: that is not known. */
  readonly unsent?: true;
  /** Somebody else is at the same thing at this moment: it says nothing of the channel. */
  readonly busy?: true;
}

/** What has arrived where; empty where there was nothing to tell. */
export type Delivered = Result<readonly Proof[], ChannelFailure>;

export interface Channel {
  readonly name: string;
  deliver(told: Told): Promise<Delivered>;
}
