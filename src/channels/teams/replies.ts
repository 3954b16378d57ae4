/** What the bot answers to whoever writes to it or installs it: codes that link an account, and what belongs in the configuration. */
import { line, say as sentence, type Shown } from '../../core/render/shown.ts';
import type { Chat, Word } from '../../ports/chat.ts';
import type { Messenger } from '../../ports/messenger.ts';
import type { Heard } from './activity.ts';
import type { AskMember } from './presses.ts';

/** Messages that are answered within a minute, all of them together: each answer is a call of ours. */
const answersPerMinute = 60;

export interface ReplyParts {
  readonly messenger: Messenger;
  readonly askMember: AskMember;
  readonly nowMs: () => number;
  readonly say: (line: string) => void;
}

/** Answers what was said; more than a bot is asked by people is dropped. */
export type Replies = (chat: Chat, heard: Extract<Heard, { kind: 'said' | 'installed' }>) => Promise<void>;

export function createReplies({ messenger, askMember, nowMs, say }: ReplyParts): Replies {
  let minute = { sinceMs: 0, count: 0 };
  const mayAnswer = (): boolean => {
    if (nowMs() - minute.sinceMs >= 60_000) minute = { sinceMs: nowMs(), count: 0 };
    minute.count += 1;
    return minute.count <= answersPerMinute;
  };
  const linked = async (chat: Chat, { account, conversation }: Said, code: string): Promise<Word> => {
    const turned = await askMember({ account, at: { place: conversation, message: '' } }, null);
    return turned === null
      ? chat.sendCode(account, code)
      : { kind: 'done', text: line(turned.away.refusal.detail) };
  };
  const wordFor = (chat: Chat, said: Said): Promise<Word> => {
    const { conversation, alone, code } = said;
    if (code !== null && alone) return linked(chat, said, code);
    const text = code === null ? helpFor(conversation, alone) : notAlone;
    return Promise.resolve({ kind: 'done', text });
  };
  return async (chat, heard) => {
    if (!mayAnswer()) return;
    const { conversation } = heard;
    const word: Word =
      heard.kind === 'said'
        ? await wordFor(chat, heard)
        : { kind: 'done', text: helpFor(conversation, false) };
    const url = word.kind === 'refused' ? (word.link?.url ?? null) : null;
    const sent = await messenger.reply({ place: conversation, message: '' }, { text: word.text, url });
    if (!sent.ok) say(`a message could not be answered: ${sent.error.detail}`);
  };
}

type Said = Extract<Heard, { kind: 'said' }>;

const notAlone = line(
  'Send codes in a chat with me alone, where nobody else reads them. Nothing was done with this one.',
);

const helpFor = (conversation: string, alone: boolean): Shown =>
  alone
    ? line(
        'Approvals are decided on their cards, or in the web inbox. To link this account, send me the eight digits that your account page in the web inbox shows.',
      )
    : sentence`Approvals can be posted here. For that, put the id of this conversation into the configuration (channels.teams.conversation, or groups.NAME.teams): ${conversation}`;
