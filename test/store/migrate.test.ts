/** Stores of earlier versions are brought to today's, with what they hold. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyHead } from '../../src/core/entry.ts';
import { migrate, migrations, schemaVersionOf, tables } from '../../src/store/schema.ts';
import { SqliteDriver } from '../../src/store/sqlite-driver.ts';
import { databaseFile } from '../../src/store/sqlite-protocol.ts';
import { first, makeFirst } from './migrating.ts';
import { sqliteBench } from './sqlite-bench.ts';

for (const { version } of migrations.slice(0, -1))
  test(`from version ${version}: pending approvals are in inboxes, grants are counted, verdicts read as judged without counts`, async () => {
    const bench = await sqliteBench();
    mkdirSync(bench.directory, { recursive: true });
    const driver = new SqliteDriver(databaseFile(bench.directory), 'write');
    const check = await makeFirst(driver);
    await migrate(driver, first, { to: version });
    assert.equal(await schemaVersionOf(driver), version);
    driver.close();
    const store = await bench.open({});
    try {
      await check(store);
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
