/** What becomes of a channel's notices while it fails: how often it is tried, who is told instead, what is on record. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endTriesMs } from '../../src/app/failing.ts';
import { keepNotices } from '../../src/app/notices.ts';
import { fallBackTries } from '../../src/app/routes.ts';
import { asGroupId, type ApprovalId } from '../../src/core/ids.ts';
import { err, ok } from '../../src/core/result.ts';
import type { Channel, ChannelFailure, Routing, Told } from '../../src/ports/channel.ts';
import { requirement } from '../support/world.ts';
import { keptOf, minuteMs, withRig, type Rig } from './posting-rig.ts';

const group = asGroupId('data-owners');
const routing: Routing = {
  groups: new Map([
    [
      group,
      [
        { channel: 'slack', to: '#data' },
        { channel: 'teams', to: 'conv' },
        { channel: 'email', to: 'data@x.test' },
      ],
    ],
  ]),
  otherwise: [],
};

interface Fake extends Channel {
  readonly got: Told[];
  /** Null: it works. */
  failure: ChannelFailure | null;
}

function fake(name: string): Fake {
  const one: Fake = {
    name,
    got: [],
    failure: null,
    deliver: (told) => {
      one.got.push(told);
      return Promise.resolve(one.failure === null ? ok([]) : err(one.failure));
    },
  };
  return one;
}

interface World extends Rig {
  readonly slack: Fake;
  readonly teams: Fake;
  readonly email: Fake;
  readonly webhook: Fake;
  /** Time passes, and every loop looks once at what is due then. */
  readonly passes: (ms: number) => Promise<void>;
  readonly failing: () => ReturnType<Rig['parts']['store']['failingNotices']>;
}

const names = ['slack', 'teams', 'email', 'webhook'];

const withWorld = (work: (world: World) => Promise<void>): Promise<void> =>
  withRig(async (rig) => {
    const [slack, teams, email, webhook] = [fake('slack'), fake('teams'), fake('email'), fake('webhook')];
    const kept = keptOf(rig, (parts) => {
      const notices = keepNotices(parts, [slack, teams, email, webhook], () => 'The headline', {
        routing: () => routing,
      });
      return notices;
    });
    const wakes = () =>
      rig.parts.store.change({
        kind: 'fallBack',
        approval: waking,
        notice: 'approval.reviewed',
        from: 'a',
        detail: 'b',
        attempts: 0,
        to: 'nobody',
      });
    const waking = await rig.open();
    await kept.idle();
    for (const one of [slack, teams, email, webhook]) one.got.length = 0;
    await work(
      Object.assign(rig, {
        slack,
        teams,
        email,
        webhook,
        async passes(ms: number) {
          rig.later(ms);
          // Whatever commits notices wakes every loop.
          await wakes();
          await kept.idle();
        },
        failing: () => rig.parts.store.failingNotices(),
      }),
    );
    await kept.stop();
  }, names);

const down: ChannelFailure = { detail: 'it answered 503', retryable: true };
const of = (one: Fake, approval: ApprovalId): readonly Told[] =>
  one.got.filter((told) => told.case.approval?.id === approval);

test('a chat is told where its groups are; the next one only once it has failed three times, and that once', () =>
  withWorld(async ({ slack, teams, email, open, passes, failing, entries }) => {
    slack.failure = down;
    const approval = await open();
    await passes(0);
    assert.deepEqual(of(slack, approval)[0]?.to, [{ group, to: '#data' }]);
    assert.deepEqual(
      of(teams, approval).map((told) => told.to),
      [[]],
      'it is told, and reaches nobody',
    );
    for (let tries = 1; tries < fallBackTries; tries += 1) {
      assert.equal(of(teams, approval).length, 1);
      await passes(30_000);
    }
    const instead = of(teams, approval).slice(1);
    assert.deepEqual(
      instead.map((told) => [told.kind, told.insteadOf, told.to]),
      [['approval.opened', 'slack', [{ group, to: 'conv' }]]],
    );
    const [waits, ...more] = await failing();
    assert.deepEqual(more, []);
    assert.deepEqual([waits?.channel, waits?.detail, waits?.fellBack], ['slack', down.detail, true]);
    for (let tries = 0; tries < 5; tries += 1) await passes(10 * minuteMs);
    assert.equal(of(teams, approval).length, 2, 'once');
    assert.equal(of(email, approval).filter((told) => told.to.length > 0).length, 0);
    const failed = await entries('notice.failed');
    const [entry] = failed.filter((one) => one.entry.data['channel'] === 'slack');
    assert.deepEqual(entry?.entry.data, {
      channel: 'slack',
      kind: 'approval.opened',
      attempts: fallBackTries,
      detail: down.detail,
      next: 'teams',
    });
    slack.failure = null;
    await passes(10 * minuteMs);
    assert.deepEqual(await failing(), [], 'what was delivered in the end leaves nothing behind');
    assert.equal(
      (await entries('notice.failed')).filter((one) => one.entry.data['channel'] === 'slack').length,
      1,
    );
  }));

