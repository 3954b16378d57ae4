/** Out of office: what a stand-in may fill, and everything that they may not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stateOf, type Case } from '../../src/core/case.ts';
import { delegationMaxMs, type Delegation } from '../../src/core/delegation.ts';
import type { Change, Directory } from '../../src/core/directory.ts';
import { asAgentId, asDelegationId, asGroupId, asPersonId } from '../../src/core/ids.ts';
import { peopleOf } from '../../src/core/render/people.ts';
import { mayRead } from '../../src/core/may-stop.ts';
import { mayApproveOf } from '../../src/core/steps/common.ts';
import { askLimitDefaults } from '../../src/core/stops.ts';
import type { Requirement } from '../../src/core/verdict.ts';
import {
  action,
  askCommand,
  asked,
  directory,
  everybody,
  executionId,
  memory,
  person,
  requirement,
  reviewed,
  versions,
} from '../support/world.ts';

const dayMs = 24 * 3_600_000;
/** Tom and Uma approve nothing themselves. */
const wider: Directory = { ...directory, people: [...directory.people, person('tom'), person('uma')] };
const id = asPersonId;

let serial = 0;
const away = (from: string, to: string, more: Partial<Delegation> = {}): Delegation => ({
  id: asDelegationId(`dlg_${(serial += 1)}`),
  from: id(from),
  to: id(to),
  atMs: 0,
  fromMs: 0,
  untilMs: dayMs,
  endedAtMs: null,
  ...more,
});

interface Options {
  readonly delegations?: readonly Delegation[];
  readonly changes?: readonly Change[];
  readonly directory?: Directory;
  readonly mayApprove?: ReturnType<typeof everybody>;
}

function open(requirements: readonly Requirement[], options: Options = {}) {
  const store = memory({ directory: options.directory ?? wider, changes: options.changes ?? [] });
  store.world.delegations = options.delegations ?? [];
  const one = asked(reviewed(...requirements), action());
  const mayApprove = options.mayApprove ?? everybody(store.world.directory.people, requirements);
  assert.ok(store.change(askCommand(one, { mayApprove })).ok);
  const held = (): Case => store.cases.get(one.id) ?? assert.fail('no case');
  const again = {
    verdict: reviewed(...requirements),
    mayApprove,
    targetHolds: true,
    mode: 'enforce' as const,
  };
  const codeOf = (result: ReturnType<typeof store.change>): string =>
    result.ok ? 'ok' : result.error.kind === 'stale' ? 'stale' : result.error.refusal.code;
  return {
    store,
    held,
    state: () => stateOf(held(), store.world.nowMs),
    review: (by: string, decision: 'approve' | 'deny' = 'approve') =>
      codeOf(
        store.change({
          kind: 'review',
          approval: held().approval?.id ?? assert.fail('no approval'),
          proposed: {
            by: { kind: 'person', id: id(by) },
            decision,
            digest: one.digest,
            reason: null,
            unsafe: false,
            channel: 'web',
            shownWhole: true,
          },
          again,
          expected: versions,
          limits: askLimitDefaults,
        }),
      ),
    claim: () =>
      codeOf(
        store.change({
          kind: 'claim',
          action: one.id,
          agent: asAgentId('crm-bot'),
          execution: executionId(`e${(serial += 1)}`),
          again,
          expected: versions,
          limits: askLimitDefaults,
        }),
      ),
    now: () => ({ ...store.world, mayApprove: mayApproveOf(mayApprove), channel: 'web' as const }),
  };
}

const one = [requirement('r', 'data-owners')];
const two = [requirement('r', 'data-owners', { quorum: 2 })];

test('stand-in: a stand-in fills the place of whoever is away, and the review and the log say for whom', () => {
  const opened = open(one, { delegations: [away('rosa', 'tom')] });
  assert.deepEqual(opened.held().approval?.eligibleThen[0]?.standIns, ['tom']);
  assert.equal(opened.review('tom'), 'ok');
  assert.equal(opened.state(), 'ready');
  assert.equal(opened.held().reviews[0]?.standingInFor, 'rosa');
  const entry = opened.store.log.find((each) => each.type === 'review.recorded');
  assert.equal(entry?.data['standingInFor'], 'rosa');
  assert.equal(opened.claim(), 'ok');
  assert.equal(opened.state(), 'started');
});

