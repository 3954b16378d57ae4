/**
 * One copy of something in a chat: that it is there once, and that what it says last is true. The order is: written down as being
 * sent, laid out, posted, written down as posted. What is found written down as being sent was begun by somebody who died, by
 * another gate at this moment, or by this one a moment ago; the platform is asked which.
 *
 * Promises: no copy is posted a second time where the platform can tell that it is there; of two gates that begin the same copy
 * one goes on; a copy whose place nobody knows is `lost`, and has no row that would make its buttons work. Nothing here throws
 * for what a platform answers.
 */
import type { Place, Post, PostId } from '../core/chat.ts';
import { err, ok } from '../core/result.ts';
import type { ChannelFailure } from '../ports/channel.ts';
import type { Laid } from '../ports/messenger.ts';
import {
  arrived,
  busy,
  endedHere,
  isUnderWay,
  postIdOf,
  remember,
  showingOf,
  withContent,
  write,
  type Desk,
  type Draft,
  type Tried,
} from './desk.ts';

/** How often a content is made anew because the case has moved on meanwhile. */
const settleTries = 5;
/** Copies of one thing at one place that were lost or deleted, before no other is made. */
const lostMax = 50;
/** How much earlier than written down something may be, by the platform's clock. */
const clockSlackMs = 60_000;
/** What a copy is to say. */
export interface Content {
  readonly laid: Laid;
  readonly version: string;
}

/** How the content of a copy is made, from what the store says now. */
export interface Source {
  /** What it must be of; null: there is nothing to post any more. */
  readonly version: () => Promise<string | null>;
  readonly content: (post: Post) => Promise<Content>;
}

/**
 * The copy of this at this place, which is posted where it is not there yet. Null: there is nothing to post.
 * @param known copies that were read for it. @param key tells apart what is posted to the same place.
 */
export async function once(
  desk: Desk,
  draft: Draft,
  { key, known, source }: { readonly key: string; readonly known: readonly Post[]; readonly source: Source },
): Tried<Post | null> {
  for (let turn = 0; turn < lostMax; turn += 1) {
    const id = postIdOf(desk, [draft.approval, desk.messenger.name, draft.kind, draft.to, key, turn]);
    const before = known.find((one) => one.id === id);
    if (before?.state === 'posted') return ok(before);
    if (before?.state === 'lost' || before?.state === 'gone') continue;
    if (before !== undefined) {
      const settled = await settle(desk, before);
      if (!settled.ok || settled.value.state === 'posted') return settled;
      if (settled.value.state === 'lost') continue;
    }
    return send(desk, draft, { id, before, source });
  }
  return err({ detail: 'it was deleted or lost there too often', retryable: false });
}

/**
 * What became of a copy that is written down as being sent: `posted`, where it is there after all; `lost`, where nobody can know;
 * `sending` still, where it has not arrived.
 */
export async function settle(desk: Desk, post: Post): Tried<Post> {
  if (isUnderWay(desk, post)) return err(busy);
  const own = endedHere(desk, post);
  if (own !== undefined && own.at !== null) return arrived(desk, post, own.at);
  if (own?.unsent === true) return ok(post);
  const found = await desk.messenger.find(post.to, post.id, post.atMs - clockSlackMs);
  if (!found.ok) return found;
  if (found.value === null) return ok(post);
  if (found.value === 'unknown') return write(desk, { ...post, state: 'lost' });
  // What it says there may be of an earlier try: it is sent once more (refresh).
  return arrived(desk, { ...post, version: '' }, found.value);
}

async function send(
  desk: Desk,
  draft: Draft,
  { id, before, source }: { readonly id: PostId; readonly before: Post | undefined; readonly source: Source },
): Tried<Post | null> {
  const { parts, messenger } = desk;
  let over = before?.updatedAtMs ?? null;
  let post: Post = before ?? {
    ...draft,
    id,
    channel: messenger.name,
    at: null,
    state: 'sending',
    shown: null,
    whole: false,
    version: '',
    atMs: parts.clock.nowMs(),
    updatedAtMs: 0,
  };
  for (let tries = 0; ; tries += 1) {
    if ((await source.version()) === null) return dropped(desk, over === null ? null : post);
    if (tries === settleTries) {
      remember(desk, post, { unsent: true, at: null });
      return err(unsettled);
    }
    const content = await source.content(post);
    const written = await write(desk, withContent(post, content), { showing: showingOf(content.laid), over });
    if (!written.ok) return written;
    post = written.value;
    over = post.updatedAtMs;
    // What was decided while this was written down is not posted as open.
    if ((await source.version()) !== content.version) continue;
    const sent = await messenger.post(draft.to, content.laid, id);
    if (sent.ok) return arrived(desk, post, sent.value);
    remember(desk, post, { unsent: sent.error.unsent === true, at: null });
    return sent;
  }
}

/** It was decided before it was posted: what was written down as being sent never was. */
async function dropped(desk: Desk, post: Post | null): Tried<null> {
  const written = post === null ? ok(null) : await write(desk, { ...post, state: 'lost' });
  return written.ok ? ok(null) : written;
}

const unsettled: ChannelFailure = { detail: 'it changed faster than it could be told', retryable: true };

/**
 * Sends the content anew until what was sent last is what the store says. `gone` where the copy was deleted there.
 * @param again once at least: what arrived there last may be of somebody who died of it.
 */
export async function refresh(desk: Desk, of: Post, source: Source, again: boolean): Tried<Post> {
  let post = of;
  for (let tries = 0; tries < settleTries; tries += 1) {
    const version = await source.version();
    if (post.at === null || version === null) return ok(post);
    if (post.version === version && !(again && tries === 0)) return ok(post);
    const content = await source.content(post);
    const sent = await desk.messenger.update(post.at, content.laid);
    if (!sent.ok) return sent;
    if (sent.value === 'gone') return write(desk, { ...post, state: 'gone' });
    const written = await write(desk, withContent(post, content), { showing: showingOf(content.laid) });
    if (!written.ok) return written;
    post = written.value;
  }
  return err(unsettled);
}

/**
 * Says something that has no content to keep: under a card, or to one person. Once it is known to have arrived it is not said
 * again; where that is not known it is, because nobody can look it up.
 */
export async function sayOnce(
  desk: Desk,
  draft: Draft,
  of: {
    readonly key: string;
    readonly known: readonly Post[];
    readonly say: () => Tried<Place | null>;
  },
): Tried<Post> {
  const { parts, messenger } = desk;
  const id = postIdOf(desk, [draft.approval, messenger.name, draft.kind, draft.to, of.key]);
  const before = of.known.find((one) => one.id === id);
  if (before?.state === 'posted') return ok(before);
  if (before !== undefined && isUnderWay(desk, before)) return err(busy);
  const post: Post = {
    ...draft,
    id,
    channel: messenger.name,
    at: null,
    state: 'sending',
    shown: null,
    whole: false,
    version: of.key,
    atMs: before?.atMs ?? parts.clock.nowMs(),
    updatedAtMs: before?.updatedAtMs ?? 0,
  };
  const written = await write(desk, post, { showing: null, over: before?.updatedAtMs ?? null });
  if (!written.ok) return written;
  const said = await of.say();
  if (said.ok) return arrived(desk, written.value, said.value);
  remember(desk, written.value, { unsent: said.error.unsent === true, at: null });
  return said;
}
