/** The example's server keeps the gate's ids with what it did, so that what went around the gate is found in its own record. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { OpsDatabase } from '../../examples/ops-server/database.ts';
import { reconcile } from '../../src/app/reconcile.ts';
import { csvRows } from '../../src/evidence/sources/csv.ts';
import { command, root, startTestGate } from '../enforce/mcp/support/gate.ts';

test('what ran through the gate matches, and what somebody did at the server itself does not', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-ops-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'ops.db');
  const gate = await startTestGate({
    servers: { ops: command([process.execPath, `${root}examples/ops-server/server.ts`, path]) },
  });
  t.after(() => gate.close());
  const { client } = await gate.client('ops');
  const made = await client.callTool({
    name: 'grant_role',
    arguments: { principal: 'bot', role: 'viewer', scope: 'prod' },
  });
  assert.notEqual(made.isError, true, JSON.stringify(made));
  new OpsDatabase(path).grantRole({ principal: 'bot', role: 'admin', scope: 'prod' });
  const calls = new DatabaseSync(path).prepare('SELECT at, tool, execution FROM calls ORDER BY id').all();
  const csv = [
    'at,tool,execution',
    ...calls.map((row) => [row['at'], row['tool'], row['execution'] ?? ''].join(',')),
  ].join('\n');
  const rows = csvRows(
    (async function* () {
      yield Buffer.from(csv);
    })(),
    0,
    { id: 'execution', at: 'at', what: 'tool', who: null },
  );
  const nowMs = Date.now();
  const done = await reconcile(gate.parts, {
    by: { kind: 'operator' },
    source: 'csv',
    targets: ['ops'],
    fromMs: nowMs - 600_000,
    toMs: nowMs + 600_000,
    skewMs: 5000,
    rowsPerExecution: 1,
    rows,
    files: () => [],
  });
  assert.ok(done.ok, JSON.stringify(done));
  const { matched, targetOnly, gateOnly } = done.value;
  assert.deepEqual([matched, gateOnly.count], [1, 0]);
  assert.deepEqual(
    targetOnly.rows.map(({ place, what, why }) => [place, what, why]),
    [[3, 'grant_role', 'no_id']],
  );
});
