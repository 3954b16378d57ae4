/** What of several gates one does at a time, and what all of them do: shipping, deadlines, telling. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Store } from '../../src/ports/store.ts';
import { eventually, type TestGate } from '../support/gate.ts';
import { note, value } from '../store/bench.ts';
import { childGate } from './support/child-gate.ts';
import { onDatabase } from './support/gates.ts';

const storeOf = (gate: TestGate): Store => gate.gate().parts.store;

test('the log is shipped once by all gates together, also where the one that ships is killed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-ship-'));
  const path = join(folder, 'log.jsonl');
  const shipped = async (): Promise<readonly number[]> =>
    (await readFile(path, 'utf8').catch(() => ''))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => Number(JSON.parse(line).entry?.index ?? JSON.parse(line).index));
  const log = `  ship:\n    file: { file: ${JSON.stringify(path)} }\n`;
  const work = onDatabase(
    async (gates) => {
      const first = await gates.start();
      const child = await childGate(join(first.folder, 'countersign.yaml'));
      const b = await gates.start();
      const all = async (what: string): Promise<void> => {
        const { size } = await storeOf(b).head();
        await eventually(async () => new Set(await shipped()).size >= size, what);
      };
      for (let n = 0; n < 50; n += 1) value(await storeOf(b).change(note(n)));
      await all('all of it is shipped');
      const first50 = await shipped();
      assert.deepEqual(
        first50,
        first50.map((_, index) => index),
        'each once, in order',
      );
      // A gate that stops says so, and nothing comes twice.
      await first.gate().close();
      for (let n = 0; n < 50; n += 1) value(await storeOf(b).change(note(n)));
      await all('another ships');
      const handed = await shipped();
      assert.deepEqual(
        handed,
        handed.map((_, index) => index),
        'each once, in order',
      );
      const holder = async () =>
        (await gates.raw("SELECT holder FROM leases WHERE name = 'ship:file'"))[0]?.['holder'];
      const before = await holder();
      await child.kill();
      for (let n = 0; n < 50; n += 1) value(await storeOf(b).change(note(n)));
      await all('the last one ships, whoever did before');
      const lines = await shipped();
      // What was under way when it was killed may be there twice, and nothing else.
      assert.ok(lines.length - new Set(lines).size <= 100, 'at most one batch');
      assert.ok(typeof before === 'string' && before.startsWith('gte_'));
    },
    { log },
  );
  try {
    await work;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a notice is delivered once, whichever gate takes it', async () => {
  const got = new Map<string, number>();
  const server = createServer((request, response) => {
    const id = String(request.headers['webhook-id']);
    got.set(id, (got.get(id) ?? 0) + 1);
    request.resume().on('end', () => response.writeHead(204).end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const more = `channels:\n  webhook: { url: "http://127.0.0.1:${address.port}/in", secret: "whsec_${Buffer.alloc(32, 7).toString('base64')}" }\n`;
  try {
    await onDatabase(
      async (gates) => {
        const all = [await gates.start(), await gates.start(), await gates.start()] as const;
        const [a, b, c] = all;
        const agent = await a.token('agent', 'crm-bot');
        const asked = await Promise.all(
          [a, b, c, a, b].map(async (gate, n) =>
            gate.call(agent, 'POST', '/v1/actions', {
              operation: 'shop___refund',
              input: { cents: 500 + n },
            }),
          ),
        );
        assert.deepEqual(
          asked.map((one) => one.status),
          asked.map(() => 202),
        );
        // Those of a later time wait still.
        const due = "SELECT id FROM notices WHERE kind = 'approval.opened'";
        await eventually(async () => (await gates.raw(due)).length === 0, 'all is delivered');
        assert.equal(got.size, 5);
        assert.deepEqual(
          [...got.values()].filter((times) => times !== 1),
          [],
          'each once',
        );
      },
      { more },
    );
  } finally {
    server.close();
  }
});

test('what expires ends once, and soon, on many gates', () =>
  onDatabase(async (gates) => {
    const policies = `
@id("all") permit (principal, action, resource);
@id("refund.large") @approvers("data-owners") @ttl("PT2S")
forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents > 100 };`;
    const [a, b] = [await gates.start({ policies }), await gates.start({ policies })];
    const agent = await a.token('agent', 'crm-bot');
    for (const gate of [a, b, a, b])
      assert.equal(
        (
          await gate.call(agent, 'POST', '/v1/actions', {
            operation: 'shop___refund',
            input: { cents: 500 },
            session: String(Math.random()),
          })
        ).status,
        202,
      );
    await eventually(
      async () => (await storeOf(a).held({ status: 'pending', limit: 10 })).length === 0,
      'they expire',
    );
    await eventually(async () => {
      const types = (await storeOf(b).entries(-1, 1000)).map(({ entry }) => entry.type);
      return types.filter((one) => one === 'approval.expired').length === 4;
    }, 'each is an entry');
    const types = (await storeOf(b).entries(-1, 1000)).map(({ entry }) => entry.type);
    assert.equal(types.filter((one) => one === 'approval.expired').length, 4);
  }));
