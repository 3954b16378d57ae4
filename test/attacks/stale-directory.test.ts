/** A person who was removed while the store could not be written does not go on by the directory of before. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { asPersonId } from '../../src/core/ids.ts';
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

test('token-ends, passkey-enrolment: whoever gets the id of somebody who left, or of an agent that did, gets none of their credentials', async (t) => {
  const gate = await startTestGate();
  t.after(() => gate.stop());
  const [bot, rosa, sam] = [
    await gate.token('agent', 'other-bot'),
    await gate.token('person', 'rosa'),
    await gate.token('person', 'sam'),
  ];
  const { store } = gate.gate().parts;
  const person = asPersonId('rosa');
  const account = { kind: 'oidc', issuer: 'https://id.test', subject: 'r-1', display: 'Rosa' } as const;
  const way = { via: { kind: 'link' }, countsFromMs: 0, authAtMs: Date.now() } as const;
  const linked = await store.change({
    kind: 'linkAccount',
    person,
    account,
    way,
    code: null,
    coolOffMs: 0,
  });
  assert.ok(linked.ok, JSON.stringify(linked));
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const away = await gate.call(sam, 'POST', '/v1/delegations', { to: 'rosa', until });
  assert.equal(away.status, 201, JSON.stringify(away.body));
  const opens = async (token: string): Promise<boolean> =>
    (await gate.call(token, 'GET', '/v1/approvals')).status === 200;
  const without = people.replace(/.*id: rosa.*\n/, '').replace(/.*id: other-bot.*\n/, '');
  const told = async () =>
    (await store.entries(-1, 1000))
      .map(({ entry }) => entry)
      .findLast((one) => one.type === 'directory.accepted');
  await gate.setConfig(without + operations);
  assert.deepEqual((await told())?.data['gone'], { people: ['rosa'], agents: ['other-bot'] });
  // Another Rosa, years later.
  await gate.setConfig(people.replace('Rosa Diaz', 'Rosa Klein') + operations);
  assert.deepEqual([await opens(rosa), await opens(bot), await opens(sam)], [false, false, true]);
  assert.notEqual((await store.account(account))?.endedAtMs, null);
  assert.deepEqual(await store.delegations(), []);
  assert.ok(await opens(await gate.token('person', 'rosa')), 'her own');
});

test('who is deactivated and comes back has their own again', async (t) => {
  const gate = await startTestGate();
  t.after(() => gate.stop());
  const rosa = await gate.token('person', 'rosa');
  const opens = async (): Promise<boolean> => (await gate.call(rosa, 'GET', '/v1/approvals')).status === 200;
  await gate.setConfig(people.replace('id: rosa,', 'id: rosa, active: false,') + operations);
  assert.equal(await opens(), false);
  await gate.setConfig(people + operations);
  assert.equal(await opens(), true);
});
