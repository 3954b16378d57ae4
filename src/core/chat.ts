/**
 * What the gate shows people in a chat, and what they press there. A post is one copy of an approval at one place; a button
 * carries its post's id and a keyed tag, and nothing else. What a press means is looked up here, never read from the platform.
 */
import type { AccountKey } from './accounts.ts';
import type { ApprovalId, Digest, GroupId, Sha256Hex } from './ids.ts';
import type { JsonValue } from './json.ts';
import { equalBytes, hmacSha256Hex } from './sha256.ts';

declare const postId: unique symbol;
/** `pst_` and 128 bits: of a view at random, else the same for the same thing at the same place. Proves nothing: tags do. */
export type PostId = string & { readonly [postId]: true };
declare const clickId: unique symbol;
/** SHA-256 of what makes one press that press: the same press sent again has the same. */
export type ClickId = string & { readonly [clickId]: true };

// Where brands are made: for a new copy or press, from a row, or from what a platform sent. A name proves nothing by itself.
export const asPostId = (text: string): PostId => text as PostId;
export const asClickId = (text: string): ClickId => text as ClickId;

export type ChatKind = 'slack' | 'teams';
/** Channels that groups are routed to; the others are told of everything. */
export type RoutedChannel = ChatKind | 'email';

/** Where a message is, as its platform names it. */
export interface Place {
  /** Slack: conversation id, or `view:USER` of a modal. Teams: conversation id. */
  readonly place: string;
  /** Slack: `ts`, or a view's id. Teams: activity id. */
  readonly message: string;
}

/** `sending`: begun, and not known to have arrived. `lost`: it was sent, and nobody knows where to. `gone`: deleted there. */
export type PostState = 'sending' | 'posted' | 'lost' | 'gone';

/** One copy of an approval somewhere. */
export interface Post {
  readonly id: PostId;
  readonly approval: ApprovalId;
  readonly channel: ChatKind;
  /** `card`: a message for all who read that place. `view`: opened by one person for themself. `note`: tells, has no buttons. */
  readonly kind: 'card' | 'view' | 'note';
  /** Whose place it is; null for a person's own. */
  readonly group: GroupId | null;
  /** Where it was sent, as the configuration or the account says it: "#data-approvals", a conversation's id, a user's id. */
  readonly to: string;
  /** Null until the platform has said where it is. */
  readonly at: Place | null;
  readonly state: PostState;
  /** Of the action that it shows; what a review from here names. */
  readonly digest: Digest;
  /** SHA-256 of the newest content that was sent; its bytes are kept (Showing). */
  readonly shown: Sha256Hex | null;
  /** Whether the whole action can be read there: only then it offers to approve. */
  readonly whole: boolean;
  /** What the case was when this content was made (versionOf); another one needs an update. */
  readonly version: string;
  /** When it was begun; once it is posted, when it arrived. */
  readonly atMs: number;
  readonly updatedAtMs: number;
}

/** What people were shown, word for word, as the platform got it. Kept for the log: its digest is in the review. */
export interface Showing {
  /** SHA-256 of the body's canonical JSON. */
  readonly digest: Sha256Hex;
  readonly body: JsonValue;
}

export type ClickVerb = 'approve' | 'deny' | 'stop';

/** A press, as recorded before the platform is answered. */
export interface Click {
  readonly id: ClickId;
  readonly channel: ChatKind;
  /** As the platform vouches for it. */
  readonly account: AccountKey;
  /** For people to recognise the account by. */
  readonly display: string;
  readonly verb: ClickVerb;
  readonly post: PostId;
  /** As the platform says where it was pressed. */
  readonly at: Place;
  /**
   * What that copy showed when it was pressed: it may be sent anew before the press is carried out. Null: that was not noted yet,
   * and what it is noted to have shown first counts.
   */
  readonly seen: Pick<Post, 'shown' | 'whole'> | null;
  readonly reason: string | null;
  readonly unsafe: boolean;
  readonly atMs: number;
  /** Null until it was carried out or refused. */
  readonly doneAtMs: number | null;
  /** What became of it: a code of a refusal, or `done`; null until then. */
  readonly outcome: string | null;
}

/** How long after it was recorded a press is still carried out: a crash is over by then, and somebody may have changed their mind. */
export const clickMs = 15 * 60_000;

/** What a tag is for. `open`: asks for the whole in a view; `inbox`: the same, out of somebody's own list. */
export type TagUse = ClickVerb | 'open' | 'inbox' | 'form';

/** Hexadecimal digits of a tag: 128 bits. */
const tagDigits = 32;

/**
 * Proves that the gate made a button: an HMAC under the store's key over what the button does and to what. `to` holds what
 * must not be exchanged: a post's id and the action's digest; for a form, whoever it was opened for as well.
 */
export const tagOf = (key: Uint8Array, use: TagUse, to: readonly string[]): string =>
  hmacSha256Hex(key, `countersign.chat-button.v1\0${JSON.stringify([use, ...to])}`).slice(0, tagDigits);

/** In a time that says nothing of the right tag. */
export function isTagOf(tag: string, key: Uint8Array, use: TagUse, to: readonly string[]): boolean {
  const encoder = new TextEncoder();
  return equalBytes(encoder.encode(tag), encoder.encode(tagOf(key, use, to)));
}

/** What a card's content depends on besides the action: when this is another one, copies must be updated. */
export const versionOf = (state: string, approvalVersion: number): string => `${approvalVersion} ${state}`;
