/** Commands about copies of approvals in chats, and about presses there. None of them decides anything: a review does. */
import type { Click, ClickId, Post, Showing } from './chat.ts';
import type { ApprovalId } from './ids.ts';
import type { JsonObject } from './json.ts';
import type { NoticeKind } from './loaded.ts';

/** Writes a post as it is now, and what it shows. Its arrival leaves an entry, once. */
export interface WritePostCommand {
  readonly kind: 'writePost';
  readonly post: Post;
  readonly showing: Showing | null;
  /**
   * When the row that it replaces was written last (`updatedAtMs`), null where there is to be none: where that is another one by
   * now, somebody else is at the same copy, and the answer is `stale`. Absent: whatever is there.
   */
  readonly over?: number | null;
}
/** Writes a press down before the platform is answered. The same one again changes nothing. */
export interface RecordClickCommand {
  readonly kind: 'recordClick';
  readonly click: Click;
}
/** What became of a press; the first answer stays. With evidence: it was refused before it was a review, which leaves an entry. */
export interface FinishClickCommand {
  readonly kind: 'finishClick';
  readonly click: ClickId;
  readonly outcome: string;
  readonly refused: JsonObject | null;
}
/** A channel cannot be reached: the next one of whoever it is for is told instead. */
export interface FallBackCommand {
  readonly kind: 'fallBack';
  readonly approval: ApprovalId;
  readonly notice: NoticeKind;
  /** The channel that fails, and why. */
  readonly from: string;
  readonly detail: string;
  readonly attempts: number;
  /** The channel that is told instead. */
  readonly to: string;
}

export type ChatCommand = WritePostCommand | RecordClickCommand | FinishClickCommand | FallBackCommand;
