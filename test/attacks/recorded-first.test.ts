/** Somebody with the database's file makes a row say "approved": the log does not, so nothing runs, and nobody gets the input. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTestGate } from '../support/gate.ts';

test('recorded-first: a row made "approved" in the database runs nothing', async () => {
  const gate = await startTestGate();
  try {
    const agent = await gate.token('agent', 'crm-bot');
    const asked = await gate.call(agent, 'POST', '/v1/actions', {
      operation: 'shop___refund',
      input: { cents: 500 },
    });
    assert.equal(asked.status, 202);
    const { id } = asked.body;
    const held = await gate.gate().parts.store.caseBy({ action: id });
    const soonMs = Date.now() + 900_000;
    const db = new DatabaseSync(join(gate.folder, 'data', 'countersign.db'), { timeout: 5000 });
    db.prepare(
      `UPDATE actions SET state = 'ready', approval = ?, grant_expires_at_ms = ?, due_at_ms = ?, grant_index = ord WHERE id = ?`,
    ).run(JSON.stringify({ ...held?.approval, approvedAtMs: Date.now() }), soonMs, soonMs, id);
    db.close();
    const claimed = await gate.call(agent, 'POST', `/v1/actions/${id}/execution`);
    assert.deepEqual(
      [claimed.status, claimed.body.code, claimed.body.action],
      [503, 'audit_unavailable', undefined],
    );
    assert.match(claimed.body.detail, /holds no entry that gave this grant/);
  } finally {
    await gate.stop();
  }
});
