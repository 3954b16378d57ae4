/**
 * Attaching an account of a chat to a person: the account is given a link that works once, and whoever opens it and is signed in
 * says that the account is theirs. What a link proves is that the account asked for it; whose it becomes is decided by a POST of
 * a person on our own page (http/pages/link.ts), which names the account.
 */
import type { Way } from '../../core/accounts.ts';
import { spentFor } from '../../core/begun.ts';
import { chatLinkHash, chatLinkKind, chatLinkMs, chatLinkSecret } from '../../core/chat-link.ts';
import { chatCodeHash, chatKind } from '../../core/chat-code.ts';
import type { Vouched } from '../../core/command-people.ts';
import type { PersonId } from '../../core/ids.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { line } from '../../core/render/shown.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { sentText } from '../../core/steps/chat-codes.ts';
import { visibleLine } from '../../core/visible.ts';
import type { ChatAccount, Word } from '../../ports/chat.ts';
import { accountIn } from '../accounts.ts';
import { createPace } from '../pace.ts';
import type { Parts } from '../parts.ts';
import { refusalOf } from '../review.ts';
import { keyOf } from './refused.ts';
import { refusedWord } from './words.ts';

/** Links that one account is given within a minute. */
export const linksPerMinute = 10;
/** Characters of a name that a platform says. */
const displayMax = 200;
/** Characters of a code as somebody typed it. */
const codeMax = 64;
const secretBytes = 32;

export type Links = (account: ChatAccount) => Promise<Result<string, Refusal>>;

/** What a chat says somebody is called: shown, and never what identifies them. */
export const displayOf = ({ display, subject }: ChatAccount): string => {
  const text = visibleLine(display.slice(0, displayMax).toWellFormed()).trim();
  return text === '' ? subject : text;
};

/** Links for accounts. The secret stands after `#`: what follows it reaches no server, and so no log, by itself. */
export function createLinks(parts: Parts): Links {
  const pace = createPace();
  return async (account) => {
    const row = await parts.store.account(keyOf(account));
    if (row?.endedAtMs === null)
      return err(refuse('not_permitted', 'This account is linked to somebody already.'));
    if (pace.count(JSON.stringify(keyOf(account)), parts.clock.nowMs()) > linksPerMinute)
      return err(refuse('quota', 'Too many links were asked for from this account; try again in a minute.'));
    const secret = chatLinkSecret(Buffer.from(parts.random.bytes(secretBytes)).toString('base64url'));
    const hash = chatLinkHash(secret);
    if (hash === undefined) throw new TypeError('a secret that has not the form of one');
    const begun = await parts.store.change({
      kind: 'begin',
      begun: {
        hash,
        kind: chatLinkKind,
        // Whose it becomes is not known yet.
        person: null,
        body: sentText(keyOf(account), displayOf(account)),
        expiresAtMs: parts.clock.nowMs() + chatLinkMs,
      },
    });
    return begun.ok ? ok(`${parts.origin}/link#${secret}`) : err(refusalOf(begun.error));
  };
}

/** Adds a link to what is said to an account that is nobody's; leaves any other word as it is. */
export async function offerLink(links: Links, account: ChatAccount, word: Word): Promise<Word> {
  if (word.kind === 'done' || word.code !== 'unauthenticated') return word;
  const url = await links(account);
  return url.ok ? { ...word, link: { text: line('Link your account'), url: url.value } } : word;
}

/** A code of the web inbox, sent by an account. Whose it is, is not said to it. */
export async function sendCode(parts: Parts, account: ChatAccount, code: string): Promise<Word> {
  const sent = await parts.store.change({
    kind: 'sendCode',
    code: chatCodeHash(code.slice(0, codeMax)),
    account: { ...keyOf(account), display: displayOf(account) },
  });
  if (!sent.ok) return refusedWord(refusalOf(sent.error));
  return sent.value.kind === 'begun' && sent.value.begun.kind === chatKind
    ? {
        kind: 'done',
        text: line(
          'Your code has arrived. Go back to the gate’s page and confirm that this account is yours.',
        ),
      }
    : refusedWord(
        refuse('not_found', 'There is no such code, or it is too old. Ask the gate’s page for a new one.'),
      );
}

/** A link as its page shows it. */
export interface LinkShown {
  readonly account: Vouched;
  /** What the store knows the link by. */
  readonly link: string;
}

const notThere = refuse(
  'not_found',
  'This link was used, is too old or never existed. Press the button in the chat again for a new one.',
);

/** The account that a link was given to; uses nothing up. */
export async function shownLink(
  { store, clock }: Pick<Parts, 'store' | 'clock'>,
  secret: string,
): Promise<Result<LinkShown, Refusal>> {
  const link = chatLinkHash(secret);
  const row = link === undefined ? undefined : await store.begun(link);
  if (row === undefined || link === undefined) return err(notThere);
  const spent = spentFor(row, chatLinkKind, { person: null, nowMs: clock.nowMs() });
  const account = spent === undefined ? accountIn(row.body) : null;
  return account === null ? err(notThere) : ok({ account, link });
}

/** The person says that the account which was given this link is theirs. */
export async function finishLink(
  parts: Parts,
  by: { readonly person: PersonId; readonly way: Way },
  secret: string,
): Promise<Result<Vouched, Refusal>> {
  const shown = await shownLink(parts, secret);
  if (!shown.ok) return shown;
  const { account, link } = shown.value;
  const linked = await parts.store.change({
    kind: 'linkAccount',
    person: by.person,
    way: by.way,
    account,
    code: null,
    link,
    coolOffMs: parts.limits.coolOffMs,
  });
  return linked.ok ? ok(account) : err(refusalOf(linked.error));
}
