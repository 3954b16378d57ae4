/** Observing, decided: what a verdict says is recorded and passes, but for what is not there to run and who is not there to ask. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stateOf } from '../../src/core/case.ts';
import { asAgentId, asPersonId } from '../../src/core/ids.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import {
  allowed,
  askCommand,
  asked,
  deniedBy,
  directory,
  executionId,
  memory,
  requirement,
  reviewed,
} from '../support/world.ts';

const verdicts: readonly Verdict[] = [
  allowed,
  deniedBy('no_permit'),
  deniedBy('forbidden'),
  deniedBy('policy_error'),
  reviewed(requirement('export', 'data-owners')),
];

for (const verdict of verdicts) {
  const name = verdict.effect === 'deny' ? verdict.code : verdict.effect;
  test(`observed, ${name} passes, its verdict is kept, and every entry says the mode`, () => {
    const world = memory({ directory });
    const one = asked(verdict, undefined, { mode: 'observe' });
    const answer = world.change(askCommand(one, { execution: executionId(name) }));
    assert.ok(answer.ok && answer.value.kind === 'case');
    assert.equal(answer.value.case.execution?.status, 'started');
    assert.deepEqual(answer.value.case.asked.verdict, verdict);
    assert.equal(answer.value.case.approval, null, 'nobody is asked');
    assert.deepEqual(
      world.log.map((entry) => [entry.type, entry.data['mode']]),
      [
        ['action.asked', 'observe'],
        ['execution.started', 'observe'],
      ],
    );
  });
}

for (const code of ['tool_disabled', 'not_an_agent'] as const) {
  test(`observed or not, ${code} is denied: that is no opinion of a policy`, () => {
    const world = memory({ directory });
    const one = asked({ ...deniedBy('no_permit'), effect: 'deny', code }, undefined, { mode: 'observe' });
    const answer = world.change(askCommand(one, { execution: executionId(code) }));
    assert.ok(answer.ok && answer.value.kind === 'case');
    assert.equal(stateOf(answer.value.case, world.world.nowMs), 'denied');
    assert.equal(answer.value.case.execution, null, 'nothing runs');
  });
}

test('a stopped agent, and a paused operation, are refused although they are observed', () => {
  const stop = { by: { kind: 'person', id: asPersonId('sam') }, reason: null, atMs: 0 } as const;
  const agent = asAgentId('crm-bot');
  for (const [operation, code] of [
    [null, 'agent_stopped'],
    ['crm___export_rows', 'operation_paused'],
  ] as const) {
    const world = memory({ directory });
    const kind = operation === null ? 'stopped' : 'paused';
    world.bounds.stops.push({ agent, operation, kind, ...stop });
    const answer = world.change(askCommand(asked(allowed, undefined, { mode: 'observe' })));
    assert.ok(!answer.ok && answer.error.kind === 'refused');
    assert.equal(answer.error.refusal.code, code);
  }
});
