/**
 * A platform that is so slow, or takes so few changes at a time, that no delivery gets to its end: every copy says what was decided
 * all the same, after as many tries as that takes. And more open views than are kept: the newest are.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copiesMax, createPosting } from '../../src/app/posting.ts';
import type { Post } from '../../src/core/chat.ts';
import { asGroupId, type ApprovalId } from '../../src/core/ids.ts';
import type { Destination } from '../../src/ports/channel.ts';
import { createFakeMessenger, nowIn, type FakeMessenger, type Plan } from '../support/fake-messenger.ts';
import { organisation, withRig, type Rig } from '../app/posting-rig.ts';

const places: readonly Destination[] = Array.from({ length: 12 }, (_, at) => ({
  group: asGroupId(`group-${at}`),
  to: `#place-${at}`,
}));

interface World {
  readonly rig: Rig;
  readonly fake: FakeMessenger;
  readonly approval: ApprovalId;
  /** Tries until it is done, as the outbox does; how many that took. */
  readonly closes: (triesMax: number) => Promise<number>;
}

/** Somebody withdraws what was posted at twelve places. */
const withdrawn = (work: (world: World) => Promise<void>): Promise<void> =>
  withRig(async (rig) => {
    const fake = createFakeMessenger();
    const posting = createPosting(rig.parts, fake, () => [organisation]);
    const approval = await rig.open();
    const opened = await posting.deliver(await rig.told('approval.opened', approval, { to: places }));
    assert.equal(opened.ok, true);
    await rig.cancel(approval);
    await work({
      rig,
      fake,
      approval,
      async closes(triesMax) {
        for (let tries = 1; tries <= triesMax; tries += 1) {
          const more = { to: places, owners: [], ...(tries > 1 ? { again: true as const } : {}) };
          const done = await posting.deliver(await rig.told('approval.closed', approval, more));
          if (done.ok) return tries;
          rig.later(done.error.retryAfterMs ?? 60_000);
        }
        return Number.POSITIVE_INFINITY;
      },
    });
  });

const openIn = ({ messages }: FakeMessenger): readonly string[] =>
  messages.filter((one) => nowIn(one).open).map(({ to }) => to);

test('each change takes five seconds: all copies say in the end that it is over', () =>
  withdrawn(async ({ rig, fake, closes }) => {
    fake.plan = ({ what }): Plan => {
      if (what === 'update' || what === 'reply') rig.later(5000);
      return 'ok';
    };
    const tries = await closes(10);
    assert.deepEqual(openIn(fake), []);
    assert.ok(tries < 10, 'and it ends');
  }));

test('four changes at a time are taken, then none for half a minute: all copies say in the end that it is over', () =>
  withdrawn(async ({ rig, fake, closes }) => {
    const taken: number[] = [];
    fake.plan = ({ what }): Plan => {
      if (what !== 'update') return 'ok';
      const nowMs = rig.parts.clock.nowMs();
      const lately = taken.filter((atMs) => nowMs - atMs < 30_000).length;
      if (lately >= 4) return { fail: { detail: 'too many', retryable: true, retryAfterMs: 30_000 } };
      taken.push(nowMs);
      return 'ok';
    };
    const tries = await closes(10);
    assert.deepEqual(openIn(fake), []);
    assert.ok(tries < 10, 'and it ends');
  }));

test('more views than are kept true: the newest are', () =>
  withdrawn(async ({ rig, fake, approval, closes }) => {
    const [card] = await rig.posts(approval);
    assert.ok(card !== undefined);
    for (let at = 0; at < copiesMax; at += 1) {
      rig.later(1);
      const view: Post = {
        ...card,
        id: `pst_view${at}` as Post['id'],
        kind: 'view',
        group: null,
        to: `view:U${at}`,
        at: { place: `view:U${at}`, message: `v${at}` },
        atMs: rig.parts.clock.nowMs(),
      };
      fake.messages.push({
        at: { place: `view:U${at}`, message: `v${at}` },
        to: view.to,
        id: view.id,
        said: [nowIn(fake.messages[0])],
        replies: [],
        deleted: false,
      });
      await rig.parts.store.change({ kind: 'writePost', post: view, showing: null });
    }
    await closes(1);
    const open = openIn(fake);
    assert.ok(!open.includes(`view:U${copiesMax - 1}`), 'the newest is kept true');
    assert.deepEqual(
      open.toSorted(),
      Array.from({ length: places.length }, (_, at) => `view:U${at}`).toSorted(),
      'and only the oldest are not',
    );
  }));
