/** A store of the first version with what it may hold, and what must be there of it after any migration. */
import assert from 'node:assert/strict';
import { emptyHead } from '../../src/core/entry.ts';
import { everMinute } from '../../src/core/recent.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Driver } from '../../src/store/driver.ts';
import { migrate, schemaVersionOf } from '../../src/store/schema.ts';
import * as world from './world.ts';

const insert = `INSERT INTO actions (ord, id, agent, operation, enforcement, join_key, asked_at_ms, state, due_at_ms, approval_id,
  approval, grant_expires_at_ms, digest, subject, verdict, canonical)
  VALUES ($1, $2, $3, 'crm___export', 'cooperative', $2, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`;

export const first = { joinKey: '00'.repeat(32), emptyHead };

/** Checks what became of it. */
export type CheckFirst = (store: Store) => Promise<void>;

/** Makes the tables of version 1: a pending approval, and an action that ran. */
export async function makeFirst(driver: Driver): Promise<CheckFirst> {
  await migrate(driver, first, { to: 1 });
  assert.equal(await schemaVersionOf(driver), 1);
  const now = Date.now();
  const ask = world.ask(world.review({ policySet: 0, directory: 0, tools: 0 }));
  const { asked } = ask;
  const { recent: _recent, ...verdict } = asked.verdict;
  const approval = {
    id: ask.approval,
    version: 1,
    createdAtMs: now,
    expiresAtMs: now + 3_600_000,
    grantMs: 1000,
    approvedAtMs: null,
    eligibleThen: [{ requirement: world.policy, people: [world.rosa, world.mia] }],
    conflict: [],
    deliveredAtMs: null,
    afterUnknown: null,
  };
  const row = (ord: number, state: string, held: boolean) => [
    ord,
    held ? asked.id : `act_${ord}`,
    world.agent,
    now - 60_000,
    state,
    held ? now + 3_600_000 : null,
    held ? ask.approval : null,
    held ? JSON.stringify(approval) : null,
    held ? null : now,
    asked.digest,
    asked.subject,
    JSON.stringify(verdict),
    asked.canonical,
  ];
  await driver.run(insert, row(1, 'pending', true));
  await driver.run(insert, row(2, 'succeeded', false));
  return async (store) => {
    const [held] = await store.held({ status: 'pending', for: world.mia, limit: 10 });
    assert.equal(held?.asked.id, asked.id);
    assert.deepEqual(
      [held.asked.mode, held.asked.callback, held.asked.amount, held.asked.verdict.recent],
      ['enforce', null, null, null],
    );
    assert.deepEqual(await store.held({ status: 'pending', for: world.sam, limit: 10 }), []);
    const crowd = await store.crowd({ agent: world.agent, people: [world.mia, world.sam] });
    assert.deepEqual([crowd.pending, ...crowd.inbox.map((one) => one.pending)], [1, 1, 0]);
    const rows = await store.recent('crm___export');
    assert.deepEqual([rows.length, ...rows.map((one) => one.count)], [2, 1, 1]);
    assert.ok(rows.some((one) => one.minute === everMinute));
    assert.deepEqual(await store.gates(), []);
    assert.equal(await store.damage(), null);
  };
}
