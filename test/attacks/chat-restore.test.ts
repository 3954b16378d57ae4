/** A backup is put back while cards are out there: none of them stays open for what is over, none is posted anew, no button decides. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createPosting } from '../../src/app/posting.ts';
import type { ApprovalId } from '../../src/core/ids.ts';
import { restoreSqlite } from '../../src/store/restore.ts';
import { organisation, withRig, type Rig } from '../app/posting-rig.ts';
import { createFakeMessenger, nowIn, type FakeMessenger } from '../support/fake-messenger.ts';

interface World extends Rig {
  readonly fake: FakeMessenger;
  readonly posted: (approval: ApprovalId) => Promise<void>;
  readonly backup: () => Promise<void>;
  /** Puts the backup back, and delivers what it wrote for Slack; the approvals that it was told of. */
  readonly restore: () => Promise<readonly string[]>;
}

const withWorld = (work: (world: World) => Promise<void>): Promise<void> =>
  withRig(
    async (rig) => {
      const fake = createFakeMessenger();
      const file = join(rig.folder, 'backup.db');
      const channels = ['slack', 'webhook'];
      const posting = createPosting(rig.parts, fake, () => [organisation]);
      await work(
        Object.assign(rig, {
          fake,
          async posted(approval: ApprovalId) {
            const done = await posting.deliver(await rig.told('approval.opened', approval));
            assert.equal(done.ok, true);
          },
          async backup() {
            const done = await rig.parts.store.backup(file);
            assert.equal(done.ok, true, JSON.stringify(done));
          },
          async restore() {
            const { clock, store } = rig.parts;
            const restored = await restoreSqlite({ directory: rig.folder, file, channels, clock });
            assert.equal(restored.ok, true, JSON.stringify(restored));
            const due = await store.takeNotices('slack', 60_000, 100);
            for (const { kind, approval } of due)
              assert.equal((await posting.deliver(await rig.told(kind, approval))).ok, true);
            return due.map(({ kind, approval }) => `${kind} ${approval}`);
          },
        }),
      );
    },
    ['slack', 'webhook'],
  );

test('a card that was posted after the backup is told that it is over, as all others are', () =>
  withWorld(async ({ fake, open, posted, backup, restore, held }) => {
    const before = await open();
    await posted(before);
    const after = await open();
    await backup();
    await posted(after);
    await restore();
    assert.equal((await held(after)).ending?.code, 'cancelled');
    assert.deepEqual(
      fake.messages.map((one) => nowIn(one).open),
      [false, false],
    );
  }));

test('what was over at the backup, and was not told yet, is told to the copies that say otherwise', () =>
  withWorld(async ({ fake, open, posted, cancel, backup, restore, parts }) => {
    const approval = await open();
    await posted(approval);
    await cancel(approval);
    await backup();
    const told = await restore();
    assert.deepEqual(told, [`approval.closed ${approval}`]);
    assert.deepEqual(
      fake.messages.map((one) => nowIn(one).open),
      [false],
    );
    assert.deepEqual(await parts.store.takeNotices('webhook', 60_000, 100), [], 'nobody else is told again');
  }));

test('what is over and not posted anywhere is not posted by a restore', () =>
  withWorld(async ({ fake, open, backup, restore }) => {
    await open();
    await backup();
    await open();
    await restore();
    assert.deepEqual(fake.messages, []);
  }));
