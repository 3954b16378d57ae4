/** App Home as an inbox: what waits for one person, and what it says to an account that is nobody's yet. */
import { clock, counted, line, say, short } from '../../core/render/shown.ts';
import type { InboxLine, Word } from '../../ports/chat.ts';
import {
  actions,
  bold,
  button,
  callbackIds,
  newline,
  plain,
  richText,
  text,
  webButton,
  type Block,
  type HomeView,
} from './blocks.ts';
import { headlineCharsMax } from './limits.ts';
import { wordBlocks } from './notes.ts';

/** The most that `Chat.inbox` answers; two blocks a line and a few around stay far below what a view may hold. */
const linesMax = 20;
/** Names are short already; this holds whatever they are. */
const nameCharsMax = 120;

/** @param inbox as `Chat.inbox` answers. */
export function homeView(inbox: {
  readonly lines: readonly InboxLine[];
  readonly more: number;
  readonly url: string;
}): HomeView {
  const { url } = inbox;
  const lines = inbox.lines.slice(0, linesMax);
  const more = inbox.more + inbox.lines.length - lines.length;
  return home([
    { type: 'header', text: plain('Waiting for you') },
    ...(lines.length === 0 ? [richText(text(line('Nothing waits for you.')))] : lines.flatMap(lineBlocks)),
    ...(more === 0 ? [] : [richText(text(say`… and ${counted(more, 'more', 'more')} in the web inbox`))]),
    ...actions(webButton('Open the web inbox', url)),
  ]);
}

/** Instead of an inbox: why there is none, and what to do about it. Nobody has pressed anything, so no word speaks of that. */
export const homeWord = (word: Word): HomeView =>
  home([
    { type: 'header', text: plain('Waiting for you') },
    ...wordBlocks(
      word.kind === 'refused' && word.code === 'unauthenticated' && word.link !== null
        ? {
            ...word,
            text: line('This account is linked to nobody. Link it, and here is what waits for you.'),
          }
        : word,
    ),
  ]);

const home = (blocks: readonly Block[]): HomeView => ({
  type: 'home',
  callback_id: callbackIds.home,
  blocks,
});

function lineBlocks({ headline, agent, state, untilMs, open }: InboxLine): readonly Block[] {
  const until = untilMs === null ? '' : ` · until ${clock(untilMs)}`;
  return [
    richText(
      bold(short(headline, headlineCharsMax)),
      newline,
      text(say`${short(agent, nameCharsMax)} · ${short(state, nameCharsMax)}${until}`),
    ),
    ...actions(button('inbox', 'Review', open)),
  ];
}
