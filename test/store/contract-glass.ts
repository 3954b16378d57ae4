/** The contract, on break-glass: opened with the last approval or not at all, one row each, and what was reviewed stays as it was. */
import assert from 'node:assert/strict';
import type { AskGlassCommand } from '../../src/core/command-gate.ts';
import { glassIdOf, type GlassId } from '../../src/core/glass.ts';
import { actionIdOf, approvalIdOf, asGroupId, asPersonId, type PersonId } from '../../src/core/ids.ts';
import { askLimitDefaults } from '../../src/core/stops.ts';
import { assertLog, caseOf, noOf, storeTest, value, type MakeBench, type Opened } from './bench.ts';
import * as world from './world.ts';

const admins = asGroupId('admins');
const lee = asPersonId('lee');
/** Sam owns the agent; rosa, mia and lee may open it. */
const directory = {
  ...world.directory,
  people: [
    ...world.directory.people.map((one) =>
      one.id === world.rosa || one.id === world.mia ? { ...one, groups: [...one.groups, admins] } : one,
    ),
    { id: lee, name: 'Lee Park', groups: [admins] },
  ],
};

const asking = (operation = 'crm___export'): AskGlassCommand => ({
  kind: 'askGlass',
  by: { kind: 'person', id: world.rosa },
  agent: world.agent,
  operation,
  minutes: 10,
  reason: 'because',
  id: actionIdOf(world.fresh()),
  approval: approvalIdOf(world.fresh()),
  salt: 'ab'.repeat(32),
  joinKey: world.freshKey(),
  likeKey: world.freshKey(),
  limits: askLimitDefaults,
});

/** Asked by rosa; `people` approve. Answers its id. */
async function opened(at: Opened, people: readonly PersonId[] = [world.mia, lee]): Promise<GlassId> {
  const { store } = at;
  value(await store.change(world.acceptDirectory(directory)));
  const command = asking();
  const held = caseOf(await store.change(command));
  const { digest } = held.asked;
  for (const person of people) {
    const verdict = { ...held.asked.verdict, versions: await store.versions() };
    const review = world.reviewOf({ approval: command.approval, digest, verdict }, person);
    const requirements = verdict.effect === 'review' ? verdict.requirements.map((one) => one.id) : [];
    const mayApprove = directory.people.map((one) => ({ person: one.id, requirements }));
    value(await store.change({ ...review, again: { ...review.again, mayApprove } }));
  }
  return glassIdOf(command.id);
}

export function glassContract(name: string, make: MakeBench): void {
  storeTest(
    `${name}: break-glass is open with its last approval, with its run and its entries`,
    make,
    async (at) => {
      const { store } = at;
      const id = await opened(at);
      const [glass] = await store.openGlasses();
      assert.ok(glass !== undefined);
      assert.deepEqual(
        [glass.id, glass.asker, glass.approvers, glass.owners, glass.ended, glass.review],
        [id, world.rosa, [world.mia, lee], [world.sam], null, null],
      );
      assert.equal(glass.untilMs - glass.fromMs, 600_000);
      const held = await store.caseBy({ approval: glass.approval });
      assert.equal(held?.execution?.status, 'succeeded');
      assert.notEqual(held?.grant?.consumedAtMs, null);
      assert.deepEqual((await assertLog(store)).slice(-5), [
        'review.recorded',
        'approval.approved',
        'execution.started',
        'glass.opened',
        'execution.succeeded',
      ]);
    },
  );

  storeTest(`${name}: half of the approvals open nothing`, make, async (at) => {
    await opened(at, [world.mia]);
    assert.deepEqual(await at.store.openGlasses(), []);
  });

  storeTest(`${name}: what passes under break-glass is kept with it, and found by it`, make, async (at) => {
    const { store } = at;
    const id = await opened(at);
    const versions = await store.versions();
    const command = world.ask(world.review(versions));
    const passed = caseOf(await store.change(command));
    assert.deepEqual([passed.asked.glass, passed.approval], [id, null]);
    assert.equal((await store.caseBy({ action: command.asked.id }))?.asked.glass, id);
    assert.equal(await store.passedUnder(id, 10), 1);
    const [glance] = await store.recentActions({ limit: 1, sinceMs: 0 });
    assert.equal(glance?.glass, id);
    at.later(600_000);
    const late = caseOf(await store.change(world.ask(world.review(versions))));
    assert.deepEqual([late.asked.glass, late.approval === null], [undefined, false], 'its time is over');
    value(await store.change({ kind: 'glassDue', glass: id }));
    value(await store.change({ kind: 'glassDue', glass: id }));
    const types = await assertLog(store);
    assert.equal(types.filter((type) => type === 'glass.closed').length, 1);
  });

  storeTest(
    `${name}: a review closes break-glass for good, and only then is there a next one`,
    make,
    async (at) => {
      const { store } = at;
      const id = await opened(at);
      const by = (who: PersonId) => ({ kind: 'person', id: who }) as const;
      const review = (who: PersonId) =>
        store.change({ kind: 'reviewGlass', glass: id, by: by(who), finding: 'fine' });
      value(await store.change({ kind: 'endGlass', glass: id, by: by(world.rosa), reason: null }));
      assert.equal(noOf(await store.change(asking())), 'glass_unreviewed');
      assert.equal(noOf(await review(world.mia)), 'no_self_approval');
      value(await review(world.oz));
      assert.deepEqual(await store.openGlasses(), []);
      const before = await store.glassBy({ id });
      assert.equal(before?.review?.by, world.oz);
      assert.equal(noOf(await review(world.oz)), 'not_found');
      assert.deepEqual(await store.glassBy({ id }), before);
      assert.deepEqual(
        (await store.glasses({ limit: 10 })).map((one) => one.id),
        [id],
      );
      assert.deepEqual(await store.glasses({ limit: 10, after: id }), []);
      assert.equal(noOf(await store.change(asking())), 'ok');
    },
  );

  storeTest(`${name}: no row of a reviewed break-glass can be changed`, make, async (at) => {
    const { store, raw } = at;
    const id = await opened(at);
    const end = {
      kind: 'endGlass',
      glass: id,
      by: { kind: 'person', id: world.rosa },
      reason: null,
    } as const;
    // As if another writer had closed it between what this one read and what it writes.
    await store.versions();
    await raw('UPDATE glasses SET reviewed_at_ms = 1');
    assert.notEqual(noOf(await store.change(end)), 'ok');
    assert.equal((await store.glassBy({ id }))?.ended, null);
  });
}
