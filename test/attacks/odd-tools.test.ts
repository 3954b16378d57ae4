/** A server that offers an odd tool takes nothing with it: that one operation is denied, the rest of the gate goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operations, people, policies, startTestGate } from '../support/gate.ts';

test('a tool whose schema does not fit the policies in force is denied alone', async (t) => {
  const gate = await startTestGate({
    config: `${people}${operations}\nservers:\n  crm: { command: ["false"] }\n`,
    policies: `${policies}\n@id("crm.rows") @title("Small exports only") forbid (principal, action == Action::"crm___export", resource) when { context.input.rows > 10 };`,
  });
  t.after(() => gate.stop());
  const agent = await gate.token('agent', 'crm-bot');
  const small = () =>
    gate.call(agent, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents: 5 } });
  assert.equal((await small()).status, 200);
  const pinned = await gate.gate().parts.store.change({
    kind: 'pin',
    server: 'crm',
    pin: 'first-sight',
    // `rows` is a string here, and the policy compares it with a number: the set does not validate with this tool.
    definitions: [
      {
        name: 'export',
        inputSchema: { type: 'object', properties: { rows: { type: 'string' } }, required: ['rows'] },
      },
    ],
  });
  assert.ok(pinned.ok);
  await gate.gate().parts.world.sync();
  assert.equal((await small()).status, 200, 'the rest goes on');
  const odd = await gate.call(agent, 'POST', '/v1/actions', {
    operation: 'crm___export',
    input: { rows: '5' },
  });
  assert.equal(odd.status, 403);
  assert.equal(odd.body.code, 'policy_error');
});
