import { askLimitDefaults } from '../../src/core/stops.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stateOf, type Case } from '../../src/core/case.ts';
import type { Change, Directory } from '../../src/core/directory.ts';
import { asAgentId, asDigest, asGroupId, asPersonId } from '../../src/core/ids.ts';
import type { Code } from '../../src/core/refusal.ts';
import { mayRead, mayStop } from '../../src/core/may-stop.ts';
import { checkReview, type Proposed } from '../../src/core/review.ts';
import { mayApproveOf } from '../../src/core/steps/common.ts';
import type { Requirement, Verdict } from '../../src/core/verdict.ts';
import {
  action,
  allowed,
  askCommand,
  asked,
  deniedBy,
  directory,
  everybody,
  executionId,
  memory,
  requirement,
  reviewed,
  versions,
} from '../support/world.ts';

interface Opened {
  readonly store: ReturnType<typeof memory>;
  readonly held: () => Case;
  readonly review: (by: string, more?: Partial<Proposed>, verdict?: Verdict) => Code | 'ok' | 'stale';
  readonly claim: (name: string, verdict?: Verdict) => Code | 'ok' | 'stale';
}

/** Opens an approval and gives the verbs that tests use. */
function open(
  requirements: readonly Requirement[],
  options: {
    readonly directory?: Directory;
    readonly changes?: readonly Change[];
    readonly action?: Parameters<typeof action>[0];
  } = {},
): Opened {
  const store = memory({ directory: options.directory ?? directory, changes: options.changes ?? [] });
  const one = asked(reviewed(...requirements), action(options.action));
  const command = askCommand(one, { mayApprove: everybody(store.world.directory.people, requirements) });
  const answer = store.change(command);
  assert.ok(answer.ok, JSON.stringify(answer));
  const held = (): Case => {
    const found = store.cases.get(one.id);
    assert.ok(found);
    return found;
  };
  const again = (verdict: Verdict) => ({
    verdict,
    mayApprove: everybody(store.world.directory.people, [
      ...requirements,
      ...(verdict.effect === 'review' ? verdict.requirements : []),
    ]),
    targetHolds: true,
    mode: 'enforce' as const,
  });
  const codeOf = (result: ReturnType<typeof store.change>): Code | 'ok' | 'stale' => {
    if (result.ok) return 'ok';
    return result.error.kind === 'stale' ? 'stale' : result.error.refusal.code;
  };
  return {
    store,
    held,
    review: (by, more = {}, verdict = reviewed(...requirements)) => {
      const approval = held().approval;
      assert.ok(approval);
      const proposed: Proposed = {
        by: { kind: 'person', id: asPersonId(by) },
        decision: 'approve',
        digest: one.digest,
        reason: null,
        unsafe: false,
        channel: 'web',
        shownWhole: true,
        ...more,
      };
      return codeOf(
        store.change({
          kind: 'review',
          approval: approval.id,
          proposed,
          again: again(verdict),
          expected: versions,
          limits: askLimitDefaults,
        }),
      );
    },
    claim: (name, verdict = reviewed(...requirements)) => {
      const result = store.change({
        kind: 'claim',
        action: one.id,
        agent: asAgentId('crm-bot'),
        execution: executionId(name),
        again: again(verdict),
        expected: versions,
        limits: askLimitDefaults,
      });
      if (result.ok && result.value.kind === 'case' && result.value.case.execution === null)
        return 'policy_changed';
      return codeOf(result);
    },
  };
}

const state = (opened: Opened) => stateOf(opened.held(), opened.store.world.nowMs);

test('no-self-approval: the accountable owner, whoever their role, is refused and may deny', () => {
  const opened = open([requirement('r', 'data-owners')]);
  assert.equal(opened.review('sam'), 'no_self_approval');
  assert.equal(state(opened), 'pending');
  assert.equal(opened.store.log.at(-1)?.type, 'review.refused');
  assert.equal(opened.review('sam', { decision: 'deny' }), 'ok');
  assert.equal(state(opened), 'denied');
});

