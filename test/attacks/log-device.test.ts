/**
 * The device that the log is on hangs, is full, becomes read-only, loses its file: no action runs, denials are still given, the
 * reason is named to operators, and it goes on by itself. A real gate, with every write and sync of its folder in our hands.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { inFolder, run, start } from '../cli/run.ts';
import { eventually, operations, people, policies } from '../support/gate.ts';
import { root } from '../support/source.ts';

interface Answered {
  readonly status: number;
  // What a test reads of an answer is checked by what it asserts.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

interface Device {
  readonly folder: string;
  fault(how: 'hang' | 'full' | 'read-only' | 'io error' | 'none'): void;
  call(token: string, method: string, path: string, body?: object): Promise<Answered>;
  token(kind: 'agent' | 'person', id: string): string;
  /** All that the gate has said to its operator. */
  said(): string;
}

async function onDevice(body: (device: Device) => Promise<void>): Promise<void> {
  const config = `listen: 127.0.0.1:0\n${people}${operations}`;
  await inFolder(
    { 'countersign.yaml': config, 'policies/test.cedar': policies, fault: '-' },
    async (folder) => {
      const shim = join(folder, 'device.so');
      execFileSync('cc', [
        '-shared',
        '-fPIC',
        '-O1',
        '-o',
        shim,
        join(root, 'test/attacks/support/device.c'),
        '-ldl',
      ]);
      const tokens = new Map<string, string>();
      for (const [kind, id] of [
        ['agent', 'crm-bot'],
        ['person', 'rosa'],
        ['person', 'ada'],
      ] as const)
        tokens.set(id, (await run(['token', kind, id], { cwd: folder })).out.trim());
      const env = { LD_PRELOAD: shim, DEVICE: join(folder, 'data'), FAULT: join(folder, 'fault') };
      const child = start(['serve'], { cwd: folder, env });
      let said = '';
      child.stderr.on('data', (part: Buffer) => (said += part.toString()));
      const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
      const url = line.replace('listening on ', '');
      try {
        await body({
          folder,
          fault: (how) => writeFileSync(env.FAULT, how === 'none' ? '-' : how.slice(0, 1)),
          async call(token, method, path, json) {
            const response = await fetch(url + path, {
              method,
              headers: {
                authorization: `Bearer ${token}`,
                ...(json === undefined ? {} : { 'content-type': 'application/json' }),
              },
              ...(json === undefined ? {} : { body: JSON.stringify(json) }),
            });
            return { status: response.status, body: await response.json() };
          },
          token: (_kind, id) => tokens.get(id) ?? '',
          said: () => said,
        });
      } finally {
        writeFileSync(env.FAULT, '-');
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
    },
  );
}

const refund = (cents: number) => ({ operation: 'shop___refund', input: { cents } });

for (const how of ['hang', 'full', 'read-only', 'io error'] as const) {
  test(`the log's device, ${how}: nothing runs, the policies' no is still given, and it goes on without a restart`, async () => {
    await onDevice(async (device) => {
      const [agent, rosa, ada] = [
        device.token('agent', 'crm-bot'),
        device.token('person', 'rosa'),
        device.token('person', 'ada'),
      ];
      const held = await device.call(agent, 'POST', '/v1/actions', refund(500));
      const { approval, digest, id } = held.body;
      const review = await device.call(rosa, 'POST', `/v1/approvals/${approval.id}/reviews`, {
        decision: 'approve',
        digest,
      });
      assert.equal(review.status, 201);
      const waits = await device.call(agent, 'POST', '/v1/actions', refund(600));
      const before = (await device.call(ada, 'GET', '/v1/log?limit=1000')).body.items.length;

      device.fault(how);
      const allowed = await device.call(agent, 'POST', '/v1/actions', refund(5));
      assert.deepEqual([allowed.status, allowed.body.code], [503, 'audit_unavailable']);
      const claimed = await device.call(agent, 'POST', `/v1/actions/${id}/execution`);
      assert.deepEqual(
        [claimed.status, claimed.body.code],
        [503, 'audit_unavailable'],
        'what was approved does not run',
      );
      const denied = await device.call(agent, 'POST', '/v1/actions', refund(200_000));
      assert.deepEqual([denied.status, denied.body.code], [403, 'forbidden'], 'the no of the policies');
      const decided = await device.call(rosa, 'POST', `/v1/approvals/${waits.body.approval.id}/reviews`, {
        decision: 'approve',
        digest: waits.body.digest,
      });
      assert.equal(decided.status, 503, 'nobody is told that a decision is made that may be lost');
      const ready = await device.call(ada, 'GET', '/readyz');
      assert.equal(ready.status, 503);
      // Whoever is refused is told so at once, not after the device's time: a hundred of them.
      const many = await Promise.all(
        Array.from({ length: 100 }, () => device.call(agent, 'POST', '/v1/actions', refund(5))),
      );
      assert.deepEqual([...new Set(many.map((one) => one.status))], [503]);

      device.fault('none');
      await eventually(
        async () => (await device.call(agent, 'POST', '/v1/actions', refund(6))).status === 200,
        'it goes on by itself',
        30_000,
      );
      await eventually(async () => {
        const { items } = (await device.call(ada, 'GET', `/v1/log?after=${before - 1}&limit=1000`)).body;
        return items.some(
          (one: { type: string; data: { deniedAt?: string; code?: string } }) =>
            one.type === 'action.refused' && one.data.deniedAt !== undefined && one.data.code === 'forbidden',
        );
      }, 'the denial is in the log now');
      const after = await device.call(agent, 'POST', `/v1/actions/${id}/execution`);
      assert.equal(after.status, how === 'hang' ? after.status : 201, 'and what was approved runs, once');
      // Under a hang nobody knew whether it was written; it was not run, so it may say that it was consumed.
      if (how === 'hang') assert.ok([201, 409].includes(after.status), String(after.status));
    });
  });
}

test("the log's file is moved away and put back: nothing runs meanwhile, and it goes on without a restart", async () => {
  await onDevice(async (device) => {
    const agent = device.token('agent', 'crm-bot');
    const file = join(device.folder, 'data', 'countersign.db');
    assert.equal((await device.call(agent, 'POST', '/v1/actions', refund(5))).status, 200);
    renameSync(file, `${file}.away`);
    const allowed = await device.call(agent, 'POST', '/v1/actions', refund(5));
    assert.deepEqual([allowed.status, allowed.body.code], [503, 'audit_unavailable']);
    assert.equal((await device.call(agent, 'POST', '/v1/actions', refund(200_000))).body.code, 'forbidden');
    renameSync(`${file}.away`, file);
    await eventually(
      async () => (await device.call(agent, 'POST', '/v1/actions', refund(6))).status === 200,
      'it goes on by itself',
    );
  });
});
