/**
 * A start that was written and said to have failed: nobody knew in time whether the COMMIT had happened, and it had. A gate that
 * lives on never runs it, and nobody takes that gate for gone: what it does not run must not stand there as running for ever.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { stateOf, type State } from '../../src/core/case.ts';
import type { Command } from '../../src/core/command.ts';
import { asActionId } from '../../src/core/ids.ts';
import { err } from '../../src/core/result.ts';
import {
  command,
  permitAll,
  reviewOf,
  root,
  startTestGate,
  type TestGate,
} from '../enforce/mcp/support/gate.ts';
import { textOf } from '../enforce/mcp/support/modern.ts';
import { eventually } from '../support/gate.ts';

/** The next command of a kind is done, and answered as if nobody knew. */
function unanswered(gate: TestGate, kind: 'ask' | 'claim'): void {
  const change = gate.store.change.bind(gate.store);
  let done = false;
  Object.assign(gate.store, {
    change: async (asked: Command, ...more: [never?, never?]) => {
      const result = await change(asked, ...more);
      if (done || asked.kind !== kind) return result;
      done = true;
      return err({ kind: 'fault', detail: 'nobody knows whether this was committed' });
    },
  });
}

async function attack(work: (gate: TestGate, log: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-unanswered-'));
  const log = join(folder, 'calls');
  const gate = await startTestGate({
    servers: {
      fix: command([process.execPath, `${root}test/enforce/mcp/support/fixture.ts`], { FIXTURE_LOG: log }),
    },
    policies: permitAll + reviewOf('fix___write'),
  });
  try {
    await work(gate, log);
  } finally {
    await gate.close();
    await rm(folder, { recursive: true });
  }
}

const stateNow = async (gate: TestGate, action: string): Promise<State | undefined> => {
  const held = await gate.store.caseBy({ action: asActionId(action) });
  return held === undefined ? undefined : stateOf(held, Date.now());
};

test('attack: the start of an approved action is written and nobody is told: it does not run, and ends', async () => {
  await attack(async (gate, log) => {
    const { client } = await gate.client('fix');
    const called = client.callTool({ name: 'write', arguments: { text: 'x' } });
    const held = await gate.pending();
    unanswered(gate, 'claim');
    await gate.decide(held, 'rosa', 'approve');
    assert.match(textOf(await called), /audit_unavailable|cannot be written/i);
    await eventually(
      async () => (await stateNow(gate, held.asked.id)) === 'failed',
      'it is said that it did not run',
      5000,
    );
    assert.match((await gate.store.caseBy({ action: held.asked.id }))?.execution?.detail ?? '', /not run/);
    assert.doesNotMatch(readFileSync(log, 'utf8'), /"args"/, 'the server was asked to run nothing');
    // The same call is answered from that, and does not wait for a run that nobody makes.
    assert.match(textOf(await client.callTool({ name: 'write', arguments: { text: 'x' } })), /not run/);
  });
});

test('attack: the start of an allowed action is written and nobody is told: it does not run, and ends', async () => {
  await attack(async (gate, log) => {
    const { client } = await gate.client('fix');
    await client.listTools();
    unanswered(gate, 'ask');
    await client.callTool({ name: 'echo', arguments: { text: 'x' } });
    const [started] = await gate.entries('execution.started');
    const action = started?.about.action ?? assert.fail('its start was written');
    await eventually(
      async () => (await stateNow(gate, action)) === 'failed',
      'it is said that it did not run',
      5000,
    );
    assert.doesNotMatch(readFileSync(log, 'utf8'), /"args"/, 'the server was asked to run nothing');
  });
});
