/**
 * Short things to say: a note under a card, a word to one person alone, the line of a notification. Where Slack shows no blocks
 * (notifications, screens read aloud) it reads `text` as mrkdwn, so that text is escaped here and mentions nobody.
 */
import type { Card } from '../../core/render/card.ts';
import { line, say, short, type Shown } from '../../core/render/shown.ts';
import type { Word } from '../../ports/chat.ts';
import type { Note } from '../../ports/messenger.ts';
import { actions, link, newline, richText, text, webButton, type Block } from './blocks.ts';
import { fallbackCharsMax, wordCharsMax } from './limits.ts';

/** "Export 5,204 rows of customers · prod. Waiting for approval. http://…" */
export function fallback({ headline, environment, state, url }: Card): string {
  const title = environment === null ? headline : say`${headline} · ${environment}`;
  return `${escaped(say`${title}. ${state.title}.`)} ${entities(url)}`;
}

/** Said under a card, or to one person in a message of their own. */
export const noteBlocks = ({ text: words, url }: Note): readonly Block[] => {
  const said = text(short(words, wordCharsMax));
  return [url === null ? richText(said) : richText(said, newline, link(url, line('Open it')))];
};

/** Said to one person alone about what they pressed. */
export const wordBlocks = (word: Word): readonly Block[] => [
  richText(text(short(word.text, wordCharsMax))),
  ...(word.kind === 'done' || word.link === null ? [] : actions(webButton(word.link.text, word.link.url))),
];

/**
 * One line where Slack reads mrkdwn: `&`, `<` and `>` are escaped (docs.slack.dev/messaging/formatting-message-text), which takes
 * the sense of `<!channel>` and `<@U1>`. It knows no other escape, so an `@` and the `://` of a link are written as what it does
 * not look for in plain text.
 */
export const escaped = (words: Shown): string =>
  entities(short(words.replaceAll('@', '＠').replaceAll('://', ': //'), fallbackCharsMax));

const entities = (words: string): string =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
