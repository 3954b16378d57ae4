/**
 * What one person opens for themself in a chat: the whole of one approval, and the list of what waits for them. A view is a copy
 * like any other: it is written down before it is shown, its buttons are tagged for it, and they work nowhere else.
 */
import { stateOf, type Case } from '../../core/case.ts';
import { asPostId, isTagOf, tagOf, versionOf, type Place, type Post, type TagUse } from '../../core/chat.ts';
import { asApprovalId, type ApprovalId } from '../../core/ids.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import type { Button, Buttons } from '../../core/render/card.ts';
import { cardOf } from '../../core/render/card-of.ts';
import type { Now } from '../../core/render/people.ts';
import type { Presentation } from '../../core/render/present.ts';
import { line, type Shown } from '../../core/render/shown.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { mayStopAgent } from '../../core/steps/stops.ts';
import type { ChatAccount, Opened, Pressed, Word } from '../../ports/chat.ts';
import { approvalUrl } from '../notices.ts';
import type { Parts } from '../parts.ts';
import { readHeld, refusalOf } from '../review.ts';
import { bound, viewOf } from './check.ts';
import { offerLink, type Links } from './link.ts';
import { nowFor, presentedTo, refusesHere } from './look.ts';
import { checkNoted } from './noted.ts';
import { personOf, type Person } from './person.ts';
import { tellRefused } from './refused.ts';
import { refusedWord } from './words.ts';

/** Views of one approval that one account has open at most: opening another takes the oldest one's place. */
const viewsMax = 5;

/** What a button in a line of an inbox is tagged over: whose inbox it is belongs to it. */
export const inboxBound = (approval: ApprovalId, account: ChatAccount): readonly string[] => [
  approval,
  account.issuer,
  account.subject,
];

/** The person of an account, or what is said to it. */
export async function readerOf(
  parts: Parts,
  links: Links,
  account: ChatAccount,
): Promise<Result<Person, Word>> {
  const person = await personOf(parts, account, await parts.store.directory());
  return person.ok ? person : err(await offerLink(links, account, refusedWord(person.error)));
}

/** Opens the whole of an approval for one account, and writes down that a view of it is being made. */
export async function openView(
  parts: Parts,
  links: Links,
  press: { readonly account: ChatAccount; readonly pressed: Pressed; readonly at: Place | null },
  asksReason: boolean,
): Promise<Result<Opened, Word>> {
  const { account } = press;
  const named = await approvalOf(parts, press);
  if (!named.ok) {
    await tellRefused(parts, press, named.error);
    return err(refusedWord(named.error));
  }
  const person = await readerOf(parts, links, account);
  if (!person.ok) return person;
  const held = await readHeld(parts, person.value, named.value);
  if (!held.ok) return err(refusedWord(held.error));
  const { approval } = held.value;
  if (approval === null) return err(refusedWord(refuse('not_found', 'There is no such approval.')));
  const now = await nowFor(parts, held.value, { person: person.value, channel: account.kind });
  const shown = await presentedTo(parts, held.value, person.value, now);
  const post: Post = {
    id: await freeId(parts, approval.id, account),
    approval: approval.id,
    channel: account.kind,
    kind: 'view',
    group: null,
    to: viewOf(account),
    at: null,
    state: 'sending',
    digest: held.value.asked.digest,
    shown: null,
    whole: false,
    version: versionOf(stateOf(held.value, now.nowMs), approval.version),
    atMs: now.nowMs,
    updatedAtMs: now.nowMs,
  };
  const written = await parts.store.change({ kind: 'writePost', post, showing: null });
  if (!written.ok) return err(refusedWord(refusalOf(written.error)));
  const buttons = buttonsOf(parts, post, { held: held.value, reader: person.value, now, shown, asksReason });
  const card = cardOf(shown, { url: approvalUrl(parts.origin, approval.id), buttons });
  return ok({ post: post.id, card, version: post.version });
}

/** Which approval is to be opened: that of a card's button where it was posted, or of a line in this account's own inbox. */
async function approvalOf(
  parts: Parts,
  { account, pressed, at }: Parameters<typeof openView>[2],
): Promise<Result<ApprovalId, Refusal>> {
  if (pressed.use === 'inbox') {
    const id = asApprovalId(pressed.id);
    return isTagOf(pressed.tag, parts.store.joinKey(), 'inbox', inboxBound(id, account))
      ? ok(id)
      : err(notOpened('tag'));
  }
  const found = await checkNoted(parts, account, pressed, at);
  if (!found.ok) return found;
  return found.value.use === 'open' ? ok(found.value.post.approval) : err(notOpened('use'));
}

const notOpened = (why: string): Refusal =>
  refuse('not_permitted', 'This opens nothing here. Use the gate’s own message, or the web.', { why });

/** A new id, or that of the account's oldest view of this approval where it has many: so none of them piles up. */
async function freeId(parts: Parts, approval: ApprovalId, account: ChatAccount): Promise<Post['id']> {
  const mine = (await parts.store.postsOf(approval, account.kind)).filter(
    (one) => one.kind === 'view' && one.to === viewOf(account),
  );
  const oldest = mine.toSorted((a, b) => a.updatedAtMs - b.updatedAtMs)[0];
  return oldest !== undefined && mine.length >= viewsMax
    ? oldest.id
    : asPostId(`pst_${Buffer.from(parts.random.bytes(16)).toString('hex')}`);
}

/** A held action as one person reads it, at one moment. */
export interface Reading {
  readonly held: Case;
  readonly reader: Person;
  readonly now: Now;
  readonly shown: Presentation;
  /** Whether the platform can ask for a reason before an approval. */
  readonly asksReason: boolean;
}

/**
 * What this reader could do in a view of their own: no button that would only be refused, and a sentence instead of the one that
 * people look for. Null once nothing can be done.
 */
export function buttonsOf(
  parts: Parts,
  post: Pick<Post, 'id' | 'digest'>,
  { held, reader, now, shown, asksReason }: Reading,
): Buttons | null {
  const { state } = shown.standing;
  if (state !== 'pending' && state !== 'ready') return null;
  const key = parts.store.joinKey();
  const button = (use: TagUse): Button => ({ id: post.id, tag: tagOf(key, use, bound(post)) });
  const barred = refusesHere(held, reader, now, shown.shownWhole);
  const stops = mayStopAgent(held.asked.action.agent, reader.id, { ...now, case: held });
  const wants = barred === undefined && shown.reader?.reasonRequired === true;
  const approveNot = barred === undefined ? (wants && !asksReason ? onTheWeb : null) : whyNot(barred, shown);
  return {
    approve: approveNot === null ? button('approve') : null,
    approveNot,
    ...(wants && asksReason ? { approveAsks: asksFor } : {}),
    deny: shown.reader?.cannotDeny === null ? button('deny') : null,
    stop: stops ? button('stop') : null,
    open: null,
  };
}

/** Where a platform has no field to write a reason in. */
export const onTheWeb = line('Approve it in the web inbox: the policy asks for a reason.');
/** Where it has one. */
export const asksFor = line('The policy asks for a reason with an approval.');

/** In the words that a page uses, where it has its own. */
const whyNot = (barred: Refusal, { reader }: Presentation): Shown =>
  reader?.cannotApprove?.code === barred.code ? reader.cannotApprove.words : line(barred.detail);
