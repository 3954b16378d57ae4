/** Notices: told at least once, again after failures, given up with an entry; and a restart forgets none. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { keepNotices } from '../../src/app/notices.ts';
import { limitDefaults, type Parts } from '../../src/app/parts.ts';
import { createPaces } from '../../src/app/pace.ts';
import { createTurns } from '../../src/app/turns.ts';
import { createWaiters } from '../../src/app/waiters.ts';
import { createWorld } from '../../src/app/world.ts';
import { actionIdOf, approvalIdOf, asDigest, asPersonId, type ApprovalId } from '../../src/core/ids.ts';
import { err, ok } from '../../src/core/result.ts';
import type { JsonValue } from '../../src/core/json.ts';
import { createPolicyEngine } from '../../src/policy/engine.ts';
import type { Channel, Told } from '../../src/ports/channel.ts';
import { systemRandom } from '../../src/main.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { asked, askCommand, directory, requirement, reviewed } from '../support/world.ts';
import { eventually } from '../support/gate.ts';
import { until } from '../cli/run.ts';

interface Rig {
  readonly parts: Parts;
  /** Opens an approval. */
  readonly open: () => Promise<ApprovalId>;
  /** Moves the clock, so that what is due later is due. */
  readonly later: (ms: number) => void;
  readonly types: () => Promise<readonly string[]>;
}

