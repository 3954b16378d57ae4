/** What channels leave in the store, put there as they do: copies in chats, notices that fail. */
import assert from 'node:assert/strict';
import { asPostId, type Post } from '../../../src/core/chat.ts';
import type { Case } from '../../../src/core/case.ts';
import { asGroupId, asSha256Hex } from '../../../src/core/ids.ts';
import type { PagesGate } from './support.ts';

let posts = 0;

/** Writes one copy of an approval. */
export async function post(gate: PagesGate, held: Case, more: Partial<Post> = {}): Promise<Post> {
  assert.ok(held.approval);
  const one: Post = {
    id: asPostId(`pst_${(posts += 1)}`),
    approval: held.approval.id,
    channel: 'slack',
    kind: 'card',
    group: asGroupId('data-owners'),
    to: '#data-approvals',
    at: { place: 'C1', message: `${posts}.5` },
    state: 'posted',
    digest: held.asked.digest,
    shown: asSha256Hex('a'.repeat(64)),
    whole: true,
    version: '1 pending',
    atMs: gate.clock.nowMs,
    updatedAtMs: gate.clock.nowMs,
    ...more,
  };
  const result = await gate.parts.store.change({ kind: 'writePost', post: one, showing: null });
  assert.ok(result.ok, JSON.stringify(result));
  return one;
}

/** Takes what a channel has to tell of this approval, and puts it back as failed; what it has to tell of others is put back as it was. */
export async function fail(
  gate: PagesGate,
  held: Case,
  how: { readonly channel: string; readonly detail: string; readonly next?: string },
): Promise<void> {
  const { store, clock } = gate.parts;
  const due = await store.takeNotices(how.channel, 1, 100);
  const mine = due.filter((one) => one.approval === held.approval?.id);
  assert.ok(mine.length > 0, 'nothing to tell');
  for (const one of due)
    if (mine.includes(one))
      await store.noticeLater(one.id, clock.nowMs() + 60_000, {
        detail: how.detail,
        fellBack: how.next !== undefined,
      });
    else await store.noticeLater(one.id, clock.nowMs());
  const [one] = mine;
  if (how.next === undefined || one === undefined) return;
  const result = await store.change({
    kind: 'fallBack',
    approval: one.approval,
    notice: one.kind,
    from: how.channel,
    detail: how.detail,
    attempts: one.attempts + 1,
    to: how.next,
  });
  assert.ok(result.ok);
}
