/** Stores of earlier versions are brought to today's, with what they hold. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyHead } from '../../src/core/entry.ts';
import { everMinute } from '../../src/core/recent.ts';
import { migrate, schemaVersionOf, tables } from '../../src/store/schema.ts';
import { SqliteDriver } from '../../src/store/sqlite-driver.ts';
import { databaseFile } from '../../src/store/sqlite-protocol.ts';
import { sqliteBench } from './sqlite-bench.ts';
import * as world from './world.ts';

const insert = `INSERT INTO actions (ord, id, agent, operation, enforcement, join_key, asked_at_ms, state, due_at_ms, approval_id,
  approval, grant_expires_at_ms, digest, subject, verdict, canonical)
  VALUES ($1, $2, $3, 'crm___export', 'cooperative', $2, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`;

test('version 1: pending approvals are in inboxes, grants are counted, verdicts read as judged without counts', async () => {
  const bench = await sqliteBench();
  mkdirSync(bench.directory, { recursive: true });
  const driver = new SqliteDriver(databaseFile(bench.directory), 'write');
  const first = { joinKey: '00'.repeat(32), emptyHead };
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
  driver.run(insert, row(1, 'pending', true));
  driver.run(insert, row(2, 'succeeded', false));
  driver.close();
  const store = await bench.open({});
  try {
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
  } finally {
    await store.close();
    await bench.remove();
  }
});

test('a store of this version is left as it is', async () => {
  const bench = await sqliteBench();
  await (await bench.open({})).close();
  const driver = new SqliteDriver(join(bench.directory, 'again.db'), 'write');
  await migrate(driver, { joinKey: '00', emptyHead });
  await migrate(driver, { joinKey: '11', emptyHead });
  assert.equal(driver.query("SELECT value FROM meta WHERE key = 'join_key'")[0]?.['value'], '00');
  driver.close();
  await bench.remove();
});

test('each table but meta is in the list that a restore goes by', async () => {
  const bench = await sqliteBench();
  mkdirSync(bench.directory, { recursive: true });
  const driver = new SqliteDriver(databaseFile(bench.directory), 'write');
  try {
    await migrate(driver, { joinKey: '00'.repeat(32), emptyHead });
    const rows = driver.query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    const names = rows.map((row) => row['name']).filter((name) => !String(name).startsWith('sqlite_'));
    assert.deepEqual(names, [...tables, 'meta'].toSorted());
  } finally {
    driver.close();
    await bench.remove();
  }
});