test('where the next one fails too, the one after it is told', () =>
  withWorld(async ({ slack, teams, email, open, passes }) => {
    slack.failure = down;
    teams.failure = down;
    const approval = await open();
    for (let tries = 0; tries < 8; tries += 1) await passes(minuteMs);
    const told = of(email, approval).filter((one) => one.to.length > 0);
    assert.deepEqual(
      told.map((one) => [one.insteadOf, one.to]),
      [['teams', [{ group, to: 'data@x.test' }]]],
    );
  }));

test('a place that refuses for good: the next channel is told at once, and this one goes on trying while people are waited for', () =>
  withWorld(async ({ slack, teams, open, passes, cancel, failing, entries }) => {
    slack.failure = { detail: 'no such channel', retryable: false };
    const approval = await open();
    await passes(0);
    assert.equal(of(teams, approval).at(-1)?.insteadOf, 'slack');
    assert.equal((await failing())[0]?.detail, 'no such channel');
    await passes(11 * minuteMs);
    assert.equal(of(slack, approval).length, 2);
    await cancel(approval);
    await passes(11 * minuteMs);
    const given = (await entries('notice.failed')).filter(
      (one) => one.entry.about.approval === approval && !('next' in one.entry.data),
    );
    assert.deepEqual(
      given.map((one) => JSON.stringify(one.entry.data['kind'])).toSorted((a, b) => a.localeCompare(b)),
      ['"approval.closed"', '"approval.opened"'],
    );
    assert.deepEqual(await failing(), []);
  }));

test('a receiver that is gone is given up at once, with an entry', () =>
  withWorld(async ({ webhook, open, passes, entries, failing }) => {
    webhook.failure = { detail: 'it answered 410', retryable: false };
    const approval = await open();
    await passes(0);
    await passes(20 * minuteMs);
    assert.equal(of(webhook, approval).length, 1);
    assert.equal(
      (await entries('notice.failed')).filter((one) => one.entry.about.approval === approval).length,
      1,
    );
    assert.deepEqual(await failing(), []);
  }));

test('while people are waited for it is never given up; what tells of an end is tried for a day', () =>
  withWorld(async ({ webhook, open, passes, cancel, entries, failing }) => {
    webhook.failure = down;
    const approval = await open(requirement('slow', 'data-owners', { ttlMs: 72 * 60 * minuteMs }));
    for (let tries = 0; tries < 20; tries += 1) await passes(60 * minuteMs);
    assert.ok(of(webhook, approval).length > 15);
    assert.equal(
      (await entries('notice.failed')).filter((one) => one.entry.about.approval === approval).length,
      0,
    );
    await cancel(approval);
    await passes(60 * minuteMs);
    const given = async (): Promise<readonly unknown[]> =>
      (await entries('notice.failed'))
        .filter((one) => one.entry.about.approval === approval)
        .map((one) => one.entry.data['kind']);
    assert.deepEqual(await given(), ['approval.opened'], 'nobody is waited for any more');
    const hours = endTriesMs / (60 * minuteMs);
    for (let tries = 1; tries < hours - 1; tries += 1) await passes(60 * minuteMs);
    assert.deepEqual(
      (await failing()).map((one) => one.kind),
      ['approval.closed'],
    );
    for (let tries = 0; tries < 3; tries += 1) await passes(60 * minuteMs);
    assert.deepEqual(await given(), ['approval.opened', 'approval.closed']);
    assert.deepEqual(await failing(), []);
  }));

