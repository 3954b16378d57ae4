/**
 * Seeded simulation of a chat platform that is away for ten minutes, while dozens of approvals are asked and decided, expire and
 * are withdrawn, and the gate dies now and then in the middle of a sending and starts again on the same disk. What it answers
 * meanwhile is any of: nothing, too busy, not now; and now and then it has taken what it says it has not.
 * `SEEDS=100 SEED=7 npm run sim` runs seeds 7 to 106. A failure prints its seed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepNotices } from '../../src/app/notices.ts';
import { leaseMs } from '../../src/app/outbox.ts';
import { createPosting } from '../../src/app/posting.ts';
import { stateOf } from '../../src/core/case.ts';
import { asGroupId, type ApprovalId } from '../../src/core/ids.ts';
import type { Routing } from '../../src/ports/channel.ts';
import {
  cannotBeReached,
  createFakeMessenger,
  nowIn,
  replace,
  type Call,
  type Plan,
} from '../support/fake-messenger.ts';
import { generator, seedsOf, type Generator } from './support/random.ts';
import { requirement } from '../support/world.ts';
import { keptOf, minuteMs, organisation, withRig, type Kept, type Rig } from '../app/posting-rig.ts';

const routing: Routing = {
  groups: new Map([
    [asGroupId('data-owners'), [{ channel: 'slack', to: '#data' }]],
    [asGroupId('security'), [{ channel: 'slack', to: '#security' }]],
  ]),
  otherwise: [],
};
const places = ['#data', '#security'];

const outageMs = 10 * minuteMs;

interface Life {
  readonly rig: Rig;
  readonly random: Generator;
  readonly fake: ReturnType<typeof createFakeMessenger>;
  readonly approvals: ApprovalId[];
  readonly failures: string[];
}

/** What the platform does in the outage, and after it. */
const weather =
  (random: Generator, away: () => boolean, die: () => void) =>
  ({ what }: Call): Plan => {
    if (random.chance(0.01)) {
      die();
      return random.chance(0.5) ? 'hang' : 'hangAfter';
    }
    if (!away()) return random.chance(0.05) ? { fail: { detail: 'not now', retryable: true } } : 'ok';
    // Somebody at the other end is there all the same, and the answer does not come back.
    if (what === 'post' && random.chance(0.15)) return { lost: cannotBeReached };
    if (random.chance(0.2)) return { fail: { detail: 'too busy', retryable: true, retryAfterMs: 20_000 } };
    return { fail: cannotBeReached };
  };

/** No message about what is over appears as a question. */
function watchPosts({ rig, fake, failures }: Life): void {
  replace(fake, 'post', (real) => async (to, laid, id) => {
    const row = await rig.parts.store.post(id);
    const held = row === undefined ? undefined : await rig.held(row.approval);
    const state = held === undefined ? 'unknown' : stateOf(held, rig.parts.clock.nowMs());
    if (state !== 'pending') failures.push(`posted while ${state}`);
    return real(to, laid, id);
  });
}

/** People, agents and time. */
async function something({ rig, random, approvals }: Life): Promise<void> {
  const { parts } = rig;
  for (let many = random.below(4); many > 0; many -= 1) {
    const short = random.chance(0.3);
    const quorum = random.chance(0.4) ? 2 : 1;
    approvals.push(
      await rig.open(
        requirement('export', 'data-owners', { quorum, ...(short ? { ttlMs: 3 * minuteMs } : {}) }),
        ...(random.chance(0.2) ? [requirement('look', 'security')] : []),
      ),
    );
  }
  const open: ApprovalId[] = [];
  for (const approval of approvals) {
    const held = await rig.held(approval);
    const state = stateOf(held, parts.clock.nowMs());
    if (state === 'pending') open.push(approval);
    if (state === 'expired' && held.ending === null) await rig.due(approval);
    if (state === 'ready' && random.chance(0.5)) await rig.run(approval);
  }
  const one = open[random.below(open.length + 1)];
  if (one === undefined || !random.chance(0.6)) return;
  const held = await rig.held(one);
  const left = ['rosa', 'mia'].filter((who) => held.reviews.every((review) => review.person !== who));
  const [who] = left;
  if (random.chance(0.2)) await rig.cancel(one);
  else if (who !== undefined) await rig.review(one, who, random.chance(0.3) ? 'deny' : 'approve');
}

