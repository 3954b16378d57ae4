/** The world fails: disk full, store gone, policy folder gone. Nothing runs, the agent is told why, nothing is lost, and it recovers. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually, operations, people, startTestGate, type TestGate } from '../support/gate.ts';

const ask = (gate: TestGate, agent: string, cents: number, note: string) =>
  gate.call(agent, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents, note } });

/** A file system of a few megabytes, so that full means ENOSPC from the kernel. Needs root, as CI is. */
async function smallDisk(t: TestContext): Promise<string | undefined> {
  if (process.getuid?.() !== 0) {
    t.skip('needs root to mount a small tmpfs');
    return undefined;
  }
  const disk = await mkdtemp(join(tmpdir(), 'countersign-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk]);
  t.after(async () => {
    execFileSync('umount', ['-l', disk]);
    await rm(disk, { recursive: true, force: true });
  });
  return disk;
}

/** Takes all that is left of a disk; small writes last, so that not a page is free. */
async function fill(disk: string): Promise<string> {
  const file = join(disk, 'filler');
  for (const bytes of [1 << 20, 1 << 16, 1 << 12]) {
    for (let part = 0; part < 4096; part += 1) {
      const written = await writeFile(file, Buffer.alloc(bytes), { flag: 'a' }).then(
        () => true,
        () => false,
      );
      if (!written) break;
    }
  }
  return file;
}

test('disk full: actions are refused with audit_unavailable, the inbox can be read, and it recovers without a restart', async (t) => {
  const disk = await smallDisk(t);
  if (disk === undefined) return;
  const gate = await startTestGate({
    config: `${people}${operations}\ndata: ${JSON.stringify(join(disk, 'data'))}\n`,
  });
  t.after(() => gate.stop());
  const [agent, rosa] = [await gate.token('agent', 'crm-bot'), await gate.token('person', 'rosa')];
  const held = await ask(gate, agent, 500, 'held before');
  const approvals = `/v1/approvals/${held.body.approval.id}`;
  assert.equal(
    (await gate.call(rosa, 'POST', `${approvals}/reviews`, { decision: 'approve', digest: held.body.digest }))
      .status,
    201,
  );
  const waiting = await ask(gate, agent, 700, 'still pending');

  const filler = await fill(disk);
  const refused: string[] = [];
  for (let tries = 0; tries < 200 && refused.length < 5; tries += 1) {
    // Pages that the database has free may take a few more; then nothing is left.
    const answer = await ask(gate, agent, 5, `full ${tries}`);
    if (answer.status === 503) refused.push(answer.body.code);
  }
  assert.deepEqual(
    refused,
    Array.from({ length: 5 }, () => 'audit_unavailable'),
  );
  const run = await gate.call(agent, 'POST', `/v1/actions/${held.body.id}/execution`);
  assert.equal(run.body.code, 'audit_unavailable', 'what was approved does not run unrecorded');
  assert.match(run.body.detail, /^The log cannot be written, so nothing may run; ask again later\.$/);
  assert.equal((await gate.call(rosa, 'GET', approvals)).body.status, 'approved', 'reads go on');
  assert.equal(
    (await gate.call(rosa, 'GET', '/v1/approvals?status=pending')).body.items[0].id,
    waiting.body.approval.id,
  );
  assert.equal(
    (
      await gate.call(rosa, 'POST', `/v1/approvals/${waiting.body.approval.id}/reviews`, {
        decision: 'approve',
        digest: waiting.body.digest,
      })
    ).body.code,
    'audit_unavailable',
  );
  assert.equal((await gate.call(null, 'GET', '/readyz')).status, 503);

  await rm(filler);
  await eventually(async () => (await ask(gate, agent, 5, 'after')).status === 200, 'it recovers');
  assert.equal(
    (await gate.call(agent, 'POST', `/v1/actions/${held.body.id}/execution`)).status,
    201,
    'the grant was not lost',
  );
  assert.equal(
    (await gate.call(agent, 'POST', `/v1/actions/${held.body.id}/execution`)).body.code,
    'grant_consumed',
  );
  await eventually(async () => (await gate.call(null, 'GET', '/readyz')).status === 200, 'ready again');
});

test('the policy folder goes away and comes back: everything is denied with the reason, no approval ends', async (t) => {
  const gate = await startTestGate();
  t.after(() => gate.stop());
  const [agent, rosa] = [await gate.token('agent', 'crm-bot'), await gate.token('person', 'rosa')];
  const held = await ask(gate, agent, 500, 'held');
  const folder = join(gate.folder, 'policies');
  await rename(folder, `${folder}.away`);
  await eventually(() => gate.gate().parts.policy.broken() !== null, 'the missing folder is noticed');
  assert.equal((await ask(gate, agent, 5, 'x')).body.code, 'policy_error');
  assert.equal(
    (
      await gate.call(rosa, 'POST', `/v1/approvals/${held.body.approval.id}/reviews`, {
        decision: 'approve',
        digest: held.body.digest,
      })
    ).status,
    403,
  );
  await mkdir(folder);
  await eventually(
    async () => (await ask(gate, agent, 5, 'y')).body.code === 'policy_error',
    'an empty folder denies too',
  );
  await rm(folder, { recursive: true });
  await rename(`${folder}.away`, folder);
  await eventually(() => gate.gate().parts.policy.broken() === null, 'the folder is back');
  assert.equal(
    (
      await gate.call(rosa, 'POST', `/v1/approvals/${held.body.approval.id}/reviews`, {
        decision: 'approve',
        digest: held.body.digest,
      })
    ).status,
    201,
  );
});

test('a reload never leaves a moment without policies: allowed stays allowed, forbidden stays forbidden', async (t) => {
  const gate = await startTestGate();
  t.after(() => gate.stop());
  const agent = await gate.token('agent', 'crm-bot');
  const seen = new Set<string>();
  const until = { done: false };
  const asking = (async () => {
    for (let round = 0; !until.done; round += 1) {
      const [small, never] = await Promise.all([
        ask(gate, agent, 5, `s${round}`),
        ask(gate, agent, 200_000, `n${round}`),
      ]);
      seen.add(`${small.body.state} ${never.body.code}`);
    }
  })();
  for (let reload = 0; reload < 4; reload += 1) {
    await gate.setPolicies(`@id("all") permit (principal, action, resource);
      @id("never") @title("Never") forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents > ${100_000 + reload} };`);
  }
  until.done = true;
  await asking;
  assert.deepEqual([...seen], ['ready forbidden']);
});
