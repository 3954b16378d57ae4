/** Attack: an agent floods the people who decide, to tire them, to hide one action among many, or to fill the disk. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { operations, people, startTestGate, type TestGate } from '../support/gate.ts';

let gate: TestGate;
let bot: string;
beforeEach(async () => {
  gate = await startTestGate({ config: people + operations });
  bot = await gate.token('agent', 'crm-bot');
});
afterEach(() => gate.stop());

const ask = (cents: number, token = bot) =>
  gate.call(token, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents } });
const sizeOf = async (): Promise<number> => (await gate.gate().parts.store.head()).size;
const pending = async (): Promise<number> =>
  (await gate.gate().parts.store.held({ status: 'pending', limit: 1000 })).length;

test(
  '10,000 creations: five are asked of people, and the log tells of the rest once',
  { timeout: 240_000 },
  async () => {
    const before = await sizeOf();
    const statuses = new Map<number, number>();
    const lanes = Array.from({ length: 16 }, async (_, lane) => {
      for (let n = lane; n < 10_000; n += 16) {
        const { status, body } = await ask(200 + n);
        if (status === 429) assert.equal(body.code, 'quota');
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    });
    await Promise.all(lanes);
    assert.deepEqual(Object.fromEntries(statuses), { 202: 5, 429: 9995 });
    assert.equal(await pending(), 5);
    // Two entries for each of the five; one for the refusals, and one more for each minute that this took.
    const refused = (await gate.gate().parts.store.entries(before - 1, 1000)).filter(
      ({ entry }) => entry.type === 'action.refused',
    );
    assert.ok(refused.length >= 1 && refused.length <= 6, `${refused.length}`);
    assert.equal((await sizeOf()) - before, 10 + refused.length);
    assert.equal((await ask(50)).status, 200, 'what needs nobody still passes');
    assert.equal(
      (await ask(500, await gate.token('agent', 'other-bot'))).status,
      202,
      'and others still ask',
    );
  },
);

test('another key, another session or a note does not make a flood of its own', async () => {
  for (let n = 0; n < 5; n += 1) assert.equal((await ask(200 + n)).status, 202);
  const tries = [
    gate.call(bot, 'POST', '/v1/actions', {
      operation: 'shop___refund',
      input: { cents: 900 },
      session: 'x',
    }),
    gate.call(bot, 'POST', '/v1/actions', {
      operation: 'shop___refund',
      input: { cents: 901 },
      reason: 'please',
    }),
    gate.call(
      bot,
      'POST',
      '/v1/actions',
      { operation: 'shop___refund', input: { cents: 902 } },
      { 'idempotency-key': 'k' },
    ),
  ];
  assert.deepEqual(
    (await Promise.all(tries)).map((one) => one.status),
    [429, 429, 429],
  );
  assert.equal((await ask(200)).status, 202, 'what waits already is joined, not refused');
});

test('denied as unsafe: the same refund is refused under any key or session, and the third pauses refunds', async () => {
  const rosa = await gate.token('person', 'rosa');
  const deny = async (cents: number, session: string) => {
    const asked = await gate.call(bot, 'POST', '/v1/actions', {
      operation: 'shop___refund',
      input: { cents },
      session,
    });
    assert.equal(asked.status, 202, JSON.stringify(asked.body));
    const { digest, approval } = asked.body;
    const body = { decision: 'deny', digest, reason: 'not ours', unsafe: true };
    assert.equal((await gate.call(rosa, 'POST', `/v1/approvals/${approval.id}/reviews`, body)).status, 201);
  };
  await deny(300, 'one');
  const again = await gate.call(
    bot,
    'POST',
    '/v1/actions',
    { operation: 'shop___refund', input: { cents: 300 }, session: 'two' },
    { 'idempotency-key': 'fresh' },
  );
  assert.deepEqual([again.status, again.body.code], [429, 'cooldown']);
  assert.match(again.body.detail, /not ours/);
  await deny(301, 'one');
  await deny(302, 'one');
  assert.equal((await ask(303)).body.code, 'operation_paused');
  assert.equal((await ask(50)).body.code, 'operation_paused', 'even what would have been allowed');
});
