/** A file that is being written is empty for a moment: nobody is taken out by that, and nothing waits for people afterwards. */
import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, operations, startTestGate } from '../support/gate.ts';

const config = `
people:
  - { id: ada, name: Ada Berg, groups: [admins] }
  - { id: ben, name: Ben Oz, groups: [admins] }
agents:
  - { id: crm-bot, owners: [ada] }
${operations}`;

test('an emptied configuration denies everything, takes nobody out, and is mended by its return', async (t) => {
  const said: string[] = [];
  const gate = await startTestGate({
    config,
    policies: '@id("all") permit (principal, action, resource);',
    say: (line) => said.push(line),
    // What an emptied file says of the port is the usual one, which may be taken.
    adapt: (settings) => ({ ...settings, listen: { ...settings.listen, port: 0 } }),
  });
  t.after(() => gate.stop());
  const bot = await gate.token('agent', 'crm-bot');
  const ask = async (): Promise<string> => {
    const { status, body } = await gate.call(bot, 'POST', '/v1/actions', {
      operation: 'shop___refund',
      input: { cents: 5 },
    });
    return status < 300 ? String(body.state) : String(body.code);
  };
  assert.equal(await ask(), 'ready');
  const file = join(gate.folder, 'countersign.yaml');
  const before = await gate.gate().parts.store.directory();
  truncateSync(file);
  await eventually(async () => (await ask()) === 'policy_error', 'everything is denied');
  assert.ok(said.some((line) => line.includes('names nobody and nothing any more')));
  assert.deepEqual(await gate.gate().parts.store.directory(), before);
  await gate.restartFromDisk();
  assert.equal(await ask(), 'policy_error', 'nor does a start with it');
  assert.deepEqual(await gate.gate().parts.store.directory(), before);
  writeFileSync(file, `listen: 127.0.0.1:0\n${config}`);
  await eventually(async () => (await ask()) === 'ready', 'it is as it was');
  assert.deepEqual(gate.gate().parts.world.config().left, []);
});
