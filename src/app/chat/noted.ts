/**
 * A message may be there before the gate knows where: the platform shows it before its answer has arrived here, and somebody may
 * press at once. Whoever wants to act on such a press waits a moment until the place is noted. Promises: nothing is done that came
 * from a place which is not noted as that copy's, and nobody waits long.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Place, Post, PostId } from '../../core/chat.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, type Result } from '../../core/result.ts';
import type { ChatAccount, Pressed } from '../../ports/chat.ts';
import type { Parts } from '../parts.ts';
import { check, type Found } from './check.ts';

/** How long after it was recorded a press waits for its message to be noted. */
const notedMs = 2000;
/** The same for what opens something: Slack lets that be done for three seconds in all. */
const openMs = 1000;
/** How often it is looked for. */
const lookMs = 50;

/** What somebody is told who was quicker than that. */
export const notNoted = refuse(
  'not_permitted',
  'The gate has not noted this message yet, so nothing was done; press again in a moment.',
  { why: 'not noted' },
);

/**
 * A copy, once it is not being sent any more, or as it is when the time is over. @param sinceMs when it was pressed: a press
 * from before a crash has had its time.
 */
export const notedPost = (
  parts: Pick<Parts, 'store' | 'clock'>,
  id: PostId,
  sinceMs: number,
): Promise<Post | undefined> => postWithin(parts, id, sinceMs + notedMs - parts.clock.nowMs());

async function postWithin(
  { store }: Pick<Parts, 'store'>,
  id: PostId,
  withinMs: number,
): Promise<Post | undefined> {
  // By counting, and at most so long: a clock that is set back makes nobody wait for ever.
  for (let leftMs = Math.min(withinMs, notedMs); ; leftMs -= lookMs) {
    const post = await store.post(id);
    if (post?.state !== 'sending' || leftMs <= 0) return post;
    await sleep(lookMs);
  }
}

/** As `check`, of a copy whose place is noted: for what is done at once, and is not recorded. */
export async function checkNoted(
  parts: Pick<Parts, 'store'>,
  account: ChatAccount,
  pressed: Pressed,
  at: Place | null,
): Promise<Result<Found, Refusal>> {
  const found = await check(parts, account, pressed, at);
  if (!found.ok || found.value.noted) return found;
  await postWithin(parts, found.value.post.id, openMs);
  const again = await check(parts, account, pressed, at);
  return again.ok && !again.value.noted ? err(notNoted) : again;
}
