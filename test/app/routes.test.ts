/** Whom a notice concerns, where they are reached, and where instead: pure, so by table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  concerned,
  destinationsOf,
  isReached,
  isRouted,
  nextChannels,
  routesOf,
  routingOver,
} from '../../src/app/routes.ts';
import { asPostId, type Post } from '../../src/core/chat.ts';
import { asApprovalId, asDigest, asGroupId } from '../../src/core/ids.ts';
import type { NoticeKind } from '../../src/core/loaded.ts';
import type { Route, Routing } from '../../src/ports/channel.ts';
import { heldCase } from '../channels/contract.ts';
import { asked, directory, requirement, reviewed } from '../support/world.ts';

const minuteMs = 60_000;
const [data, oncall, leads, nowhere] = ['data-owners', 'oncall', 'leads', 'nowhere'].map(asGroupId) as [
  ReturnType<typeof asGroupId>,
  ReturnType<typeof asGroupId>,
  ReturnType<typeof asGroupId>,
  ReturnType<typeof asGroupId>,
];

const slack = (to: string): Route => ({ channel: 'slack', to });
const teams = (to: string): Route => ({ channel: 'teams', to });
const email = (to: string): Route => ({ channel: 'email', to });

const routing: Routing = {
  groups: new Map([
    [data, [slack('#data'), teams('conv-data'), email('data@x.test')]],
    [oncall, [teams('conv-oncall'), slack('#oncall')]],
    [leads, [slack('#data'), email('leads@x.test')]],
  ]),
  otherwise: [slack('#approvals'), email('all@x.test')],
};

const post = (more: Partial<Post>): Post => ({
  id: asPostId('pst_1'),
  approval: asApprovalId('apr_1'),
  channel: 'slack',
  kind: 'card',
  group: data,
  to: '#data',
  at: { place: 'C1', message: '1' },
  state: 'posted',
  digest: asDigest('sha256:1'),
  shown: null,
  whole: true,
  version: '1 pending',
  atMs: 0,
  updatedAtMs: 0,
  ...more,
});

const held = heldCase({
  asked: asked(
    reviewed(
      requirement('a', 'data-owners', { escalate: { afterMs: 10 * minuteMs, group: oncall } }),
      requirement('b', 'data-owners'),
      requirement('c', 'nowhere', { escalate: { afterMs: 20 * minuteMs, group: leads } }),
    ),
  ),
});

const forWhom = (kind: NoticeKind, nowMs: number, of = held) => concerned(kind, of, { directory, nowMs });

test('whoever is asked is told, each group once; whoever is asked later, when their time has come', () => {
  for (const kind of ['approval.opened', 'approval.reviewed', 'approval.reminded'] as const)
    assert.deepEqual(forWhom(kind, 60 * minuteMs), [data, nowhere]);
  assert.deepEqual(forWhom('approval.escalated', 9 * minuteMs), []);
  assert.deepEqual(forWhom('approval.escalated', 10 * minuteMs), [oncall]);
  assert.deepEqual(forWhom('approval.escalated', 20 * minuteMs), [oncall, leads]);
});

test('what becomes of it is told to whoever was asked, not to those whom it would have reached by now', () => {
  const denied = heldCase({
    ...held,
    ending: { atMs: 15 * minuteMs, code: 'denied', reason: null, by: { kind: 'gate' } },
  });
  for (const kind of ['approval.closed', 'execution.ended'] as const)
    assert.deepEqual(forWhom(kind, 60 * minuteMs, denied), [data, nowhere, oncall]);
});

test('break-glass is told to those who opened it, can end it and look at it', () => {
  assert.deepEqual(forWhom('glass.opened', 0), [data, nowhere, asGroupId('platform'), asGroupId('audit')]);
});

const where = (
  groups: Parameters<typeof destinationsOf>[1]['groups'],
  channel: 'slack' | 'teams' | 'email',
  more = {},
) => destinationsOf(routing, { channel, insteadOf: null, groups, posts: [], ...more });

test('a group is reached by its first route alone, one place is told once, and who names none by the common one', () => {
  assert.deepEqual(where([data, oncall, leads, nowhere], 'slack'), [
    { group: data, to: '#data' },
    { group: nowhere, to: '#approvals' },
  ]);
  assert.deepEqual(where([data, oncall, leads, nowhere], 'teams'), [{ group: oncall, to: 'conv-oncall' }]);
  assert.deepEqual(where([data, oncall, leads, nowhere], 'email'), []);
  assert.deepEqual(where([asGroupId('x')], 'slack'), [{ group: asGroupId('x'), to: '#approvals' }]);
  assert.deepEqual(
    destinationsOf(
      { groups: new Map(), otherwise: [] },
      { channel: 'slack', insteadOf: null, groups: [data], posts: [] },
    ),
    [],
  );
});

test('instead of a failing channel are told those for whom this one is next, and who have no card yet', () => {
  const all = [data, oncall, leads, nowhere];
  assert.deepEqual(where(all, 'teams', { insteadOf: 'slack' }), [{ group: data, to: 'conv-data' }]);
  assert.deepEqual(where(all, 'email', { insteadOf: 'slack' }), [
    { group: leads, to: 'leads@x.test' },
    { group: nowhere, to: 'all@x.test' },
  ]);
  assert.deepEqual(where(all, 'email', { insteadOf: 'teams' }), [{ group: data, to: 'data@x.test' }]);
  assert.deepEqual(where(all, 'slack', { insteadOf: 'teams' }), [{ group: oncall, to: '#oncall' }]);
  const posts = [post({})];
  assert.deepEqual(where(all, 'teams', { insteadOf: 'slack', posts }), [], 'their card is there');
  assert.deepEqual(
    where([leads], 'email', { insteadOf: 'slack', posts }),
    [],
    'of whoever reads at the same place too',
  );
});

test('only a card that is there reaches anybody', () => {
  assert.equal(isReached(routing, data, [post({})]), true);
  assert.equal(
    isReached(routing, data, [post({ channel: 'teams', to: 'conv-data' })]),
    true,
    'in whatever chat',
  );
  for (const one of [
    { state: 'sending' },
    { state: 'lost' },
    { state: 'gone' },
    { kind: 'note' },
    { kind: 'view' },
    { to: '#elsewhere' },
  ] as const)
    assert.equal(isReached(routing, data, [post(one)]), false, JSON.stringify(one));
});

test('next is the channel after the failing one, for those whom it was to reach and did not', () => {
  const next = (
    channel: 'slack' | 'teams' | 'email',
    groups: readonly ReturnType<typeof asGroupId>[],
    more = {},
  ) => nextChannels(routing, { channel, insteadOf: null, groups, posts: [], ...more });
  assert.deepEqual(next('slack', [data, oncall, leads, nowhere]), ['teams', 'email']);
  assert.deepEqual(next('teams', [data, oncall]), ['slack']);
  assert.deepEqual(next('slack', [data], { posts: [post({})] }), []);
  assert.deepEqual(next('teams', [data], { insteadOf: 'slack' }), ['email'], 'and on, where that fails too');
  assert.deepEqual(next('email', [data], { insteadOf: 'teams' }), [], 'there is no other');
});

test('a channel that this gate does not have is no route', () => {
  const left = routingOver(routing, new Set(['email', 'terminal']));
  assert.deepEqual(routesOf(left, data), [email('data@x.test')]);
  assert.deepEqual(routesOf(left, oncall), [email('all@x.test')]);
  assert.deepEqual(['slack', 'teams', 'email', 'webhook', 'terminal', 'callback'].filter(isRouted), [
    'slack',
    'teams',
    'email',
  ]);
});
