/** The contract, first part: a case from its ask to its outcome, as changes answer it and as reads show it. */
import assert from 'node:assert/strict';
import type { ChangeError } from '../../src/ports/store.ts';
import {
  approved,
  assertLog,
  caseOf,
  handle,
  hold,
  noOf,
  storeTest,
  value,
  type MakeBench,
} from './bench.ts';
import * as world from './world.ts';

export function casesContract(name: string, make: MakeBench): void {
  asks(name, make);
  decisions(name, make);
  executions(name, make);
  endings(name, make);
}

function asks(name: string, make: MakeBench): void {
  storeTest(`${name}: an allowed ask is its own each time`, make, async ({ store, versions }) => {
    const first = world.ask(world.allow(versions), {
      input: { same: 1 },
      execute: true,
      enforcement: 'mediated',
    });
    const second = world.ask(world.allow(versions), { input: { same: 1 } });
    const ran = caseOf(await store.change(first));
    assert.equal(ran.execution?.id, first.execution);
    assert.equal(ran.execution?.status, 'started');
    const answer = value(await store.change(second));
    assert.ok(answer.kind === 'case' && !answer.joined && answer.execution === null);
    assert.deepEqual(await store.running(), [first.execution]);
    assert.deepEqual(await store.caseBy({ action: first.asked.id }), ran);
    assert.ok(first.execution !== null);
    assert.deepEqual(await store.caseBy({ execution: first.execution }), ran);
    assert.equal(await store.caseBy({ joinKey: first.asked.joinKey }), undefined, 'nothing to join');
  });

  storeTest(`${name}: a held ask is kept whole`, make, async (opened) => {
    const { store } = opened;
    const { held, review } = await hold(opened);
    assert.deepEqual(held.asked, review.asked);
    assert.equal(held.approval?.id, review.approval);
    assert.deepEqual(
      held.approval?.conflict.map((one) => one.person),
      [world.sam],
    );
    assert.deepEqual(await store.caseBy({ action: review.asked.id }), held);
    assert.deepEqual(await store.caseBy({ approval: review.approval }), held);
    assert.deepEqual(await store.caseBy({ joinKey: review.asked.joinKey }), held);
    assert.deepEqual(await store.held({ status: 'pending', limit: 10 }), [held]);
    assert.deepEqual(await store.nextDue(10), [{ action: held.asked.id, atMs: held.approval?.expiresAtMs }]);
    const types = (await store.entriesAbout(held.asked.id)).map((sealed) => sealed.entry.type);
    assert.deepEqual([types[0], types.at(-1)], ['action.asked', 'approval.opened']);
    assert.equal(await store.caseBy({ action: world.ask(world.allow(opened.versions)).asked.id }), undefined);
  });

  storeTest(`${name}: the same ask joins, another run does not`, make, async (opened) => {
    const { store, versions } = opened;
    const verdict = world.review(versions);
    const { held } = await hold(opened, world.ask(verdict, { input: { rows: 1 } }));
    const repeat = value(await store.change(world.ask(verdict, { input: { rows: 1 } })));
    assert.ok(repeat.kind === 'case' && repeat.joined);
    assert.deepEqual(repeat.case, held, 'the id, digest and salt of the first');
    // An allowed one between them does not hide it.
    value(await store.change(world.ask(world.allow(versions), { input: { rows: 1 } })));
    const third = value(await store.change(world.ask(verdict, { input: { rows: 1 } })));
    assert.ok(third.kind === 'case' && third.joined);
    const other = value(await store.change(world.ask(verdict, { input: { rows: 1 }, run: 'again' })));
    assert.ok(other.kind === 'case' && !other.joined);
    assert.equal((await store.held({ status: 'all', limit: 10 })).length, 2);
  });

  storeTest(`${name}: a denied ask is recorded and holds nothing`, make, async ({ store, versions }) => {
    const denied = world.ask(world.deny(versions));
    const held = caseOf(await store.change(denied));
    assert.equal(held.ending?.code, 'forbidden');
    assert.deepEqual(await store.caseBy({ action: denied.asked.id }), held);
    assert.deepEqual(await store.held({ status: 'all', limit: 10 }), []);
    assert.deepEqual(await store.nextDue(10), []);
  });
}

