/** The contract, part about chats: copies and what they showed are kept, a press is recorded once, a failing channel falls back once. */
import assert from 'node:assert/strict';
import { asClickId, asPostId, type Click, type Post } from '../../src/core/chat.ts';
import { asApprovalId, asDigest, asGroupId, asSha256Hex } from '../../src/core/ids.ts';
import { assertLog, hold, noOf, storeTest, value, type MakeBench } from './bench.ts';

const at = { place: 'C1', message: '1.5' };
const shown = asSha256Hex('a'.repeat(64));

const press = (more: Partial<Click> = {}): Click => ({
  id: asClickId('b'.repeat(64)),
  channel: 'slack',
  account: { kind: 'slack', issuer: 'T1', subject: 'U1' },
  display: 'Rosa',
  verb: 'approve',
  post: asPostId('pst_1'),
  at,
  seen: { shown, whole: true },
  reason: null,
  unsafe: false,
  atMs: 0,
  doneAtMs: null,
  outcome: null,
  ...more,
});

export function chatsContract(name: string, make: MakeBench): void {
  storeTest(
    `${name}: a copy is what was sent, its arrival is one entry, and its id is no other copy’s`,
    make,
    async (opened) => {
      const { store, clock } = opened;
      const { held } = await hold(opened);
      const approval = held.approval;
      assert.ok(approval !== null);
      const post: Post = {
        id: asPostId('pst_1'),
        approval: approval.id,
        channel: 'slack',
        kind: 'card',
        group: asGroupId('data-owners'),
        to: '#data',
        at: null,
        state: 'sending',
        digest: held.asked.digest,
        shown: null,
        whole: false,
        version: '1 pending',
        atMs: clock.nowMs(),
        updatedAtMs: clock.nowMs(),
      };
      value(await store.change({ kind: 'writePost', post, showing: null }));
      assert.deepEqual(await store.postsOf(approval.id), [post]);
      opened.later(600_000);
      const arrives: Post = { ...post, at, state: 'posted', shown, whole: true };
      const showing = { digest: shown, body: { blocks: [{ b: 1, a: 'x' }] } };
      value(await store.change({ kind: 'writePost', post: arrives, showing }));
      // From when it arrived, whatever whoever writes it next remembers.
      const { atMs = 0 } = (await store.post(post.id)) ?? {};
      assert.ok(atMs >= post.atMs + 600_000, 'not from when it was begun');
      const posted: Post = { ...arrives, atMs };
      opened.later(1000);
      value(await store.change({ kind: 'writePost', post: arrives, showing }));
      assert.deepEqual(await store.post(post.id), posted);
      assert.deepEqual(await store.postsOf(approval.id, 'slack'), [posted]);
      assert.deepEqual(await store.postsOf(approval.id, 'teams'), []);
      assert.deepEqual(await store.showing(shown), showing);
      value(
        await store.change({ kind: 'writePost', post: posted, showing: { digest: shown, body: 'another' } }),
      );
      assert.deepEqual(await store.showing(shown), showing, 'what was shown stays what was shown');
      const elsewhere = { ...posted, to: '#other' };
      assert.equal(
        noOf(await store.change({ kind: 'writePost', post: elsewhere, showing: null })),
        'not_permitted',
      );
      const wrong = { ...posted, id: asPostId('pst_2'), digest: asDigest(`sha256:${'0'.repeat(64)}`) };
      assert.equal(
        noOf(await store.change({ kind: 'writePost', post: wrong, showing: null })),
        'digest_mismatch',
      );
      assert.equal(await store.post(wrong.id), undefined);
      const types = await assertLog(store);
      assert.equal(types.filter((one) => one === 'notice.posted').length, 1);
    },
  );

  storeTest(
    `${name}: a press is recorded once, and its first outcome stays`,
    make,
    async ({ store, clock, later }) => {
      const began = clock.nowMs();
      const first = value(await store.change({ kind: 'recordClick', click: press() }));
      assert.ok(first.kind === 'click' && first.isNew);
      assert.ok(first.click.atMs >= began, 'by the clock of the store, not the press’s own');
      later(1000);
      const again = value(
        await store.change({ kind: 'recordClick', click: press({ verb: 'deny', reason: 'no' }) }),
      );
      assert.ok(again.kind === 'click' && !again.isNew);
      assert.deepEqual(again.click, first.click);
      assert.deepEqual(await store.openClicks('slack'), [first.click]);
      assert.deepEqual(await store.openClicks('teams'), []);
      const { id } = first.click;
      value(await store.change({ kind: 'finishClick', click: id, outcome: 'done', refused: null }));
      value(
        await store.change({
          kind: 'finishClick',
          click: id,
          outcome: 'not_permitted',
          refused: { why: 'x' },
        }),
      );
      assert.equal((await store.click(id))?.outcome, 'done');
      assert.deepEqual(await store.openClicks('slack'), []);
      const other = press({ id: asClickId('c'.repeat(64)), channel: 'teams' });
      value(await store.change({ kind: 'recordClick', click: other }));
      value(
        await store.change({
          kind: 'finishClick',
          click: other.id,
          outcome: 'not_permitted',
          refused: { why: 'guest' },
        }),
      );
      const unknown = {
        kind: 'finishClick',
        click: asClickId('d'.repeat(64)),
        outcome: 'done',
        refused: null,
      } as const;
      assert.equal(noOf(await store.change(unknown)), 'not_found');
      const types = await assertLog(store);
      assert.equal(
        types.filter((one) => one === 'click.refused').length,
        1,
        'a press that was carried out leaves a review',
      );
    },
  );

  storeTest(
    `${name}: what a failing channel holds is told, and told on another one`,
    make,
    async (opened) => {
      const { store, clock, later } = opened;
      const { held } = await hold(opened);
      const approval = held.approval;
      assert.ok(approval !== null);
      const [due] = await store.takeNotices('web', 60_000, 10);
      assert.ok(due !== undefined);
      assert.deepEqual([due.insteadOf, due.fellBack], [null, false]);
      later(10);
      await store.noticeLater(due.id, clock.nowMs() + 5000, { detail: 'it answered 503', fellBack: true });
      const [failing, ...more] = await store.failingNotices(approval.id);
      assert.deepEqual(more, []);
      assert.ok(failing !== undefined);
      const { sinceMs, dueAtMs, ...said } = failing;
      assert.ok(sinceMs <= dueAtMs - 5000);
      assert.deepEqual(said, {
        id: due.id,
        channel: 'web',
        kind: 'approval.opened',
        approval: approval.id,
        attempts: 1,
        detail: 'it answered 503',
        fellBack: true,
      });
      assert.equal((await store.failingNotices()).length, 1);
      const fallBack = {
        kind: 'fallBack',
        approval: approval.id,
        notice: 'approval.opened',
        from: 'web',
        detail: 'it answered 503',
        attempts: 1,
        to: 'teams',
      } as const;
      value(await store.change(fallBack));
      const [failure, ...others] = await store.failuresOf(approval.id);
      assert.deepEqual(others, []);
      assert.ok(failure !== undefined && failure.atMs >= sinceMs);
      assert.deepEqual(
        { ...failure, atMs: 0 },
        {
          channel: 'web',
          kind: 'approval.opened',
          attempts: 1,
          detail: 'it answered 503',
          next: 'teams',
          atMs: 0,
        },
      );
      assert.deepEqual(await store.failuresOf(asApprovalId('apr_none')), []);
      const [instead] = await store.takeNotices('teams', 60_000, 10);
      assert.equal(instead?.insteadOf, 'web');
      assert.ok((await store.noticesByChannel()).some((one) => one.channel === 'web' && one.count === 1));
      later(5000);
      const [again] = await store.takeNotices('web', 60_000, 10);
      assert.deepEqual([again?.attempts, again?.fellBack], [1, true]);
      await store.noticeDone(due.id);
      assert.deepEqual(await store.failingNotices(approval.id), []);
      const types = await assertLog(store);
      assert.equal(types.filter((one) => one === 'notice.failed').length, 1);
    },
  );
}
