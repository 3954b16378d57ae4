/** Whoever can write the configuration cannot move the hours that policies read: another time zone waits for people. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, operations, startTestGate } from '../support/gate.ts';

const config = (timezone: string): string => `
timezone: ${timezone}
people:
  - { id: ada, name: Ada Berg, groups: [admins] }
  - { id: ben, name: Ben Oz, groups: [admins] }
  - { id: rosa, name: Rosa Diaz, groups: [data-owners] }
agents:
  - { id: crm-bot, owners: [rosa] }
${operations}`;

const officeHours = `
@id("all") permit (principal, action, resource);
@id("office-hours") forbid (principal, action, resource)
unless { context.system.local.hour >= 8 && context.system.local.hour < 18 };
`;

test('config-change: another time zone is read by no policy before people accept it', async (t) => {
  const said: string[] = [];
  const gate = await startTestGate({
    config: config('UTC'),
    policies: officeHours,
    // Ten at night in UTC, two in the afternoon in Los Angeles.
    clock: { nowMs: () => Date.UTC(2026, 10, 23, 22) },
    say: (line) => said.push(line),
  });
  t.after(() => gate.stop());
  const bot = await gate.token('agent', 'crm-bot');
  const ask = async (): Promise<number> =>
    (await gate.call(bot, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents: 5 } })).status;
  assert.equal(await ask(), 403);
  await writeFile(
    join(gate.folder, 'countersign.yaml'),
    `listen: 127.0.0.1:0\n${config('America/Los_Angeles')}`,
  );
  await gate.restartFromDisk();
  assert.equal(await ask(), 403, 'a restart accepts nothing');
  assert.ok(said.some((line) => line.includes('America/Los_Angeles waits until people accept it')));
  const held = async () => gate.gate().parts.store.newestChange();
  await eventually(async () => (await held())?.approval != null, 'people are asked');
  const change = await held();
  assert.match(JSON.stringify(change?.asked.action.input), /America\/Los_Angeles/);
  for (const person of ['ada', 'ben']) {
    const token = await gate.token('person', person);
    const answer = await gate.call(token, 'POST', `/v1/approvals/${change?.approval?.id ?? ''}/reviews`, {
      decision: 'approve',
      digest: change?.asked.digest,
    });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
  }
  await gate.restartFromDisk();
  assert.equal(await ask(), 200, 'what people accepted is read after the next start');
});