test('no-self-approval: session starters, delegation chains, their owners and recent changers', () => {
  const two: Directory = {
    ...directory,
    agents: [
      ...directory.agents,
      { id: asAgentId('planner'), owners: [asPersonId('rosa'), asPersonId('mia')], groups: [] },
    ],
  };
  const started = open([requirement('r', 'data-owners')], { action: { startedBy: asPersonId('rosa') } });
  assert.equal(started.review('rosa'), 'no_self_approval');
  assert.equal(started.review('mia'), 'ok');
  const chained = open([requirement('r', 'security')], {
    directory: two,
    action: { delegation: [{ kind: 'agent', id: asAgentId('planner') }] },
  });
  assert.equal(chained.review('mia'), 'no_self_approval', 'every owner of a delegating agent');
  assert.equal(chained.review('lee'), 'ok');
  const change = (more: Partial<Change>): Change => ({
    what: 'group',
    id: asGroupId('data-owners'),
    by: asPersonId('rosa'),
    acceptedBy: null,
    atMs: 999_999,
    ...more,
  });
  assert.equal(
    open([requirement('r', 'data-owners')], { changes: [change({})] }).review('rosa'),
    'no_self_approval',
  );
  assert.equal(
    open([requirement('r', 'data-owners')], { changes: [change({ acceptedBy: asPersonId('rosa') })] }).review(
      'rosa',
    ),
    'no_self_approval',
    'nobody seconds their own change',
  );
  assert.equal(
    open([requirement('r', 'data-owners')], { changes: [change({ acceptedBy: asPersonId('mia') })] }).review(
      'rosa',
    ),
    'ok',
  );
  assert.equal(
    open([requirement('r', 'data-owners')], {
      changes: [change({ atMs: 1_000_000 - 7 * 86_400_000 })],
    }).review('rosa'),
    'ok',
    'a week later it no longer counts',
  );
});

test('no-self-approval: leaving the conflict set after asking does not wash the action clean', () => {
  const opened = open([requirement('r', 'data-owners')]);
  opened.store.world.directory = {
    ...directory,
    agents: [{ id: asAgentId('crm-bot'), owners: [asPersonId('lee')], groups: [] }],
  };
  assert.equal(opened.review('sam'), 'no_self_approval');
});

test('people-only: an agent cannot review, not even as its owner', () => {
  const opened = open([requirement('r', 'data-owners')]);
  assert.equal(opened.review('x', { by: { kind: 'agent', id: asAgentId('crm-bot') } }), 'not_a_person');
  assert.equal(
    opened.review('x', { by: { kind: 'agent', id: asAgentId('crm-bot') }, decision: 'deny' }),
    'not_a_person',
  );
  assert.equal(opened.review('nobody-of-the-directory'), 'not_a_person');
});

test('anyone-may-stop: approvers, owners and operators deny; auditors only read; others do neither', () => {
  const opened = open([requirement('r', 'security')]);
  const may = (id: string) => mayStop(opened.held(), asPersonId(id), { directory });
  assert.deepEqual(['sam', 'rosa', 'mia', 'lee', 'ada'].map(may), [true, false, true, true, false]);
  assert.equal(mayRead(opened.held(), { kind: 'person', id: asPersonId('ada') }, { directory }), true);
  assert.equal(mayRead(opened.held(), { kind: 'person', id: asPersonId('rosa') }, { directory }), false);
  assert.equal(mayRead(opened.held(), { kind: 'agent', id: asAgentId('other') }, { directory }), false);
  assert.equal(opened.review('ada', { decision: 'deny' }), 'not_an_approver');
  assert.equal(opened.review('rosa', { decision: 'deny' }), 'not_an_approver');
});

test('distinct-people: a quorum counts people, and one person in two groups fills one place', () => {
  const two = open([requirement('r', 'data-owners', { quorum: 2 })]);
  assert.equal(two.review('rosa'), 'ok');
  assert.equal(two.review('rosa'), 'already_reviewed');
  assert.equal(state(two), 'pending');
  assert.equal(two.review('mia'), 'ok');
  assert.equal(state(two), 'ready');
  const both = open([requirement('a', 'data-owners'), requirement('b', 'security')]);
  assert.equal(both.review('mia'), 'ok');
  assert.equal(state(both), 'pending', 'mia is in both groups and fills one place');
  assert.equal(both.review('rosa'), 'ok');
  assert.equal(state(both), 'ready', 'mia moves to security’s place, rosa fills data-owners’');
});

