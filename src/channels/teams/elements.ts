/**
 * The elements of Adaptive Cards 1.5 that the gate uses, and no others. Promises: text is in `TextRun` alone, which is literal
 * (`TextBlock` and `FactSet` read Markdown: bold, links); what must be constant there (titles of buttons, labels of inputs) is the
 * gate's own; a link goes to the gate's own pages.
 */
import type { Button as Carried } from '../../core/render/card.ts';
import type { Shown } from '../../core/render/shown.ts';
import type { Tone } from '../../core/render/standing.ts';
import type { ClickVerb } from '../../core/chat.ts';
import { carries, reasonCharsMax } from './activity.ts';

export type Color = 'Attention';

export type TextRun = {
  readonly type: 'TextRun';
  readonly text: string;
  readonly size?: 'Large' | 'Small';
  readonly weight?: 'Bolder';
  readonly color?: Color;
  readonly fontType?: 'Monospace';
  readonly isSubtle?: true;
  readonly italic?: true;
};

export type RichTextBlock = {
  readonly type: 'RichTextBlock';
  readonly inlines: readonly TextRun[];
  readonly spacing?: 'None' | 'Small';
};

export type Container = {
  readonly type: 'Container';
  readonly separator?: true;
  readonly style?: 'emphasis';
  readonly items: readonly RichTextBlock[];
};

export type Input =
  | {
      readonly type: 'Input.Text';
      readonly id: 'reason';
      readonly label: string;
      readonly isMultiline: true;
      readonly maxLength: number;
    }
  | {
      readonly type: 'Input.Toggle';
      readonly id: 'unsafe';
      readonly title: string;
      readonly value: 'false';
      readonly valueOn: 'true';
      readonly valueOff: 'false';
      readonly wrap: true;
    };

export type Execute = {
  readonly type: 'Action.Execute';
  readonly title: string;
  readonly verb: ClickVerb;
  /** Nothing else goes out and comes back but what people type. */
  readonly data: { readonly b: string };
  readonly style?: 'positive' | 'destructive';
};

export type Action =
  | Execute
  | { readonly type: 'Action.OpenUrl'; readonly title: string; readonly url: string }
  | {
      readonly type: 'Action.ShowCard';
      readonly title: string;
      readonly card: {
        readonly type: 'AdaptiveCard';
        readonly body: readonly (RichTextBlock | Input)[];
        readonly actions: readonly Execute[];
      };
    };

export type AdaptiveCard = {
  readonly type: 'AdaptiveCard';
  readonly $schema: 'http://adaptivecards.io/schemas/adaptive-card.json';
  readonly version: '1.5';
  readonly fallbackText: string;
  readonly msteams: { readonly width: 'Full' };
  readonly body: readonly (RichTextBlock | Container | Input)[];
  readonly actions: readonly Action[];
};

type Style = Omit<TextRun, 'type' | 'text'>;

/**
 * A run of literal text. Blanks that a page would draw as one or as none are drawn all: as U+00A0, which no text of others holds
 * (it is shown there as `⟨U+00A0⟩`), and a tab as what it is. What has no place to be wrapped at is given some (U+200B, as above):
 * Microsoft's own library cuts a word off where it is wider than the card, and what is cut off is not shown.
 */
export const run = (text: Shown, style: Style = {}): TextRun => ({
  type: 'TextRun',
  text: drawn(text),
  ...style,
});

const drawn = (text: Shown): string =>
  // A run without text is no run: readers of cards differ in what they make of it.
  text === ''
    ? '\u{a0}'
    : text
        .replaceAll('\t', '⟨U+0009⟩')
        // The first of several stays, so that what follows may be wrapped.
        .replace(/^ | $|(?<= ) /g, '\u{a0}')
        .replace(unbroken, (word) => word.replace(/.{8}(?=.)/gu, '$&\u{200b}'));

/** Fewer of the widest letters fit on the narrowest phones, in every face and size that is used here; usual words stay as they are. */
const unbroken = /[^ ]{14,}/gu;

export const block = (...inlines: readonly TextRun[]): RichTextBlock => ({ type: 'RichTextBlock', inlines });
/** Close under the one before. */
export const under = (...inlines: readonly TextRun[]): RichTextBlock => ({
  ...block(...inlines),
  spacing: 'None',
});

/**
 * One colour, for what speaks against it. The others that Microsoft publishes for Teams are no help: `Warning` and `Good` can hardly be
 * read on white (1.5 and 2.1 to 1), and `Accent` is how links look.
 */
export function colorOf(tone: Tone | 'plain'): Style {
  switch (tone) {
    case 'bad':
      return { color: 'Attention', weight: 'Bolder' };
    case 'unknown':
      return { weight: 'Bolder' };
    case 'good':
    case 'waiting':
      return {};
    case 'over':
      return { isSubtle: true };
    case 'plain':
      return {};
  }
}

export const execute = (
  verb: ClickVerb,
  title: string,
  button: Carried,
  style?: Execute['style'],
): Execute => ({
  type: 'Action.Execute',
  title,
  verb,
  data: { b: carries(button) },
  ...(style === undefined ? {} : { style }),
});

/** A button that opens what it is about to do, and asks once more. */
export const opening = (
  title: string,
  body: readonly (RichTextBlock | Input)[],
  action: Execute,
): Action => ({
  type: 'Action.ShowCard',
  title,
  card: { type: 'AdaptiveCard', body, actions: [action] },
});

export const openUrl = (title: string, url: string): Action => ({ type: 'Action.OpenUrl', title, url });

/** One for all buttons: a card's inputs come with each of them. */
export const reasonInput: Input = {
  type: 'Input.Text',
  id: 'reason',
  label: 'Your reason: the agent and its owners are told, the log keeps it',
  isMultiline: true,
  maxLength: reasonCharsMax,
};

export const unsafeInput: Input = {
  type: 'Input.Toggle',
  id: 'unsafe',
  title: 'It was unsafe: refuse the same action for 15 minutes',
  value: 'false',
  valueOn: 'true',
  valueOff: 'false',
  wrap: true,
};

/** @param fallback constant text: for clients that do not know this version, which may read it as Markdown. */
export const cardWith = (
  body: AdaptiveCard['body'],
  actions: readonly Action[],
  fallback: string,
): AdaptiveCard => ({
  type: 'AdaptiveCard',
  $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
  version: '1.5',
  fallbackText: fallback,
  msteams: { width: 'Full' },
  body,
  actions,
});

const encoder = new TextEncoder();
/** UTF-8 bytes of something as JSON. */
export const bytesOf = (value: unknown): number => encoder.encode(JSON.stringify(value)).length;