test('a receiver that wants to be left alone is, for as long as it says', () =>
  withWorld(async ({ webhook, open, passes }) => {
    webhook.failure = { ...down, retryAfterMs: 7 * minuteMs };
    const approval = await open();
    await passes(0);
    await passes(6 * minuteMs);
    assert.equal(of(webhook, approval).length, 1);
    await passes(minuteMs);
    assert.equal(of(webhook, approval).length, 2);
    webhook.failure = { ...down, retryAfterMs: 1000 * 60 * minuteMs };
    await passes(7 * minuteMs);
    await passes(61 * minuteMs);
    assert.equal(of(webhook, approval).length, 4, 'and no longer than an hour');
  }));

test('a channel that cannot be reached is tried with one notice, the others wait with it and fall back as it does', () =>
  withWorld(async ({ slack, teams, open, passes, failing }) => {
    slack.failure = { ...down, whole: true };
    const approvals: ApprovalId[] = [];
    for (let at = 0; at < 30; at += 1) approvals.push(await open());
    await passes(0);
    const first = slack.got.length;
    assert.ok(first <= 2, `${first} tries for thirty notices`);
    assert.equal(
      (await failing()).filter((one) => one.channel === 'slack').length,
      30,
      'all are said to wait',
    );
    for (let tries = 0; tries < 3; tries += 1) await passes(30_000);
    assert.ok(slack.got.length <= first + 3, `${slack.got.length}`);
    for (const approval of approvals)
      assert.equal(of(teams, approval).filter((told) => told.insteadOf === 'slack').length, 1);
    // While it is known to be away, what comes anew is told elsewhere without being tried there.
    const before = slack.got.length;
    const late = await open();
    await passes(0);
    assert.equal(slack.got.length, before);
    assert.equal(of(teams, late).filter((told) => told.insteadOf === 'slack').length, 1);
    slack.failure = null;
    await passes(2 * minuteMs);
    assert.deepEqual(await failing(), []);
    for (const approval of [...approvals, late]) assert.ok(of(slack, approval).length >= 1);
  }));

test('whoever waits for another gate says nothing of the channel', () =>
  withWorld(async ({ slack, teams, open, passes, failing }) => {
    slack.failure = { detail: 'another gate', retryable: true, busy: true, retryAfterMs: 2000 };
    const approval = await open();
    for (let tries = 0; tries < 6; tries += 1) await passes(3000);
    assert.deepEqual(await failing(), []);
    assert.equal(of(teams, approval).filter((told) => told.insteadOf !== null).length, 0);
    assert.ok(of(slack, approval).length > 4);
    assert.ok(
      of(slack, approval)
        .slice(1)
        .every((told) => told.again === true),
      'a repeat says that it is one',
    );
  }));

test('a reminder falls back only for those whose card is nowhere', () =>
  withWorld(async ({ slack, teams, open, passes, parts, held }) => {
    const approval = await open();
    await passes(0);
    const { asked, approval: row } = await held(approval);
    assert.ok(row !== null);
    await parts.store.change({
      kind: 'writePost',
      post: {
        id: 'pst_1' as never,
        approval,
        channel: 'slack',
        kind: 'card',
        group,
        to: '#data',
        at: { place: 'C1', message: '1' },
        state: 'posted',
        digest: asked.digest,
        shown: null,
        whole: true,
        version: '1 pending',
        atMs: 0,
        updatedAtMs: 0,
      },
      showing: null,
    });
    slack.failure = down;
    await passes(2 * 60 * minuteMs);
    for (let tries = 0; tries < 6; tries += 1) await passes(minuteMs);
    assert.ok(
      of(slack, approval).filter((told) => told.kind === 'approval.reminded').length >= fallBackTries,
    );
    assert.equal(of(teams, approval).filter((told) => told.insteadOf !== null).length, 0);
  }));
