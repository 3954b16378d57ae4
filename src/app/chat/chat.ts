/**
 * What a chat may ask of the gate (ports/chat.ts), put together: a press is checked and written down (check.ts), then carried out
 * (carry.ts); somebody opens the whole of an approval or their list (view.ts, inbox.ts); an account becomes somebody's (link.ts).
 */
import { sameAccount } from '../../core/accounts.ts';
import { tagOf, type ChatKind, type Click, type Post } from '../../core/chat.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { headlineOf } from '../../core/render/headline.ts';
import type { Shown } from '../../core/render/shown.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Chat, ChatAccount, Word } from '../../ports/chat.ts';
import { createPace } from '../pace.ts';
import type { Parts } from '../parts.ts';
import { readHeld, reasonCharsMax, refusalOf } from '../review.ts';
import { answered, carryOut, refused } from './carry.ts';
import { check, formBound, formIdOf, type Found } from './check.ts';
import { inboxOf } from './inbox.ts';
import { createLinks, displayOf, sendCode, type Links } from './link.ts';
import { nowFor, refusesHere } from './look.ts';
import { checkNoted } from './noted.ts';
import { keyOf, tellRefused } from './refused.ts';
import { openView, readerOf } from './view.ts';
import { viewed } from './viewed.ts';
import { refusedReview, refusedWord } from './words.ts';

/** Presses and openings of one account within a minute: far more than a person makes, and a bound on what is written for them. */
export const pressesPerMinute = 60;

const tooMany = refuse('quota', 'Too many presses came from this account; wait a minute.');

/** @param reasons the chats that can ask somebody for a reason before they approve. */
export function createChat(parts: Parts, reasons: ReadonlySet<ChatKind>): Chat {
  const links = createLinks(parts);
  const pace = createPace();
  const quick = (account: ChatAccount): boolean =>
    pace.count(JSON.stringify(keyOf(account)), parts.clock.nowMs()) > pressesPerMinute;
  return {
    record: async (press) => {
      if (quick(press.account)) {
        await tellRefused(parts, press, tooMany);
        return err(tooMany);
      }
      return record(parts, press);
    },
    carryOut: (click) => carryOut(parts, links, click),
    turnAway: async (click, refusal, evidence) => {
      const known = await parts.store.click(click.id);
      if (known === undefined || known.doneAtMs !== null)
        return known === undefined ? refusedWord(refusal) : answered(parts, known);
      return refused(parts, known, refusal, evidence);
    },
    open: (channel) => parts.store.openClicks(channel),
    view: async (account, pressed, at) =>
      quick(account)
        ? err(refusedWord(tooMany))
        : openView(parts, links, { account, pressed, at }, reasons.has(account.kind)),
    viewed: (account, opened, at, laid) =>
      viewed(parts, { account, opened, at, laid }, reasons.has(account.kind)),
    form: async (account, pressed, at) => {
      if (quick(account)) return err(refusedWord(tooMany));
      const found = await checkNoted(parts, account, pressed, at);
      const refusal = found.ok ? (found.value.use === 'open' ? noForm : undefined) : found.error;
      if (!found.ok || found.value.use === 'open') {
        await tellRefused(parts, { account, pressed, at }, refusal ?? noForm);
        return err(refusedWord(refusal ?? noForm));
      }
      const { post, use } = found.value;
      const headline = await headlineFor(parts, links, { account, pressed, at }, { post, use });
      if (!headline.ok) return headline;
      return ok({
        id: formIdOf(use, post),
        tag: tagOf(parts.store.joinKey(), 'form', formBound(use, post, account)),
        headline: headline.value,
      });
    },
    inbox: (account) => inboxOf(parts, links, account),
    linkUrl: (account) => links(account),
    sendCode: (account, code) => sendCode(parts, account, code),
  };
}

type FromButton = Parameters<typeof tellRefused>[1];

/** What a form is about; or why this person needs none, which is said before they write down why, and not afterwards. */
async function headlineFor(
  parts: Parts,
  links: Links,
  press: FromButton,
  { post, use }: { readonly post: Post; readonly use: Found['use'] },
): Promise<Result<Shown, Word>> {
  const { account } = press;
  const person = await readerOf(parts, links, account);
  if (!person.ok) return person;
  const held = await readHeld(parts, person.value, post.approval);
  if (!held.ok) return err(refusedWord(held.error));
  const now = await nowFor(parts, held.value, { person: person.value, channel: account.kind });
  const refusal = use === 'approve' ? refusesHere(held.value, person.value, now, post.whole) : undefined;
  if (refusal === undefined) return ok(headlineOf(held.value.asked).text);
  await tellRefused(parts, press, refusal);
  return err(refusedReview(refusal, parts.origin, post.approval));
}

const noForm = refuse('not_permitted', 'This button opens no form; nothing was done.', { why: 'use' });
const sayWhy = refuse('reason_required', 'The policy asks for a reason with an approval: say why.');
const anothersPress = refuse('not_permitted', 'This press is another account’s, so nothing was done.', {
  why: 'another press',
});

/** Checks a press and writes it down; the same press again answers what was written then. */
async function record(parts: Parts, press: Parameters<Chat['record']>[0]): Promise<Result<Click, Refusal>> {
  const { id, account, reason } = press;
  const before = await parts.store.click(id);
  if (before !== undefined && sameAccount(before.account, account)) return ok(before);
  const found =
    before === undefined ? await check(parts, account, press.pressed, press.at) : err(anothersPress);
  if (!found.ok || found.value.use === 'open') {
    const refusal = found.ok ? noForm : found.error;
    await tellRefused(parts, press, refusal);
    return err(refusal);
  }
  const { post, use, at, noted } = found.value;
  const said = reason === null ? '' : reason.slice(0, reasonCharsMax).toWellFormed().trim();
  // The form was opened for it; whether a policy asks for one is found out where it is carried out.
  if (press.pressed.use === 'form' && use === 'approve' && said === '') return err(sayWhy);
  const click: Click = {
    id,
    channel: account.kind,
    account: keyOf(account),
    display: displayOf(account),
    verb: use,
    post: post.id,
    at,
    seen: noted ? { shown: post.shown, whole: post.whole } : null,
    reason: said === '' ? null : said,
    unsafe: press.unsafe && use === 'deny',
    atMs: parts.clock.nowMs(),
    doneAtMs: null,
    outcome: null,
  };
  const recorded = await parts.store.change({ kind: 'recordClick', click });
  if (!recorded.ok) return err(refusalOf(recorded.error));
  if (recorded.value.kind !== 'click') throw new TypeError('a press is answered by a press');
  // Two at a time under one id: it is the press of whoever was first.
  return sameAccount(recorded.value.click.account, account) ? ok(recorded.value.click) : err(anothersPress);
}
