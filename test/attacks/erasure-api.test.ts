/** Making the log forget through the API: an agent tries, somebody who may not, under a hold, too early; and what stays to be seen afterwards. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { asActionId } from '../../src/core/ids.ts';
import type { Store } from '../../src/ports/store.ts';
import { until } from '../store/bench.ts';
import { publishAll } from '../store/erasing.ts';
import { operations, policies, startTestGate, type Answer, type TestGate } from '../support/gate.ts';

describe('through the API of a gate', () => {
  const config = `
people:
  - { id: sam, name: Sam Lee, groups: [data-owners, platform] }
  - { id: rosa, name: Rosa Diaz, groups: [data-owners, platform] }
  - { id: mia, name: Mia Chen, groups: [data-owners] }
  - { id: oz, name: Oz Tal, groups: [platform] }
  - { id: pia, name: Pia Bo, groups: [platform] }
  - { id: ada, name: Ada Berg, groups: [audit] }
agents:
  - { id: crm-bot, owners: [sam] }
roles: { operators: platform, auditors: audit }
${operations}`;
  let gate: TestGate;
  const tokens: Record<string, string> = {};
  const as = (name: string): string => tokens[name] ?? assert.fail(name);
  const store = (): Store => gate.gate().parts.store;
  before(async () => {
    gate = await startTestGate({ config, policies });
    tokens['crm-bot'] = await gate.token('agent', 'crm-bot');
    for (const one of ['sam', 'rosa', 'mia', 'oz', 'pia', 'ada'])
      tokens[one] = await gate.token('person', one);
  });
  after(() => gate.stop());

  /** Waits for the gate's own publisher; where it has none, stands in for it. */
  async function published(): Promise<void> {
    const { transparency } = gate.gate().parts;
    if (transparency === undefined) return publishAll(store());
    const { size } = await store().head();
    await until('published', async () => (await store().published()).size >= size);
  }
  const post = (name: string, path: string, body: object): Promise<Answer> =>
    gate.call(as(name), 'POST', path, body);
  async function denial(note: string): Promise<{ readonly action: string; readonly approval: string }> {
    const input = { cents: 500, note };
    const asked = await post('crm-bot', '/v1/actions', { operation: 'shop___refund', input, reason: note });
    assert.equal(asked.status, 202);
    const { id, digest, approval } = asked.body;
    const said = await post('rosa', `/v1/approvals/${approval.id}/reviews`, {
      decision: 'deny',
      digest,
      reason: note,
    });
    assert.equal(said.status, 201);
    return { action: id, approval: approval.id };
  }

  test('no agent, nobody who is no operator, and nobody who had a part in it', async () => {
    const { action } = await denial('zebra-4711 one');
    await published();
    const reason = 'asked for';
    for (const [name, code] of [
      ['crm-bot', 'not_permitted'],
      ['mia', 'not_permitted'],
      ['ada', 'not_permitted'],
      ['rosa', 'not_permitted'],
      ['sam', 'not_permitted'],
    ] as const) {
      const answer = await post(name, '/v1/log/erasures', { action, reason });
      assert.deepEqual([answer.status, answer.body.code], [403, code], name);
    }
    for (const name of ['crm-bot', 'mia', 'ada']) {
      assert.equal((await post(name, '/v1/log/holds', { reason })).status, 403, name);
    }
    assert.equal((await gate.call(as('mia'), 'GET', '/v1/log/holds')).status, 403);
    assert.equal((await gate.call(as('ada'), 'GET', '/v1/log/holds')).status, 200);
    const last = (await store().entries(-1, 1000)).map(({ entry }) => entry);
    const tries = last.filter(
      (one) => one.type === 'action.refused' && one.data['operation'] === 'gate___erase',
    );
    assert.equal(tries.length, 2, 'an agent that tries is in the log');
    assert.ok(!last.some((one) => one.type === 'payloads.erased' || one.erased === true));
  });

  test('what is pending, held, malformed or unknown', async () => {
    const input = { cents: 500, note: 'waits' };
    const asked = await post('crm-bot', '/v1/actions', { operation: 'shop___refund', input });
    const { action } = await denial('zebra-4711 two');
    await published();
    const reason = 'asked for';
    const erasing = async (body: object): Promise<unknown> => {
      const answer = await post('oz', '/v1/log/erasures', body);
      return [answer.status, answer.body.code];
    };
    assert.deepEqual(await erasing({ action: asked.body.id, reason }), [409, 'not_over']);
    assert.deepEqual(await erasing({ action: `act_${'0'.repeat(26)}`, reason }), [404, 'not_found']);
    assert.deepEqual(await erasing({ action: '../etc', reason }), [404, 'not_found']);
    assert.deepEqual(await erasing({ reason }), [400, 'input_invalid']);
    assert.deepEqual(await erasing({ action, from: 0, to: 9, reason }), [400, 'input_invalid']);
    assert.deepEqual(await erasing({ action }), [400, 'input_invalid']);
    assert.deepEqual(await erasing({ action, reason: '  ' }), [403, 'reason_required']);
    for (const person of ['Rosa', 'ros', 'nobody-such', 'a\u0000b']) {
      const { status, body } = await post('pia', '/v1/log/holds', { person, reason: 'in court' });
      assert.deepEqual([status, body.code], [404, 'not_found'], `a hold on ${person} would keep nothing`);
    }
    // Nobody of the directory, but what was asked names them.
    const client = await post('pia', '/v1/log/holds', { person: 'zebra-4711 two', reason: 'in court' });
    assert.equal(client.status, 201);
    await post('oz', `/v1/log/holds/${client.body.id}/release`, { reason: 'over' });
    const hold = await post('pia', '/v1/log/holds', { person: 'rosa', reason: 'in court' });
    assert.equal(hold.status, 201);
    assert.deepEqual(await erasing({ action, reason }), [409, 'on_hold']);
    const path = `/v1/log/holds/${hold.body.id}/release`;
    assert.equal((await post('pia', path, { reason: 'over' })).body.code, 'not_permitted');
    assert.equal((await post('oz', path, { reason: 'over' })).status, 200);
    assert.deepEqual(await erasing({ action, reason }), [403, 'not_permitted'], 'oz released it');
  });

  test('an erased approval is erased on every page, in every answer, and nothing breaks', async () => {
    const { action, approval } = await denial('zebra-4711 three');
    const about = await store().entriesAbout(asActionId(action));
    await published();
    const erased = await post('pia', '/v1/log/erasures', { action, reason: 'GDPR', basis: 'Art. 17' });
    assert.equal(erased.status, 200, JSON.stringify(erased.body));
    assert.equal(erased.body.count, about.length);
    const erasedBy = (await store().caseBy({ action: asActionId(action) }))?.asked.erased ?? assert.fail();
    assert.equal((await store().entry(erasedBy))?.entry.type, 'payloads.erased');
    for (const [name, path] of [
      ['crm-bot', `/v1/actions/${action}`],
      ['crm-bot', `/v1/approvals/${approval}`],
      ['rosa', `/v1/approvals/${approval}`],
      ['ada', '/v1/approvals?status=all'],
      ['ada', '/v1/log?limit=1000'],
    ] as const) {
      const answer = await gate.call(as(name), 'GET', path);
      assert.equal(answer.status, 200, path);
      const text = JSON.stringify(answer.body);
      assert.doesNotMatch(text, /zebra-4711 three/, path);
      if (path.includes(approval)) assert.equal(answer.body.action.erased, erasedBy, path);
    }
    const again = await post('crm-bot', '/v1/actions', {
      operation: 'shop___refund',
      input: { cents: 500, note: 'zebra-4711 three' },
    });
    assert.equal(again.status, 202, 'asked again it is a new action');
    assert.notEqual(again.body.id, action);
    // Only the new one is left.
    await post('mia', `/v1/approvals/${again.body.approval.id}/reviews`, {
      decision: 'deny',
      digest: again.body.digest,
      reason: 'no',
    });
    await published();
    const second = await post('pia', '/v1/log/erasures', { action: again.body.id, reason: 'GDPR' });
    assert.equal(second.status, 200, JSON.stringify(second.body));
    const folder = join(gate.folder, 'data');
    const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((one) => one.isFile());
    assert.ok(files.some(({ name }) => name === 'countersign.db'));
    for (const { parentPath, name } of files)
      assert.ok(!readFileSync(join(parentPath, name), 'latin1').includes('zebra-4711 three'), name);
  });
});
