/** What the wire needs laid out: pure functions, written elsewhere in this folder, brought together in slack.ts. */
import type { ClickVerb } from '../../core/chat.ts';
import type { Card } from '../../core/render/card.ts';
import type { Shown } from '../../core/render/shown.ts';
import type { InboxLine, Word } from '../../ports/chat.ts';
import type { Laid, Note } from '../../ports/messenger.ts';
import type { JsonValue } from '../../core/json.ts';
import { isJsonObject } from '../../core/json.ts';
import { callbackIds, plain, type Block, type HomeView, type ModalView } from './blocks.ts';

/** What a form is about. */
export interface FormOf {
  readonly id: string;
  readonly tag: string;
  readonly headline: Shown;
}

export interface Layout {
  readonly card: (card: Card, as: 'card' | 'view') => Laid;
  /** Of each verb, the form that asks for its reason. */
  readonly forms: Readonly<Record<ClickVerb, (of: FormOf) => ModalView>>;
  readonly home: (inbox: {
    readonly lines: readonly InboxLine[];
    readonly more: number;
    readonly url: string;
  }) => HomeView;
  /** Instead of an inbox. */
  readonly homeWord: (word: Word) => HomeView;
  readonly note: (note: Note) => readonly Block[];
  readonly word: (word: Word) => readonly Block[];
}

/** The blocks of what was laid out; none where it is not of this folder. */
export const blocksOf = (body: JsonValue): JsonValue => (isJsonObject(body) ? (body['blocks'] ?? []) : []);

/** A modal around blocks. @param blocks as Slack takes them */
export const modalOf = (blocks: unknown): object => ({
  type: 'modal',
  callback_id: callbackIds.view,
  title: plain('Countersign'),
  close: plain('Close'),
  blocks,
});