async function rigged(work: (rig: Rig) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-notices-'));
  let aheadMs = 0;
  const clock = { nowMs: () => Date.now() + aheadMs };
  const store = await openSqlite({ directory: folder, channels: ['test'], clock });
  const policy = createPolicyEngine();
  const parts: Parts = {
    store,
    policy,
    clock,
    random: systemRandom,
    waiters: createWaiters(),
    turns: createTurns(),
    pace: createPaces(),
    world: createWorld({ store, policy, clock, random: systemRandom }),
    limits: limitDefaults,
    origin: 'http://gate.test',
  };
  // A directory is JSON by construction.
  const body = directory as unknown as JsonValue;
  await store.change({
    kind: 'accept',
    how: 'first',
    parts: [{ what: 'directory', body, digest: asDigest('sha256:1') }],
    by: { kind: 'operator' },
    expected: null,
  });
  let serial = 0;
  try {
    await work({
      parts,
      later: (ms) => {
        aheadMs += ms;
      },
      types: async () => (await store.entries(-1, 1000)).map((one) => one.entry.type),
      open: async () => {
        const versions = await store.versions();
        const one = asked({ ...reviewed(requirement('export', 'data-owners')), versions }, undefined, {
          id: actionIdOf(systemRandom.bytes(16)),
          joinKey: `key ${(serial += 1)}`,
          atMs: clock.nowMs(),
        });
        const approval = approvalIdOf(systemRandom.bytes(16));
        const result = await store.change({ ...askCommand(one), approval, expected: versions });
        assert.ok(result.ok, JSON.stringify(result));
        return approval;
      },
    });
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

/** A channel that does as it is told, and remembers. */
function channel(
  answer: (told: Told, times: number) => ReturnType<Channel['deliver']>,
): Channel & { readonly got: Told[] } {
  const got: Told[] = [];
  return {
    name: 'test',
    got,
    deliver: (told) => {
      got.push(told);
      return answer(told, got.length);
    },
  };
}

const fine = (): ReturnType<Channel['deliver']> => Promise.resolve(ok([]));

test('an approval is told soon after it opens, with its headline and place, once', () =>
  rigged(async ({ parts, open }) => {
    const to = channel(fine);
    const notices = keepNotices(parts, [to], () => 'The headline');
    const approval = await open();
    await until(
      () => to.got.length > 0,
      () => 'told',
    );
    const [told] = to.got;
    assert.deepEqual(
      [told?.kind, told?.headline, told?.url, told?.case.approval?.id],
      ['approval.opened', 'The headline', `http://gate.test/approvals/${approval}`, approval],
    );
    await open();
    await until(
      () => to.got.length > 1,
      () => 'told',
    );
    await notices.stop();
    assert.equal(to.got.length, 2);
    assert.notEqual(to.got[0]?.id, to.got[1]?.id);
  }));

test('what was not told before a restart is told after it', () =>
  rigged(async ({ parts, open, later }) => {
    const never = channel(() => new Promise(() => undefined));
    const before = keepNotices(parts, [never], () => '');
    const approval = await open();
    await until(
      () => never.got.length > 0,
      () => 'tried',
    );
    // The gate dies in the middle of it: nobody calls stop.
    void before;
    later(120_000);
    const to = channel(fine);
    const notices = keepNotices(parts, [to], () => '');
    await until(
      () => to.got.length > 0,
      () => 'told',
    );
    assert.equal(to.got[0]?.case.approval?.id, approval);
    assert.equal(to.got[0]?.id, never.got[0]?.id);
    await notices.stop();
  }));

test('a failure is tried again under the same id, an exception too', () =>
  rigged(async ({ parts, open, later }) => {
    const to = channel((_told, times) => {
      if (times === 1) return Promise.resolve(err({ detail: 'not now', retryable: true }));
      return times === 2 ? Promise.reject(new Error('a bug')) : fine();
    });
    const notices = keepNotices(parts, [to], () => '');
    const approval = await open();
    const tries = (): readonly Told[] => to.got.filter((told) => told.id === to.got[0]?.id);
    const failedOf = async (detail: string): Promise<boolean> =>
      (await parts.store.failingNotices(approval))[0]?.detail === detail;
    for (const [index, why] of ['not now', 'a bug'].entries()) {
      await until(
        () => tries().length > index,
        () => why,
      );
      // Written down before the clock moves: it is due by the clock of that moment.
      await eventually(() => failedOf(why), `it is written down: ${why}`);
      later(60_000);
      await open(); // a commit wakes the loop
    }
    await until(
      () => tries().length > 2,
      () => 'the third try',
    );
    await notices.stop();
    assert.deepEqual(await parts.store.failingNotices(approval), []);
    assert.equal(tries().length, 3);
  }));

test('what cannot be told is given up with an entry: at once where trying is no use, else once nobody waits any more', () =>
  rigged(async ({ parts, open, later, types }) => {
    const hopeless = channel(() => Promise.resolve(err({ detail: 'gone', retryable: false })));
    const notices = keepNotices(parts, [hopeless], () => '');
    await open();
    await until(
      () => hopeless.got.length > 0,
      () => 'tried',
    );
    await notices.stop();
    assert.equal((await types()).filter((type) => type === 'notice.failed').length, 1);
    assert.equal(hopeless.got.length, 1);

    const busy = channel(() => Promise.resolve(err({ detail: 'busy', retryable: true })));
    const approval = await open();
    const tries = 12;
    const look = async (): Promise<void> => {
      const before = busy.got.length;
      const again = keepNotices(parts, [busy], () => '');
      await until(
        () => busy.got.length > before,
        () => 'looked',
      );
      await again.stop();
      later(3_600_000 / 6);
    };
    for (let looks = 0; looks < tries; looks += 1) await look();
    assert.equal(busy.got.length, tries);
    assert.equal((await parts.store.failingNotices(approval))[0]?.detail, 'busy');
    const result = await parts.store.change({
      kind: 'cancel',
      approval,
      by: { kind: 'person', id: asPersonId('sam') },
      reason: null,
    });
    assert.ok(result.ok, JSON.stringify(result));
    await look();
    const entries = await parts.store.entries(-1, 1000);
    const failed = entries.filter((one) => one.entry.type === 'notice.failed').at(-1)?.entry.data;
    assert.deepEqual(failed, {
      attempts: tries + 1,
      channel: 'test',
      detail: 'busy',
      kind: 'approval.opened',
    });
  }));

test('a reminder at half the time, and escalation at its own: told while people are waited for, and not after', () =>
  rigged(async ({ parts, open, later }) => {
    const to = channel(fine);
    const [waiting, closed] = [await open(), await open()];
    const result = await parts.store.change({
      kind: 'cancel',
      approval: closed,
      by: { kind: 'person', id: asPersonId('sam') },
      reason: null,
    });
    assert.ok(result.ok, JSON.stringify(result));
    later(2 * 3_600_000 + 1000);
    const notices = keepNotices(parts, [to], () => '');
    const left = (): Promise<number> => parts.store.waitingNotices('test', 10);
    for (let looks = 0; (await left()) > 0; looks += 1) {
      assert.ok(looks < 500, 'the outbox is never empty');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await notices.stop();
    const of = (approval: ApprovalId): string[] =>
      to.got.filter((told) => told.case.approval?.id === approval).map((told) => told.kind);
    assert.deepEqual(of(waiting).toSorted(), ['approval.opened', 'approval.reminded']);
    assert.deepEqual(of(closed).toSorted(), ['approval.closed', 'approval.opened']);
    assert.deepEqual(
      to.got[0]?.owners,
      [{ id: 'sam', name: 'sam' }],
      'whoever is told knows whose agent it is',
    );
  }));
