/** The gate dies at each step between writing a copy down and knowing that it is there: posted once, wherever that can be known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leaseMs } from '../../src/app/outbox.ts';
import { createPosting } from '../../src/app/posting.ts';
import type { Post } from '../../src/core/chat.ts';
import { asPersonId, type ApprovalId } from '../../src/core/ids.ts';
import type { Channel } from '../../src/ports/channel.ts';
import {
  cannotBeReached,
  createFakeMessenger,
  nowIn,
  replace,
  type FakeMessenger,
  type Plan,
} from '../support/fake-messenger.ts';
import { requirement } from '../support/world.ts';
import { organisation, withRig, type Rig } from './posting-rig.ts';

const postingOf = (rig: Rig, fake: FakeMessenger): Channel =>
  createPosting(rig.parts, fake, () => [organisation]);

/** Delivers with somebody who dies of it; resolves once nothing moves any more. */
async function dies(delivery: Promise<unknown>): Promise<void> {
  let over = false;
  void delivery.then(() => (over = true));
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(over, false, 'it died');
}

type Step = 'before it is written down' | 'written down' | 'posted' | 'before it is known' | 'known';
const steps: readonly Step[] = [
  'before it is written down',
  'written down',
  'posted',
  'before it is known',
  'known',
];

/** Makes the gate die at this step of its first card. */
function killAt(step: Step, rig: Rig, fake: FakeMessenger): void {
  let writes = 0;
  rig.plan = (kind) => {
    if (kind !== 'writePost') return 'ok';
    writes += 1;
    if (step === 'before it is written down' && writes === 1) return 'hang';
    if (step === 'before it is known' && writes === 2) return 'hang';
    return step === 'known' && writes === 2 ? 'hangAfter' : 'ok';
  };
  fake.plan = ({ what }): Plan => {
    if (what !== 'post') return 'ok';
    if (step === 'written down') return 'hang';
    return step === 'posted' ? 'hangAfter' : 'ok';
  };
}

async function revive(rig: Rig, fake: FakeMessenger, afterMs: number): Promise<Channel> {
  fake.plan = () => 'ok';
  await rig.restart();
  rig.later(afterMs);
  return postingOf(rig, fake);
}

for (const step of steps) {
  test(`killed ${step}: it is there once afterwards, and told so once`, () =>
    withRig(async (rig) => {
      const fake = createFakeMessenger();
      const approval = await rig.open();
      killAt(step, rig, fake);
      await dies(postingOf(rig, fake).deliver(await rig.told('approval.opened', approval)));
      const again = await revive(rig, fake, leaseMs);
      const result = await again.deliver(await rig.told('approval.opened', approval, { again: true }));
      assert.deepEqual(result, { ok: true, value: [{ to: '#data', ref: 'm1' }] });
      assert.equal(fake.messages.length, 1);
      assert.deepEqual(
        (await rig.posts(approval)).map((post) => post.state),
        ['posted'],
      );
      assert.equal((await rig.entries('notice.posted')).length, 1);
    }));

  test(`killed ${step}, and decided before it starts again: never posted as open, and what is there says so`, () =>
    withRig(async (rig) => {
      const fake = createFakeMessenger();
      const approval = await rig.open();
      killAt(step, rig, fake);
      await dies(postingOf(rig, fake).deliver(await rig.told('approval.opened', approval)));
      const arrived = fake.messages.length;
      const again = await revive(rig, fake, leaseMs);
      await rig.cancel(approval);
      for (const kind of ['approval.closed', 'approval.opened'] as const)
        assert.equal((await again.deliver(await rig.told(kind, approval, { again: true }))).ok, true);
      assert.equal(fake.messages.length, arrived, 'nothing is posted about what is over');
      for (const message of fake.messages) assert.deepEqual(nowIn(message).state, 'Withdrawn');
      const states = (await rig.posts(approval))
        .filter((post) => post.kind === 'card')
        .map((post) => post.state);
      assert.ok(
        states.every((state) => state === (arrived === 1 ? 'posted' : 'lost')),
        states.join(),
      );
    }));
}

test('killed while a copy is being changed: it is changed again, whatever the row says', () =>
  withRig(async (rig) => {
    const fake = createFakeMessenger();
    const approval = await rig.open(requirement('two', 'data-owners', { quorum: 2 }));
    await postingOf(rig, fake).deliver(await rig.told('approval.opened', approval));
    await rig.review(approval, 'rosa');
    fake.plan = ({ what }) => (what === 'update' ? 'hangAfter' : 'ok');
    await dies(postingOf(rig, fake).deliver(await rig.told('approval.reviewed', approval)));
    const again = await revive(rig, fake, leaseMs);
    const [card] = await rig.posts(approval);
    assert.ok(card !== undefined);
    // Another gate was there meanwhile, and what the dead one had sent arrived last.
    const held = await rig.held(approval);
    const version = `${held.approval?.version ?? 0} pending`;
    await rig.parts.store.change({ kind: 'writePost', post: { ...card, version }, showing: null });
    const before = fake.messages[0]?.said.length ?? 0;
    await again.deliver(await rig.told('approval.reviewed', approval, { again: true }));
    assert.equal(fake.messages[0]?.said.length, before + 1);
    assert.deepEqual(fake.messages[0]?.replies.length, 1);
  }));