function decisions(name: string, make: MakeBench): void {
  storeTest(`${name}: a quorum of two people makes a grant`, make, async (opened) => {
    const { store, versions } = opened;
    const verdict = world.review(versions, world.requirement({ quorum: 2 }));
    const { review } = await hold(opened, world.ask(verdict));
    const one = caseOf(await store.change(world.reviewOf(handle(review), world.rosa)));
    assert.equal(one.grant, null);
    assert.equal(noOf(await store.change(world.reviewOf(handle(review), world.rosa))), 'already_reviewed');
    const two = caseOf(await store.change(world.reviewOf(handle(review), world.mia)));
    assert.ok(two.grant !== null && two.approval?.approvedAtMs !== null);
    assert.deepEqual(
      two.reviews.map((each) => each.person),
      [world.rosa, world.mia],
    );
    assert.deepEqual(await store.caseBy({ approval: review.approval }), two);
  });

  storeTest(`${name}: a deny ends it, also by the owner and after an approve`, make, async (opened) => {
    const { store } = opened;
    const { review } = await hold(opened);
    const byOwner = caseOf(await store.change(world.reviewOf(handle(review), world.sam, 'deny')));
    assert.equal(byOwner.ending?.code, 'denied');
    const second = await approved(opened);
    const after = caseOf(await store.change(world.reviewOf(handle(second), world.rosa, 'deny')));
    assert.equal(after.ending?.code, 'denied');
    assert.deepEqual(await store.caseBy({ action: second.asked.id }), after);
    assert.deepEqual(await store.held({ status: 'pending', limit: 10 }), []);
    assert.equal((await store.held({ status: 'closed', limit: 10 })).length, 2);
  });

  storeTest(`${name}: a refusal writes its entries and no rows`, make, async (opened) => {
    const { store } = opened;
    const { held, review } = await hold(opened);
    const before = await store.head();
    assert.equal(noOf(await store.change(world.reviewOf(handle(review), world.sam))), 'no_self_approval');
    assert.deepEqual(await store.caseBy({ action: review.asked.id }), held);
    const about = await store.entriesAbout(review.asked.id);
    assert.equal(about.at(-1)?.entry.type, 'review.refused');
    assert.equal((await store.head()).size, before.size + 1);
  });

  storeTest(
    `${name}: what was judged with other versions is stale and writes nothing`,
    make,
    async (opened) => {
      const { store, versions } = opened;
      const { review } = await hold(opened);
      const ready = await approved(opened);
      value(await store.change(world.acceptDirectory()));
      const head = await store.head();
      const changes = [
        world.ask(world.allow(versions)),
        world.reviewOf(handle(review), world.rosa),
        world.claim(ready.asked.id, ready.asked.verdict),
      ];
      const stale: ChangeError = { kind: 'stale' };
      for (const change of changes) assert.deepEqual(await store.change(change), { ok: false, error: stale });
      assert.deepEqual(await store.head(), head);
    },
  );
}

