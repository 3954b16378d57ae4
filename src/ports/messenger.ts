/**
 * What a chat platform can do, and no more: lay a card out, post, change, find. When and to whom is decided by app/posting.ts,
 * the same for all of them. Promises: `lay` is pure; nothing else shows a button than a card does; text of others is literal
 * there, mentions nobody, links nowhere and is never markup; a failure is an answer, never an exception.
 */
import type { ChatKind, Place, PostId } from '../core/chat.ts';
import type { JsonValue } from '../core/json.ts';
import type { Card } from '../core/render/card.ts';
import type { Shown } from '../core/render/shown.ts';
import type { Result } from '../core/result.ts';
import type { ChannelFailure } from './channel.ts';
import type { Chat } from './chat.ts';

/** A card as the platform takes it. */
export interface Laid {
  /** What is sent, and kept as what people were shown. */
  readonly body: JsonValue;
  /** For notifications and readers of screens: escaped, one line, no secret. */
  readonly text: string;
  /** Whether every part that must be whole is there; where it is not, it has no button to approve. */
  readonly whole: boolean;
}

/** Words of the gate's own beside a card: "Denied by Sam Lee." */
export interface Note {
  readonly text: Shown;
  /** Where one can look at it; null: nowhere. */
  readonly url: string | null;
}

export type Sent<T> = Promise<Result<T, ChannelFailure>>;

export interface Messenger {
  readonly name: ChatKind;
  /** Whether it can ask somebody for a reason before they approve. Where it cannot, what wants one is approved elsewhere. */
  readonly asksReason: boolean;
  /** Pure. Of a card without buttons, none. A `view` is one person's own, and may be longer. */
  lay(card: Card, as: 'card' | 'view'): Laid;
  /** Posts a new message. @param to as configured. `id` goes with it where the platform keeps something out of sight. */
  post(to: string, laid: Laid, id: PostId): Sent<Place>;
  /** Replaces the content of a message. `gone` where there is none any more. */
  update(at: Place, laid: Laid): Sent<'updated' | 'gone'>;
  /** Says something under a message, for those who follow it. */
  reply(at: Place, note: Note): Sent<null>;
  /** Says something to one person alone. @param subject of their account. */
  tell(subject: string, note: Note): Sent<Place>;
  /** A message that was sent with this id and whose answer was lost; null: there is none; `unknown`: the platform cannot tell. */
  find(to: string, id: PostId, sinceMs: number): Sent<Place | null | 'unknown'>;
}

/** A chat platform, connected. */
export interface ChatApp {
  readonly messenger: Messenger;
  /** Whose accounts read there: `issuer` of account keys. Some may be known only once the platform was asked. */
  organisations(): readonly string[];
  /** Answers what the platform sends over HTTP; undefined for a path that is none of its own. */
  handle(request: Request): Promise<Response | undefined>;
  /** Begins to take presses, those first that were recorded before a crash. Never rejects: what fails is said on the board. */
  start(chat: Chat): Promise<void>;
  /** Something that may be in somebody's list of what waits has changed. Never waits, never throws. */
  changed(): void;
  /** Takes no more presses; those under way are finished. */
  stop(): Promise<void>;
}