test('killed after an owner was told: not told again; killed before that is known: told, rather than not', () =>
  withRig(async (rig) => {
    const fake = createFakeMessenger();
    const withAccount = (): Channel => {
      Object.assign(rig.parts.store, {
        accountsOf: () =>
          Promise.resolve([
            {
              kind: 'slack',
              issuer: organisation,
              subject: 'U1',
              person: asPersonId('sam'),
              display: 'Sam',
              atMs: 0,
              countsFromMs: 0,
              confirmedBy: null,
              endedAtMs: null,
            },
          ]),
      });
      return postingOf(rig, fake);
    };
    const approval = await rig.open();
    await rig.cancel(approval);
    let writes = 0;
    rig.plan = (kind) => (kind === 'writePost' && (writes += 1) === 2 ? 'hangAfter' : 'ok');
    await dies(withAccount().deliver(await rig.told('approval.closed', approval)));
    await revive(rig, fake, 0);
    assert.equal((await withAccount().deliver(await rig.told('approval.closed', approval))).ok, true);
    assert.equal(fake.told.length, 1);

    const other = await rig.open();
    await rig.cancel(other);
    fake.plan = ({ what }) => (what === 'tell' ? 'hang' : 'ok');
    await dies(withAccount().deliver(await rig.told('approval.closed', other)));
    await revive(rig, fake, leaseMs);
    assert.equal((await withAccount().deliver(await rig.told('approval.closed', other))).ok, true);
    assert.equal(fake.told.length, 2);
  }));

const cardsOf = async (rig: Rig, approval: ApprovalId): Promise<readonly Post[]> =>
  (await rig.posts(approval)).filter((post) => post.kind === 'card');

test('an answer that was lost: the message is found by its id and taken for ours, and nothing is posted again', () =>
  withRig(async (rig) => {
    const fake = createFakeMessenger();
    const channel = postingOf(rig, fake);
    const approval = await rig.open();
    fake.plan = ({ what }) => (what === 'post' ? { lost: cannotBeReached } : 'ok');
    const first = await channel.deliver(await rig.told('approval.opened', approval));
    assert.ok(!first.ok && first.error.whole === true && first.error.retryable);
    fake.plan = () => 'ok';
    assert.equal(
      (await channel.deliver(await rig.told('approval.opened', approval, { again: true }))).ok,
      true,
    );
    assert.equal(fake.messages.length, 1);
    assert.equal((await cardsOf(rig, approval))[0]?.at?.message, 'm1');
  }));

test('where the platform cannot tell, what may have arrived is lost, its buttons have no row, and it is posted anew', () =>
  withRig(async (rig) => {
    const fake = createFakeMessenger('teams');
    fake.knows = false;
    const channel = postingOf(rig, fake);
    const approval = await rig.open();
    fake.plan = ({ what }) => (what === 'post' ? { lost: cannotBeReached } : 'ok');
    await channel.deliver(await rig.told('approval.opened', approval));
    fake.plan = () => 'ok';
    assert.equal(
      (await channel.deliver(await rig.told('approval.opened', approval, { again: true }))).ok,
      true,
    );
    const cards = await cardsOf(rig, approval);
    assert.deepEqual(
      cards.map((post) => `${post.state} ${post.at?.message ?? ''}`).toSorted((a, b) => a.localeCompare(b)),
      ['lost ', 'posted m2'],
    );
    assert.notEqual(fake.messages[0]?.id, fake.messages[1]?.id);
  }));

test('what is known never to have left is sent again as the same copy, on such a platform too', () =>
  withRig(async (rig) => {
    const fake = createFakeMessenger('teams');
    fake.knows = false;
    const channel = postingOf(rig, fake);
    const approval = await rig.open();
    fake.plan = ({ what }) => (what === 'post' ? { fail: { ...cannotBeReached, unsent: true } } : 'ok');
    for (let tries = 0; tries < 3; tries += 1)
      assert.equal(
        (await channel.deliver(await rig.told('approval.opened', approval, { again: true }))).ok,
        false,
      );
    fake.plan = () => 'ok';
    assert.equal(
      (await channel.deliver(await rig.told('approval.opened', approval, { again: true }))).ok,
      true,
    );
    assert.equal(fake.messages.length, 1);
    assert.deepEqual(
      (await cardsOf(rig, approval)).map((post) => post.state),
      ['posted'],
    );
    assert.ok(fake.calls.every((call) => call.what !== 'find'));
  }));

