/**
 * What a real PostgreSQL with pgaudit records is read and matched: `npm run test:pg`. Where the extension is not installed, or
 * DATABASE_URL names a server whose log cannot be read here, the test says so and is skipped.
 */
import assert from 'node:assert/strict';
import { createReadStream, readFileSync } from 'node:fs';
import { test } from 'node:test';
import pg from 'pg';
import { asActionId, asAgentId, asExecutionId } from '../../src/core/ids.ts';
import { Matching } from '../../src/core/reconcile-match.ts';
import type { TargetRow } from '../../src/core/reconcile.ts';
import { pgauditRows } from '../../src/evidence/sources/pgaudit.ts';
import { eventually } from '../support/gate.ts';

const url = process.env['DATABASE_URL'] ?? '';
const log = process.env['PGAUDIT_LOG'] ?? '';
const skip =
  log === ''
    ? 'pgaudit is not installed (Debian: apt-get install postgresql-15-pgaudit), or the server is not one of scripts/with-postgres.mjs'
    : false;

const exe = (one: number): string => `exe_${String(one).padStart(26, '0')}`;

/** One session of an agent's tool, audited, as the docs say: the execution's id is the name of the application. */
async function session(application: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: application });
  await client.connect();
  try {
    await client.query("SET pgaudit.log = 'write, ddl, read'");
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

test('sessions that carry an execution’s id match, others are the target’s alone', { skip }, async () => {
  const table = `audited_${process.pid}`;
  const startedAtMs = Date.now();
  await session(exe(1), `CREATE TABLE ${table} (a text)`, `INSERT INTO ${table} VALUES ('x, "y"\nz')`);
  await session('psql', `/* ${exe(2)} */ UPDATE ${table} SET a = 'b'`, `DELETE FROM ${table} -- by hand`);
  await session(exe(3), `DROP TABLE ${table}`);
  await eventually(() => readFileSync(log, 'utf8').includes(`DROP TABLE ${table}`), 'the log has all of it');
  const rows: TargetRow[] = [];
  for await (const row of pgauditRows(createReadStream(log) as AsyncIterable<Buffer>, 0))
    if (row.what.includes(table)) rows.push(row);
  const matching = new Matching({
    fromMs: startedAtMs - 60_000,
    toMs: Date.now() + 60_000,
    targets: [],
    skewMs: 5000,
    rowsPerExecution: 100,
  });
  for (const one of [1, 2, 4])
    matching.ran({
      execution: asExecutionId(exe(one)),
      action: asActionId(`act_${String(one).padStart(26, '0')}`),
      operation: 'db___query',
      agent: asAgentId('bot'),
      status: 'succeeded',
      startedAtMs,
      endedAtMs: Date.now(),
    });
  for (const row of rows) {
    const wanted = matching.wants(row);
    if (wanted !== null) matching.knows(wanted, 'unknown');
    matching.row(row);
  }
  const { matched, targetOnly, gateOnly } = matching.compared();
  assert.equal(matched, 3, JSON.stringify(rows));
  assert.deepEqual(
    targetOnly.rows.map(({ why, what }) => [why, what.slice(0, what.indexOf(':'))]),
    [
      ['no_id', `WRITE DELETE`],
      ['unknown_id', `DDL DROP TABLE`],
    ],
  );
  assert.deepEqual(
    gateOnly.rows.map((one) => one.execution),
    [exe(4)],
  );
  assert.ok(
    rows.some((row) => row.what.includes(`'x, "y"\nz'`)),
    'a statement of several lines is one row',
  );
});
