/**
 * What happens when somebody presses something in Slack. In this order, and a test holds it: whose payload it is; the press is
 * written down; Slack is answered; Slack is asked who that is; it is carried out or turned away; that person is told. What
 * could not be written down is not answered, and then nothing happens.
 */
import type { Click } from '../../core/chat.ts';
import { say } from '../../core/render/shown.ts';
import { refuse, statusOf, type Refusal } from '../../core/refusal.ts';
import { err, type Result } from '../../core/result.ts';
import type { Chat, Word } from '../../ports/chat.ts';
import { accountOf, NotRecorded, stranger } from './account.ts';
import type { Ack } from './bolt.ts';
import { modalOf } from './layout.ts';
import { unaskedRefusal } from './members.ts';
import { createOpening, type OpeningParts } from './opening.ts';
import type { Press, Submission } from './payload.ts';
import { wordOf, type Words } from './tell.ts';

export interface PressParts extends OpeningParts {
  readonly chat: Chat;
  readonly words: Words;
}

export interface Presses {
  press(press: Press, ack: Ack): Promise<void>;
  submission(submission: Submission, ack: Ack): Promise<void>;
  /** A press that was written down: asks Slack again who that is, and carries it out. Null where Slack could not be asked. */
  carry(click: Click): Promise<Word | null>;
}

const notOurs = refuse('not_permitted', 'This button is none of this gate’s, so nothing was done.');

export function createPresses(parts: PressParts): Presses {
  const { words, settings } = parts;
  const opening = createOpening(parts);
  const heard = async (press: Press, ack: Ack): Promise<Word | null> => {
    const { verb, at } = press;
    // Of somebody else's message, or at no place: a button alone says nothing.
    if (!isPostedBy(press, settings.appId) || (at === null && verb !== 'inbox')) {
      await acknowledge(ack);
      return wordOf(notOurs);
    }
    if (verb === 'approve') return approve(parts, press, ack);
    // These write nothing down: what a form says is, once it comes back.
    await acknowledge(ack);
    if (verb === 'inbox' || verb === 'open') return opening.whole(press, verb);
    return at === null ? wordOf(notOurs) : opening.form(press, verb === 'approveWhy' ? 'approve' : verb, at);
  };
  return {
    carry: async (click) => carry(parts, click),
    async press(press, ack) {
      const word = await heard(press, ack);
      if (word === null) return;
      if (press.inModal) await words.onTop(press.trigger, press.sender.user, word);
      else await words.aside(press.at, press.sender.user, word);
    },
    submission: async (submission, ack) => submitted(parts, submission, ack),
  };
}

/** Slack names the app of what was pressed in; where it does not, the copy's row has to do. */
const isPostedBy = ({ postedBy }: { readonly postedBy: string | null }, appId: string): boolean =>
  postedBy === null || postedBy === appId;

/** Written down, or refused for good. Throws where it could not be. */
async function record(chat: Chat, press: Parameters<Chat['record']>[0]): Promise<Result<Click, Refusal>> {
  const recorded = await chat.record(press);
  if (!recorded.ok && statusOf(recorded.error.code) >= 500) throw new NotRecorded(recorded.error.detail);
  return recorded;
}

async function carry({ chat, askMember }: PressParts, click: Click): Promise<Word | null> {
  const membership = await askMember(click.account);
  switch (membership.kind) {
    case 'member':
      return chat.carryOut(click);
    case 'turned':
      return chat.turnAway(click, membership.refusal, membership.evidence);
    case 'unasked':
      return null;
  }
}

/** Now or never: whoever pressed is there, and presses again. */
async function carryNow(parts: PressParts, click: Click, isStranger: boolean): Promise<Word> {
  const { issuer, subject } = click.account;
  if (isStranger) return parts.chat.turnAway(click, stranger, { user: subject, team: issuer });
  return (await carry(parts, click)) ?? parts.chat.turnAway(click, unaskedRefusal, { user: subject });
}

async function approve(parts: PressParts, press: Press, ack: Ack): Promise<Word> {
  const { stranger: isStranger, ...account } = accountOf(press.sender, parts.settings);
  const { id, at } = press;
  const pressed = { use: 'approve', ...press.button } as const;
  const recorded = await record(parts.chat, { id, account, pressed, at, reason: null, unsafe: false });
  await acknowledge(ack);
  return recorded.ok ? carryNow(parts, recorded.value, isStranger) : wordOf(recorded.error);
}

async function submitted(parts: PressParts, submission: Submission, ack: Ack): Promise<void> {
  const { stranger: isStranger, ...account } = accountOf(submission.sender, parts.settings);
  const { view, id, reason, unsafe, reasonBlock } = submission;
  const pressed = { use: 'form', ...submission.button } as const;
  const recorded = isPostedBy(submission, parts.settings.appId)
    ? await record(parts.chat, { id, account, pressed, at: null, reason, unsafe })
    : err(notOurs);
  if (!recorded.ok) {
    const errors = { [reasonBlock]: recorded.error.detail };
    return acknowledge(ack, reasonBlock === '' ? undefined : { response_action: 'errors', errors });
  }
  const words = parts.layout.word({ kind: 'done', text: say`Written down. One moment.` });
  // What is laid out is JSON; so it is as a type as well.
  const working = JSON.parse(JSON.stringify(modalOf(words)));
  await acknowledge(ack, { response_action: 'update', view: working });
  await parts.words.inPlace(view, account.subject, await carryNow(parts, recorded.value, isStranger));
}

/** Whether Slack gets the answer or not: what was written down is carried out. */
async function acknowledge(ack: Ack, response?: Parameters<Ack>[0]): Promise<void> {
  try {
    await ack(response);
  } catch {
    // A connection that closed a moment ago; the person presses again, and the press is the same.
  }
}
