/** A gate that stops, at the moments in which a call is neither waiting nor running; and what asks its agent something then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElicitRequestSchema, type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { Command } from '../../../src/core/command.ts';
import { stateOf } from '../../../src/core/case.ts';
import { fixture, permitAll, reviewOf, startTestGate, type TestGate } from './support/gate.ts';
import { modernClient, textOf } from './support/modern.ts';

const graceMs = 60_000;

/** Keeps the next claim from being written until it is let go; with what a test waits for to know that it is there. */
function heldClaim(gate: TestGate): { readonly there: Promise<void>; readonly let: () => void } {
  const there = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const change = gate.store.change.bind(gate.store);
  Object.assign(gate.store, {
    change: async (command: Command, ...more: [never?, never?]) => {
      if (command.kind === 'claim') {
        there.resolve();
        await go.promise;
      }
      return change(command, ...more);
    },
  });
  return { there: there.promise, let: go.resolve };
}

for (const era of ['2025-11-25', '2026-07-28'] as const)
  test(`${era}: a call that is taking its grant when the gate begins to stop runs to its end, and is answered`, async () => {
    const gate = await startTestGate({
      servers: { fix: fixture() },
      policies: permitAll + reviewOf('fix___write'),
    });
    try {
      const { client } = era === '2025-11-25' ? await gate.client('fix') : await modernClient(gate, 'fix');
      const claim = heldClaim(gate);
      const called = client.callTool({ name: 'write', arguments: { text: 'x' } });
      const held = await gate.pending();
      await gate.decide(held, 'rosa', 'approve');
      await claim.there;
      const over = gate.front.handOver(graceMs);
      // Whoever waits has been told by now; this call is not one of them.
      await new Promise((resolve) => setTimeout(resolve, 100));
      claim.let();
      assert.match(textOf(await called), /"args":\{"text":"x"\}/);
      assert.equal(await over, 0, 'nothing was cut off');
      const now = await gate.store.caseBy({ action: held.asked.id });
      assert.ok(now !== undefined);
      assert.equal(stateOf(now, Date.now()), 'succeeded');
    } finally {
      await gate.close();
    }
  });

test('approved while the tools were looked at, and the gate began to stop meanwhile: the grant stays for the next call', async () => {
  const gate = await startTestGate({
    servers: { fix: fixture() },
    policies: permitAll + reviewOf('fix___write'),
  });
  try {
    const { client } = await gate.client('fix');
    const called = client.callTool({ name: 'write', arguments: { text: 'x' } });
    const held = await gate.pending();
    const over = gate.front.handOver(graceMs);
    await gate.decide(held, 'rosa', 'approve');
    assert.match(textOf(await called), /^Not run yet: approval apr_/);
    assert.equal(await over, 0);
    const now = await gate.store.caseBy({ action: held.asked.id });
    assert.ok(now !== undefined);
    assert.equal(stateOf(now, Date.now()), 'ready');
  } finally {
    await gate.close();
  }
});

test('a run that asks its agent something when the gate stops is refused the answer, so that it can end', async () => {
  const asks = '@id("asks") permit (principal, action == Action::"fix___ask:input", resource);\n';
  const gate = await startTestGate({ servers: { fix: fixture() }, policies: permitAll + asks });
  try {
    const { client } = await gate.client('fix', { capabilities: { elicitation: {} } });
    const asked = Promise.withResolvers<void>();
    client.setRequestHandler(ElicitRequestSchema, () => {
      asked.resolve();
      return new Promise<never>(() => undefined);
    });
    const called = client.callTool({ name: 'ask', arguments: {} });
    await asked.promise;
    assert.equal(gate.front.running(), 1);
    assert.equal(await gate.front.handOver(graceMs), 0);
    const said = (await called) as CallToolResult;
    assert.match(JSON.stringify(said.content), /the gate is stopping/);
    assert.equal(gate.front.running(), 0);
  } finally {
    await gate.close();
  }
});