test('stand-in: who went away after it was asked is stood in for all the same; who was never asked is not', () => {
  const opened = open(one);
  assert.equal(opened.review('tom'), 'not_an_approver');
  opened.store.world.delegations = [away('rosa', 'tom')];
  assert.equal(opened.review('tom'), 'ok');
  const other = open(one, { delegations: [away('lee', 'tom')] });
  assert.equal(other.review('tom'), 'not_an_approver', 'Lee could not approve it');
});

test('stand-in: somebody who stood in when it was asked was not asked as themself', () => {
  const opened = open(one, { delegations: [away('rosa', 'tom')] });
  opened.store.world.delegations = [];
  opened.store.world.directory = {
    ...wider,
    people: wider.people.map((each) => (each.id === 'tom' ? person('tom', 'data-owners') : each)),
  };
  assert.equal(opened.review('tom'), 'not_an_approver');
});

test('no-self-approval: a stand-in of somebody in the conflict set fills nothing, and nor does somebody in it', () => {
  const ofOwner = open(one, { delegations: [away('sam', 'tom')] });
  assert.equal(ofOwner.held().approval?.eligibleThen[0]?.standIns, undefined);
  assert.equal(ofOwner.review('tom'), 'no_self_approval');
  assert.equal(
    ofOwner.store.log.at(-1)?.data['code'],
    'no_self_approval',
    'and the log says which rule refused it',
  );
  const shown = peopleOf(ofOwner.held(), ofOwner.now());
  assert.deepEqual(
    shown.cannot.map((each) => `${each.name}: ${each.why}`),
    ['sam: owns the agent crm-bot', 'tom: stands in for sam, who owns the agent crm-bot'],
    'before anyone tries',
  );
  const byOwner = open(one, { delegations: [away('rosa', 'sam')] });
  assert.equal(byOwner.review('sam'), 'no_self_approval');
  const changed: Change = {
    what: 'group',
    id: asGroupId('data-owners'),
    by: id('tom'),
    acceptedBy: null,
    atMs: 999_000,
  };
  const byChanger = open(one, { delegations: [away('rosa', 'tom')], changes: [changed] });
  assert.equal(byChanger.review('tom'), 'no_self_approval');
});

test('no-self-approval: a tie that comes after the review takes it away before anything runs', () => {
  const opened = open(one, { delegations: [away('rosa', 'tom')] });
  assert.equal(opened.review('tom'), 'ok');
  opened.store.world.changes = [
    { what: 'policy', id: 'r', by: id('rosa'), acceptedBy: null, atMs: opened.store.world.nowMs },
  ];
  opened.claim();
  assert.equal(opened.state(), 'denied');
});

test('distinct-people: whoever is away and whoever stands in never both count', () => {
  const opened = open(two, { delegations: [away('rosa', 'tom')] });
  assert.equal(opened.review('tom'), 'ok');
  assert.equal(opened.review('rosa'), 'already_reviewed');
  assert.equal(opened.state(), 'pending');
  const turned = open(two, { delegations: [away('rosa', 'mia')] });
  assert.equal(turned.review('rosa'), 'ok');
  assert.equal(turned.review('mia'), 'already_reviewed', 'not even where both are approvers');
  assert.equal(turned.state(), 'pending');
  turned.store.world.delegations = [];
  assert.equal(turned.review('mia'), 'ok', 'but once nobody is away they are two');
  assert.equal(turned.state(), 'ready');
});

test('distinct-people: an absence arranged between the last review and the run makes two people one', () => {
  const opened = open(two);
  assert.equal(opened.review('rosa'), 'ok');
  assert.equal(opened.review('mia'), 'ok');
  assert.equal(opened.state(), 'ready');
  opened.store.world.delegations = [away('rosa', 'mia')];
  opened.claim();
  assert.equal(opened.state(), 'denied');
});