function executions(name: string, make: MakeBench): void {
  storeTest(`${name}: a grant runs once, and its outcome is kept`, make, async (opened) => {
    const { store } = opened;
    const ask = await approved(opened);
    const claim = world.claim(ask.asked.id, ask.asked.verdict);
    const started = caseOf(await store.change(claim));
    assert.equal(started.grant?.consumedAtMs, started.execution?.startedAtMs);
    assert.equal(noOf(await store.change(world.claim(ask.asked.id, ask.asked.verdict))), 'grant_consumed');
    const outcome = {
      kind: 'outcome',
      execution: claim.execution,
      by: { kind: 'agent', id: world.agent },
      status: 'succeeded',
      detail: 'done',
      result: { rows: [1, 'ü', null] },
    } as const;
    const over = caseOf(await store.change(outcome));
    assert.deepEqual(over.execution?.result, outcome.result);
    assert.deepEqual(await store.caseBy({ execution: claim.execution }), over);
    assert.deepEqual(
      caseOf(await store.change(outcome)),
      over,
      'a repeat of the same outcome changes nothing',
    );
    assert.equal(noOf(await store.change({ ...outcome, status: 'failed' })), 'grant_consumed');
    assert.deepEqual(await store.nextDue(10), []);
    await assertLog(store);
  });

  storeTest(`${name}: a lost execution is unknown, and asked again it says so`, make, async (opened) => {
    const { store, versions } = opened;
    const verdict = world.review(versions);
    const ask = await approved(opened, world.ask(verdict, { input: { rows: 9 }, enforcement: 'mediated' }));
    const claim = world.claim(ask.asked.id, verdict);
    value(await store.change(claim));
    assert.deepEqual(await store.running(), [claim.execution]);
    const lost = caseOf(await store.change({ kind: 'lost', execution: claim.execution }));
    assert.equal(lost.execution?.status, 'unknown');
    assert.deepEqual(await store.running(), []);
    const asked = world.ask(verdict, { input: { rows: 9 }, enforcement: 'mediated' });
    const again = value(await store.change(asked));
    assert.ok(again.kind === 'case' && !again.joined);
    assert.equal(again.case.approval?.afterUnknown, ask.asked.id);
    const settle = {
      kind: 'settle',
      execution: claim.execution,
      status: 'failed',
      reason: 'looked',
    } as const;
    assert.equal(noOf(await store.change({ ...settle, by: world.rosa })), 'not_permitted');
    const settled = caseOf(await store.change({ ...settle, by: world.oz }));
    assert.equal(settled.execution?.outcomeBy, 'person');
  });
}

function endings(name: string, make: MakeBench): void {
  storeTest(`${name}: time ends what nobody decides and what nobody runs`, make, async (opened) => {
    const { store, later } = opened;
    const { review } = await hold(opened);
    const due = { kind: 'due', action: review.asked.id } as const;
    assert.equal(caseOf(await store.change(due)).ending, null, 'not yet');
    later(4 * 3_600_000);
    assert.deepEqual(await store.held({ status: 'pending', limit: 10 }), [], 'before any timer');
    assert.equal((await store.past(world.agent, 'crm___export', opened.clock.nowMs())).byState['expired'], 1);
    assert.equal(caseOf(await store.change(due)).ending?.code, 'expired');
    const ready = await approved(opened);
    later(900_000);
    assert.equal(noOf(await store.change(world.claim(ready.asked.id, ready.asked.verdict))), 'expired');
    const over = caseOf(await store.change({ kind: 'due', action: ready.asked.id }));
    assert.equal(over.ending?.code, 'expired');
    assert.deepEqual(await store.nextDue(10), []);
  });

  storeTest(`${name}: cancelled and delivered`, make, async (opened) => {
    const { store } = opened;
    const { review } = await hold(opened);
    const by = { kind: 'agent', id: world.agent } as const;
    const cancel = { kind: 'cancel', approval: review.approval, by, reason: null } as const;
    assert.equal(caseOf(await store.change(cancel)).ending?.code, 'cancelled');
    const told = caseOf(await store.change({ kind: 'delivered', action: review.asked.id }));
    assert.ok(told.approval !== null && told.approval.deliveredAtMs !== null);
    assert.deepEqual(await store.caseBy({ action: review.asked.id }), told);
    const types = await assertLog(store);
    assert.deepEqual(types.slice(-2), ['approval.cancelled', 'outcome.delivered']);
  });
}