test('it was posted and the disk was full: it is written down later, where it is, and not posted again', () =>
  withRig(async (rig) => {
    const fake = createFakeMessenger('teams');
    fake.knows = false;
    const channel = postingOf(rig, fake);
    const approval = await rig.open();
    let writes = 0;
    rig.plan = (kind) => (kind === 'writePost' && (writes += 1) === 2 ? 'fault' : 'ok');
    const first = await channel.deliver(await rig.told('approval.opened', approval));
    assert.ok(!first.ok && first.error.retryable && first.error.detail.includes('the disk is full'));
    assert.equal(
      (await channel.deliver(await rig.told('approval.opened', approval, { again: true }))).ok,
      true,
    );
    assert.equal(fake.messages.length, 1);
    assert.deepEqual(
      (await cardsOf(rig, approval)).map((post) => post.state),
      ['posted'],
    );
  }));

test('two gates at the same approval: one posts it, the other comes back in a moment and changes nothing', () =>
  withRig(async (rig) => {
    const fake = createFakeMessenger();
    const approval = await rig.open();
    const gates = [postingOf(rig, fake), postingOf(rig, fake), postingOf(rig, fake)];
    const told = await rig.told('approval.opened', approval);
    const results = await Promise.all(gates.map((gate) => gate.deliver(told)));
    assert.equal(fake.messages.length, 1);
    assert.equal(results.filter((result) => result.ok).length, 1);
    for (const result of results)
      assert.ok(result.ok || (result.error.busy === true && (result.error.retryAfterMs ?? 0) < leaseMs / 10));
    for (const gate of gates) assert.equal((await gate.deliver(told)).ok, true);
    assert.equal(fake.messages.length, 1);
  }));

test('a change that meets a copy which is being sent waits for it, so that no copy is left behind', () =>
  withRig(async (rig) => {
    const fake = createFakeMessenger();
    const approval = await rig.open();
    let go: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (go = resolve));
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    replace(fake, 'post', (real) => async (...args) => {
      begin();
      await slow;
      return real(...args);
    });
    const opening = postingOf(rig, fake).deliver(await rig.told('approval.opened', approval));
    await begun;
    await rig.cancel(approval);
    const other = postingOf(rig, fake);
    const early = await other.deliver(await rig.told('approval.closed', approval));
    assert.ok(!early.ok && early.error.busy === true && early.error.retryable);
    go();
    assert.equal((await opening).ok, true);
    assert.equal((await other.deliver(await rig.told('approval.closed', approval))).ok, true);
    assert.equal(nowIn(fake.messages[0]).state, 'Withdrawn');
    assert.equal(fake.messages[0]?.replies.length, 1);
  }));

test('decided while it is being written down: nothing is posted, and nobody waits for it', () =>
  withRig(async (rig) => {
    const fake = createFakeMessenger();
    const approval = await rig.open();
    let writes = 0;
    replace(rig.parts.store, 'change', (real) => async (...args) => {
      const result = await real(...args);
      if (args[0].kind === 'writePost' && (writes += 1) === 1) await rig.cancel(approval);
      return result;
    });
    const channel = postingOf(rig, fake);
    assert.deepEqual(await channel.deliver(await rig.told('approval.opened', approval)), {
      ok: true,
      value: [],
    });
    assert.equal(fake.messages.length, 0);
    assert.deepEqual(
      (await cardsOf(rig, approval)).map((post) => post.state),
      ['lost'],
    );
    assert.equal((await channel.deliver(await rig.told('approval.closed', approval))).ok, true);
  }));

test('it changes faster than it can be told: it is not posted, and the next try posts it', () =>
  withRig(async (rig) => {
    const fake = createFakeMessenger();
    const approval = await rig.open();
    let restless = true;
    let version = 0;
    replace(rig.parts.store, 'caseBy', (real) => async (key) => {
      const held = await real(key);
      if (held?.approval == null || !restless) return held;
      return { ...held, approval: { ...held.approval, version: (version += 1) } };
    });
    const channel = postingOf(rig, fake);
    const result = await channel.deliver(await rig.told('approval.opened', approval));
    assert.ok(!result.ok && result.error.retryable);
    assert.equal(fake.messages.length, 0);
    restless = false;
    assert.equal(
      (await channel.deliver(await rig.told('approval.opened', approval, { again: true }))).ok,
      true,
    );
    assert.equal(fake.messages.length, 1);
  }));