test('distinct-people: two who stand in for the same person are one voice', () => {
  const opened = open(two, { delegations: [away('rosa', 'tom'), away('rosa', 'uma')] });
  assert.equal(opened.review('tom'), 'ok');
  opened.review('uma');
  assert.equal(opened.state(), 'pending');
  assert.equal(opened.review('mia'), 'ok');
  assert.equal(opened.state(), 'ready');
});

test('distinct-people: an absence makes no places: too few approvers stay too few', () => {
  const three = [requirement('r', 'data-owners', { quorum: 3 })];
  const store = memory({ directory: wider });
  store.world.delegations = [away('rosa', 'tom'), away('mia', 'uma')];
  const command = askCommand(asked(reviewed(...three)), { mayApprove: everybody(wider.people, three) });
  const answer = store.change(command);
  assert.ok(answer.ok && answer.value.kind === 'case');
  assert.equal(answer.value.case.ending?.code, 'nobody_left');
});

test('stand-in: standing in is not passed on', () => {
  const opened = open(one, { delegations: [away('rosa', 'tom'), away('tom', 'uma')] });
  assert.equal(opened.review('uma'), 'not_an_approver');
  assert.equal(opened.review('tom'), 'ok');
});

test('stand-in: it holds only in its time, and between two who are active', () => {
  for (const [what, more] of [
    ['over', { untilMs: 999_999 }],
    ['not begun', { fromMs: 1_000_001 }],
    ['ended', { endedAtMs: 5 }],
  ] as const) {
    const opened = open(one, { delegations: [away('rosa', 'tom', more)] });
    assert.equal(opened.review('tom'), 'not_an_approver', what);
  }
  const opened = open(one, { delegations: [away('rosa', 'tom')] });
  assert.equal(opened.review('tom'), 'ok');
  opened.store.world.directory = {
    ...wider,
    people: wider.people.map((each) => (each.id === 'rosa' ? { ...each, active: false } : each)),
  };
  opened.claim();
  assert.equal(opened.state(), 'denied', 'a deactivated person is stood in for by nobody');
});

test('stand-in: an absence that was ended takes the review with it', () => {
  const opened = open(one, { delegations: [away('rosa', 'tom')] });
  assert.equal(opened.review('tom'), 'ok');
  opened.store.world.delegations = opened.store.world.delegations.map((each) => ({ ...each, endedAtMs: 1 }));
  opened.claim();
  assert.equal(opened.state(), 'denied');
});

test('stand-in: a policy that keeps either of the two from it keeps the stand-in', () => {
  for (const kept of ['rosa', 'tom']) {
    const mayApprove = everybody(
      wider.people.filter((each) => each.id !== kept),
      one,
    );
    const opened = open(one, { delegations: [away('rosa', 'tom')], mayApprove });
    assert.equal(opened.review('tom'), 'not_an_approver', kept);
  }
});

test('stand-in: nobody stands in where a passkey is asked for', () => {
  const opened = open([requirement('r', 'data-owners', { stepUp: 'passkey' })], {
    delegations: [away('rosa', 'tom')],
  });
  assert.equal(opened.review('tom'), 'not_an_approver');
});

test('anyone-may-stop: a stand-in reads and denies what waits, and nothing else of whoever is away', () => {
  const opened = open(one, { delegations: [away('rosa', 'tom')] });
  const by = { kind: 'person', id: id('tom') } as const;
  assert.ok(mayRead(opened.held(), by, opened.store.world));
  assert.ok(!mayRead(opened.held(), { ...by, id: id('uma') }, opened.store.world));
  assert.ok(!mayRead(opened.held(), by, { directory: wider }), 'without the delegations: no');
  assert.equal(opened.review('mia', 'deny'), 'ok');
  assert.ok(!mayRead(opened.held(), by, opened.store.world), 'what is over is not theirs to read');
  // Oversight is not handed on: Ada reads as an auditor, Sam as an owner.
  for (const absent of ['ada', 'lee']) {
    const other = open(one, { delegations: [away(absent, 'tom')] });
    assert.ok(!mayRead(other.held(), by, other.store.world), absent);
  }
  const denied = open(one, { delegations: [away('rosa', 'tom')] });
  assert.equal(denied.review('tom', 'deny'), 'ok');
  assert.equal(denied.held().reviews[0]?.standingInFor, 'rosa');
  assert.equal(denied.state(), 'denied');
});

