/** A person who was removed while the store could not be written does not go on by the directory of before. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Store } from '../../src/ports/store.ts';
import { eventually, operations, people, startTestGate } from '../support/gate.ts';

test('a removal that could not be recorded denies everything until it is', async (t) => {
  const gate = await startTestGate();
  t.after(() => gate.stop());
  const [agent, rosa] = [await gate.token('agent', 'crm-bot'), await gate.token('person', 'rosa')];
  const ask = (cents: number) =>
    gate.call(agent, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents } });
  const held = await ask(500);
  assert.equal(held.status, 202);
  const { store } = gate.gate().parts;
  const change = store.change.bind(store);
  let faults = 0;
  // One write fails, and the next succeeds: health tells nothing of it.
  const failing: Store['change'] = (command, idempotency) => {
    if (command.kind !== 'accept' || faults >= 3) return change(command, idempotency);
    faults += 1;
    return Promise.resolve({ ok: false, error: { kind: 'fault', detail: 'the disk is full' } });
  };
  Object.assign(store, { change: failing });
  const without = people.replace(/.*id: rosa.*\n/, '').replace('owners: [rosa]', 'owners: [mia]');
  await writeFile(join(gate.folder, 'countersign.yaml'), `listen: 127.0.0.1:0\n${without}${operations}`);
  await eventually(() => faults > 0, 'a fault');
  await eventually(() => gate.gate().parts.policy.broken() !== null, 'a denial of everything');
  assert.equal((await ask(50)).body.code, 'policy_error');
  const approve = () =>
    gate.call(rosa, 'POST', `/v1/approvals/${held.body.approval.id}/reviews`, {
      decision: 'approve',
      digest: held.body.digest,
    });
  assert.notEqual((await approve()).status, 201);
  await eventually(async () => (await approve()).status === 401, 'the removal in force');
  assert.equal((await ask(50)).status, 200, 'and the rest goes on');
});
