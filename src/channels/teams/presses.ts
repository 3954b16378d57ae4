/**
 * What happens when somebody presses something in Teams. In this order, and a test holds it: the press is written down; Teams is
 * asked who that is; it is carried out or turned away; that person alone is answered. Teams waits for the answer, so what takes
 * longer is answered "written down", and goes on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Click } from '../../core/chat.ts';
import { line, say } from '../../core/render/shown.ts';
import { refuse } from '../../core/refusal.ts';
import type { Chat, TurnedAway, Word } from '../../ports/chat.ts';
import type { Messenger } from '../../ports/messenger.ts';
import type { Press } from './activity.ts';
import { failureOf } from './failure.ts';
import { judgeMember, notAsked } from './member.ts';
import { inPath } from './messenger.ts';
import type { PressAnswer, Sdk } from './sdk.ts';

/** A press is answered by then. Teams gives up after some ten seconds, and shows that the app cannot be reached. */
export const answerMs = 4000;

/** Whether an account is a full member: null where it is. `unasked`: Teams could not be asked, which may pass. */
export type AskMember = (
  click: Pick<Click, 'account' | 'at'>,
  member: string | null,
) => Promise<null | { readonly kind: 'turned' | 'unasked'; readonly away: TurnedAway }>;

export const askMemberOf =
  (sdk: () => Promise<Sdk>): AskMember =>
  async ({ account, at }, member) => {
    try {
      const { api } = await sdk();
      const answer: unknown = await api.conversations.getMemberById(
        inPath(at.place),
        inPath(account.subject),
      );
      // An object or nothing: a member as Teams describes it, whose fields are all checked.
      const judged = judgeMember((answer ?? {}) as Readonly<Record<string, unknown>>, account, member);
      return judged.ok ? null : { kind: 'turned', away: judged.error };
    } catch (error) {
      const { status, retryable } = failureOf(error);
      return { kind: retryable ? 'unasked' : 'turned', away: notAsked(account.subject, status) };
    }
  };

export interface Presses {
  press(press: Press): Promise<PressAnswer>;
  /** One that was written down before a crash. Null where Teams could not be asked who it was. */
  carry(click: Click): Promise<Word | null>;
  /** Says what came of a press in a chat of that person's own. */
  aside(click: Click, word: Word): ReturnType<Messenger['tell']>;
  /** When nothing is under way any more. */
  settled(): Promise<void>;
}

export interface PressParts {
  readonly chat: Chat;
  readonly askMember: AskMember;
  readonly tell: Messenger['tell'];
  /** Told of what should not have happened. */
  readonly failed: (error: unknown) => void;
  /** Instead of {@link answerMs}. */
  readonly answerWithinMs?: number;
}

export function createPresses(parts: PressParts): Presses {
  const { chat, askMember, tell, failed, answerWithinMs = answerMs } = parts;
  const underWay = new Set<Promise<unknown>>();
  const keep = (work: Promise<unknown>): void => {
    const kept = work.catch(failed).finally(() => underWay.delete(kept));
    underWay.add(kept);
  };
  const aside = (click: Click, word: Word): ReturnType<Messenger['tell']> => {
    const link = word.kind === 'refused' ? word.link : null;
    const text = link === null ? word.text : say`${word.text} ${link.text}.`;
    return tell(click.account.subject, { text, url: link?.url ?? null });
  };
  const carryNow = async (click: Click, member: string): Promise<Word> => {
    const away = await askMember(click, member);
    const word = await (away === null
      ? chat.carryOut(click)
      : chat.turnAway(click, away.away.refusal, away.away.evidence));
    // What works once is on no card: it comes as a button in a chat of theirs, too. Failing that, they have it in the answer.
    if (worksOnce(word)) keep(aside(click, word));
    return word;
  };
  const answerOf = async ({ account, button, verb, member, ...press }: Press): Promise<PressAnswer> => {
    const pressed = { use: verb, ...button };
    const recorded = await chat.record({ ...press, account, pressed });
    if (!recorded.ok) return said(refusedWords(recorded.error.detail));
    const word = carryNow(recorded.value, member);
    const carried = word.then(wordAnswer, (error: unknown) => {
      failed(error);
      return broken;
    });
    keep(carried);
    const late = new AbortController();
    let isLate = false;
    const waited = sleep(answerWithinMs, said(working), { signal: late.signal, ref: false }).then(
      (answer) => {
        isLate = true;
        return answer;
      },
    );
    try {
      return await Promise.race([carried, waited]);
    } finally {
      late.abort();
      waited.catch(() => undefined);
      // Whoever was told to wait is told in a chat of their own what came of it: a refusal changes no card.
      if (isLate) keep(word.then((one) => (worksOnce(one) ? undefined : aside(recorded.value, one))));
    }
  };
  return {
    async press(press) {
      try {
        return await answerOf(press);
      } catch (error) {
        failed(error);
        return broken;
      }
    },
    async carry(click) {
      const away = await askMember(click, null);
      if (away === null) return chat.carryOut(click);
      if (away.kind === 'unasked') return null;
      return chat.turnAway(click, away.away.refusal, away.away.evidence);
    },
    aside,
    settled: async () => void (await Promise.all(underWay)),
  };
}

/** Whether it holds a link that works once. */
const worksOnce = (word: Word): boolean =>
  word.kind === 'refused' && word.link !== null && (URL.parse(word.link.url)?.hash ?? '') !== '';

/** Shown to whoever pressed, and to nobody else. A refusal as well: what Teams shows of an error is a sentence of its own. */
const said = (value: string): PressAnswer => ({
  statusCode: 200,
  type: 'application/vnd.microsoft.activity.message',
  value,
});

const working = 'Written down. It takes longer than Teams waits; you will be told what became of it.';

const broken: PressAnswer = {
  statusCode: 500,
  type: 'application/vnd.microsoft.error',
  value: {
    code: 'audit_unavailable',
    message: 'Something failed here. Look at the message or the web inbox before you press again.',
  },
};

/** To a question that no button of ours asks. */
export const notOurs: PressAnswer = {
  statusCode: 400,
  type: 'application/vnd.microsoft.error',
  value: {
    code: 'not_permitted',
    message: 'This button is not one that the gate put here, so nothing was done.',
  },
};

/** At an end, or before a start. */
export const away: PressAnswer = {
  statusCode: 500,
  type: 'application/vnd.microsoft.error',
  value: {
    code: 'upstream_unavailable',
    message: 'The gate is starting or stopping, and nothing was done. Press again in a moment.',
  },
};

const refusedWords = (detail: string): string => literal(line(detail));

function wordAnswer(word: Word): PressAnswer {
  const text = literal(word.text);
  if (word.kind === 'done' || word.link === null) return said(text);
  return said(`${text} ${literal(word.link.text)}: ${word.link.url}`);
}

/**
 * What Teams makes of Markdown or HTML in an answer is not documented: text of others gets no form of either here that links,
 * mentions or shows an image.
 */
export const literal = (text: string): string =>
  text.replaceAll('](', '] (').replaceAll('<', '‹').replaceAll('>', '›').replaceAll('://', ': //');

/** Of a press from before a start that could not be checked in time. */
export const unasked = refuse(
  'not_permitted',
  'Teams could not be asked who pressed, so nothing was done. Press again, or decide in the web inbox.',
);