test('distinct-people: requirements with the same approvers merge to the larger quorum', () => {
  const opened = open([requirement('a', 'data-owners', { quorum: 2 }), requirement('b', 'data-owners')]);
  assert.equal(opened.review('rosa'), 'ok');
  assert.equal(opened.review('mia'), 'ok');
  assert.equal(state(opened), 'ready');
});

test('exact-digest: a review of another, an older or a made-up action is refused', () => {
  const opened = open([requirement('r', 'data-owners')]);
  const other = asked(reviewed(), action({ input: { table: 'payroll' } }));
  assert.equal(opened.review('rosa', { digest: other.digest }), 'digest_mismatch');
  assert.equal(opened.review('rosa', { digest: asDigest('') }), 'digest_mismatch');
  assert.equal(opened.review('rosa', { digest: asDigest(''), decision: 'deny' }), 'digest_mismatch');
});

test('shown-whole: a channel that showed part of it cannot approve, and can deny', () => {
  const opened = open([requirement('r', 'data-owners')]);
  assert.equal(opened.review('rosa', { shownWhole: false }), 'shown_incomplete');
  assert.equal(opened.review('rosa', { shownWhole: false, decision: 'deny' }), 'ok');
});

test('eligible-then-and-now: who joined the group later cannot approve, and who left no longer counts', () => {
  const late = open([requirement('r', 'data-owners')]);
  late.store.world.directory = {
    ...directory,
    people: directory.people.map((one) =>
      one.id === 'lee' ? { ...one, groups: [asGroupId('data-owners')] } : one,
    ),
  };
  assert.equal(late.review('lee'), 'not_an_approver');
  const left = open([requirement('r', 'data-owners', { quorum: 2 })]);
  assert.equal(left.review('rosa'), 'ok');
  left.store.world.directory = { ...directory, people: directory.people.filter((one) => one.id !== 'rosa') };
  assert.equal(left.review('mia'), 'ok');
  assert.equal(state(left), 'pending', 'rosa is gone, so one of two places is filled');
  const removed = open([requirement('r', 'data-owners')]);
  assert.equal(removed.review('rosa'), 'ok');
  removed.store.world.directory = {
    ...directory,
    people: directory.people.filter((one) => one.id !== 'rosa'),
  };
  assert.equal(removed.claim('a'), 'policy_changed', 'the approver left before it ran');
  assert.equal(state(removed), 'denied');
});

test('eligible-then-and-now: an escalation group counts from the asking', () => {
  const opened = open([
    requirement('r', 'security', { escalate: { afterMs: 600_000, group: asGroupId('data-owners') } }),
  ]);
  assert.equal(opened.review('rosa'), 'ok');
  assert.equal(state(opened), 'ready');
});

test('step-up: where a passkey is asked for, nothing else counts', () => {
  const opened = open([requirement('r', 'data-owners', { stepUp: 'passkey' })]);
  assert.equal(opened.review('rosa'), 'step_up_required');
  const mixed = open([requirement('a', 'data-owners', { stepUp: 'passkey' }), requirement('b', 'security')]);
  assert.equal(mixed.review('mia'), 'ok', 'counts for security alone');
  assert.equal(mixed.review('rosa'), 'step_up_required');
  assert.equal(state(mixed), 'pending');
});

test('deny-ends-it: one deny ends an approval that others approved, even after its quorum', () => {
  const opened = open([requirement('r', 'data-owners')]);
  assert.equal(opened.review('rosa'), 'ok');
  assert.equal(state(opened), 'ready');
  assert.equal(opened.review('mia', { decision: 'deny', reason: 'wrong table' }), 'ok');
  assert.equal(state(opened), 'denied');
  assert.equal(opened.held().ending?.reason, 'wrong table');
  assert.equal(opened.claim('a'), 'denied');
  assert.equal(opened.review('mia'), 'approval_closed');
});