async function live(
  seed: number,
): Promise<{ readonly posts: number; readonly open: number; readonly deaths: number }> {
  const random = generator(seed);
  const counts = { posts: 0, open: 0, deaths: 0 };
  await withRig(async (rig) => {
    const fake = createFakeMessenger();
    const life: Life = { rig, random, fake, approvals: [], failures: [] };
    watchPosts(life);
    const endsAtMs = rig.parts.clock.nowMs() + outageMs;
    let dead = false;
    const away = (): boolean => rig.parts.clock.nowMs() < endsAtMs;
    const mayDie = weather(random, away, () => (dead = true));
    const start = (): Kept => {
      dead = false;
      fake.plan = mayDie;
      rig.plan = (kind) => {
        if (kind !== 'writePost' || !random.chance(0.01)) return 'ok';
        dead = true;
        return random.chance(0.5) ? 'hang' : 'hangAfter';
      };
      return keptOf(
        rig,
        (parts) =>
          keepNotices(parts, [createPosting(parts, fake, () => [organisation])], () => 'A headline', {
            routing: () => routing,
          }),
        () => dead,
      );
    };
    let kept = start();
    const again = async (): Promise<void> => {
      counts.deaths += 1;
      await rig.restart();
      kept = start();
    };
    // A restart in the middle of the outage, whatever else happens.
    const restartAtMs = endsAtMs - outageMs / 2;
    let restarted = false;
    const afterMs = 20 * minuteMs;
    while (rig.parts.clock.nowMs() < endsAtMs + afterMs) {
      const before = rig.plan;
      rig.plan = () => 'ok'; // people’s own writes
      if (rig.parts.clock.nowMs() < endsAtMs + afterMs / 2) await something(life);
      rig.plan = before;
      if ((await kept.idle()) === 'stuck') await again();
      if (!restarted && rig.parts.clock.nowMs() >= restartAtMs) {
        restarted = true;
        await kept.stop();
        await again();
      }
      rig.later(15_000 + random.below(30_000));
    }
    await kept.stop();
    // Then everything works, until nothing is left to be told.
    await rig.restart();
    const calm = (): Kept =>
      keptOf(rig, (parts) =>
        keepNotices(parts, [createPosting(parts, fake, () => [organisation])], () => 'A headline', {
          routing: () => routing,
        }),
      );
    fake.plan = () => 'ok';
    const ends = async (): Promise<void> => {
      for (const approval of life.approvals) {
        const held = await rig.held(approval);
        const over = held.ending === null && stateOf(held, rig.parts.clock.nowMs()) === 'expired';
        if (over) await rig.due(approval);
      }
    };
    await ends();
    for (let rounds = 0; (await rig.parts.store.waitingNotices('slack', 1000)) > 0; rounds += 1) {
      assert.ok(rounds < 50, 'the outbox is never empty');
      rig.later(leaseMs);
      await ends();
      const loop = calm();
      await loop.idle();
      await loop.stop();
    }
    assert.deepEqual(life.failures, []);
    assert.deepEqual(await rig.parts.store.failingNotices(), []);
    let doubled = 0;
    for (const approval of life.approvals) {
      const held = await rig.held(approval);
      const pending = stateOf(held, rig.parts.clock.nowMs()) === 'pending';
      const posts = (await rig.posts(approval)).filter((post) => post.kind === 'card');
      const asked = held.asked.verdict.effect === 'review' ? held.asked.verdict.requirements.length : 0;
      let cards = 0;
      for (const place of places) {
        const messages = fake.at(place).filter((message) => posts.some((post) => post.id === message.id));
        assert.ok(messages.length <= 1, `${approval} twice at ${place}`);
        cards += messages.length;
        for (const message of messages) {
          const shows = nowIn(message);
          assert.equal(shows.open, pending, `${approval} says ${shows.state}`);
          doubled += message.replies.length - new Set(message.replies).size;
        }
      }
      if (pending)
        assert.equal(cards, asked, `${approval} is open and was told at ${cards} of ${asked} places`);
      assert.equal(posts.filter((post) => post.state === 'posted').length, cards, 'rows say what is there');
      counts.posts += cards;
      counts.open += pending ? 1 : 0;
    }
    // Nobody can look a reply up: one that somebody died of may be there twice.
    assert.ok(doubled <= counts.deaths, `${doubled} replies were said again`);
    const proven = (await rig.entries('notice.posted')).filter((one) => one.entry.data['kind'] === 'card');
    assert.equal(proven.length, counts.posts, 'each arrival is in the log, once');
    assert.equal(fake.messages.length, counts.posts, 'and nothing arrived that no row knows');
  });
  return counts;
}

const seedList = seedsOf(3);
const [first = 1] = seedList;
const seeds = seedList.length;

test(`outages of seeds ${first} to ${first + seeds - 1}: what is open is posted once, what is over never as open, every copy is true`, async () => {
  const all = { posts: 0, open: 0, deaths: 0 };
  for (let seed = first; seed < first + seeds; seed += 1) {
    const counted = await live(seed).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
    all.posts += counted.posts;
    all.open += counted.open;
    all.deaths += counted.deaths;
  }
  console.log(
    `${seeds} outages: ${all.posts} posts, ${all.open} approvals open at the end, ${all.deaths} starts of a dead gate`,
  );
  assert.ok(
    all.open >= seeds && all.posts >= seeds * 5 && all.deaths >= seeds,
    'lives without these would show nothing',
  );
});
