/**
 * The rows of copies in chats, and what this gate remembers of its own sendings beside them. A row that is being sent belongs to
 * whoever wrote it last: nobody else touches it for the time of a lease.
 */
import { canonicalize } from '../core/canonical.ts';
import { asPostId, type Place, type Post, type PostId, type Showing } from '../core/chat.ts';
import { asSha256Hex } from '../core/ids.ts';
import { err, ok, type Result } from '../core/result.ts';
import { hmacSha256Hex, sha256Hex } from '../core/sha256.ts';
import type { ChannelFailure } from '../ports/channel.ts';
import type { Laid, Messenger } from '../ports/messenger.ts';
import { leaseMs } from './outbox.ts';
import type { Parts } from './parts.ts';

/** How soon it is tried again where another gate is at the same copy. */
const busyPauseMs = 2000;
/** Copies whose sending ended without an answer, and of repeats, that this gate remembers. */
const endedMax = 10_000;

/** How a sending of this gate ended that is not written down as posted. */
interface Ended {
  /** When it was written down as being sent. */
  readonly atMs: number;
  /** Nothing of it has arrived. */
  readonly unsent: boolean;
  /** Where it arrived, where only writing that down failed. */
  readonly at: Place | null;
}

/** What every copy of one channel is made with. */
export interface Desk {
  readonly parts: Parts;
  readonly messenger: Messenger;
  readonly ended: Map<PostId, Ended>;
  /** Copies that a repeat of a notice has sent anew already: the next repeat goes on after them. */
  readonly again: Set<string>;
}

export type Tried<T> = Promise<Result<T, ChannelFailure>>;

export const busy: ChannelFailure = {
  detail: 'another gate is sending it at this moment',
  retryable: true,
  busy: true,
  retryAfterMs: busyPauseMs,
};

const digits = 32;

/** The same for the same thing at the same place, so that whoever begins it begins the same row. Proves nothing: tags do. */
export const postIdOf = ({ parts }: Desk, of: readonly (string | number)[]): PostId =>
  asPostId(
    `pst_${hmacSha256Hex(parts.store.joinKey(), `countersign.post.v1\0${JSON.stringify(of)}`).slice(0, digits)}`,
  );

/** A post as it is written first. */
export type Draft = Pick<Post, 'approval' | 'kind' | 'group' | 'to' | 'digest'>;

/** Remembers how a sending ended, until the next one of the same copy. */
export function remember({ ended }: Desk, post: Post, how: Pick<Ended, 'unsent' | 'at'>): void {
  ended.delete(post.id);
  ended.set(post.id, { atMs: post.updatedAtMs, ...how });
  const [oldest] = ended.keys();
  if (ended.size > endedMax && oldest !== undefined) ended.delete(oldest);
}

/** How this gate's own sending of it ended; undefined where another one is at it, or was. */
export function endedHere({ ended }: Desk, post: Post): Ended | undefined {
  const own = ended.get(post.id);
  return own?.atMs === post.updatedAtMs ? own : undefined;
}

const againKey = (notice: string, { id }: Post): string => `${notice} ${id}`;

/** Whether a repeat of this notice has sent it anew already, which is once enough. */
export const wasSentAgain = ({ again }: Desk, notice: string, post: Post): boolean =>
  again.has(againKey(notice, post));

export function rememberAgain({ again }: Desk, notice: string, post: Post): void {
  again.add(againKey(notice, post));
  const [oldest] = again;
  if (again.size > endedMax && oldest !== undefined) again.delete(oldest);
}

/** Whether somebody else may be sending it at this moment. */
export const isUnderWay = (desk: Desk, post: Post): boolean =>
  endedHere(desk, post) === undefined && desk.parts.clock.nowMs() - post.updatedAtMs < leaseMs;

/** It has arrived. Where that cannot be written down it is remembered. */
export async function arrived(desk: Desk, post: Post, at: Place | null): Tried<Post> {
  const written = await write(desk, { ...post, state: 'posted', at });
  if (written.ok) desk.ended.delete(post.id);
  else remember(desk, post, { unsent: false, at });
  return written;
}

/** What people are shown, by its digest. */
export const showingOf = ({ body }: Laid): Showing => ({
  digest: asSha256Hex(sha256Hex(canonicalize(body))),
  body,
});

export const withContent = (
  post: Post,
  { laid, version }: { readonly laid: Laid; readonly version: string },
): Post => ({
  ...post,
  shown: showingOf(laid).digest,
  whole: laid.whole,
  version,
});

/** Later than whatever was written before, so that who finds it knows whether it has changed. */
export async function write(
  { parts }: Desk,
  post: Post,
  more: { readonly showing: Showing | null; readonly over?: number | null } = { showing: null },
): Tried<Post> {
  const next: Post = { ...post, updatedAtMs: Math.max(parts.clock.nowMs(), post.updatedAtMs + 1) };
  const result = await parts.store.change({ kind: 'writePost', post: next, ...more });
  if (result.ok) return ok(next);
  switch (result.error.kind) {
    case 'stale':
      return err(busy);
    case 'fault':
      return err({ detail: `the store: ${result.error.detail}`, retryable: true });
    case 'refused':
      return err({ detail: result.error.refusal.detail, retryable: false });
  }
}
