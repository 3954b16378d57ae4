/** `/metrics`: what it counts, that nothing of it is a secret or grows with what others say, and who may ask. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toldOn } from '../../src/app/standing.ts';
import { err, ok } from '../../src/core/result.ts';
import type { Channel, Delivered } from '../../src/ports/channel.ts';
import { told } from '../channels/contract.ts';
import { openPages, type PagesGate } from './pages/support.ts';
import { fail } from './pages/told.ts';

let gate: PagesGate;
before(async () => {
  gate = await openPages({ told: ['slack'] });
});
after(() => gate.close());

const scrape = async (): Promise<ReadonlyMap<string, number>> => {
  gate.clock.nowMs += 2000; // an answer is kept for a second
  const { status, text, headers } = await gate.get(null, '/metrics');
  assert.equal(status, 200);
  assert.equal(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const rows = text.split('\n').filter((row) => row !== '' && !row.startsWith('#'));
  return new Map(
    rows.map((row) => {
      const at = row.lastIndexOf(' ');
      return [row.slice(0, at), Number(row.slice(at + 1))];
    }),
  );
};

test('deliveries, failing channels, presses, what waits and for how long, pending approvals', async () => {
  assert.deepEqual([...(await scrape())], [['countersign_approvals_pending', 0]]);
  const answers: Delivered[] = [
    ok([]),
    err({ detail: 'answered 503', retryable: true }),
    err({ detail: 'somebody else is at it', retryable: true, busy: true }),
  ];
  const slack: Channel = {
    name: 'slack',
    deliver: () => Promise.resolve(answers.shift() ?? assert.fail('told too often')),
  };
  const channel = toldOn(gate.board, gate.parts.clock, slack);
  for (let times = 0; times < 3; times += 1) await channel.deliver(told());
  for (const outcome of ['done', 'no_self_approval', 'done', 'made"up\n{x="y"} 1'])
    gate.board.pressed('slack', outcome);
  const held = await gate.ask('export_rows', { table: 'customers' });
  gate.clock.nowMs += 58_000;
  assert.deepEqual(Object.fromEntries(await scrape()), {
    'countersign_deliveries_total{channel="slack",result="ok"}': 1,
    'countersign_deliveries_total{channel="slack",result="failed"}': 1,
    'countersign_presses_total{channel="slack",outcome="done"}': 2,
    'countersign_presses_total{channel="slack",outcome="no_self_approval"}': 1,
    'countersign_presses_total{channel="slack",outcome="other"}': 1,
    'countersign_channel_failing{channel="slack"}': 1,
    'countersign_notices_waiting{channel="slack"}': 1,
    'countersign_notices_oldest_seconds{channel="slack"}': 60,
    countersign_approvals_pending: 1,
  });
  gate.board.say({ kind: 'channel', name: 'slack', ok: true, detail: null, atMs: gate.clock.nowMs });
  assert.equal((await scrape()).get('countersign_channel_failing{channel="slack"}'), 0);
  // A notice that failed does not make a channel fail that has worked since.
  await fail(gate, held, { channel: 'slack', detail: 'no such place' });
  assert.equal((await scrape()).get('countersign_channel_failing{channel="slack"}'), 0);
});

test('a channel that failed before a restart is failing, though nothing was tried since', async () => {
  const fresh = await openPages({ told: ['slack'] });
  try {
    const held = await fresh.ask('export_rows', { table: 'customers' });
    await fail(fresh, held, { channel: 'slack', detail: 'answered 503' });
    const { text } = await fresh.get(null, '/metrics');
    assert.match(text, /^countersign_channel_failing\{channel="slack"\} 1$/m);
    assert.doesNotMatch(text, /answered 503/);
  } finally {
    await fresh.close();
  }
});

test('what many ask at once is read once', async () => {
  const { store } = gate.parts;
  let reads = 0;
  const counting = Object.assign(Object.create(store) as typeof store, {
    pendingApprovals: () => {
      reads += 1;
      return store.pendingApprovals();
    },
  });
  const { createMetrics } = await import('../../src/http/metrics.ts');
  const clock = { nowMs: () => 5000 };
  const metrics = createMetrics({ store: counting, board: gate.board, clock });
  const texts = await Promise.all(Array.from({ length: 50 }, async () => (await metrics()).text()));
  assert.equal(new Set(texts).size, 1);
  assert.equal(reads, 1);
});

test('it answers to its name and to addresses, by GET; a name that was pointed here gets nothing', async () => {
  const ask = async (host: string | null, method = 'GET', url = `${gate.origin}/metrics`) =>
    (await gate.handler(new Request(url, { method, headers: host === null ? {} : { host } }))).status;
  assert.equal(await ask(null), 200);
  assert.equal(await ask('localhost:7788'), 200);
  assert.equal(await ask('10.1.2.3:7788', 'GET', 'http://10.1.2.3:7788/metrics'), 200);
  assert.equal(await ask('[fd00::7]:7788', 'GET', 'http://[fd00::7]:7788/metrics'), 200);
  assert.equal(await ask('localhost:7788', 'HEAD'), 200);
  for (const host of ['evil.test', '10.1.2.3.evil.test', 'x@10.1.2.3.evil.test'])
    assert.equal(await ask(host), 403, host);
  assert.equal(await ask('evil.test', 'GET', 'http://evil.test/metrics'), 403);
  assert.equal(await ask('10.1.2.3', 'GET', 'http://evil.test/metrics'), 403);
  assert.equal(await ask(null, 'POST'), 405);
  // Nothing else answers to an address.
  assert.equal(
    (
      await gate.handler(
        new Request('http://10.1.2.3:7788/v1/approvals', { headers: { host: '10.1.2.3:7788' } }),
      )
    ).status,
    403,
  );
});