test('nobody-left: too few eligible people is an immediate deny', () => {
  const store = memory({ directory });
  const need = requirement('r', 'data-owners', { quorum: 3 });
  const answer = store.change(askCommand(asked(reviewed(need))));
  assert.ok(answer.ok && answer.value.kind === 'case');
  assert.equal(answer.value.case.ending?.code, 'nobody_left');
  assert.equal(answer.value.case.approval, null);
});

test('the order of checks is the order of the design', () => {
  const opened = open([requirement('r', 'data-owners', { reasonRequired: true, channels: ['slack'] })]);
  const wrong = { digest: asDigest('x'), shownWhole: false } as const;
  assert.equal(opened.review('sam', wrong), 'no_self_approval');
  assert.equal(opened.review('lee', wrong), 'not_an_approver');
  assert.equal(opened.review('rosa', wrong), 'digest_mismatch');
  assert.equal(opened.review('rosa', { shownWhole: false }), 'wrong_channel');
  assert.equal(opened.review('rosa', { shownWhole: false, channel: 'slack' }), 'shown_incomplete');
  assert.equal(opened.review('rosa', { channel: 'slack', reason: '  ' }), 'reason_required');
  assert.equal(opened.review('rosa', { channel: 'slack', reason: 'ticket 7' }), 'ok');
  assert.equal(opened.review('mia', wrong), 'approval_closed');
});

test('where one of several policies wants a reason, nobody uses up their review without one', () => {
  const plain = requirement('p', 'data-owners');
  const opened = open([plain, requirement('r', 'data-owners', { reasonRequired: true })]);
  assert.equal(opened.review('rosa'), 'reason_required');
  assert.equal(opened.review('rosa', { reason: 'ticket 7' }), 'ok');
  assert.equal(state(opened), 'ready');
});

test('a second use, a stale world, a broken and a tightened policy', () => {
  const opened = open([requirement('r', 'data-owners')]);
  assert.equal(opened.claim('a'), 'approval_pending');
  assert.equal(opened.review('rosa', {}, deniedBy('policy_error')), 'policy_error');
  assert.equal(state(opened), 'pending', 'a broken policy folder ends nothing');
  assert.equal(opened.review('rosa'), 'ok');
  assert.equal(opened.claim('a', deniedBy('policy_error')), 'policy_error');
  assert.equal(state(opened), 'ready');
  assert.equal(opened.claim('a'), 'ok');
  assert.equal(opened.claim('b'), 'grant_consumed');
  for (const verdict of [
    deniedBy('no_permit'),
    deniedBy('forbidden'),
    reviewed(requirement('new', 'security')),
    reviewed(requirement('r', 'data-owners', { quorum: 2 })),
  ]) {
    const tightened = open([requirement('r', 'data-owners')]);
    assert.equal(tightened.review('rosa'), 'ok');
    assert.equal(tightened.claim('a', verdict), 'policy_changed');
    assert.equal(tightened.held().ending?.code, 'policy_changed');
  }
  const loosened = open([requirement('r', 'data-owners')]);
  assert.equal(loosened.review('rosa', {}, allowed), 'ok');
  assert.equal(loosened.claim('a', allowed), 'ok');
});

test('checkReview is a function of its arguments: it changes nothing', () => {
  const opened = open([requirement('r', 'data-owners')]);
  const before = structuredClone(opened.held());
  const proposed: Proposed = {
    by: { kind: 'person', id: asPersonId('rosa') },
    decision: 'approve',
    digest: before.asked.digest,
    reason: null,
    unsafe: true,
    channel: 'web',
    shownWhole: true,
  };
  const result = checkReview(opened.held(), proposed, {
    directory,
    changes: [],
    nowMs: 1_000_000,
    mayApprove: mayApproveOf(everybody(directory.people, [requirement('r', 'data-owners')])),
  });
  assert.ok(result.ok);
  assert.equal(result.value.unsafe, false, 'only a denial can be unsafe');
  assert.deepEqual(opened.held(), before);
});