test('stand-in: who is an approver speaks for themself, unless only the place of the other is left', () => {
  const both = [requirement('a', 'data-owners'), requirement('b', 'security')];
  // Rosa owns data, Lee security; Lee is away and Rosa stands in.
  const opened = open(both, { delegations: [away('lee', 'rosa')] });
  assert.equal(opened.review('rosa'), 'ok');
  assert.equal(opened.held().reviews[0]?.standingInFor, undefined);
  assert.equal(opened.state(), 'pending', 'one person fills one place of all');
  assert.equal(opened.review('mia'), 'ok');
  assert.equal(opened.state(), 'ready');
  const later = open(both, {
    delegations: [away('lee', 'rosa')],
    directory: {
      ...wider,
      people: wider.people.map((each) =>
        each.id === 'tom'
          ? person('tom', 'data-owners')
          : each.id === 'mia'
            ? person('mia', 'security')
            : each,
      ),
    },
  });
  assert.equal(later.review('tom'), 'ok');
  assert.equal(later.review('rosa'), 'ok');
  assert.equal(later.held().reviews[1]?.standingInFor, 'lee');
  assert.equal(later.state(), 'ready');
});

test('stand-in: arranged for oneself, to another active person, for at most 30 days, one at a time; ended by either of the two', () => {
  const store = memory({ directory: wider });
  const nowMs = store.world.nowMs;
  let made = 0;
  const arrange = (to: string, more: { fromMs?: number; untilMs?: number; way?: number } = {}): string => {
    const way = { via: { kind: 'link' }, countsFromMs: more.way ?? 0, authAtMs: 0 } as const;
    const answer = store.change({
      kind: 'delegate',
      id: asDelegationId(`dlg_made${(made += 1)}`),
      by: { kind: 'person', id: id('rosa'), way },
      to: id(to),
      fromMs: more.fromMs ?? null,
      untilMs: more.untilMs ?? nowMs + dayMs,
    });
    return answer.ok ? 'ok' : answer.error.kind === 'refused' ? answer.error.refusal.code : 'stale';
  };
  assert.equal(arrange('rosa'), 'input_invalid', 'not to oneself');
  assert.equal(arrange('nobody'), 'not_found');
  assert.equal(arrange('tom', { untilMs: nowMs }), 'input_invalid');
  assert.equal(arrange('tom', { untilMs: nowMs + delegationMaxMs + 1 }), 'input_invalid');
  assert.equal(arrange('tom', { fromMs: nowMs + 91 * dayMs, untilMs: nowMs + 92 * dayMs }), 'input_invalid');
  assert.equal(arrange('tom', { way: nowMs + 1 }), 'not_permitted', 'an account that does not count yet');
  assert.equal(store.log.length, 0, 'nothing was arranged');
  assert.equal(arrange('tom', { fromMs: 5 }), 'ok');
  assert.equal(store.world.delegations[0]?.fromMs, nowMs, 'never in the past');
  assert.equal(arrange('uma'), 'input_invalid', 'one stand-in at a time');
  assert.equal(arrange('uma', { fromMs: nowMs + dayMs, untilMs: nowMs + 2 * dayMs }), 'ok');
  assert.deepEqual(
    store.log.map((entry) => [entry.type, entry.by]),
    Array.from({ length: 2 }, () => ['delegation.made', { kind: 'person', id: 'rosa' }]),
  );
  const end = (by: string, which: string) =>
    store.change({ kind: 'endDelegation', id: asDelegationId(which), by: id(by) }).ok;
  assert.ok(!end('mia', 'dlg_made7'), 'somebody else');
  assert.ok(end('tom', 'dlg_made7'), 'whoever stands in may decline');
  assert.ok(!end('rosa', 'dlg_made7'), 'it is over');
  assert.ok(end('rosa', 'dlg_made9'));
});
