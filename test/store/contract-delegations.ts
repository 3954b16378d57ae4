/** The contract, part about standing in: delegations are kept, judged inside the transaction, and lead to inboxes; later notices. */
import assert from 'node:assert/strict';
import { asDelegationId, delegationIdOf, type PersonId } from '../../src/core/ids.ts';
import {
  assertLog,
  caseOf,
  handle,
  hold,
  noOf,
  storeTest,
  value,
  type MakeBench,
  type Opened,
} from './bench.ts';
import * as world from './world.ts';

const hourMs = 3_600_000;

const arrange = async (
  { store, clock }: Opened,
  from: PersonId,
  to: PersonId,
  more: { fromMs?: number } = {},
) => {
  const id = delegationIdOf(world.fresh());
  const result = await store.change({
    kind: 'delegate',
    id,
    by: { kind: 'person', id: from },
    to,
    fromMs: more.fromMs ?? null,
    untilMs: (more.fromMs ?? clock.nowMs()) + 24 * hourMs,
  });
  return { id, result };
};

export function delegationsContract(name: string, make: MakeBench): void {
  storeTest(`${name}: who stands in for whom is kept, and ends`, make, async (opened) => {
    const { store, later, clock } = opened;
    assert.deepEqual(await store.delegations(), []);
    const { id, result } = await arrange(opened, world.rosa, world.oz);
    const answer = value(result);
    assert.ok(answer.kind === 'delegation');
    assert.deepEqual(await store.delegations(), [answer.delegation]);
    assert.deepEqual(await store.delegationsOf(world.oz), [answer.delegation]);
    assert.deepEqual(await store.delegationsOf(world.mia), []);
    assert.equal(
      noOf((await arrange(opened, world.rosa, world.mia)).result),
      'input_invalid',
      'one at a time',
    );
    const ahead = await arrange(opened, world.mia, world.oz, { fromMs: clock.nowMs() + hourMs });
    assert.equal(noOf(ahead.result), 'ok');
    assert.equal((await store.delegations()).length, 2, 'what is to come as well');
    assert.equal(
      noOf(await store.change({ kind: 'endDelegation', id, by: world.mia })),
      'not_found',
      'not anybody’s to end',
    );
    assert.equal(noOf(await store.change({ kind: 'endDelegation', id, by: world.oz })), 'ok');
    assert.deepEqual(
      (await store.delegations()).map((one) => one.id),
      [ahead.id],
    );
    const [over] = await store.delegationsOf(world.rosa);
    assert.ok(over !== undefined && over.endedAtMs !== null, 'and an ended one is remembered');
    assert.equal(
      noOf(await store.change({ kind: 'endDelegation', id: asDelegationId('dlg_none'), by: world.rosa })),
      'not_found',
    );
    later(26 * hourMs);
    assert.deepEqual(await store.delegations(), [], 'over by its time');
    const types = await assertLog(store);
    assert.deepEqual(
      types.filter((one) => one.startsWith('delegation.')),
      ['delegation.made', 'delegation.made', 'delegation.ended'],
    );
  });

  storeTest(
    `${name}: a review for somebody who is away says so, and ends with the absence`,
    make,
    async (opened) => {
      const { store, versions } = opened;
      // Read by the writer before, so that a world that it remembers would be found out.
      const early = await hold(opened);
      const { id } = await arrange(opened, world.rosa, world.oz);
      const { held, review } = await hold(
        opened,
        world.ask(world.review(versions), { input: { other: true } }),
      );
      assert.deepEqual(held.approval?.eligibleThen[0]?.standIns, [world.oz]);
      const listed = async (query: object) =>
        (await store.held({ status: 'pending', limit: 10, for: world.oz, ...query })).map(
          (one) => one.asked.id,
        );
      assert.deepEqual(await listed({}), [held.asked.id], 'it is in the inbox of whoever stands in');
      assert.deepEqual(await listed({ alsoFor: [world.rosa] }), [held.asked.id, early.held.asked.id]);
      assert.deepEqual(await listed({ alsoFor: [world.rosa], orOf: [world.agent], limit: 1 }), [
        held.asked.id,
      ]);
      const done = caseOf(await store.change(world.reviewOf(handle(review), world.oz)));
      assert.equal(done.reviews[0]?.standingInFor, world.rosa);
      assert.deepEqual(await store.caseBy({ action: held.asked.id }), done, 'as it is read back');
      assert.ok(done.grant);
      value(await store.change({ kind: 'endDelegation', id, by: world.rosa }));
      const claimed = caseOf(await store.change(world.claim(held.asked.id, review.asked.verdict)));
      assert.equal(claimed.ending?.code, 'policy_changed');
      assert.deepEqual(await listed({}), []);
      await assertLog(store);
    },
  );

  storeTest(`${name}: reminders and escalations wait for their time`, make, async (opened) => {
    const { store, versions, later } = opened;
    const wanted = world.requirement({ escalate: { afterMs: hourMs, group: world.owners } });
    const { review } = await hold(opened, world.ask(world.review(versions, wanted)));
    const taken = async () => {
      const due = await store.takeNotices('web', hourMs, 10);
      for (const one of due) await store.noticeDone(one.id);
      return due.map((one) => one.kind);
    };
    assert.equal(await store.waitingNotices('web', 10), 1, 'what is not due yet does not wait');
    assert.deepEqual(await taken(), ['approval.opened']);
    assert.equal(await store.waitingNotices('web', 10), 0);
    later(hourMs);
    assert.deepEqual(await taken(), ['approval.escalated']);
    later(hourMs);
    assert.deepEqual(await taken(), ['approval.reminded'], 'at half of four hours');
    const done = caseOf(await store.change(world.reviewOf(handle(review), world.rosa)));
    const execution = world.claim(done.asked.id, review.asked.verdict);
    value(await store.change(execution));
    value(
      await store.change({
        kind: 'outcome',
        execution: execution.execution,
        by: { kind: 'agent', id: world.agent },
        status: 'succeeded',
        detail: null,
        result: null,
      }),
    );
    assert.deepEqual(await taken(), ['approval.closed', 'execution.ended']);
  });
}
