/** The evidence of a running gate: real policies, break-glass, observing and what the gate asks for itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatherEvidence, type Gathered } from '../../src/app/evidence.ts';
import type { PopulationRow } from '../../src/core/evidence/model-rows.ts';
import { asPersonId } from '../../src/core/ids.ts';
import { scene, type Scene } from '../support/glass.ts';
import { operations, people, policies, startTestGate } from '../support/gate.ts';
import type { RunningGate } from '../../src/main.ts';
import { check } from './evidence-rig.ts';

async function gather({ parts }: RunningGate, by = 'ada', toMs = Date.now() + 1e9): Promise<Gathered> {
  const query = { fromMs: 0, toMs, asOf: null, samples: { kind: 'rows', rows: [1] } } as const;
  const generator = { name: 'countersign', version: '0' };
  const made = await gatherEvidence(parts, query, {
    by: { kind: 'person', id: asPersonId(by) },
    generator,
    quorum: 1,
  });
  assert.ok(made.ok, JSON.stringify(made));
  return made.value;
}

async function rowsOf(gathered: Gathered): Promise<readonly PopulationRow[]> {
  const rows: PopulationRow[] = [];
  for await (const page of gathered.pages()) rows.push(...page);
  return rows;
}

const run = (one: Scene, id: string) => one.as('crm-bot', 'POST', `/v1/actions/${id}/execution`);

test('break-glass, and what passed under it, is shown as what it is', async (t) => {
  const one = await scene(t);
  const first = await one.ask(500);
  assert.equal((await one.decide('rosa', { ...first, body: first.body.approval ?? first.body })).status, 400);
  const glass = await one.open();
  const passed = await one.ask(900);
  assert.equal(passed.body.state, 'ready', JSON.stringify(passed.body));
  assert.equal((await run(one, passed.body.id)).status, 201);
  assert.equal((await one.ask(50)).body.state, 'ready');
  const refused = await one.as('crm-bot', 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: 'x' },
  });
  assert.equal(refused.status, 400);
  const gathered = await gather(one.gate.gate());
  const rows = await rowsOf(gathered);
  const { evidence } = gathered;
  assert.deepEqual(
    rows.map((row) => [row.askedBy, row.outcome, row.glass]),
    [
      ['agent', 'open', null],
      ['person', 'approved', null],
      ['agent', 'broken_glass', glass],
      ['agent', 'allowed', null],
    ],
  );
  const [, asked, under] = rows;
  assert.equal(check(asked, 'approver_is_not_requester'), 'passed');
  assert.equal(check(asked, 'quorum_was_met'), 'passed');
  assert.equal(check(asked, 'policy_was_in_force'), 'not_applicable');
  assert.equal(check(under, 'decided_before_started'), 'passed');
  assert.equal(check(under, 'approver_is_not_requester'), 'not_applicable');
  assert.equal(check(rows[3], 'policy_was_in_force'), 'passed', 'with the engine’s own digest');
  assert.equal(under?.headline, 'Refund refund of shop');
  const exception = evidence.exceptions.find(({ name }) => name === `break-glass/${glass}`);
  assert.deepEqual([exception?.count, exception?.rows], [1, [3]]);
  assert.deepEqual(evidence.attempts, [{ code: 'input_invalid', count: 1 }]);
  assert.deepEqual(evidence.access.from, 'policies');
  assert.ok(
    evidence.access.rows.find((row) => row.person === 'rosa')?.could.some(({ id }) => id === 'refund.large'),
  );
  assert.equal(evidence.access.rows.find((row) => row.person === 'tom')?.could.length, 0);
  assert.equal(evidence.completeness.complete, true);
  assert.equal(evidence.policies[0]?.howWords, 'the first, into an empty store; nobody was asked');
  assert.equal(evidence.controls.find(({ id }) => id === 'CC7.4')?.finding, 'exceptions');
  assert.equal(evidence.controls.find(({ id }) => id === 'CC6.8')?.finding, 'cannot_say');
});

test('what is observed is an exception, and a restart is a downtime that says what it lost', async (t) => {
  const observed = operations.replace('shop___refund:', 'shop___refund:\n    mode: observe');
  const gate = await startTestGate({ config: people + observed, policies });
  t.after(() => gate.stop());
  const agent = await gate.token('agent', 'crm-bot');
  const asked = await gate.call(agent, 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: 999_999 },
  });
  assert.equal(asked.status, 200, JSON.stringify(asked.body));
  await gate.restart();
  const gathered = await gather(gate.gate());
  const { evidence } = gathered;
  const [row] = await rowsOf(gathered);
  assert.deepEqual([row?.outcome, row?.verdict, row?.mode], ['observed', 'deny', 'observe']);
  const names = evidence.exceptions.map(({ name }) => name);
  assert.ok(
    names.some((name) => name.startsWith('observe/shop___refund')),
    names.join(),
  );
  assert.deepEqual(
    evidence.scope.observed.map(({ name, toIndex }) => [name, toIndex]),
    [['shop___refund', null]],
  );
  const downtimes = evidence.scope.downtimes;
  assert.equal(downtimes.length, 1, JSON.stringify(downtimes));
  assert.deepEqual([downtimes[0]?.clean, downtimes[0]?.lost], [true, 0]);
  assert.ok(evidence.notCovered.some((one) => one.includes('only observed')));
});

test('what policies keep from whoever makes it is hidden in it, and passes no check that rests on it', async (t) => {
  const kept = `@id("quiet") forbid (principal == Person::"ada", action == Action::"read_input", resource);`;
  const gate = await startTestGate({ policies: policies + kept });
  t.after(() => gate.stop());
  const agent = await gate.token('agent', 'crm-bot');
  const body = {
    operation: 'shop___refund',
    input: { cents: 77, note: 'zebra-4711' },
    session: 'walrus-4712',
  };
  assert.equal((await gate.call(agent, 'POST', '/v1/actions', body)).status, 200);
  const whole = await gather(gate.gate(), 'sam');
  assert.deepEqual(
    (await rowsOf(whole)).map((row) => [row.hidden, row.session]),
    [[false, 'walrus-4712']],
  );
  const hidden = await gather(gate.gate());
  const rows = await rowsOf(hidden);
  assert.deepEqual(
    rows.map((row) => [row.hidden, row.session, row.outcome]),
    [[true, null, 'allowed']],
  );
  assert.doesNotMatch(JSON.stringify([hidden.evidence, rows]), /zebra-4711|walrus-4712/);
  assert.ok(rows[0]?.checks.every(({ result }) => result !== 'passed'));
  assert.equal(hidden.evidence.counts.hidden, 1);
  assert.equal(hidden.evidence.completeness.complete, true);
});
