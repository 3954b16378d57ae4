/**
 * What a chat may ask of the gate when somebody presses something there. The chat has verified who speaks (the platform's
 * signature, the organisation, that it is a full member); whom that is here, and what they may do, is found out behind this.
 *
 * Promises: `record` is durable when it answers; the same press again answers the same and does nothing twice; nothing here
 * throws for what somebody pressed.
 */
import type { AccountKey } from '../core/accounts.ts';
import type { ChatKind, Click, ClickId, Place, PostId, TagUse } from '../core/chat.ts';
import type { JsonObject } from '../core/json.ts';
import type { Card } from '../core/render/card.ts';
import type { Shown } from '../core/render/shown.ts';
import type { Refusal } from '../core/refusal.ts';
import type { Result } from '../core/result.ts';
import type { Laid } from './messenger.ts';

/** An account as the platform vouches for it. */
export interface ChatAccount extends AccountKey {
  readonly kind: ChatKind;
  readonly display: string;
}

/** A button of ours as it came back. */
export interface Pressed {
  readonly use: TagUse;
  readonly id: string;
  readonly tag: string;
}

/** What goes back to that person alone. */
export type Word =
  | { readonly kind: 'done'; readonly text: Shown }
  /** Why not. `url`: where they can do it instead, or link their account. */
  | {
      readonly kind: 'refused';
      readonly text: Shown;
      readonly code: string;
      readonly link: { readonly text: Shown; readonly url: string } | null;
    };

/** Why the platform's own facts speak against whoever pressed: a guest, a stranger, somebody whom it does not know. */
export interface TurnedAway {
  /** What that person is told. */
  readonly refusal: Refusal;
  /** What the platform says of the account, for the log. */
  readonly evidence: JsonObject;
}

/** One line of somebody's inbox. */
export interface InboxLine {
  readonly headline: Shown;
  readonly agent: Shown;
  readonly state: Shown;
  readonly untilMs: number | null;
  readonly url: string;
  /** Opens it in a view of their own. */
  readonly open: Pressed;
}

/** A card that was opened by one person for themself. Its buttons work only in the view that it was made for. */
export interface Opened {
  readonly post: PostId;
  readonly card: Card;
  /** What the case was when the card was made. */
  readonly version: string;
}

export interface Chat {
  /**
   * What a press on this button, at this place, by this account is; refused where the tag is not the gate's. Durable, and
   * never waits for anything else: whether the gate knows of a message there yet is found out by `carryOut`.
   * `at` is null for a form alone (`form` below), whose tag is bound to the account that it was opened for.
   */
  record(press: {
    readonly id: ClickId;
    readonly account: ChatAccount;
    readonly pressed: Pressed;
    readonly at: Place | null;
    readonly reason: string | null;
    readonly unsafe: boolean;
  }): Promise<Result<Click, Refusal>>;
  /** Carries a recorded press out, once; again, it answers what became of it. */
  carryOut(click: Click): Promise<Word>;
  /** A press that the platform's own facts speak against: a guest, a stranger, another organisation. Leaves an entry. */
  turnAway(click: Click, refusal: Refusal, evidence: JsonObject): Promise<Word>;
  /** Presses that were recorded before a crash and not carried out. */
  open(channel: ChatKind): Promise<readonly Click[]>;

  /** The whole of an approval for one account, out of a card's or an inbox's button. Writes down that a view is being made. */
  view(account: ChatAccount, pressed: Pressed, at: Place | null): Promise<Result<Opened, Word>>;
  /**
   * The account's view is where the platform says, showing what was opened, laid out so. Answers what it should show instead
   * where the case has moved on meanwhile: whoever shows that says so here again. Null: it tells the truth, or is no view.
   */
  viewed(account: ChatAccount, opened: Opened, at: Place, laid: Laid): Promise<Opened | null>;
  /**
   * A tag that a form of this account carries (the reason of an approval, of a denial, of a stop), for a button that it came from;
   * refused as `record`, and where this person's approve would be refused whatever they say.
   */
  form(
    account: ChatAccount,
    pressed: Pressed,
    at: Place,
  ): Promise<Result<{ readonly id: string; readonly tag: string; readonly headline: Shown }, Word>>;
  /** What waits for this account's person: what they may approve first, each half newest first; at most 20. */
  inbox(
    account: ChatAccount,
  ): Promise<
    Result<{ readonly lines: readonly InboxLine[]; readonly more: number; readonly url: string }, Word>
  >;
  /** Where somebody attaches this account to themself: works once, for ten minutes. */
  linkUrl(account: ChatAccount): Promise<Result<string, Refusal>>;
  /** A code from the web inbox, sent by this account. */
  sendCode(account: ChatAccount, code: string): Promise<Word>;
}
