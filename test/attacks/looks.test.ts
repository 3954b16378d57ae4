/**
 * Attack: an agent that may not ask makes the gate read its upstream all the same, for reviewers who will never be asked; and one
 * that repeats a waiting call makes it read again each time.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { authorize, type AskedAnswer } from '../../src/app/authorize.ts';
import { asAgentId, asPersonId, type AgentId } from '../../src/core/ids.ts';
import type { Refusal } from '../../src/core/refusal.ts';
import type { Result } from '../../src/core/result.ts';
import { openGate, operations, type Gate } from '../http/gate.ts';

const operation = 'billing___payout';

let gate: Gate;
let looks = 0;
before(async () => {
  gate = await openGate({ limits: { pendingPerAgent: 1 } });
  const preview = { tool: 'peek', input: {}, count: 'rows' };
  await gate.propose({
    operations: operations.map((one) => ({ ...one, profile: { verb: 'Pay', effect: 'write', preview } })),
  });
});
after(() => gate.close());

async function ask(agent: AgentId, cents: number): Promise<Result<AskedAnswer, Refusal>> {
  const entry = gate.world.catalog.entry(operation);
  assert.ok(entry);
  const { target, enforcement, profile } = entry;
  return authorize(gate.parts, {
    agent,
    session: null,
    startedBy: null,
    delegation: [],
    operation,
    resource: null,
    input: { cents },
    target,
    enforcement,
    reason: null,
    run: null,
    profile,
    runsNow: false,
    look: () => {
      looks += 1;
      return Promise.resolve(null);
    },
  });
}

const codeOf = (asked: Result<AskedAnswer, Refusal>): string => (asked.ok ? 'asked' : asked.error.code);

test('one look for a call that people are asked about, none for its repeats, none beyond the quota', async () => {
  const bot = asAgentId('bot');
  assert.equal(codeOf(await ask(bot, 1)), 'asked');
  assert.equal(looks, 1);
  const again = await ask(bot, 1);
  assert.equal(again.ok && again.value.joined, true);
  assert.equal(codeOf(await ask(bot, 2)), 'quota');
  assert.equal(looks, 1);
});

test('none for an agent that is stopped', async () => {
  const agent = asAgentId('other-bot');
  const by = asPersonId('oz');
  const stopped = await gate.parts.store.change({ kind: 'stop', agent, by, approval: null, reason: null });
  assert.ok(stopped.ok);
  const earlier = looks;
  assert.equal(codeOf(await ask(agent, 1)), 'agent_stopped');
  assert.equal(looks, earlier);
});
