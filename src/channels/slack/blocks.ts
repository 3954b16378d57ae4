/**
 * The blocks of Slack that the gate uses, and no others. Promises: there is no `mrkdwn` here, so that text is never markup; in
 * `text` elements of rich text, and in `plain_text` without emoji, whatever somebody wrote stands literally: it mentions nobody, links
 * nowhere and is in no style. Bold, links and buttons are the gate's own.
 */
import type { Button as Carried } from '../../core/render/card.ts';
import { short, type Shown } from '../../core/render/shown.ts';
import { labelCharsMax } from './limits.ts';

export type PlainText = { readonly type: 'plain_text'; readonly text: string; readonly emoji: false };

/** `link`: to the gate's own pages alone. */
export type RichElement =
  | {
      readonly type: 'text';
      readonly text: string;
      readonly style?: { readonly bold?: true; readonly italic?: true; readonly code?: true };
    }
  | { readonly type: 'link'; readonly url: string; readonly text: string };

export type RichSection = { readonly type: 'rich_text_section'; readonly elements: readonly RichElement[] };
export type RichPart =
  | RichSection
  | { readonly type: 'rich_text_list'; readonly style: 'bullet'; readonly elements: readonly RichSection[] }
  | { readonly type: 'rich_text_preformatted'; readonly elements: readonly RichElement[] }
  | { readonly type: 'rich_text_quote'; readonly elements: readonly RichElement[] };

export type RichText = { readonly type: 'rich_text'; readonly elements: readonly RichPart[] };

export type ButtonElement = {
  readonly type: 'button';
  readonly action_id: string;
  readonly text: PlainText;
  readonly value?: string;
  readonly url?: string;
  readonly style?: 'primary' | 'danger';
};

export type InputBlock = {
  readonly type: 'input';
  readonly block_id: string;
  readonly label: PlainText;
  readonly hint?: PlainText;
  readonly optional: boolean;
  readonly element:
    | {
        readonly type: 'plain_text_input';
        readonly action_id: string;
        readonly multiline: true;
        readonly min_length?: number;
        readonly max_length: number;
      }
    | {
        readonly type: 'checkboxes';
        readonly action_id: string;
        readonly options: readonly {
          readonly text: PlainText;
          readonly value: string;
          readonly description?: PlainText;
        }[];
      };
};

export type Block =
  | { readonly type: 'header'; readonly text: PlainText }
  | { readonly type: 'divider' }
  | { readonly type: 'actions'; readonly elements: readonly ButtonElement[] }
  | InputBlock
  | RichText;

/** `views.open` takes it as it is. */
export type ModalView = {
  readonly type: 'modal';
  readonly callback_id: string;
  readonly title: PlainText;
  readonly close: PlainText;
  readonly submit?: PlainText;
  readonly private_metadata?: string;
  readonly blocks: readonly Block[];
};

/** `views.publish` takes it as it is. */
export type HomeView = {
  readonly type: 'home';
  readonly callback_id: string;
  readonly blocks: readonly Block[];
};

/** What a press says was pressed. `web` only follows a link: it is acknowledged, and nothing else is done. */
export const actionIds = {
  approve: 'countersign.approve',
  /** The same through a form, where a policy asks for a reason. */
  approveWhy: 'countersign.approve_why',
  deny: 'countersign.deny',
  stop: 'countersign.stop',
  open: 'countersign.open',
  inbox: 'countersign.inbox',
  web: 'countersign.web',
} as const;

/** Which view it is that comes back. */
export const callbackIds = {
  view: 'countersign.view',
  approve: 'countersign.approve',
  deny: 'countersign.deny',
  stop: 'countersign.stop',
  home: 'countersign.home',
  word: 'countersign.word',
} as const;

export const plain = (text: string): PlainText => ({ type: 'plain_text', text, emoji: false });

/** Slack refuses an element without text. */
const filled = (words: Shown): string => (words === '' ? ' ' : words);

export const text = (words: Shown): RichElement => ({ type: 'text', text: filled(words) });
export const bold = (words: Shown): RichElement => ({
  type: 'text',
  text: filled(words),
  style: { bold: true },
});
export const italic = (words: Shown): RichElement => ({
  type: 'text',
  text: filled(words),
  style: { italic: true },
});
export const code = (words: Shown): RichElement => ({
  type: 'text',
  text: filled(words),
  style: { code: true },
});
/** The one line break that is ours. */
export const newline: RichElement = { type: 'text', text: '\n' };
/** @param url of the gate's own pages. */
export const link = (url: string, words: Shown): RichElement => ({ type: 'link', url, text: words });

export const richText = (...elements: readonly RichElement[]): RichText => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_section', elements }],
});

/** A button that carries an opaque id and its tag, and nothing else. */
export const button = (
  action: Exclude<keyof typeof actionIds, 'web'>,
  label: string,
  { id, tag }: Carried,
  style?: 'primary' | 'danger',
): ButtonElement => ({
  type: 'button',
  action_id: actionIds[action],
  text: plain(label),
  value: carried({ id, tag }),
  ...(style === undefined ? {} : { style }),
});

/** A button that follows a link to the gate's own pages. */
export const webButton = (label: string, url: string): ButtonElement => ({
  type: 'button',
  action_id: actionIds.web,
  // Code points, of which each may be two units.
  text: plain(short(label, Math.floor(labelCharsMax / 2))),
  url,
});

/** How a button's value and a form's metadata are written: `pst_….0f3a…`. */
export const carried = ({ id, tag }: Carried): string => `${id}.${tag}`;

export const actions = (...elements: readonly (ButtonElement | null)[]): readonly Block[] => {
  const some = elements.filter((one) => one !== null);
  return some.length === 0 ? [] : [{ type: 'actions', elements: some }];
};
