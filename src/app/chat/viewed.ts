/**
 * A view that is there. From now on it is kept true as every copy is, by what is told of its approval; what has happened between
 * its making and now nobody else would tell it, so it is answered here.
 */
import type { Place } from '../../core/chat.ts';
import type { ChatAccount, Opened } from '../../ports/chat.ts';
import type { Laid } from '../../ports/messenger.ts';
import { cardFor, versionAt } from '../cards.ts';
import { showingOf, withContent } from '../desk.ts';
import type { Parts } from '../parts.ts';
import { viewOf } from './check.ts';

/** What a platform has shown somebody for themself. */
export interface Viewed {
  readonly account: ChatAccount;
  readonly opened: Opened;
  readonly at: Place;
  readonly laid: Laid;
}

/** Writes down what is shown, and only then reads the case: of two changes neither is missed. */
export async function viewed(
  parts: Parts,
  { account, opened, at, laid }: Viewed,
  asksReason: boolean,
): Promise<Opened | null> {
  const { store, clock } = parts;
  const post = await store.post(opened.post);
  // One that is not being made for this account is left as it is.
  if (post?.kind !== 'view' || post.channel !== account.kind || post.to !== viewOf(account)) return null;
  const written = await store.change({
    kind: 'writePost',
    post: {
      ...withContent(post, { laid, version: opened.version }),
      at,
      state: 'posted',
      updatedAtMs: Math.max(clock.nowMs(), post.updatedAtMs + 1),
    },
    showing: showingOf(laid),
  });
  const held = await store.caseBy({ approval: post.approval });
  // Where it cannot be written down, its buttons do nothing.
  if (!written.ok || held === undefined) return null;
  if (versionAt(held, clock.nowMs()) === opened.version) return null;
  return { post: post.id, ...(await cardFor(parts, held, post, asksReason)) };
}
