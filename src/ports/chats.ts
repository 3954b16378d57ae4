/** What the store knows of copies in chats, of presses there, and of what could not be told yet. */
import type { ChatKind, Click, ClickId, Post, PostId, Showing } from '../core/chat.ts';
import type { ApprovalId, Sha256Hex } from '../core/ids.ts';
import type { NoticeKind } from '../core/loaded.ts';

/** A notice that failed at least once and is tried again. */
export interface Failing {
  readonly id: string;
  readonly channel: string;
  readonly kind: NoticeKind;
  readonly approval: ApprovalId;
  /** Tries until now. */
  readonly attempts: number;
  /** Why the last one failed. Holds no secret. */
  readonly detail: string;
  /** Since when it waits. */
  readonly sinceMs: number;
  /** When it is tried again. */
  readonly dueAtMs: number;
  /** Whether another channel was told instead. */
  readonly fellBack: boolean;
}

export interface Chats {
  /** Copies of an approval, oldest first; at most 1000. */
  postsOf(approval: ApprovalId, channel?: ChatKind): Promise<readonly Post[]>;
  post(id: PostId): Promise<Post | undefined>;
  showing(digest: Sha256Hex): Promise<Showing | undefined>;
  click(id: ClickId): Promise<Click | undefined>;
  /** Presses that were recorded and never carried out, oldest first; at most 1000. */
  openClicks(channel: ChatKind): Promise<readonly Click[]>;
  /** Notices that wait because a channel fails, of one approval or of all, oldest first; at most 200. */
  failingNotices(approval?: ApprovalId): Promise<readonly Failing[]>;
  /** Undelivered notices that are due, by channel: how many, and since when the oldest waits. */
  noticesByChannel(): Promise<
    readonly { readonly channel: string; readonly count: number; readonly oldestMs: number }[]
  >;
}
