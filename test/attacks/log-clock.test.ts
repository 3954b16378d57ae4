/** The machine's clock runs backwards: the log goes on, and nobody is told that it was altered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { note, value } from '../store/bench.ts';
import { allPublished, assertTree, publishing } from '../log/support/publishing.ts';

const hourMs = 3_600_000;

test('a clock that was put back: what is published stays in its order, and a restart finds the log whole', async () => {
  const made = await publishing();
  const origin = 'audit.example.com';
  try {
    for (const backMs of [0, hourMs, 24 * hourMs]) {
      made.clock.later(-backMs);
      const store = await made.open({ clock: made.clock });
      const publisher = await made.publish(store);
      for (let n = 0; n < 3; n += 1) value(await store.change(note(n)));
      assert.equal(publisher.damage, null, `put back ${backMs / hourMs} h`);
      assert.equal(publisher.problem, null);
      assert.equal(publisher.origin, origin);
      await allPublished(store, publisher);
      await assertTree(store, origin);
      const sizes = (await store.checkpoints(100)).map((one) => one.size);
      assert.deepEqual(
        sizes,
        sizes.toSorted((one, other) => other - one),
        'the newest first',
      );
      await publisher.stop();
      await store.close();
    }
  } finally {
    await made.remove();
  }
});
