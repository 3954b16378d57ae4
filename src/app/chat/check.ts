/**
 * Whether a button that came back is one that the gate made, where it put it, for whoever pressed it. Nothing of what a platform
 * sends says what a button means: its tag is the gate's own, over the copy and the action that the copy is of.
 */
import type { AccountKey } from '../../core/accounts.ts';
import { asPostId, isTagOf, type ClickVerb, type Place, type Post, type TagUse } from '../../core/chat.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ChatAccount, Pressed } from '../../ports/chat.ts';
import type { Parts } from '../parts.ts';

/** A button of a copy, found to be ours. */
export interface Found {
  readonly post: Post;
  readonly use: ClickVerb | 'open';
  /** Where the copy is; while that is not noted, where the platform says that it was pressed. */
  readonly at: Place;
  /** Whether the gate has noted that the copy is there. Until it has, nothing is done that came from there (noted.ts). */
  readonly noted: boolean;
}

/** Longest id that is looked up: of a post, with a verb before it. */
const idMax = 100;

/** What a form's id is made of: what it is for, and the copy that it came from. */
const formId = /^(approve|deny|stop)\.(pst_.+)$/;

/** The id of a form that a button of a copy opens. */
export const formIdOf = (verb: ClickVerb, post: Post): string => `${verb}.${post.id}`;

/** What a form's tag is over: whoever it was opened for is a part of it, because it comes back without its place. */
export const formBound = (verb: ClickVerb, post: Post, account: ChatAccount): readonly string[] => [
  verb,
  post.id,
  post.digest,
  account.issuer,
  account.subject,
];

/** What every other button's tag is over. */
export const bound = (post: Pick<Post, 'id' | 'digest'>): readonly string[] => [post.id, post.digest];

/** Where a view is sent: the account that opened it, whose organisation is a part of who it is. */
export const viewOf = ({ issuer, subject }: Pick<ChatAccount, 'issuer' | 'subject'>): string =>
  `view:${issuer}:${subject}`;

/** The account that opened a view, from where it was sent; an account of nobody where it is no view's. */
export function openedBy({ channel, to }: Pick<Post, 'channel' | 'to'>): AccountKey {
  // No organisation of a chat has a colon in its id.
  const [, issuer = '', subject = ''] = /^view:([^:]*):(.*)$/.exec(to) ?? [];
  return { kind: channel, issuer, subject };
}

// The same words for all of them: whoever tries learns nothing.
const notOurs = (why: string): Refusal =>
  refuse(
    'not_permitted',
    'This button is not one that the gate put here, so nothing was done. Use the gate’s own message, or the web.',
    { why },
  );

/** The copy that it came from is not the one that counts any more. */
export const outOfDate = (why: string): Refusal =>
  refuse(
    'not_permitted',
    'This copy of the message is no longer the one that counts, so nothing was done. Use the newer one, or the web.',
    { why },
  );

/** @param at where the platform says that it was pressed; null for a form alone. */
export async function check(
  { store }: Pick<Parts, 'store'>,
  account: ChatAccount,
  pressed: Pressed,
  at: Place | null,
): Promise<Result<Found, Refusal>> {
  const named = namedBy(pressed);
  if (named === undefined) return err(notOurs('use'));
  const { use, id } = named;
  const post = id.length > idMax ? undefined : await store.post(asPostId(id));
  if (post === undefined) return err(notOurs('no such copy'));
  if (post.channel !== account.kind) return err(notOurs('another channel'));
  const over = pressed.use === 'form' && use !== 'open' ? formBound(use, post, account) : bound(post);
  if (!isTagOf(pressed.tag, store.joinKey(), pressed.use, over)) return err(notOurs('tag'));
  const refusal = refusesPost(post, use, account);
  if (refusal !== undefined) return err(refusal);
  // It may be there before whoever sent it knows: where it is turns out later.
  if (post.state === 'sending')
    return at === null ? err(notOurs('no place')) : ok({ post, use, at, noted: false });
  const elsewhere = refusesPlace(post, pressed.use, at);
  if (elsewhere !== undefined) return err(elsewhere);
  return post.at === null ? err(outOfDate('nowhere')) : ok({ post, use, at: post.at, noted: true });
}

function namedBy({ use, id }: Pressed): { readonly use: Found['use']; readonly id: string } | undefined {
  switch (use) {
    case 'approve':
    case 'deny':
    case 'stop':
    case 'open':
      return { use, id };
    case 'form': {
      const [, verb, post] = formId.exec(id) ?? [];
      return (verb === 'approve' || verb === 'deny' || verb === 'stop') && post !== undefined
        ? { use: verb, id: post }
        : undefined;
    }
    // A line of an inbox is of no copy.
    case 'inbox':
      return undefined;
  }
}

/** What kind of copy it is, whose, and whether it is still the one that counts. */
function refusesPost(post: Post, use: Found['use'], account: ChatAccount): Refusal | undefined {
  switch (post.kind) {
    case 'note':
      return notOurs('a note has no buttons');
    case 'view':
      if (use === 'open') return notOurs('a view opens nothing');
      // Its buttons are for whoever opened it, wherever somebody may have brought them.
      if (post.to !== viewOf(account)) return notOurs('somebody else’s view');
      break;
    case 'card':
      break;
  }
  switch (post.state) {
    case 'posted':
    case 'sending':
      return undefined;
    case 'lost':
    case 'gone':
      return outOfDate(post.state);
  }
}

/** Only a form comes back without its place; what it came from was at its own when it was opened. */
function refusesPlace({ at: there }: Post, use: TagUse, at: Place | null): Refusal | undefined {
  if (at === null) return use === 'form' ? undefined : notOurs('no place');
  return there?.place === at.place && there.message === at.message ? undefined : notOurs('another place');
}
